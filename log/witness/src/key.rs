//! The witness's key in its file: one line, `PRIVATE+KEY+<name>+<id>+<base64>`, as the tools for signed
//! notes write them, with the type byte of cosignatures in front of the seed.

use std::{fs::File, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::Entropy;
use blindprint_log::WitnessKey;
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

use crate::{WitnessError, folder};

const PREFIX: &str = "PRIVATE+KEY+";
/// Ed25519 cosignatures (C2SP tlog-cosignature).
const COSIGNATURE: u8 = 0x04;
/// Longest file, in bytes.
const MAX_FILE: u64 = 1024;

/// Writes a fresh key of this name to a file that must not be there yet.
pub(crate) fn generate(
    path: &Path,
    name: &str,
    entropy: &dyn Entropy,
) -> Result<WitnessKey, WitnessError> {
    let key = WitnessKey::generate(name, entropy)?;
    let seed = key.to_seed();
    let mut bytes = Zeroizing::new([COSIGNATURE; 33]);
    bytes[1..].copy_from_slice(seed.expose_secret());
    let encoded = Zeroizing::new(STANDARD.encode(*bytes));
    let line = Zeroizing::new(format!("{PREFIX}{}+{}\n", name_and_id(&key), *encoded));
    folder::create(path, line.as_bytes())?;
    Ok(key)
}

/// Reads a key from a file that only its owner may read.
pub(crate) fn read(path: &Path) -> Result<WitnessKey, WitnessError> {
    let file = File::open(path).map_err(WitnessError::file(path))?;
    let mode = file.metadata().map_err(WitnessError::file(path))?;
    if mode.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        return Err(WitnessError::Invalid(format!(
            "others may read {path}: chmod 600 {path}"
        )));
    }
    let mut line = Zeroizing::new(String::with_capacity(1024));
    file.take(MAX_FILE)
        .read_to_string(&mut line)
        .map_err(WitnessError::file(path))?;
    parse(line.trim_end()).ok_or_else(|| {
        WitnessError::Invalid(format!("{} is not the key of a witness", path.display()))
    })
}

fn parse(line: &str) -> Option<WitnessKey> {
    // Base64 may hold plus signs; names and ids do not.
    let (name, rest) = line.strip_prefix(PREFIX)?.split_once('+')?;
    let (id, seed) = rest.split_once('+')?;
    let bytes = Zeroizing::new(STANDARD.decode(seed).ok()?);
    let (&COSIGNATURE, seed) = bytes.split_first()? else {
        return None;
    };
    let seed: &[u8; 32] = seed.try_into().ok()?;
    let seed = SecretBox::init_with_mut(|held: &mut [u8; 32]| held.copy_from_slice(seed));
    let key = WitnessKey::from_seed(name, &seed).ok()?;
    // The id binds the name to the key.
    (name_and_id(&key) == format!("{name}+{id}")).then_some(key)
}

/// `<name>+<id>` of the key's text form.
fn name_and_id(key: &WitnessKey) -> String {
    let text = key.verifier().to_string();
    let id = key.verifier().name().len() + 1 + 8;
    text[..id].to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // Some seeds have a plus sign in base64.
        for round in 0..32 {
            let path = folder.path().join(round.to_string());
            let made = generate(&path, "w.example/1", &SystemEntropy).unwrap();
            let read = read(&path).unwrap();
            assert_eq!(read.verifier(), made.verifier());
        }
        generate(&path, "w.example/1", &SystemEntropy).unwrap();
        assert!(generate(&path, "w.example/1", &SystemEntropy).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn a_key_under_another_name_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        generate(&path, "w.example", &SystemEntropy).unwrap();
        let line = fs::read_to_string(&path).unwrap();
        assert!(parse(line.trim_end()).is_some());
        assert!(parse(line.trim_end().replace("w.example", "v.example").as_str()).is_none());
        assert!(parse("PRIVATE+KEY+w.example").is_none());
    }
}
