//! A host of DIDs: HTTPS on a port of localhost, with a certificate that only its own resolvers
//! trust.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, http::StatusCode, http::Uri, response::IntoResponse};
use axum_server::tls_rustls::RustlsConfig;
use blindprint_core::{ManualClock, UnixTime};
use blindprint_egress::Egress;
use blindprint_resolver::{Config, Resolver};

/// 2026-11-22T12:00:00Z.
pub const NOW: UnixTime = UnixTime(1_795_348_800);

type Files = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A running host.
pub struct Host {
    port: u16,
    ca: Vec<u8>,
    files: Files,
    /// How many requests there were.
    pub hits: Arc<AtomicUsize>,
}

impl Host {
    /// Serves what is [`Self::put`].
    pub async fn start() -> Self {
        let files = Files::default();
        let hits = Arc::new(AtomicUsize::new(0));
        let (served, count) = (Arc::clone(&files), Arc::clone(&hits));
        let router = Router::new().fallback(move |uri: Uri| async move {
            count.fetch_add(1, Ordering::SeqCst);
            let file = served.lock().unwrap().get(uri.path()).cloned();
            file.map_or_else(
                || StatusCode::NOT_FOUND.into_response(),
                IntoResponse::into_response,
            )
        });
        Self {
            files,
            hits,
            ..Self::serve(router).await
        }
    }

    /// Serves anything.
    pub async fn serve(router: Router) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let ca = cert.pem().into_bytes();
        let key = signing_key.serialize_pem().into_bytes();
        let tls = RustlsConfig::from_pem(ca.clone(), key).await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
        tokio::spawn(server.serve(router.into_make_service()));
        Self {
            port,
            ca,
            files: Files::default(),
            hits: Arc::default(),
        }
    }

    /// As it stands in DIDs.
    pub fn name(&self) -> String {
        format!("localhost%3A{}", self.port)
    }

    /// From now on this file is there.
    pub fn put(&self, path: &str, file: impl Into<Vec<u8>>) {
        self.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), file.into());
    }

    /// A resolver without memory that may fetch from here and from nowhere else inside.
    pub fn resolver(&self) -> Resolver {
        self.resolver_at(Arc::new(ManualClock::at(NOW)))
    }

    /// The same, at a time.
    pub fn resolver_at(&self, clock: Arc<ManualClock>) -> Resolver {
        let config = blindprint_egress::Config {
            allow: vec![format!("localhost:{}", self.port).parse().unwrap()],
            ca_bundle: Some(self.ca.clone()),
            ..blindprint_egress::Config::default()
        };
        Resolver::new(Config::default(), Egress::new(&config).unwrap(), clock)
    }
}
