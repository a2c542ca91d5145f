use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Response, StatusCode, header},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use blindprint_tests::block_on;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};

/// A stranger's site on real HTTPS, `https://localhost:PORT`, with an authority of its own. Ends
/// with this value.
pub struct Host {
    /// Where it listens.
    pub port: u16,
    pages: Pages,
    handle: Handle<SocketAddr>,
    folder: tempfile::TempDir,
}

type Pages = Arc<Mutex<BTreeMap<String, Page>>>;

#[derive(Clone)]
enum Page {
    Content(&'static str, Vec<u8>),
    Redirect(String),
}

impl Host {
    /// An empty site.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (config, authority) = certificates();
        fs::write(folder.path().join("ca.pem"), authority).unwrap();
        let pages = Pages::default();
        let handle = Handle::new();
        let (router, listening) = (
            Router::new()
                .fallback(answer)
                .with_state(Arc::clone(&pages)),
            handle.clone(),
        );
        thread::spawn(move || {
            block_on(async {
                axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config))
                    .unwrap()
                    .handle(listening)
                    .serve(router.into_make_service())
                    .await
                    .unwrap();
            });
        });
        Self {
            port,
            pages,
            handle,
            folder,
        }
    }

    /// Serves `body` at `path` from now on.
    pub fn serve(&self, path: &str, content_type: &'static str, body: impl Into<Vec<u8>>) {
        let page = Page::Content(content_type, body.into());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Redirects from `path` from now on.
    pub fn redirect(&self, path: &str, to: &str) {
        let page = Page::Redirect(to.to_owned());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// `https://localhost:PORT`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// `did:web:localhost%3APORT`.
    pub fn did_web(&self) -> String {
        format!("did:web:localhost%3A{}", self.port)
    }

    /// The authority's certificate, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn answer(State(pages): State<Pages>, request: Request) -> Response<Body> {
    let page = pages.lock().unwrap().get(request.uri().path()).cloned();
    let (status, name, value, body) = match page {
        Some(Page::Content(media_type, body)) => (
            StatusCode::OK,
            header::CONTENT_TYPE,
            media_type.to_owned(),
            body,
        ),
        Some(Page::Redirect(to)) => (StatusCode::FOUND, header::LOCATION, to, Vec::new()),
        None => {
            let text = "text/plain".to_owned();
            (
                StatusCode::NOT_FOUND,
                header::CONTENT_TYPE,
                text,
                Vec::new(),
            )
        }
    };
    let response = Response::builder().status(status).header(name, value);
    response.body(Body::from(body)).unwrap()
}

/// A certificate for `localhost`, and that of the authority that issued it.
fn certificates() -> (Arc<ServerConfig>, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    // By default both have one name, and the leaf then looks like its own issuer.
    authority
        .distinguished_name
        .push(DnType::CommonName, "A stranger's authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (Arc::new(config), certificate)
}
