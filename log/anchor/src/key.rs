//! The key that pays for gas.

use std::{fs::File, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

use alloy::{primitives::hex, signers::local::PrivateKeySigner};
use zeroize::Zeroizing;

use crate::AnchorError;

/// Reads a key from a file of 64 hexadecimal digits, with or without `0x`, that only its owner may
/// read. The signer shows nothing but its address and overwrites the key when it is dropped.
pub(crate) fn read(path: &Path) -> Result<PrivateKeySigner, AnchorError> {
    let file = File::open(path).map_err(|error| AnchorError::file(path, error))?;
    let metadata = file
        .metadata()
        .map_err(|error| AnchorError::file(path, error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        return Err(AnchorError::Invalid(format!(
            "others may read {path}: chmod 600 {path}"
        )));
    }
    let mut text = Zeroizing::new(String::with_capacity(128));
    file.take(128)
        .read_to_string(&mut text)
        .map_err(|error| AnchorError::file(path, error))?;
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *key)
        .ok()
        .and_then(|()| PrivateKeySigner::from_slice(&*key).ok())
        .ok_or_else(|| {
            AnchorError::Invalid(format!(
                "{} is not a secp256k1 key of 64 hexadecimal digits",
                path.display()
            ))
        })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn written(text: &str, mode: u32) -> Result<PrivateKeySigner, AnchorError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        read(&path)
    }

    #[test]
    fn a_key_is_64_digits_that_its_owner_alone_may_read() {
        let one = format!("{:064x}", 1);
        // The address of the private key 1.
        let address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
        for text in [one.clone(), format!("0x{one}\n"), format!(" {one} ")] {
            let key = written(&text, 0o600).unwrap();
            assert_eq!(key.address().to_string(), address);
            assert!(!format!("{key:?}").contains(&one));
        }
        for mode in [0o640, 0o604, 0o620] {
            assert!(written(&one, mode).is_err());
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let zero = "0".repeat(64);
        let long = "1".repeat(66);
        for text in ["", "12", &zero, order, &long, &"x".repeat(64), "ab\ncd"] {
            let error = written(text, 0o600).unwrap_err().to_string();
            assert!(text.len() < 32 || !error.contains(text), "{error}");
        }
        assert!(read(Path::new("/nowhere/key")).is_err());
    }
}
