//! Where requests come in: HTTPS, and plain HTTP on loopback.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder as HttpBuilder,
};
use tokio::task::JoinSet;

use crate::{Error, Result, config::Config};

/// Longest wait for a request's headers.
const HEADERS: Duration = Duration::from_secs(15);

/// The sockets, bound before anything depends on their ports.
pub(super) struct Sockets {
    https: TcpListener,
    pub(super) https_address: SocketAddr,
    http: Option<TcpListener>,
    pub(super) http_address: Option<SocketAddr>,
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
        })
    }

    pub(super) fn serve(
        self,
        router: &Router,
        tls: RustlsConfig,
        servers: &mut JoinSet<std::io::Result<()>>,
    ) -> Result<Vec<Handle<SocketAddr>>> {
        let handle = Handle::new();
        let mut secure = axum_server::from_tcp_rustls(self.https, tls)
            .map_err(listening)?
            .handle(handle.clone());
        with_patience(secure.http_builder());
        servers.spawn(secure.serve(with_peers(router.clone())));
        let mut handles = vec![handle];
        if let Some(http) = self.http {
            let handle = Handle::new();
            let mut plain = axum_server::from_tcp(http)
                .map_err(listening)?
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
        .header_read_timeout(HEADERS);
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
