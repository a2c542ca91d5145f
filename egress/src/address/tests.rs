use super::*;

fn policy(allow: &[&str]) -> Policy {
    let allow: Vec<Allowed> = allow.iter().map(|text| text.parse().unwrap()).collect();
    Policy::new(&allow)
}

fn route(policy: &Policy, url: &str, proxied: bool) -> Option<Route> {
    policy.check(&Url::parse(url).unwrap(), proxied).ok()
}

#[test]
fn only_global_addresses_are_permitted() {
    let policy = policy(&[]);
    for refused in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!policy.permits(refused.parse().unwrap()), "{refused}");
    }
    for permitted in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ] {
        assert!(policy.permits(permitted.parse().unwrap()), "{permitted}");
    }
}

#[test]
fn the_operator_can_make_exceptions() {
    let policy = policy(&[
        "10.1.0.0/16",
        "fd00::/8",
        "registry.internal:8545",
        "[::1]:8080",
    ]);
    assert!(policy.permits("10.1.255.1".parse().unwrap()));
    assert!(policy.permits("::ffff:10.1.0.1".parse().unwrap()));
    assert!(policy.permits("fd12::1".parse().unwrap()));
    assert!(!policy.permits("10.2.0.1".parse().unwrap()));
    let named = Some(Route::Named);
    assert_eq!(
        route(&policy, "http://registry.internal:8545/", false),
        named
    );
    assert_eq!(
        route(&policy, "http://REGISTRY.internal:8545/", true),
        named
    );
    assert_eq!(route(&policy, "http://[::1]:8080/", false), named);
    assert_eq!(route(&policy, "https://[0:0::1]:8080/", false), named);
    assert_eq!(
        route(&policy, "http://registry.internal:8546/", false),
        None
    );
    assert_eq!(route(&policy, "https://[::1]:8081/", false), None);
    // http is for loopback and named hosts only.
    assert_eq!(route(&policy, "http://10.1.0.1/", false), None);
    assert_eq!(
        route(&policy, "https://10.1.0.1/", false),
        Some(Route::Checked)
    );
}

#[test]
fn urls_are_judged_as_the_connection_would_be() {
    let policy = policy(&[]);
    for refused in [
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "data:text/plain,hello",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://:secret@example.org/",
        // Other spellings of 127.0.0.1 and 169.254.169.254.
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "http://localhost:8545/",
    ] {
        assert_eq!(route(&policy, refused, false), None, "{refused}");
    }
    assert_eq!(
        route(&policy, "https://example.org/", false),
        Some(Route::Checked)
    );
    assert_eq!(route(&policy, "https://host/", false), Some(Route::Checked));
    // A proxy would resolve these in its own surroundings.
    for local in [
        "https://host/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://nas.home.arpa./",
    ] {
        assert_eq!(route(&policy, local, true), None, "{local}");
    }
    assert_eq!(
        route(&policy, "https://example.org/", true),
        Some(Route::Checked)
    );
}

#[test]
fn allowed_addresses_have_one_meaning() {
    for (text, printed) in [
        ("10.1.2.3/16", "10.1.0.0/16"),
        ("127.0.0.1", "127.0.0.1/32"),
        ("::1", "::1/128"),
        ("Example.ORG:443", "example.org:443"),
        ("[::1]:8080", "[::1]:8080"),
    ] {
        assert_eq!(text.parse::<Allowed>().unwrap().to_string(), printed);
    }
    for bad in [
        "",
        "example.org",
        "https://example.org",
        "a@b:1",
        ":a@b:1",
        "a:1/x",
        "a:1?",
        "a:1#x",
        "a:99999",
        "10.0.0.0/33",
    ] {
        assert!(bad.parse::<Allowed>().is_err(), "{bad}");
    }
}
