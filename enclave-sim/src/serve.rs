use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use blindprint_protocol::{
    frame::{self, FrameError, MAX_REQUEST, MAX_RESPONSE},
    message::{EnclaveRequest, EnclaveResponse, Refusal},
};

use crate::{
    Enclave,
    transport::{Connection, Transport},
};

/// Most connections at once. Servers and matchers keep a few each.
pub const MAX_CONNECTIONS: usize = 128;
/// How long a connection may be silent between requests.
const IDLE: Duration = Duration::from_mins(5);
/// How long a request may take to arrive, and one write of its answer to leave.
const TRANSFER: Duration = Duration::from_secs(30);
/// Pause after a failed accept, which would fail again at once.
const RETRY: Duration = Duration::from_millis(100);

/// Answers everybody who connects, each on a thread of its own. Never returns.
pub fn serve<T: Transport>(enclave: &Arc<Enclave>, transport: &T) -> ! {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let connection = match transport.accept() {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                thread::sleep(RETRY);
                continue;
            }
        };
        let place = Place::take(&open);
        let enclave = Arc::clone(enclave);
        let talk = move || {
            let Some(_place) = place else {
                return turn_away(connection);
            };
            converse(&enclave, connection)
        };
        let spawned = thread::Builder::new()
            .name("connection".to_owned())
            .spawn(move || {
                if let Err(error) = talk() {
                    tracing::debug!(%error, "a connection ended");
                }
            });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for a connection");
        }
    }
}

/// One of [`MAX_CONNECTIONS`], given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(open));
        let taken = open.fetch_add(1, Ordering::Relaxed);
        (taken < MAX_CONNECTIONS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn turn_away(mut connection: impl Connection) -> io::Result<()> {
    answer(&mut connection, &EnclaveResponse::Refused(Refusal::Full))
}

/// Answers request after request until the other side leaves, falls silent or breaks the framing.
fn converse(enclave: &Enclave, mut connection: impl Connection) -> io::Result<()> {
    loop {
        let response = match receive(&mut connection)? {
            None => return Ok(()),
            Some(Ok(body)) => match frame::decode::<EnclaveRequest>(&body) {
                Ok(request) => enclave.handle(request),
                Err(_) => EnclaveResponse::Refused(Refusal::Malformed),
            },
            // What follows a frame that was not read cannot be told apart from its rest.
            Some(Err(_)) => {
                return answer(
                    &mut connection,
                    &EnclaveResponse::Refused(Refusal::Malformed),
                );
            }
        };
        answer(&mut connection, &response)?;
    }
}

/// The next frame's body; `None` if the other side has left.
fn receive(connection: &mut impl Connection) -> io::Result<Option<Result<Vec<u8>, FrameError>>> {
    let mut prefix = [0; 4];
    connection.limit_read(IDLE)?;
    let read = loop {
        match connection.read(&mut prefix) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if read == 0 {
        return Ok(None);
    }
    let deadline = Instant::now() + TRANSFER;
    fill(connection, &mut prefix[read..], deadline)?;
    let length = match frame::length(prefix, MAX_REQUEST) {
        Ok(length) => length,
        Err(error) => return Ok(Some(Err(error))),
    };
    let mut body = vec![0; length];
    fill(connection, &mut body, deadline)?;
    Ok(Some(Ok(body)))
}

fn fill(
    connection: &mut impl Connection,
    mut bytes: &mut [u8],
    deadline: Instant,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        connection.limit_read(left)?;
        match connection.read(bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => bytes = &mut bytes[read..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn answer(connection: &mut impl Connection, response: &EnclaveResponse) -> io::Result<()> {
    let bytes = frame::encode(response, MAX_RESPONSE).map_err(io::Error::other)?;
    connection.limit_write(TRANSFER)?;
    connection.write_all(&bytes)
}
