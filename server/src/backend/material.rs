use std::{collections::HashMap, path::PathBuf, sync::Arc};

use blindprint_core::{Digest, label};
use blindprint_protocol::message::MaterialPart;
use tokio::sync::Mutex;

use super::Enclave;
use crate::{Error, Result, error::io, folder, store::Store};

/// A part of the public material, shared by everybody who downloads it.
#[derive(Debug, Clone)]
pub struct Material {
    /// The encoded part.
    pub bytes: Arc<[u8]>,
    /// What the attestation says that it hashes to.
    pub digest: Digest,
}

/// Public material, fetched from the enclave once and kept on disk.
pub struct MaterialStore {
    folder: PathBuf,
    enclave: Arc<Enclave>,
    store: Arc<dyn Store>,
    loaded: Mutex<HashMap<(Digest, MaterialPart), Material>>,
}

impl MaterialStore {
    /// Keeps files in `folder`.
    pub fn new(folder: PathBuf, enclave: Arc<Enclave>, store: Arc<dyn Store>) -> Self {
        Self {
            folder,
            enclave,
            store,
            loaded: Mutex::default(),
        }
    }

    /// A part under a key; `None` if the enclave has another key in force.
    pub async fn part(&self, key: Digest, part: MaterialPart) -> Result<Option<Material>> {
        if self.enclave.terms().await?.key != key {
            return Ok(None);
        }
        // Held while fetching: who comes meanwhile waits for the same bytes.
        let mut loaded = self.loaded.lock().await;
        if let Some(material) = loaded.get(&(key, part)) {
            return Ok(Some(material.clone()));
        }
        let material = match self.read_cached(key, part).await? {
            Some(material) => material,
            None => self.fetch(key, part).await?,
        };
        loaded.retain(|(other, _), _| *other == key);
        loaded.insert((key, part), material.clone());
        Ok(Some(material))
    }

    async fn read_cached(&self, key: Digest, part: MaterialPart) -> Result<Option<Material>> {
        let Some(digest) = self.store.material_digest(key, name(part)).await? else {
            return Ok(None);
        };
        let Ok(bytes) = tokio::fs::read(self.file(key, part)).await else {
            return Ok(None);
        };
        if Digest::of(label_of(part), &bytes) != digest {
            tracing::warn!(
                part = name(part),
                "the kept public material is damaged: fetched again"
            );
            return Ok(None);
        }
        Ok(Some(Material {
            bytes: bytes.into(),
            digest,
        }))
    }

    async fn fetch(&self, key: Digest, part: MaterialPart) -> Result<Material> {
        let bytes = self.enclave.material(part).await?;
        if self.enclave.health().await?.key != key {
            // It restarted with other keys between the chunks.
            return Err(Error::unavailable(1));
        }
        let digest = Digest::of(label_of(part), &bytes);
        let file = self.file(key, part);
        let bytes: Arc<[u8]> = bytes.into();
        let written = Arc::clone(&bytes);
        tokio::task::spawn_blocking(move || {
            if let Some(parent) = file.parent() {
                folder::private_folder(parent)?;
            }
            folder::write_atomically(&file, &written, 0o600)
        })
        .await
        .map_err(|error| io("keeping public material")(error.into()))??;
        self.store.record_material(key, name(part), digest).await?;
        Ok(Material { bytes, digest })
    }

    fn file(&self, key: Digest, part: MaterialPart) -> PathBuf {
        self.folder.join(key.to_string()).join(name(part))
    }
}

const fn name(part: MaterialPart) -> &'static str {
    match part {
        MaterialPart::PublicKey => "public-key",
        MaterialPart::Crs => "crs",
        MaterialPart::EvaluationKeys => "evaluation-keys",
    }
}

/// The label of the digest that the enclave attests.
const fn label_of(part: MaterialPart) -> &'static str {
    match part {
        MaterialPart::PublicKey => label::PUBLIC_KEY,
        MaterialPart::Crs => label::CRS,
        MaterialPart::EvaluationKeys => label::EVALUATION_KEYS,
    }
}
