//! Where requests come in: HTTPS, and plain HTTP on loopback.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    accept::DefaultAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder as HttpBuilder,
};
use tokio::task::JoinSet;

use super::connections::{Connections, Doorkeeper};
use crate::{Error, Result, config::Config};

/// Longest wait for a request's headers, and for a caller who takes nothing.
const HEADERS: Duration = Duration::from_secs(15);
/// Longest request line with all headers, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// The sockets, bound before anything depends on their ports.
pub(super) struct Sockets {
    https: TcpListener,
    pub(super) https_address: SocketAddr,
    http: Option<TcpListener>,
    pub(super) http_address: Option<SocketAddr>,
    connections: Connections,
}

impl Sockets {
    pub(super) fn bind(config: &Config) -> Result<Self> {
        let https = bind(config.listen.https)?;
        let http = config
            .listen
            .http_enabled
            .then(|| bind(config.listen.http))
            .transpose()?;
        Ok(Self {
            https_address: local(&https)?,
            http_address: http.as_ref().map(local).transpose()?,
            https,
            http,
            connections: Connections::new(
                config.limits.connections,
                HEADERS,
                &config.listen.trusted_proxies,
            ),
        })
    }

    pub(super) fn serve(
        self,
        router: &Router,
        tls: RustlsConfig,
        servers: &mut JoinSet<std::io::Result<()>>,
    ) -> Result<Vec<Handle<SocketAddr>>> {
        let handle = Handle::new();
        let mut secure = axum_server::from_tcp(self.https)
            .map_err(listening)?
            .acceptor(Doorkeeper {
                inner: RustlsAcceptor::new(tls).handshake_timeout(HEADERS),
                connections: self.connections.clone(),
            })
            .handle(handle.clone());
        with_patience(secure.http_builder());
        servers.spawn(secure.serve(with_peers(router.clone())));
        let mut handles = vec![handle];
        if let Some(http) = self.http {
            let handle = Handle::new();
            let mut plain = axum_server::from_tcp(http)
                .map_err(listening)?
                .acceptor(Doorkeeper {
                    inner: DefaultAcceptor::new(),
                    connections: self.connections,
                })
                .handle(handle.clone());
            with_patience(plain.http_builder());
            servers.spawn(plain.serve(with_peers(router.clone())));
            handles.push(handle);
        }
        Ok(handles)
    }
}

/// Who opens a connection and says nothing is hung up on.
fn with_patience(builder: &mut HttpBuilder<TokioExecutor>) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(LARGEST_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(HEADERS))
        .max_concurrent_streams(64);
}

fn with_peers(
    router: Router,
) -> axum::extract::connect_info::IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    router.into_make_service_with_connect_info::<SocketAddr>()
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .map_err(|error| Error::Setup(format!("listening on {address}: {error}")))?;
    listener.set_nonblocking(true).map_err(listening)?;
    Ok(listener)
}

fn local(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(listening)
}

pub(super) fn listening(error: std::io::Error) -> Error {
    Error::broken("listening")(error.into())
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use blindprint_core::{SystemClock, SystemEntropy};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;
    use crate::{config::TlsSection, folder::DataFolder, tls};

    /// Plain HTTP with room for so many connections; it ends with the runtime.
    fn serve(connections: usize, servers: &mut JoinSet<std::io::Result<()>>) -> SocketAddr {
        let folder = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(folder.path()).unwrap();
        let section = TlsSection::default();
        let tls = tls::server_config(&section, &folder, None, &SystemClock, &SystemEntropy);
        let mut config = Config::default();
        config.listen.https.set_port(0);
        config.listen.http.set_port(0);
        config.limits.connections = connections;
        let sockets = Sockets::bind(&config).unwrap();
        let address = sockets.http_address.unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        let tls = RustlsConfig::from_config(tls.unwrap());
        sockets.serve(&router, tls, servers).unwrap();
        address
    }

    /// The first line of the answer to a request with such a method; empty if there is none.
    async fn asked(connection: &mut TcpStream, method: &str) -> String {
        let request = format!("{method} / HTTP/1.1\r\nhost: here\r\n\r\n");
        // Who was hung up on meets it here or below.
        let _ = connection.write_all(request.as_bytes()).await;
        let mut answer = [0; 1024];
        let length = connection.read(&mut answer).await.unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..length]);
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn connections_without_a_place_are_hung_up_on() {
        let mut servers = JoinSet::new();
        let address = serve(4, &mut servers);
        let mut first = TcpStream::connect(address).await.unwrap();
        assert_eq!(asked(&mut first, "GET").await, "HTTP/1.1 200 OK");
        let mut second = TcpStream::connect(address).await.unwrap();
        assert_eq!(asked(&mut second, "GET").await, "");
        drop(first);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut third = TcpStream::connect(address).await.unwrap();
        assert_eq!(asked(&mut third, "GET").await, "HTTP/1.1 200 OK");
    }

    #[tokio::test]
    async fn a_request_line_has_an_end() {
        let mut servers = JoinSet::new();
        let address = serve(16, &mut servers);
        let mut connection = TcpStream::connect(address).await.unwrap();
        let answer = asked(&mut connection, &"A".repeat(LARGEST_HEAD)).await;
        // Hanging up may overtake the answer.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
    }
}
