//! How the host reaches the enclave: a Unix socket here, vsock on real hardware.

use std::{
    io,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

use blindprint_protocol::stream::{self, Connection};

use crate::EnclaveError;

/// Where connections come from.
pub trait Transport: Send + 'static {
    /// What comes.
    type Connection: Connection + Send + 'static;
    /// Waits for the next one.
    fn accept(&self) -> io::Result<Self::Connection>;
}

/// A Unix socket. The process' file mode mask decides who may connect.
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// Listens at `path`, in the place of a socket that a killed process left there.
    pub fn bind(path: &Path) -> Result<Self, EnclaveError> {
        let listener = stream::listen(path)
            .map_err(EnclaveError::io(path))?
            .ok_or_else(|| EnclaveError::InUse(path.to_owned()))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Transport for UnixSocket {
    type Connection = UnixStream;

    fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().map(|(stream, _)| stream)
    }
}
