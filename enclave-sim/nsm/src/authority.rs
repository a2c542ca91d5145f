//! The simulated root on disk: `root-key.pem`, its private key and certificate in one file, so
//! that both appear at once, and `root.pem`, the certificate alone, for whoever pins it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use blindprint_core::Entropy;
use p384::{
    ecdsa::SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use x509_cert::{
    Certificate,
    der::{Decode as _, DecodePem as _, Encode as _, EncodePem as _},
    spki::DecodePublicKey as _,
};
use zeroize::Zeroizing;

use crate::{NsmError, certificate::Authority};

const SECRET_FILE: &str = "root-key.pem";
const PUBLIC_FILE: &str = "root.pem";
const CERTIFICATE_BEGINS: &str = "-----BEGIN CERTIFICATE-----";

/// The root in `directory`, made if there is none. Where several processes start at once, one
/// makes it and all use it.
pub(crate) fn load_or_create(
    directory: &Path,
    entropy: &dyn Entropy,
) -> Result<Authority, NsmError> {
    let path = directory.join(SECRET_FILE);
    if !path
        .try_exists()
        .map_err(NsmError::io("looking for the simulated root"))?
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(NsmError::io("making the simulated root's folder"))?;
        let root = Authority::root(entropy)?;
        publish(
            directory,
            SECRET_FILE,
            0o600,
            encode(&root)?.as_bytes(),
            entropy,
        )
        .map_err(NsmError::io("writing the simulated root"))?;
    }
    let text = fs::read_to_string(&path)
        .map(Zeroizing::new)
        .map_err(NsmError::io("reading the simulated root"))?;
    let root = decode(&text)?;
    publish(
        directory,
        PUBLIC_FILE,
        0o644,
        certificate_pem(&text)?.as_bytes(),
        entropy,
    )
    .map_err(NsmError::io("writing the simulated root's certificate"))?;
    Ok(root)
}

fn encode(root: &Authority) -> Result<Zeroizing<String>, NsmError> {
    let key = root
        .key()
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|_| NsmError::Root)?;
    let certificate = Certificate::from_der(root.der())
        .and_then(|certificate| certificate.to_pem(LineEnding::LF))
        .map_err(|_| NsmError::Root)?;
    Ok(Zeroizing::new([key.as_str(), &certificate].concat()))
}

fn decode(text: &str) -> Result<Authority, NsmError> {
    let begins = text.find(CERTIFICATE_BEGINS).ok_or(NsmError::Root)?;
    let key = SigningKey::from_pkcs8_pem(&text[..begins]).map_err(|_| NsmError::Root)?;
    let certificate = Certificate::from_pem(certificate_pem(text)?).map_err(|_| NsmError::Root)?;
    let certified = certificate
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .ok()
        .and_then(|der| p384::ecdsa::VerifyingKey::from_public_key_der(&der).ok());
    if certified.as_ref() != Some(key.verifying_key()) {
        return Err(NsmError::Root);
    }
    Authority::new(Box::new(key), &certificate)
}

fn certificate_pem(text: &str) -> Result<&str, NsmError> {
    text.find(CERTIFICATE_BEGINS)
        .map(|begins| &text[begins..])
        .ok_or(NsmError::Root)
}

/// Puts a whole file in place at once, unless one is there: a link never replaces another's file.
fn publish(
    directory: &Path,
    name: &str,
    mode: u32,
    contents: &[u8],
    entropy: &dyn Entropy,
) -> std::io::Result<()> {
    let draft = directory.join(format!("{name}.{}", entropy.uuid().simple()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(contents)?;
            file.sync_all()?;
            match fs::hard_link(&draft, directory.join(name)) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => File::open(directory)?.sync_all(),
            }
        });
    let removed = fs::remove_file(&draft);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn one_root_is_made_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("root");
        let first = load_or_create(&path, &SystemEntropy).unwrap();
        let again = load_or_create(&path, &SystemEntropy).unwrap();
        assert_eq!(first.der(), again.der());
        assert_eq!(first.key(), again.key());
        let mode = |name: &str| path.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(SECRET_FILE), 0o600);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let public = fs::read_to_string(path.join(PUBLIC_FILE)).unwrap();
        assert!(!public.contains("PRIVATE"));
        assert!(blindprint_protocol::attestation::Root::from_pem(&public).is_ok());
        assert_eq!(
            fs::read_dir(&path).unwrap().count(),
            2,
            "no drafts stay behind"
        );
    }

    #[test]
    fn processes_that_start_together_agree() {
        let directory = tempfile::tempdir().unwrap();
        let roots: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        load_or_create(directory.path(), &SystemEntropy)
                            .unwrap()
                            .der()
                            .to_vec()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(roots.iter().all(|root| *root == roots[0]));
    }

    #[test]
    fn a_damaged_root_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        load_or_create(directory.path(), &SystemEntropy).unwrap();
        let path = directory.path().join(SECRET_FILE);
        let good = fs::read_to_string(&path).unwrap();
        let other = tempfile::tempdir().unwrap();
        load_or_create(other.path(), &SystemEntropy).unwrap();
        let others = fs::read_to_string(other.path().join(SECRET_FILE)).unwrap();
        let begins = good.find(CERTIFICATE_BEGINS).unwrap();
        for bad in [
            String::new(),
            good[..begins].to_owned(),
            good[begins..].to_owned(),
            good[..good.len() / 2].to_owned(),
            [&good[..begins], certificate_pem(&others).unwrap()].concat(),
        ] {
            fs::write(&path, bad).unwrap();
            assert!(matches!(
                load_or_create(directory.path(), &SystemEntropy),
                Err(NsmError::Root)
            ));
        }
    }
}
