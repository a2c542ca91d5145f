//! What the enclave finds on a disk that it does not trust.

use std::{fs, sync::Arc};

use blindprint_core::{
    ConsentId, Digest, ManualClock, SystemEntropy, UnixTime,
    statement::{Consent, Decision, Purpose},
};
use blindprint_did::{KeyType, SigningKey, sign};
use blindprint_enclave::{Config, Enclave, EnclaveError, install_keys};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse};

const NOW: UnixTime = UnixTime(1_790_000_000);

fn start(config: &Config) -> Result<Enclave, EnclaveError> {
    Enclave::start(
        config,
        Arc::new(ManualClock::at(NOW)),
        Arc::new(SystemEntropy),
        &|_| (),
    )
}

/// Two people's consents, one sealed state after the other.
fn give_consents(enclave: &Enclave, config: &Config) {
    for _ in 0..2 {
        let wallet = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let consent = Consent {
            id: ConsentId::random(&SystemEntropy),
            sub: wallet.public().subject(),
            service: config.service.clone(),
            decision: Decision::Given,
            purpose: Purpose::Authentication,
            recipient: None,
            record: Digest::of("fuzz", b"record"),
            previous: None,
            notice: Digest::of("fuzz", b"notice"),
            given: NOW,
            expires: NOW.plus(86_400),
        };
        let consent = sign(&wallet, &consent).unwrap();
        let answer = enclave.handle(EnclaveRequest::GiveConsent { consent });
        assert!(
            matches!(answer, EnclaveResponse::Receipt { .. }),
            "{answer:?}"
        );
    }
}

/// A few inputs a second: each is a whole start. The first byte names the file that the others are
/// put into.
#[test]
fn sealed_files() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data: folder.path().join("data"),
        hardware: folder.path().join("hardware"),
        nvram: folder.path().join("hardware/nvram"),
        service: "https://example.org".parse().unwrap(),
        matchers: 1,
        accepted_matchers: vec![],
        recompute: false,
        log: None,
        restore: false,
    };
    install_keys(&config, blindprint_keys::fixture::keys(), &SystemEntropy).unwrap();
    give_consents(&start(&config).unwrap(), &config);
    let paths = [
        config.data.join("keys.sealed"),
        config.data.join("registry.sealed"),
        config.nvram.clone(),
    ];
    let genuine = paths.each_ref().map(|path| fs::read(path).unwrap());
    let seeds = [0, 1, 2].map(|file: u8| [vec![file], genuine[usize::from(file)].clone()].concat());
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(192).seconds(10),
        |bytes: &[u8]| {
            let Some((file, found)) = bytes.split_first() else {
                return;
            };
            let changed = usize::from(*file) % paths.len();
            for (path, contents) in paths.iter().zip(&genuine) {
                fs::write(path, contents).unwrap();
            }
            fs::write(&paths[changed], found).unwrap();
            let started = start(&config).is_ok();
            // The counter's file has room that means nothing, and an older mark to fall back on.
            if changed < 2 {
                assert_eq!(started, found == genuine[changed]);
                assert!(
                    fs::read(&paths[changed]).unwrap() == found,
                    "what cannot be read is not overwritten"
                );
            } else {
                assert!(started || found != genuine[changed]);
            }
        }
    );
}
