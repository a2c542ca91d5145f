//! The socket: a thread for each connection, one request at a time on each.

use std::{
    fs, io,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::sync_channel,
    },
    thread,
    time::{Duration, Instant},
};

use blindprint_core::Digest;
use blindprint_protocol::{
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{MatcherRefusal, MatcherRequest, MatcherResponse},
    stream::{self, Received},
};

use super::{Job, ProcessError, Queue, Stop, queue::NotTaken, work::Task};

/// Most connections at once: those of a few servers, which keep a pool each.
pub const MAX_CONNECTIONS: usize = 256;
/// How long a connection may be silent between requests.
const IDLE: Duration = Duration::from_mins(5);
/// Pause after a failed accept, which would fail again at once.
const RETRY: Duration = Duration::from_millis(100);

/// What connections share.
pub(super) struct Service {
    key: Digest,
    workers: usize,
    queue: Queue<Job>,
    ready: AtomicBool,
    connections: AtomicUsize,
    /// Requests that have come and are not answered yet.
    unanswered: AtomicUsize,
}

impl Service {
    pub(super) fn new(key: Digest, queue: usize, workers: usize) -> Self {
        Self {
            key,
            workers: workers.max(1),
            queue: Queue::new(queue),
            ready: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
        }
    }

    pub(super) const fn queue(&self) -> &Queue<Job> {
        &self.queue
    }

    /// Whether the enclave takes what is signed here.
    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::SeqCst);
    }

    /// Waits until every request that has come is answered, for at most `time`.
    pub(super) fn farewell(&self, time: Duration) {
        let end = Instant::now() + time;
        while self.unanswered.load(Ordering::SeqCst) > 0 && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn answer(&self, request: MatcherRequest) -> MatcherResponse {
        self.dispatch(request)
            .unwrap_or_else(MatcherResponse::Refused)
    }

    fn dispatch(&self, request: MatcherRequest) -> Result<MatcherResponse, MatcherRefusal> {
        if !self.ready.load(Ordering::SeqCst) {
            return Err(MatcherRefusal::NotReady);
        }
        let task = match request {
            MatcherRequest::CheckTemplate {
                binding,
                submission,
            } => Task::CheckTemplate {
                binding,
                submission: submission.into_vec(),
            },
            MatcherRequest::Evaluate {
                binding,
                submission,
                template,
            } => Task::Evaluate {
                binding,
                submission: submission.into_vec(),
                template: template.into_vec(),
            },
            MatcherRequest::Health => {
                let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                return Ok(MatcherResponse::Healthy {
                    key: self.key,
                    queued: number(self.queue.len()),
                    capacity: number(self.queue.capacity()),
                    workers: number(self.workers),
                });
            }
        };
        let (answer, answered) = sync_channel(1);
        let job = Job {
            task,
            since: Instant::now(),
            answer,
        };
        self.queue
            .push(job, self.workers)
            .map_err(|not_taken| match not_taken {
                NotTaken::Full(wait) => MatcherRefusal::Busy {
                    retry_after: whole_seconds(wait),
                },
                NotTaken::Closed => MatcherRefusal::NotReady,
            })?;
        // Fails only if the worker is gone, at the end of the process.
        answered.recv().map_err(|_| MatcherRefusal::NotReady)
    }

    /// Answers request after request until the other side leaves, falls silent or breaks the
    /// framing.
    fn converse(&self, connection: &mut UnixStream) -> io::Result<()> {
        let malformed = MatcherResponse::Refused(MatcherRefusal::Malformed);
        loop {
            let body = match stream::receive(connection, MAX_REQUEST, IDLE)? {
                Received::Body(body) => body,
                Received::TooLong => return stream::send(connection, &malformed, MAX_RESPONSE),
                Received::End => return Ok(()),
            };
            let _unanswered = Counted::one_of(&self.unanswered);
            let response = match frame::decode(&body) {
                Ok(request) => self.answer(request),
                Err(_) => malformed.clone(),
            };
            stream::send(connection, &response, MAX_RESPONSE)?;
        }
    }
}

/// Whole seconds to wait, between one and a minute.
fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000))
        .unwrap_or(u32::MAX)
        .clamp(1, 60)
}

/// One of a count, given back when dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn one_of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A listening Unix socket; its file goes when it is dropped. The process' file mode mask decides
/// who may connect.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at `path`, in the place of a socket that a killed process left there.
    pub(super) fn bind(path: &Path) -> Result<Self, ProcessError> {
        let path = path.to_owned();
        match stream::listen(&path) {
            Ok(Some(listener)) => Ok(Self { listener, path }),
            Ok(None) => Err(ProcessError::InUse(path)),
            Err(source) => Err(ProcessError::Io { path, source }),
        }
    }

    /// Serves whoever connects, until `stop` and a [`Self::wake`].
    pub(super) fn serve(&self, service: &Arc<Service>, stop: &Stop) {
        loop {
            let accepted = self.listener.accept();
            if stop.is_stopped() {
                return;
            }
            match accepted {
                Ok((stream, _)) => connect(service, stream),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    thread::sleep(RETRY);
                }
            }
        }
    }

    /// Has [`Self::serve`] look whether to stop.
    pub(super) fn wake(&self) {
        // If nobody listens any more, there is nobody to wake.
        let _ = UnixStream::connect(&self.path);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // If it is gone already, so be it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Talks to `connection` on a thread of its own, or turns it away if there are enough.
fn connect(service: &Arc<Service>, mut connection: UnixStream) {
    let service = Arc::clone(service);
    let talk = move || {
        let _place = Counted::one_of(&service.connections);
        let done = if service.connections.load(Ordering::SeqCst) > MAX_CONNECTIONS {
            let busy = MatcherResponse::Refused(MatcherRefusal::Busy { retry_after: 1 });
            stream::send(&mut connection, &busy, MAX_RESPONSE)
        } else {
            service.converse(&mut connection)
        };
        if let Err(error) = done {
            tracing::debug!(%error, "a connection ended");
        }
    };
    if let Err(error) = thread::Builder::new()
        .name("connection".to_owned())
        .spawn(talk)
    {
        tracing::warn!(%error, "no thread for a connection");
    }
}
