//! [`frame`]s on a blocking byte stream, with bounds on their length and on the time they take; and
//! the Unix sockets that the processes serve them on.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};
#[cfg(unix)]
use std::{
    os::unix::{
        fs::FileTypeExt as _,
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::frame;

/// How long a frame may take once its first byte has come, and one write of an answer.
const TRANSFER: Duration = Duration::from_secs(30);

/// A byte stream with time limits.
pub trait Connection: Read + Write {
    /// How long one read may wait.
    fn limit_read(&self, limit: Duration) -> io::Result<()>;
    /// How long one write may wait.
    fn limit_write(&self, limit: Duration) -> io::Result<()>;
}

#[cfg(unix)]
impl Connection for UnixStream {
    fn limit_read(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit))
    }

    fn limit_write(&self, limit: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(limit))
    }
}

/// Listens at `path`, in the place of a socket that a killed process left there. `None` if another
/// process serves it. The process' file mode mask decides who may connect.
#[cfg(unix)]
pub fn listen(path: &Path) -> io::Result<Option<UnixListener>> {
    if std::fs::symlink_metadata(path).is_ok_and(|entry| entry.file_type().is_socket()) {
        if UnixStream::connect(path).is_ok() {
            return Ok(None);
        }
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path).map(Some)
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A frame's body.
    Body(Zeroizing<Vec<u8>>),
    /// A frame that is longer than its limit. What follows cannot be told apart from its rest.
    TooLong,
    /// The other side has left.
    End,
}

/// Waits for a frame of at most `limit` bytes for at most `idle`.
pub fn receive(
    connection: &mut impl Connection,
    limit: usize,
    idle: Duration,
) -> io::Result<Received> {
    let mut prefix = [0; 4];
    connection.limit_read(idle)?;
    let first = loop {
        match connection.read(&mut prefix) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if first == 0 {
        return Ok(Received::End);
    }
    let deadline = Instant::now() + TRANSFER;
    fill(connection, &mut prefix[first..], deadline)?;
    let Ok(length) = frame::length(prefix, limit) else {
        return Ok(Received::TooLong);
    };
    let mut body = Zeroizing::new(vec![0; length]);
    fill(connection, &mut body, deadline)?;
    Ok(Received::Body(body))
}

/// Reads exactly as many bytes, however slowly they trickle in, until `deadline`.
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

/// Sends one frame of at most `limit` bytes.
pub fn send(
    connection: &mut impl Connection,
    message: &impl Serialize,
    limit: usize,
) -> io::Result<()> {
    let frame = frame::encode(message, limit).map_err(io::Error::other)?;
    connection.limit_write(TRANSFER)?;
    connection.write_all(&frame)
}

#[cfg(all(test, unix))]
mod tests {
    use std::thread;

    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    #[test]
    fn a_frame_may_come_in_pieces() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let frame = frame::encode(&"message", 64).unwrap();
        let body = Zeroizing::new(frame[4..].to_vec());
        let sender = thread::spawn(move || {
            for byte in frame.iter().copied() {
                there.write_all(&[byte]).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        assert_eq!(receive(&mut here, 64, IDLE).unwrap(), Received::Body(body));
        sender.join().unwrap();
        assert_eq!(receive(&mut here, 64, IDLE).unwrap(), Received::End);
    }

    #[test]
    fn a_frame_that_is_too_long_or_cut_off_is_no_frame() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        send(&mut there, &"message", 64).unwrap();
        assert_eq!(receive(&mut here, 4, IDLE).unwrap(), Received::TooLong);

        let (mut here, mut there) = UnixStream::pair().unwrap();
        there.write_all(&[0, 0, 0, 9, 1]).unwrap();
        drop(there);
        let cut_off = receive(&mut here, 64, IDLE).unwrap_err();
        assert_eq!(cut_off.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn silence_ends() {
        let (mut here, _there) = UnixStream::pair().unwrap();
        let silent = receive(&mut here, 64, Duration::from_millis(10)).unwrap_err();
        assert!(matches!(
            silent.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        ));
    }
}
