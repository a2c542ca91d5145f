//! What strangers meet: the service's identity, kept in the data folder, and what stands on it.

use std::{
    fs::{File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use blindprint_core::{Clock, Entropy, ServiceId};
use blindprint_egress::Egress;
use secrecy::zeroize::Zeroizing;
use tokio::time::sleep;

use crate::{
    Error, Result,
    backend::Enclave,
    config::Config,
    domain::{Credentials, Issuer, IssuerMethod, OldKeys, Public, PublicParts, PublicTerms},
    error::io,
    folder::{self, DataFolder},
    store::Store,
};

/// Issuer, host and resolver, over what was prepared.
pub(super) fn public(
    config: &Config,
    service: &ServiceId,
    issuer: Issuer,
    (store, enclave): (&Arc<dyn Store>, &Arc<Enclave>),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Result<Public> {
    let egress = Egress::new(&config.egress.client()?)
        .map_err(|error| Error::Setup(format!("egress: {error}")))?;
    let terms = PublicTerms {
        service: service.clone(),
        verdict_seconds: config.credentials.verdict_seconds,
        status_ttl: config.credentials.status_ttl_seconds,
        resolver: config.resolver.resolver(),
    };
    let parts = PublicParts {
        store: Arc::clone(store),
        enclave: Arc::clone(enclave),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        issuer,
        egress,
    };
    Ok(Public::new(terms, parts))
}

/// The service's identity on the disk.
#[derive(Debug, Clone)]
pub struct Identity {
    file: PathBuf,
    lock: PathBuf,
    service: ServiceId,
    method: IssuerMethod,
}

impl Identity {
    /// That of the service of this name, which a data folder belongs to.
    pub fn of(config: &Config, folder: &DataFolder, service: &ServiceId) -> Self {
        Self {
            file: folder.identity(),
            lock: folder.identity_lock(),
            service: service.clone(),
            method: config.credentials.issuer_method,
        }
    }

    /// The identity for a start, made at the first one. One that is lost is not made again: what was
    /// issued under it would not verify under another.
    pub(super) async fn settle(
        &self,
        store: &dyn Store,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Issuer> {
        let known = store.identity().await?;
        if known.is_none() && !self.file.exists() {
            let made = Issuer::create(&self.service, self.method, entropy, clock.now())?;
            let text = made.to_text()?;
            folder::secret_or_else(&self.file, || text.to_string())?;
        }
        let found = self.load()?;
        match known {
            Some(known) if known != found.webvh().as_str() => Err(Error::Setup(format!(
                "identity.json is that of {}, and this data folder has been {known}: put the \
                 right one back",
                found.webvh()
            ))),
            Some(_) => Ok(found),
            None => {
                store.record_identity(found.webvh().as_str()).await?;
                Ok(found)
            }
        }
    }

    /// The identity of a service that has started before.
    pub fn load(&self) -> Result<Issuer> {
        let text = match std::fs::read_to_string(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::Setup(
                    "identity.json is missing in the data folder: the first start makes it, and \
                     one that is lost has to be put back from a copy"
                        .to_owned(),
                ));
            }
            read => read
                .map(Zeroizing::new)
                .map_err(io("reading the service's identity"))?,
        };
        Issuer::from_text(&text, &self.service, self.method)
    }

    /// Gives the identity new keys. A running service takes them up within seconds.
    pub async fn rotate(
        &self,
        old: OldKeys,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Issuer> {
        let _held = self.hold()?;
        let known = self.load()?;
        loop {
            match known.rotated(old, entropy, clock.now()) {
                // Two entries of one log cannot have the same second.
                Err(Error::RetryAfter { seconds, .. }) if seconds <= 5 => {
                    sleep(Duration::from_millis(200)).await;
                }
                Err(Error::RetryAfter { seconds, .. }) => {
                    return Err(Error::Setup(format!(
                        "the clock is {seconds} s behind the last rotation: set it right first"
                    )));
                }
                rotated => {
                    let rotated = rotated?;
                    folder::write_atomically(&self.file, rotated.to_text()?.as_bytes(), 0o600)?;
                    return Ok(rotated);
                }
            }
        }
    }

    /// One rotation at a time.
    fn hold(&self) -> Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.lock)
            .map_err(io("opening the identity's lock file"))?;
        file.lock().map_err(io("waiting for another rotation"))?;
        Ok(file)
    }

    /// Takes up what a rotation wrote, for as long as the service runs.
    pub(super) async fn follow(self, credentials: Arc<Credentials>) {
        let mut seen = None;
        loop {
            sleep(Duration::from_secs(2)).await;
            // Keys are not read again and again for nothing.
            let stamp = std::fs::metadata(&self.file)
                .and_then(|file| Ok((file.modified()?, file.len())))
                .ok();
            if stamp == seen {
                continue;
            }
            let known = credentials.issuer().now();
            match self.load() {
                Ok(found) if found.version() != known.version() => {
                    tracing::info!(version = found.version(), "the identity has new keys");
                    credentials.issuer().replace(found);
                    seen = stamp;
                }
                Ok(_) => seen = stamp,
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the identity could not be read again"
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use blindprint_core::{SystemClock, SystemEntropy};

    use super::*;
    use crate::store::SqliteStore;

    fn identity(folder: &DataFolder, service: &str) -> Identity {
        Identity::of(&Config::default(), folder, &service.parse().unwrap())
    }

    async fn store(folder: &DataFolder) -> SqliteStore {
        SqliteStore::open(&folder.database()).await.unwrap()
    }

    #[tokio::test]
    async fn an_identity_is_made_once_and_never_again() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let store = store(&folder).await;
        let ours = identity(&folder, "https://id.example.org");
        assert!(matches!(ours.load(), Err(Error::Setup(_))));
        let settle = async || ours.settle(&store, &SystemEntropy, &SystemClock).await;
        let first = settle().await.unwrap();
        assert_eq!(settle().await.unwrap().log(), first.log());
        let mode = std::fs::metadata(folder.identity()).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);

        let moved = identity(&folder, "https://id.example.com");
        assert!(matches!(moved.load(), Err(Error::Setup(_))));
        let kept = std::fs::read(folder.identity()).unwrap();
        std::fs::write(folder.identity(), "damaged").unwrap();
        assert!(matches!(settle().await, Err(Error::Setup(_))));
        std::fs::remove_file(folder.identity()).unwrap();
        assert!(matches!(settle().await, Err(Error::Setup(why)) if why.contains("missing")));
        let now = SystemClock.now();
        let service = "https://id.example.org".parse().unwrap();
        let other = Issuer::create(&service, IssuerMethod::Web, &SystemEntropy, now).unwrap();
        std::fs::write(folder.identity(), other.to_text().unwrap().as_bytes()).unwrap();
        assert!(matches!(settle().await, Err(Error::Setup(why)) if why.contains("right one")));
        std::fs::write(folder.identity(), kept).unwrap();
        assert_eq!(settle().await.unwrap().log(), first.log());
    }

    #[tokio::test]
    async fn an_address_is_no_name() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let store = store(&folder).await;
        let address = identity(&folder, "https://192.0.2.1:8443");
        let refused = address.settle(&store, &SystemEntropy, &SystemClock).await;
        assert!(matches!(refused, Err(Error::Setup(why)) if why.contains("public_url")));
        assert!(!folder.identity().exists());
    }

    #[tokio::test]
    async fn two_rotations_at_once_follow_each_other() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let store = store(&folder).await;
        let ours = identity(&folder, "https://id.example.org");
        let first = ours.settle(&store, &SystemEntropy, &SystemClock).await;
        let first = first.unwrap();
        let rotate = || {
            let ours = ours.clone();
            tokio::task::spawn_blocking(move || {
                let rotated = ours.rotate(OldKeys::StayListed, &SystemEntropy, &SystemClock);
                tokio::runtime::Handle::current().block_on(rotated)
            })
        };
        let (a, b) = tokio::join!(rotate(), rotate());
        let mut versions = [a, b].map(|rotated| rotated.unwrap().unwrap().version().to_owned());
        versions.sort();
        assert!(versions[0].starts_with("2-") && versions[1].starts_with("3-"));
        let rotated = ours.load().unwrap();
        assert_eq!(rotated.version(), versions[1]);
        assert_eq!(rotated.webvh(), first.webvh());
    }
}
