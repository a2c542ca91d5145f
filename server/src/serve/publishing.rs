//! What strangers meet: the service's identity, kept in the data folder, and what stands on it.

use std::{
    fs::{File, OpenOptions},
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
    domain::{Credentials, Issuer, IssuerMethod, Public, PublicParts, PublicTerms},
    error::io,
    folder::{self, DataFolder},
    store::Store,
};

/// Issuer, host and resolver, over what was prepared.
pub(super) fn public(
    config: &Config,
    folder: &DataFolder,
    service: &ServiceId,
    (store, enclave): (&Arc<dyn Store>, &Arc<Enclave>),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Result<Public> {
    let identity = Identity::of(config, folder, service);
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
        issuer: identity.load(&**entropy, &**clock)?,
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

    /// The identity, made at its first use.
    pub fn load(&self, entropy: &dyn Entropy, clock: &dyn Clock) -> Result<Issuer> {
        if !self.file.exists() {
            // What another process makes at the same moment stays.
            let made =
                Issuer::create(&self.service, self.method, entropy, clock.now())?.to_text()?;
            folder::secret_or_else(&self.file, || made.to_string())?;
        }
        let text = std::fs::read_to_string(&self.file)
            .map(Zeroizing::new)
            .map_err(io("reading the service's identity"))?;
        Issuer::from_text(&text, &self.service, self.method)
    }

    /// Gives the identity new keys. A running service takes them up within seconds.
    pub async fn rotate(&self, entropy: &dyn Entropy, clock: &dyn Clock) -> Result<Issuer> {
        let _held = self.hold()?;
        let known = self.load(entropy, clock)?;
        loop {
            match known.rotated(entropy, clock.now()) {
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
    pub(super) async fn follow(
        self,
        credentials: Arc<Credentials>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) {
        loop {
            sleep(Duration::from_secs(2)).await;
            let known = credentials.issuer().now();
            match self.load(&*entropy, &*clock) {
                Ok(found) if found.version() != known.version() => {
                    tracing::info!(version = found.version(), "the identity has new keys");
                    credentials.issuer().replace(found);
                }
                Ok(_) => {}
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

    fn identity(folder: &DataFolder, service: &str) -> Identity {
        Identity::of(&Config::default(), folder, &service.parse().unwrap())
    }

    #[tokio::test]
    async fn an_identity_is_made_once_rotated_on_request_and_never_changed_silently() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let ours = identity(&folder, "https://id.example.org");
        let first = ours.load(&SystemEntropy, &SystemClock).unwrap();
        let again = ours.load(&SystemEntropy, &SystemClock).unwrap();
        assert_eq!(again.log(), first.log());
        let mode = std::fs::metadata(folder.identity()).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);

        // Two at once, the second of which waits for the next second of the log.
        let (a, b) = tokio::join!(ours.rotate(&SystemEntropy, &SystemClock), async {
            sleep(Duration::from_millis(10)).await;
            let ours = ours.clone();
            tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Handle::current();
                runtime.block_on(ours.rotate(&SystemEntropy, &SystemClock))
            })
            .await
            .unwrap()
        });
        let mut versions = [a.unwrap(), b.unwrap()].map(|issuer| issuer.version().to_owned());
        versions.sort();
        assert!(versions[0].starts_with("2-") && versions[1].starts_with("3-"));
        let rotated = ours.load(&SystemEntropy, &SystemClock).unwrap();
        assert_eq!(rotated.version(), versions[1]);
        assert_eq!(rotated.webvh(), first.webvh());

        let moved = identity(&folder, "https://id.example.com");
        let refused = moved.load(&SystemEntropy, &SystemClock);
        assert!(matches!(refused, Err(Error::Setup(_))));
        std::fs::write(folder.identity(), "damaged").unwrap();
        let refused = ours.load(&SystemEntropy, &SystemClock);
        assert!(matches!(refused, Err(Error::Setup(_))));
        assert_eq!(
            std::fs::read_to_string(folder.identity()).unwrap(),
            "damaged"
        );
        let address = identity(&folder, "https://192.0.2.1:8443");
        std::fs::remove_file(folder.identity()).unwrap();
        let refused = address.load(&SystemEntropy, &SystemClock);
        assert!(matches!(refused, Err(Error::Setup(why)) if why.contains("public_url")));
    }
}
