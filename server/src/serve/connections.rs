//! Who may hold a connection open: so many in all, a share of them from one address, and nobody who
//! neither speaks nor listens.

use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::{
    domain::{Place, Places},
    http::Address,
};

/// One address holds at most this part of all connections.
const SHARE: usize = 4;
/// What HTTP/2 starts with, RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The connections of all sockets together.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    places: Arc<Places<Address>>,
    patience: Duration,
    trusted_proxies: Arc<[IpAddr]>,
}

impl Connections {
    /// At most `most` at once, each of which may keep the service waiting for `patience`. Proxies
    /// speak for many and have no share of their own.
    pub(super) fn new(most: usize, patience: Duration, trusted_proxies: &[IpAddr]) -> Self {
        Self {
            places: Places::new(most, most.div_ceil(SHARE)),
            patience,
            trusted_proxies: trusted_proxies.into(),
        }
    }

    fn place(&self, peer: IpAddr) -> Result<Place<Address>> {
        let address =
            (!self.trusted_proxies.contains(&peer.to_canonical())).then(|| Address::from(peer));
        self.places.take(address).ok_or_else(|| {
            metrics::counter!("blindprint_overload_total", "where" => "connections").increment(1);
            Error::other("too many connections")
        })
    }
}

/// Accepts what has a place; the rest is hung up on.
#[derive(Debug, Clone)]
pub(super) struct Doorkeeper<A> {
    pub(super) inner: A,
    pub(super) connections: Connections,
}

impl<A, S> Accept<TcpStream, S> for Doorkeeper<A>
where
    A: Accept<TcpStream, S, Future: Send + 'static>,
{
    type Stream = Connection<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream
            .peer_addr()
            .and_then(|peer| self.connections.place(peer.ip()));
        let patience = self.connections.patience;
        let accepted = self.inner.accept(stream, service);
        Box::pin(async move {
            let place = place?;
            let (stream, service) = accepted.await?;
            Ok((Connection::new(stream, place, patience), service))
        })
    }
}

/// A stream whose peer has so long to say which HTTP it speaks, and to take what it is sent. Once
/// the version is known, hyper keeps the time for requests.
#[derive(Debug)]
pub(super) struct Connection<T> {
    stream: T,
    /// How much of the preface was read, and until when its rest or something else must follow.
    opening: Option<(usize, Pin<Box<Sleep>>)>,
    stalled: Option<Pin<Box<Sleep>>>,
    patience: Duration,
    _place: Place<Address>,
}

impl<T> Connection<T> {
    fn new(stream: T, place: Place<Address>, patience: Duration) -> Self {
        Self {
            stream,
            opening: Some((0, Box::pin(sleep(patience)))),
            stalled: None,
            patience,
            _place: place,
        }
    }

    /// What came of an attempt to send, unless none succeeds for too long.
    fn sent<O>(&mut self, cx: &mut Context<'_>, outcome: Poll<Result<O>>) -> Poll<Result<O>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some((seen, deadline)) = &mut this.opening else {
            return outcome;
        };
        if outcome.is_pending() {
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        let read = &buffer.filled()[before..];
        let rest = &PREFACE[*seen..];
        if read.len() < rest.len() && rest.starts_with(read) {
            *seen += read.len();
        } else {
            this.opening = None;
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.sent(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.sent(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.sent(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.sent(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn connected() -> (Connection<DuplexStream>, DuplexStream) {
        let place = Places::new(1, 1).take(None).unwrap();
        let (ours, theirs) = duplex(64);
        let patience = Duration::from_millis(100);
        (Connection::new(ours, place, patience), theirs)
    }

    /// Reads until nothing comes for longer than the connection's patience.
    async fn read_on(connection: &mut Connection<DuplexStream>) -> Option<ErrorKind> {
        let mut bytes = [0; 24];
        let reading = async {
            loop {
                if let Err(error) = connection.read(&mut bytes).await {
                    return error.kind();
                }
            }
        };
        tokio::time::timeout(Duration::from_millis(400), reading)
            .await
            .ok()
    }

    #[tokio::test]
    async fn who_does_not_say_what_they_speak_is_hung_up_on() {
        for opening in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            let (mut connection, mut peer) = connected();
            peer.write_all(opening).await.unwrap();
            let ended = read_on(&mut connection).await;
            assert_eq!(ended, Some(ErrorKind::TimedOut), "{opening:?}");
        }
        // From here on hyper counts.
        for opening in [&b"G"[..], b"PO", PREFACE] {
            let (mut connection, mut peer) = connected();
            peer.write_all(opening).await.unwrap();
            assert_eq!(read_on(&mut connection).await, None, "{opening:?}");
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_is_hung_up_on() {
        let (mut connection, mut peer) = connected();
        let mut taken = [0; 64];
        let (sent, _) = tokio::join!(connection.write_all(&[0; 128]), peer.read_exact(&mut taken));
        sent.unwrap();
        let stuck = connection.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(stuck.kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn an_address_has_a_share_unless_it_speaks_for_many() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let connections = Connections::new(8, Duration::from_secs(1), &[proxy]);
        let host: IpAddr = "192.0.2.1".parse().unwrap();
        let held = [host, host].map(|peer| connections.place(peer).unwrap());
        assert!(connections.place(host).is_err());
        let proxied = [proxy; 6].map(|peer| connections.place(peer).unwrap());
        assert!(connections.place(proxy).is_err(), "there are eight");
        drop((held, proxied));
        assert!(connections.place(host).is_ok());
    }
}
