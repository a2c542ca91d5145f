//! [`frame`]s on a blocking Unix socket, with bounds on their length and on the time they take.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use blindprint_protocol::frame;
use serde::Serialize;

/// How long a frame may take once its first byte has come, and one write of an answer.
const TRANSFER: Duration = Duration::from_secs(30);

/// What came.
pub(super) enum Received {
    /// A frame's body.
    Body(Vec<u8>),
    /// A frame that is longer than its limit. What follows cannot be told apart from its rest.
    TooLong,
    /// The other side has left.
    End,
}

/// Waits for a frame for at most `idle`.
pub(super) fn receive(
    stream: &mut UnixStream,
    limit: usize,
    idle: Duration,
) -> io::Result<Received> {
    let mut prefix = [0; 4];
    stream.set_read_timeout(Some(idle))?;
    let first = loop {
        match stream.read(&mut prefix) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if first == 0 {
        return Ok(Received::End);
    }
    let deadline = Instant::now() + TRANSFER;
    fill(stream, &mut prefix[first..], deadline)?;
    let Ok(length) = frame::length(prefix, limit) else {
        return Ok(Received::TooLong);
    };
    let mut body = vec![0; length];
    fill(stream, &mut body, deadline)?;
    Ok(Received::Body(body))
}

fn fill(stream: &mut UnixStream, mut bytes: &mut [u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => bytes = &mut bytes[read..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Sends one frame.
pub(super) fn send<T: Serialize>(
    stream: &mut UnixStream,
    message: &T,
    limit: usize,
) -> io::Result<()> {
    let frame = frame::encode(message, limit).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(TRANSFER))?;
    stream.write_all(&frame)
}
