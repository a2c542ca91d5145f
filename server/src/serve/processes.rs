//! The enclave and the matchers as this configuration wants them: started here, or elsewhere.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use blindprint_core::ServiceId;
use blindprint_protocol::{attestation::Measurement, policy::LogTerms};
use tokio::time::sleep;

use crate::{
    Error, Result,
    config::Config,
    folder::{DataFolder, private_folder, write_atomically},
    process::{Binary, Spec, Supervisor},
    trust,
};

const ENCLAVE: &str = "blindprint-enclave";
const MATCHER: &str = "blindprint-matcher";
/// `sun_path` of a Unix socket's address, less its final zero.
const LONGEST_SOCKET: usize = 107;

/// Where enclave and matchers listen, and what is started for it.
pub(super) struct Backends {
    pub(super) enclave: PathBuf,
    pub(super) matchers: Vec<PathBuf>,
    specs: Vec<Spec>,
    root: Option<PathBuf>,
    measurements: Option<(Measurement, Measurement)>,
    log: Option<LogTerms>,
}

impl Backends {
    pub(super) async fn prepare(
        config: &Config,
        folder: &DataFolder,
        service: &ServiceId,
        log: Option<LogTerms>,
    ) -> Result<Self> {
        if let Some(enclave) = &config.enclave.socket {
            return Ok(Self {
                enclave: enclave.clone(),
                matchers: config.matcher.sockets.clone(),
                specs: Vec::new(),
                root: config.enclave.simulated_root.clone(),
                measurements: measured(config).await.ok(),
                log,
            });
        }
        let enclave = Binary::find(config.enclave.binary.as_deref(), ENCLAVE)?;
        let matcher = Binary::find(config.matcher.binary.as_deref(), MATCHER)?;
        let (enclave_measurement, matcher_measurement) = measured(config).await?;
        let sockets = folder.sockets();
        private_folder(&sockets)?;
        let enclave_socket = socket(&sockets, "enclave.sock")?;
        let matcher_sockets = (0..config.matcher.count)
            .map(|index| socket(&sockets, &format!("matcher-{index}.sock")))
            .collect::<Result<Vec<_>>>()?;

        let root = folder.simulated_root();
        let mut arguments = Arguments::default();
        arguments.pair("--data", folder.enclave());
        arguments.pair("--nvram", folder.enclave_nvram());
        arguments.pair("--socket", &enclave_socket);
        arguments.pair("--simulated-root", &root);
        arguments.pair("--service", service.as_str());
        arguments.pair("--accept-matcher", matcher_measurement.to_string());
        if let Some(needed) = config.enclave.matchers_needed {
            arguments.pair("--matchers", needed.to_string());
        }
        if config.enclave.recompute {
            arguments.0.push("--recompute".into());
        }
        if let Some(terms) = &log {
            arguments.pair("--log", terms.log.to_string());
            arguments.pair("--witness-period", terms.period.to_string());
            if let Some(witness) = &terms.witness {
                arguments.pair("--witness", witness.to_string());
            }
        }
        if config.enclave.restore {
            arguments.0.push("--restore".into());
        }
        let mut specs = vec![Spec {
            name: "enclave".to_owned(),
            program: enclave.path().to_owned(),
            arguments: arguments.0,
            socket: enclave_socket.clone(),
            after: None,
        }];
        let workers = config
            .matcher
            .workers
            .unwrap_or_else(|| workers_each(config.matcher.count));
        for (index, matcher_socket) in matcher_sockets.iter().enumerate() {
            let mut arguments = Arguments::default();
            arguments.pair("--enclave-socket", &enclave_socket);
            arguments.pair("--socket", matcher_socket);
            arguments.pair("--simulated-root", &root);
            arguments.pair("--accept-enclave", enclave_measurement.to_string());
            arguments.pair("--workers", workers.to_string());
            if let Some(queue) = config.matcher.queue {
                arguments.pair("--queue", queue.to_string());
            }
            specs.push(Spec {
                name: format!("matcher-{index}"),
                program: matcher.path().to_owned(),
                arguments: arguments.0,
                socket: matcher_socket.clone(),
                after: Some(enclave_socket.clone()),
            });
        }
        Ok(Self {
            enclave: enclave_socket,
            matchers: matcher_sockets,
            specs,
            root: Some(root),
            measurements: Some((enclave_measurement, matcher_measurement)),
            log,
        })
    }

    /// Starts what is to be started here.
    pub(super) fn supervise(&self, folder: &DataFolder) -> Result<Option<Supervisor>> {
        if self.specs.is_empty() {
            return Ok(None);
        }
        private_folder(&folder.enclave())?;
        let through = std::env::current_exe()
            .map_err(|error| Error::Setup(format!("where this program lies: {error}")))?;
        Supervisor::start(through, self.specs.clone()).map(Some)
    }

    /// Writes what wallets pin, as soon as the simulated hardware has its root.
    pub(super) fn write_trust(
        &self,
        file: PathBuf,
        service: ServiceId,
    ) -> impl Future<Output = ()> + Send + 'static {
        let known = self.root.clone().zip(self.measurements);
        let log = self.log.clone();
        async move {
            let Some((root, (enclave, matcher))) = known else {
                tracing::info!(
                    "no trust file: name enclave.simulated_root and the binaries to have one"
                );
                return;
            };
            while !root.join(trust::ROOT_FILE).is_file() {
                sleep(Duration::from_millis(200)).await;
            }
            let written = trust::build(&root, service, (enclave, matcher), log)
                .and_then(|trust| write_atomically(&file, trust.to_json().as_bytes(), 0o644));
            match written {
                Ok(()) => tracing::info!(file = %file.display(), "trust file written"),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the trust file could not be written"
                ),
            }
        }
    }
}

/// The measurements of the enclave's and the matcher's executables.
pub(crate) async fn measured(config: &Config) -> Result<(Measurement, Measurement)> {
    let enclave = Binary::find(config.enclave.binary.as_deref(), ENCLAVE)?;
    let matcher = Binary::find(config.matcher.binary.as_deref(), MATCHER)?;
    Ok((enclave.measurement().await?, matcher.measurement().await?))
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn pair(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }
}

fn socket(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    if path.as_os_str().len() > LONGEST_SOCKET {
        return Err(Error::Setup(format!(
            "the data folder's path is too long for the socket {}: choose one with at most {} bytes",
            path.display(),
            LONGEST_SOCKET - "/run/matcher-999.sock".len(),
        )));
    }
    Ok(path)
}

/// The processor's cores, shared out.
fn workers_each(matchers: u32) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (u32::try_from(cores).unwrap_or(1) / matchers.max(1)).max(1)
}
