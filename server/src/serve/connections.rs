//! Who may hold a connection open: so many in all, a share of them from one address, and nobody who
//! neither speaks nor listens.

use std::{
    collections::HashMap,
    io::{Error, ErrorKind, IoSlice, Result},
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::http::Address;

/// One address holds at most this part of all connections.
const SHARE: usize = 4;
/// What HTTP/2 starts with, RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The connections of all sockets together.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    patience: Duration,
    trusted_proxies: Vec<IpAddr>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<Address, usize>,
}

impl Connections {
    /// At most `most` at once, each of which may keep the service waiting for `patience`. Proxies
    /// speak for many and have no share of their own.
    pub(super) fn new(most: usize, patience: Duration, trusted_proxies: &[IpAddr]) -> Arc<Self> {
        Arc::new(Self {
            most,
            patience,
            trusted_proxies: trusted_proxies.to_vec(),
            open: Mutex::default(),
        })
    }

    fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let address =
            (!self.trusted_proxies.contains(&peer.to_canonical())).then(|| Address::from(peer));
        let held = address.and_then(|address| open.by_address.get(&address).copied());
        let share = self.most.div_ceil(SHARE);
        if open.total >= self.most || held.is_some_and(|held| held >= share) {
            metrics::counter!("blindprint_overload_total", "where" => "connections").increment(1);
            return Err(Error::other("too many connections"));
        }
        open.total += 1;
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        Ok(Place {
            of: Arc::clone(self),
            address,
        })
    }
}

/// One connection's place, free again when it is dropped.
#[derive(Debug)]
struct Place {
    of: Arc<Connections>,
    address: Option<Address>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(address) = self.address
            && let Some(held) = open.by_address.get_mut(&address)
        {
            *held -= 1;
            if *held == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// Accepts what has a place; the rest is hung up on.
#[derive(Debug, Clone)]
pub(super) struct Doorkeeper<A> {
    pub(super) inner: A,
    pub(super) connections: Arc<Connections>,
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
            .and_then(|peer| self.connections.take(peer.ip()));
        let accepted = self.inner.accept(stream, service);
        Box::pin(async move {
            let place = place?;
            let (stream, service) = accepted.await?;
            Ok((Connection::new(stream, place), service))
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
    place: Place,
}

impl<T> Connection<T> {
    fn new(stream: T, place: Place) -> Self {
        Self {
            stream,
            opening: Some((0, Box::pin(sleep(place.of.patience)))),
            stalled: None,
            place,
        }
    }

    /// What came of an attempt to send, unless none succeeds for too long.
    fn sent<O>(&mut self, cx: &mut Context<'_>, outcome: Poll<Result<O>>) -> Poll<Result<O>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.place.of.patience;
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
        let connections = Connections::new(1, Duration::from_millis(100), &[]);
        let place = connections.take("192.0.2.1".parse().unwrap()).unwrap();
        let (ours, theirs) = duplex(64);
        (Connection::new(ours, place), theirs)
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
    fn an_address_has_a_share_and_gives_it_back() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let connections = Connections::new(8, Duration::from_secs(1), &[proxy]);
        let take = |peer: &str| connections.take(peer.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_err());
        let _another = take("192.0.2.2").unwrap();
        drop(first);
        let _again = take("192.0.2.1").unwrap();
        let proxied: Vec<_> = (0..5).map(|_| connections.take(proxy).unwrap()).collect();
        assert!(take("192.0.2.3").is_err(), "there are eight");
        drop(proxied);
        assert!(take("192.0.2.3").is_ok());
        assert_eq!(connections.open.lock().unwrap().by_address.len(), 2);
    }
}
