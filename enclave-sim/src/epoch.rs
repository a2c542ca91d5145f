use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

use blindprint_core::{Digest, Entropy, KeyUri, ServiceId};
use blindprint_did::{KeyType, SigningKey};
use blindprint_keys::{PublicMaterial, SecretKeys};
use blindprint_protocol::message::{MATERIAL_CHUNK, MaterialPart};
use blindprint_template::{DecodeError, MaterialDigests};
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox};
use zeroize::Zeroizing;

use crate::{
    EnclaveError, file,
    seal::{Kind, SealingKey, genesis},
};

const SEALED: &str = "keys.sealed";
/// The files of the public key, the CRS and the evaluation keys.
const PARTS: [&str; 3] = ["public-key", "crs", "evaluation-keys"];

/// One generation of keys: the secret ones in memory, the public material in files.
pub(crate) struct Epoch {
    secret: SecretKeys,
    verdict_key: SigningKey,
    digests: MaterialDigests,
    files: [(File, u64); 3],
}

impl Epoch {
    /// Whether `folder` holds sealed keys.
    pub(crate) fn exists(folder: &Path) -> Result<bool, EnclaveError> {
        let path = folder.join(SEALED);
        path.try_exists().map_err(EnclaveError::io(path))
    }

    /// Stores new keys with a fresh verdict key for `service`. The sealed file comes last, so that
    /// what exists is complete.
    pub(crate) fn create(
        folder: &Path,
        sealing_key: &SealingKey,
        service: &ServiceId,
        (secret, material): (SecretKeys, PublicMaterial),
        entropy: &dyn Entropy,
    ) -> Result<(), EnclaveError> {
        let contents = [
            &material.public_key,
            &material.crs,
            &material.evaluation_keys,
        ];
        for (name, bytes) in PARTS.iter().zip(contents) {
            let path = folder.join(name);
            file::replace(&path, &[bytes.as_slice()]).map_err(EnclaveError::io(path))?;
        }
        let verdict_key = SigningKey::generate(KeyType::Ed25519, entropy);
        let content = encode(&secret, &verdict_key, &material.digests(), service);
        let sealed = sealing_key.seal(Kind::Keys, genesis(), Zeroizing::new(content), entropy);
        let path = folder.join(SEALED);
        file::replace(&path, &sealed.parts()).map_err(EnclaveError::io(path))
    }

    /// Reads the keys for `service` and checks that the public material belongs to them.
    pub(crate) fn open(
        folder: &Path,
        sealing_key: &SealingKey,
        service: &ServiceId,
    ) -> Result<(Self, PublicMaterial), EnclaveError> {
        let path = folder.join(SEALED);
        let bytes = std::fs::read(&path).map_err(EnclaveError::io(&path))?;
        let opened = sealing_key
            .open(Kind::Keys, bytes)
            .map_err(|source| EnclaveError::Sealed { path, source })?;
        let Decoded {
            secret,
            verdict_key,
            digests,
            service: sealed,
        } = decode(&opened.content).map_err(EnclaveError::Keys)?;
        if sealed != *service {
            return Err(EnclaveError::Service { sealed });
        }
        let [public_key, crs, evaluation_keys] = PARTS.map(|name| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(EnclaveError::io(path))
        });
        let material = PublicMaterial {
            public_key: public_key?,
            crs: crs?,
            evaluation_keys: evaluation_keys?,
        };
        let found = material.digests();
        let same = [
            found.public_key == digests.public_key,
            found.crs == digests.crs,
            found.evaluation_keys == digests.evaluation_keys,
        ];
        if let Some(wrong) = same.iter().position(|same| !same) {
            return Err(EnclaveError::Material(folder.join(PARTS[wrong])));
        }
        let [public_key, crs, evaluation_keys] = PARTS.map(|name| {
            let path = folder.join(name);
            open_part(&path).map_err(EnclaveError::io(path))
        });
        let files = [public_key?, crs?, evaluation_keys?];
        Ok((
            Self {
                secret,
                verdict_key,
                digests,
                files,
            },
            material,
        ))
    }

    /// Opens verdicts.
    pub(crate) const fn secret(&self) -> &SecretKeys {
        &self.secret
    }

    /// Signs receipts and verdicts.
    pub(crate) const fn verdict_key(&self) -> &SigningKey {
        &self.verdict_key
    }

    /// The name of [`Epoch::verdict_key`].
    pub(crate) fn verdict_key_uri(&self) -> KeyUri {
        self.verdict_key.public().uri()
    }

    /// What is attested.
    pub(crate) const fn digests(&self) -> &MaterialDigests {
        &self.digests
    }

    /// The length of a part of the public material, and a chunk of it from `offset` on. Whoever
    /// fetches it compares digests, so the host's file is good enough.
    pub(crate) fn chunk(&self, part: MaterialPart, offset: u64) -> std::io::Result<(u64, Vec<u8>)> {
        let [public_key, crs, evaluation_keys] = &self.files;
        let (file, total) = match part {
            MaterialPart::PublicKey => public_key,
            MaterialPart::Crs => crs,
            MaterialPart::EvaluationKeys => evaluation_keys,
        };
        let rest = usize::try_from(total.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut chunk = vec![0; rest.min(MATERIAL_CHUNK)];
        file.read_exact_at(&mut chunk, offset)?;
        Ok((*total, chunk))
    }
}

fn open_part(path: &Path) -> std::io::Result<(File, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

struct Decoded {
    secret: SecretKeys,
    verdict_key: SigningKey,
    digests: MaterialDigests,
    service: ServiceId,
}

/// Verdict key (32 bytes), three digests (32 each), the service behind its length (2, big endian),
/// then the secret keys.
fn encode(
    secret: &SecretKeys,
    verdict_key: &SigningKey,
    digests: &MaterialDigests,
    service: &ServiceId,
) -> Vec<u8> {
    let secret = secret.expose();
    let service = service.as_str().as_bytes();
    // All of it is there before the first secret is written, so that growing leaves no copies.
    let mut content = Vec::with_capacity(4 * 32 + 2 + service.len() + secret.len());
    content.extend(verdict_key.to_secret().expose_secret());
    for digest in [&digests.public_key, &digests.crs, &digests.evaluation_keys] {
        content.extend(digest.as_bytes());
    }
    content.extend(
        u16::try_from(service.len())
            .expect("a service's name is short")
            .to_be_bytes(),
    );
    content.extend(service);
    content.extend(secret.as_slice());
    content
}

fn decode(content: &Zeroizing<Vec<u8>>) -> Result<Decoded, DecodeError> {
    let (seed, rest) = content
        .split_first_chunk::<32>()
        .ok_or(DecodeError::Length)?;
    let mut secret = SecretBox::new(Box::new([0; 32]));
    secret.expose_secret_mut().copy_from_slice(seed);
    let verdict_key =
        SigningKey::from_secret(KeyType::Ed25519, &secret).map_err(|_| DecodeError::Value)?;
    let (public_key, rest) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
    let (crs, rest) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
    let (evaluation_keys, rest) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
    let (length, rest) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (service, rest) = rest.split_at_checked(length).ok_or(DecodeError::Length)?;
    let service = std::str::from_utf8(service)
        .ok()
        .and_then(|text| text.parse().ok());
    Ok(Decoded {
        secret: SecretKeys::decode(rest)?,
        verdict_key,
        digests: MaterialDigests {
            public_key: Digest::from_bytes(*public_key),
            crs: Digest::from_bytes(*crs),
            evaluation_keys: Digest::from_bytes(*evaluation_keys),
        },
        service: service.ok_or(DecodeError::Value)?,
    })
}
