//! The server's configuration and the secrets that it gives out.

use std::fs;

use blindprint_core::{InvitationId, SystemEntropy};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_server::{
    config::{Config, Overrides},
    domain::InvitationKey,
};
use secrecy::SecretBox;

const TOKEN: &str = "an-operator-token-of-32-characters";

#[test]
fn configurations() {
    let sample = include_str!("../../../../server/blindprint.sample.toml");
    let secret = format!("[operator]\ntoken = \"{TOKEN}\"\n[limits]\nbody_seconds = 5\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blindprint.toml");
    fuzz!(
        Inputs::from([sample, secret.as_str()]),
        Budget::mebibytes(4).seconds(5),
        |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let overrides = Overrides {
                config: Some(path.clone()),
                ..Overrides::default()
            };
            if let Ok(loaded) = Config::load(&overrides) {
                assert!(!loaded.explain().contains(TOKEN));
            }
        }
    );
}

/// `--set KEY=VALUE`.
#[test]
fn settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blindprint.toml");
    fs::write(&path, "").unwrap();
    let seeds = [
        "limits.body_seconds=5",
        "listen.https=127.0.0.1:0",
        "matcher.sockets=[\"a\", \"b\"]",
        "log.format=json",
    ];
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(4).seconds(5),
        |bytes: &[u8]| {
            let set = vec![String::from_utf8_lossy(bytes).into_owned()];
            let overrides = Overrides {
                config: Some(path.clone()),
                set,
                ..Overrides::default()
            };
            if let Ok(loaded) = Config::load(&overrides) {
                loaded.explain();
            }
        }
    );
}

#[test]
fn invitations() {
    let key = InvitationKey::new(SecretBox::new(Box::new([1; 32])));
    let given = [(); 2].map(|()| InvitationId::random(&SystemEntropy));
    let secrets = given.map(|id| key.secret(id));
    fuzz!(
        Inputs::from(secrets.clone()),
        Budget::SMALL,
        |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            if let Some(id) = key.open(&text) {
                assert!(
                    given.contains(&id),
                    "nobody but the key's owner makes invitations"
                );
            }
            if let Some(index) = secrets.iter().position(|secret| *secret == text) {
                assert_eq!(key.open(&text), Some(given[index]));
            }
        }
    );
}
