use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use blindprint_protocol::{
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{EnclaveRequest, EnclaveResponse, Refusal},
    stream::{self, Connection, Received},
};

use crate::{Enclave, transport::Transport};

/// Most connections at once. Servers and matchers keep a few each.
pub const MAX_CONNECTIONS: usize = 128;
/// How long a connection may be silent between requests.
const IDLE: Duration = Duration::from_mins(5);
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
        // The place is given back before the connection closes: who is hung up on may come again.
        let talk = move || {
            let mut connection = connection;
            let Some(_place) = place else {
                // Hung up on without a word: any answer would be taken for one to the request.
                return Ok(());
            };
            converse(&enclave, &mut connection)
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

/// Answers request after request until the other side leaves, falls silent or breaks the framing.
fn converse(enclave: &Enclave, connection: &mut impl Connection) -> io::Result<()> {
    let malformed = EnclaveResponse::Refused(Refusal::Malformed);
    loop {
        let body = match stream::receive(connection, MAX_REQUEST, IDLE)? {
            Received::Body(body) => body,
            Received::TooLong => return stream::send(connection, &malformed, MAX_RESPONSE),
            Received::End => return Ok(()),
        };
        let response = match frame::decode::<EnclaveRequest>(&body) {
            Ok(request) => enclave.handle(request),
            Err(_) => malformed.clone(),
        };
        stream::send(connection, &response, MAX_RESPONSE)?;
    }
}
