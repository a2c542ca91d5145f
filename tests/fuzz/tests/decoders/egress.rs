//! Exceptions from what is not fetched.

use blindprint_egress::Allowed;
use blindprint_fuzz::{Budget, Inputs, fuzz};

#[test]
fn allowed_addresses() {
    let seeds = [
        "10.1.0.0/16",
        "fd00::/8",
        "127.0.0.1",
        "::1",
        "registry.internal:8545",
        "[::1]:8443",
        "10.0.0.1:80",
    ];
    for seed in seeds {
        assert!(seed.parse::<Allowed>().is_ok(), "{seed}");
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(allowed) = text.parse::<Allowed>() else {
            return;
        };
        let written = allowed.to_string();
        assert_eq!(written.parse::<Allowed>().unwrap(), allowed, "{written}");
        match &allowed {
            Allowed::Network(network) => assert_eq!(network.trunc(), *network),
            Allowed::Host { host, port } => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                assert!(
                    digits.ends_with(&port.to_string()),
                    "a port is never implied"
                );
                assert!(!text.contains(['@', '?', '#']), "nothing is passed over");
                assert!(!host.is_empty() && !host.contains(['/', '@', '?', '#', '[', ']', ' ']));
            }
        }
    });
}
