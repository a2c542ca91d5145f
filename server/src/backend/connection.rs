use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use blindprint_protocol::frame::{self, MAX_REQUEST, MAX_RESPONSE};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::Semaphore,
    time::timeout,
};
use zeroize::Zeroizing;

/// Connections at once to each process, fewer than it accepts. Further requests wait for one.
const MOST_OPEN: usize = 64;
/// Connections kept open between requests, for each process.
const MOST_IDLE: usize = 16;
const CONNECT: Duration = Duration::from_secs(2);

/// No answer came: whether the request was carried out is unknown.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {}", .socket.display())]
pub struct Unanswered {
    socket: PathBuf,
    #[source]
    source: std::io::Error,
}

/// One process behind a Unix socket: one request at a time on each of several connections.
#[derive(Debug)]
pub(super) struct Peer {
    socket: PathBuf,
    patience: Duration,
    idle: Mutex<Vec<UnixStream>>,
    lines: Semaphore,
}

impl Peer {
    /// `patience` is the longest wait for an answer.
    pub(super) const fn new(socket: PathBuf, patience: Duration) -> Self {
        Self {
            socket,
            patience,
            idle: Mutex::new(Vec::new()),
            lines: Semaphore::const_new(MOST_OPEN),
        }
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Sends a request and waits for its answer. A connection that fails in between is dropped,
    /// and the request is not repeated here: the caller knows whether that is safe.
    pub(super) async fn ask<Q: Serialize + Sync, A: Serialize + DeserializeOwned>(
        &self,
        request: &Q,
    ) -> Result<A, Unanswered> {
        self.exchange(request).await.map_err(|source| Unanswered {
            socket: self.socket.clone(),
            source,
        })
    }

    async fn exchange<Q: Serialize + Sync, A: Serialize + DeserializeOwned>(
        &self,
        request: &Q,
    ) -> std::io::Result<A> {
        let request = frame::encode(request, MAX_REQUEST).map_err(invalid)?;
        let _line = timeout(self.patience, self.lines.acquire())
            .await?
            .map_err(std::io::Error::other)?;
        let mut stream = match self.live_idle() {
            Some(stream) => stream,
            None => timeout(CONNECT, UnixStream::connect(&self.socket)).await??,
        };
        let answer = timeout(self.patience, async {
            stream.write_all(&request).await?;
            let mut prefix = [0; 4];
            stream.read_exact(&mut prefix).await?;
            // It may hold a template's data key.
            let length = frame::length(prefix, MAX_RESPONSE).map_err(invalid)?;
            let mut body = Zeroizing::new(vec![0; length]);
            stream.read_exact(&mut body).await?;
            frame::decode(&body).map_err(invalid)
        })
        .await??;
        let mut idle = self
            .idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(stream);
        }
        Ok(answer)
    }

    /// An idle connection whose other end still listens. A process that restarted has closed its
    /// ends; an unasked byte would belong to no request.
    fn live_idle(&self) -> Option<UnixStream> {
        let mut idle = self
            .idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        while let Some(stream) = idle.pop() {
            let quiet = stream.try_read(&mut [0]);
            if matches!(quiet, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock) {
                return Some(stream);
            }
        }
        None
    }
}

fn invalid(error: frame::FrameError) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use blindprint_protocol::message::{MatcherRefusal, MatcherRequest, MatcherResponse};
    use tokio::net::UnixListener;

    use super::*;

    async fn answer_one(stream: &mut UnixStream) {
        let mut prefix = [0; 4];
        stream.read_exact(&mut prefix).await.unwrap();
        let mut body = vec![0; frame::length(prefix, MAX_REQUEST).unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        let refused = MatcherResponse::Refused(MatcherRefusal::NotReady);
        stream
            .write_all(&frame::encode(&refused, MAX_RESPONSE).unwrap())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_restarted_process_is_reached_on_a_new_connection() {
        let root = tempfile::tempdir().unwrap();
        let socket = root.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            loop {
                // Each connection serves one request and is closed, as by a restart.
                let (mut stream, _) = listener.accept().await.unwrap();
                answer_one(&mut stream).await;
            }
        });
        let peer = Peer::new(socket, Duration::from_secs(5));
        for _ in 0..3 {
            let answer: MatcherResponse = peer.ask(&MatcherRequest::Health).await.unwrap();
            assert_eq!(answer, MatcherResponse::Refused(MatcherRefusal::NotReady));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    #[tokio::test]
    async fn nonsense_and_silence_are_no_answers() {
        let root = tempfile::tempdir().unwrap();
        let socket = root.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            let (mut first, _) = listener.accept().await.unwrap();
            first.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
            let (_silent, _) = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
        });
        let peer = Peer::new(socket, Duration::from_millis(200));
        for _ in 0..2 {
            assert!(
                peer.ask::<_, MatcherResponse>(&MatcherRequest::Health)
                    .await
                    .is_err()
            );
        }
        let nobody = Peer::new(root.path().join("none"), Duration::from_secs(1));
        assert!(
            nobody
                .ask::<_, MatcherResponse>(&MatcherRequest::Health)
                .await
                .is_err()
        );
    }
}
