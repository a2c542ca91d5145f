//! Public key and CRS: fetched once per key epoch, kept in a folder under their digests, and
//! compared with what the enclave attests each time they are loaded.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use blindprint_core::{Digest, label};
use blindprint_template::{Crs, PublicKey};
use tokio::sync::Mutex;

use crate::{Attested, Client, Error, Observer, Result, Step, keyfile};

/// What a wallet encrypts and proves with.
pub struct Material {
    /// Encrypts.
    pub public_key: PublicKey,
    /// Proves.
    pub crs: Crs,
}

/// The public material of every service that this process talks to, each loaded once.
pub struct Materials {
    folder: Option<PathBuf>,
    loaded: Mutex<HashMap<Digest, Arc<Material>>>,
}

#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    label: &'static str,
    limit: usize,
}

const PUBLIC_KEY: Part = Part {
    name: "public-key",
    label: label::PUBLIC_KEY,
    limit: PublicKey::ENCODED_LEN,
};
const CRS: Part = Part {
    name: "crs",
    label: label::CRS,
    limit: Crs::MAX_LEN,
};

impl Materials {
    /// Keeps downloads in `folder`.
    pub fn cached_in(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            loaded: Mutex::default(),
        }
    }

    /// Keeps downloads in memory only.
    pub fn in_memory() -> Self {
        Self {
            folder: None,
            loaded: Mutex::default(),
        }
    }

    /// The material that `attested` covers.
    pub async fn load(
        &self,
        client: &Client,
        attested: &Attested,
        observer: &dyn Observer,
    ) -> Result<Arc<Material>> {
        // Held while downloading, so that wallets of one process fetch once.
        let mut loaded = self.loaded.lock().await;
        if let Some(material) = loaded.get(&attested.key) {
            return Ok(Arc::clone(material));
        }
        let public_key = self
            .part(client, attested, PUBLIC_KEY, &attested.public_key, observer)
            .await?;
        let crs = self
            .part(client, attested, CRS, &attested.crs, observer)
            .await?;
        // Millions of curve points: not on an async thread.
        let material = tokio::task::spawn_blocking(move || {
            let undecodable =
                |_| Error::ServiceFailed("its public material does not decode".to_owned());
            Ok::<_, Error>(Material {
                public_key: PublicKey::decode(&public_key).map_err(undecodable)?,
                crs: Crs::decode(&crs).map_err(undecodable)?,
            })
        })
        .await
        .map_err(|_| Error::Encryption("decoding the public material was aborted".to_owned()))??;
        let material = Arc::new(material);
        loaded.insert(attested.key, Arc::clone(&material));
        Ok(material)
    }

    async fn part(
        &self,
        client: &Client,
        attested: &Attested,
        part: Part,
        digest: &Digest,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>> {
        let path = self
            .folder
            .as_ref()
            .map(|folder| folder.join(digest.to_string()));
        if let Some(bytes) = path.as_ref().and_then(|path| std::fs::read(path).ok())
            && Digest::of(part.label, &bytes) == *digest
        {
            return Ok(bytes);
        }
        let progress = |done, total| {
            observer.step(Step::Download {
                part: part.name,
                done,
                total,
            })
        };
        let bytes = client
            .material(&attested.key, part.name, part.limit, &progress)
            .await?;
        if Digest::of(part.label, &bytes) != *digest {
            return Err(Error::Untrusted(format!(
                "its {} is not the one that its enclave attests",
                part.name
            )));
        }
        if let Some(path) = path {
            std::fs::create_dir_all(path.parent().unwrap_or(&path))
                .map_err(|e| Error::file(&path, e))?;
            keyfile::replace(&path, &bytes)?;
        }
        Ok(bytes)
    }
}
