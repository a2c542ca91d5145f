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
