//! The matcher as a process: admitted by the enclave, serving a Unix socket.
//!
//! It attests to the enclave and has the enclave attest to it, takes the public material from it,
//! and evaluates requests on a fixed number of threads behind a bounded queue. Each evaluation is
//! single-threaded, so that throughput grows with the requests and none waits for another's parts.
//!
//! What it signs, it has done; its key is drawn at start and dies with it. It keeps nothing.

mod enclave;
mod queue;
mod serve;
mod work;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use blindprint_core::{Clock, Entropy};
use blindprint_did::{KeyType, SigningKey};
use blindprint_nsm::{Mode, Nsm, NsmError};
use blindprint_protocol::{
    attestation::{AttestationError, Measurement, Trust},
    message::Refusal,
};
use blindprint_template::DecodeError;

pub use self::serve::MAX_CONNECTIONS;
use self::{
    enclave::{Admission, Enclave},
    queue::Queue,
    serve::{Service, Socket},
    work::Job,
};
use crate::Matcher;

/// How often the enclave is asked whether it is still the one that admitted this matcher.
const WATCH: Duration = Duration::from_secs(1);
/// How often this matcher has itself admitted again, to be counted among those present: a third of
/// [`blindprint_protocol::policy::PRESENCE`].
const SHOW: Duration = Duration::from_secs(30);
/// How long answers to what was asked before the end may take to leave.
const FAREWELL: Duration = Duration::from_secs(10);

/// How one matcher runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the enclave serves.
    pub enclave_socket: PathBuf,
    /// Where to serve.
    pub socket: PathBuf,
    /// Folder of the simulated attestation root.
    pub simulated_root: PathBuf,
    /// Measurements of enclaves to serve.
    pub accepted_enclaves: Vec<Measurement>,
    /// Evaluations at once, at least 1.
    pub workers: usize,
    /// Most requests that wait, at least 1.
    pub queue: usize,
}

/// Why the process ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// Look at the path and its permissions.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// End the other process, or give this one another socket.
    #[error("{0}: another process serves this socket")]
    InUse(PathBuf),
    /// The security module does not work.
    #[error(transparent)]
    Nsm(#[from] NsmError),
    /// The enclave is not one to serve. Accept its measurement, or leave it alone.
    #[error("the enclave's attestation: {0}")]
    Attestation(#[from] AttestationError),
    /// The enclave does not admit this matcher. Have it accept this build's measurement.
    #[error("the enclave does not admit this matcher: {0}")]
    NotAdmitted(Refusal),
    /// The public material is not what the enclave attests to.
    #[error("the public material is not what the enclave attests to")]
    Material,
    /// The public material does not decode.
    #[error("the public material: {0}")]
    Decode(#[from] DecodeError),
    /// The enclave has other public material now. Start again to take it.
    #[error("the enclave has other public material now")]
    KeyChanged,
    /// The enclave does not answer, or not as it should. Asked again by itself.
    #[error("the enclave does not answer: {0}")]
    Unanswered(io::Error),
}

/// Whether to go on. Shared by all threads and whoever ends the process.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks everything to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether that was asked.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits for `time`, or less if asked to stop. Returns whether to go on.
    fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.is_stopped() && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        !self.is_stopped()
    }
}

/// Runs a matcher until `stop`. The socket appears once the enclave has admitted it.
pub fn run(
    config: &Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    stop: &Stop,
) -> Result<(), ProcessError> {
    let nsm = Nsm::open(&config.simulated_root, Mode::Production, &*entropy)?;
    let trust = Trust::new(nsm.root().clone(), config.accepted_enclaves.clone(), vec![])?;
    let signing_key = SigningKey::generate(KeyType::Ed25519, &*entropy);
    let socket = config.enclave_socket.clone();
    let masks = Arc::clone(&entropy);
    let enclave = Enclave::new(socket, nsm, trust, clock, entropy);

    let Some(matcher) = until_answered(stop, || enclave.take_material())? else {
        return Ok(());
    };
    let key = matcher.digests().key();
    let service = Arc::new(Service::new(key, config.queue, config.workers));
    let admit = || enclave.admit(&signing_key.public().uri(), key);
    let Some(mut admission) = until_answered(stop, admit)? else {
        return Ok(());
    };
    service.set_ready(true);

    let socket = Socket::bind(&config.socket)?;
    let done = thread::scope(|threads| {
        let started = start_workers(
            threads,
            config.workers,
            &matcher,
            &signing_key,
            &service,
            &masks,
        );
        let watched = started.and_then(|()| {
            threads.spawn(|| socket.serve(&service, stop));
            tracing::info!(socket = %config.socket.display(), workers = config.workers, "serving");
            watch(&enclave, &mut admission, &service, stop, admit)
        });
        // Whatever ended it, the threads end too: the scope waits for them.
        stop.stop();
        socket.wake();
        service.queue().close();
        watched
    });
    service.farewell(FAREWELL);
    done
}

fn start_workers<'scope, 'env>(
    threads: &'scope thread::Scope<'scope, 'env>,
    workers: usize,
    matcher: &'env Matcher,
    signing_key: &'env SigningKey,
    service: &'env Service,
    entropy: &'env Arc<dyn Entropy>,
) -> Result<(), ProcessError> {
    for worker in 0..workers.max(1) {
        thread::Builder::new()
            .name(format!("worker-{worker}"))
            .spawn_scoped(threads, || {
                work::work(matcher, signing_key, service.queue(), entropy)
            })
            .map_err(|source| ProcessError::Io {
                path: "a worker's thread".into(),
                source,
            })?;
    }
    Ok(())
}

/// Keeps this matcher admitted: by the same enclave while it runs, which it shows now and then, and
/// by the next one after a restart.
fn watch(
    enclave: &Enclave,
    admission: &mut Admission,
    service: &Service,
    stop: &Stop,
    admit: impl Fn() -> Result<Admission, ProcessError>,
) -> Result<(), ProcessError> {
    let mut shown = Instant::now();
    while stop.pause(WATCH) {
        let admitted = match enclave.still_admits(admission) {
            Ok(true) if shown.elapsed() < SHOW => continue,
            Ok(still) => still,
            Err(error) => {
                tracing::warn!(%error, "the enclave is gone");
                false
            }
        };
        // Unless it is admitted, what would be signed now would open nothing.
        service.set_ready(admitted);
        let Some(renewed) = until_answered(stop, &admit)? else {
            break;
        };
        *admission = renewed;
        shown = Instant::now();
        service.set_ready(true);
        if !admitted {
            tracing::info!("admitted again");
        }
    }
    Ok(())
}

/// Asks until there is an answer; `None` if told to stop before. Refusals are final, like that of
/// another measurement, unless a restart or another matcher's start explains them.
fn until_answered<T>(
    stop: &Stop,
    ask: impl Fn() -> Result<T, ProcessError>,
) -> Result<Option<T>, ProcessError> {
    loop {
        match ask() {
            Err(
                error @ (ProcessError::Unanswered(_)
                | ProcessError::NotAdmitted(Refusal::ChallengeGone | Refusal::Full)),
            ) => {
                tracing::debug!(%error, "no answer from the enclave yet");
                if !stop.pause(WATCH) {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
            Ok(answer) => return Ok(Some(answer)),
        }
    }
}

#[cfg(test)]
mod tests;
