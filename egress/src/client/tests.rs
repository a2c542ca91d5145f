use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::HeaderMap,
    response::Redirect,
    routing::{get, post},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::Allowed;

/// Serves over HTTP on loopback.
async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn allowing(addresses: &[SocketAddr]) -> Config {
    let allow = |address: &SocketAddr| address.to_string().parse().unwrap();
    Config {
        allow: addresses.iter().map(allow).collect(),
        connect_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_secs(2),
        ..Config::default()
    }
}

async fn fetch(config: &Config, url: String) -> Result<Response, EgressError> {
    Egress::new(config).unwrap().fetch(&Request::get(url)).await
}

fn refused<T>(outcome: &Result<T, EgressError>) -> bool {
    matches!(outcome, Err(EgressError::Refused(_)))
}

#[tokio::test]
async fn an_allowed_server_answers() {
    let server = serve(
        Router::new()
            .route(
                "/",
                get(|| async { ([("content-type", "Application/JSON; a=b")], "{}") }),
            )
            .route("/echo", post(|body: String| async move { body })),
    )
    .await;
    let egress = Egress::new(&allowing(&[server])).unwrap();
    let found = egress
        .get(&format!("http://{server}/"), "application/json")
        .await
        .unwrap();
    assert_eq!((found.status, found.body.as_slice()), (200, &b"{}"[..]));
    assert_eq!(found.content_type.as_deref(), Some("application/json"));
    let request = Request::post_json(
        format!("http://{server}/echo"),
        &serde_json::json!({"a": 1}),
    );
    assert_eq!(egress.fetch(&request).await.unwrap().body, br#"{"a":1}"#);
    let missing = egress.get(&format!("http://{server}/none"), "*/*").await;
    assert_eq!(missing.unwrap_err(), EgressError::Status(404));
}

#[tokio::test]
async fn nothing_local_is_called_unless_allowed() {
    let hits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hits);
    let server = serve(Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async {}
    }))
    .await;
    let port = server.port();
    let config = allowing(&[]);
    for url in [
        format!("http://{server}/"),
        format!("https://{server}/"),
        format!("http://localhost:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://user@example.org:{port}/"),
        format!("ftp://{server}/"),
        "not a url".to_owned(),
    ] {
        assert!(refused(&fetch(&config, url.clone()).await), "{url}");
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_judged_as_a_first_url_is() {
    let hits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hits);
    let inside = serve(Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { "secret" }
    }))
    .await;
    for target in [
        format!("http://{inside}/"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "http://example.org/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "https://user:secret@example.org/".to_owned(),
    ] {
        let location = target.clone();
        let server = serve(Router::new().route(
            "/",
            get(move || async move { Redirect::temporary(&location) }),
        ))
        .await;
        let outcome = fetch(&allowing(&[server]), format!("http://{server}/")).await;
        assert!(refused(&outcome), "{target}");
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_are_followed_so_far() {
    let server = serve(
        Router::new()
            .route("/0", get(|| async { "here" }))
            .route("/1", get(|| async { Redirect::permanent("/0") }))
            .route("/2", get(|| async { Redirect::to("1") }))
            .route("/3", get(|| async { Redirect::temporary("2") }))
            .route("/4", get(|| async { Redirect::temporary("3") }))
            .route("/loop", get(|| async { Redirect::temporary("loop") }))
            .route("/post", post(|| async { Redirect::temporary("0") }))
            .route("/lost", get(|| async { axum::http::StatusCode::FOUND })),
    )
    .await;
    let egress = Egress::new(&allowing(&[server])).unwrap();
    let url = |path: &str| format!("http://{server}/{path}");
    let found = egress.get(&url("3"), "*/*").await.unwrap();
    assert_eq!(
        (found.body.as_slice(), found.url.path()),
        (&b"here"[..], "/0")
    );
    for path in ["4", "loop"] {
        assert_eq!(
            egress.get(&url(path), "*/*").await.unwrap_err(),
            EgressError::Redirects
        );
    }
    let posted = egress
        .fetch(&Request::post(url("post"), "text/plain", "x"))
        .await;
    assert_eq!(posted.unwrap_err(), EgressError::Redirects);
    assert_eq!(
        egress.get(&url("lost"), "*/*").await.unwrap_err(),
        EgressError::Unreadable
    );
}

#[tokio::test]
async fn ten_megabytes_are_too_many() {
    const SIZE: usize = 10 << 20;
    let chunked = || async {
        let chunk = vec![b'x'; 64 << 10];
        let chunks = (0..SIZE / chunk.len()).map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    let server = serve(
        Router::new()
            .route("/known", get(|| async { vec![b'x'; SIZE] }))
            .route("/chunked", get(chunked))
            .route("/fits", get(|| async { vec![b'x'; 1000] })),
    )
    .await;
    let config = allowing(&[server]);
    for path in ["known", "chunked"] {
        let outcome = fetch(&config, format!("http://{server}/{path}")).await;
        assert_eq!(
            outcome.unwrap_err(),
            EgressError::TooLarge { limit: 1 << 20 }
        );
    }
    let egress = Egress::new(&config).unwrap();
    let fits = Request::get(format!("http://{server}/fits"));
    assert!(egress.fetch(&fits.clone().limit(1000)).await.is_ok());
    let outcome = egress.fetch(&fits.limit(999)).await;
    assert_eq!(outcome.unwrap_err(), EgressError::TooLarge { limit: 999 });
}

#[tokio::test]
async fn a_compressed_answer_is_not_unpacked() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 50 << 20]).unwrap();
    let bomb = gzip.finish().unwrap();
    let seen = Arc::new(Mutex::new(None));
    let accepted = Arc::clone(&seen);
    let server = serve(Router::new().fallback(move |headers: HeaderMap| {
        *accepted.lock().unwrap() = headers.get("accept-encoding").cloned();
        async move { ([("content-encoding", "gzip")], bomb) }
    }))
    .await;
    let outcome = fetch(&allowing(&[server]), format!("http://{server}/")).await;
    assert_eq!(outcome.unwrap_err(), EgressError::Unreadable);
    assert_eq!(seen.lock().unwrap().as_ref().unwrap(), "identity");
}

#[tokio::test]
async fn slow_servers_are_not_waited_for() {
    let drip = || async {
        let drops = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        Body::from_stream(drops)
    };
    let server = serve(
        Router::new()
            .route("/silent", get(std::future::pending::<()>))
            .route("/drip", get(drip)),
    )
    .await;
    let mut config = allowing(&[server]);
    config.total_timeout = Duration::from_millis(300);
    for path in ["silent", "drip"] {
        let outcome = fetch(&config, format!("http://{server}/{path}")).await;
        assert_eq!(outcome.unwrap_err(), EgressError::Timeout, "{path}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = fetch(&allowing(&[address]), format!("http://{address}/")).await;
    assert_eq!(outcome.unwrap_err(), EgressError::Unreachable);
}

#[tokio::test]
async fn others_learn_nothing_of_what_was_sent_before() {
    async fn record(State(seen): State<Arc<Mutex<Vec<HeaderMap>>>>, headers: HeaderMap) {
        seen.lock().unwrap().push(headers);
    }
    let seen = Arc::default();
    let other = serve(Router::new().fallback(record).with_state(Arc::clone(&seen))).await;
    let first = serve(
        Router::new()
            .route(
                "/away",
                get(move || async move {
                    let cookie = [("set-cookie", "a=b")];
                    (cookie, Redirect::temporary(&format!("http://{other}/")))
                }),
            )
            .route("/stay", get(|| async { Redirect::temporary("/seen") }))
            .route("/seen", get(record).with_state(Arc::clone(&seen))),
    )
    .await;
    let egress = Egress::new(&allowing(&[first, other])).unwrap();
    for path in ["away", "stay"] {
        let request = Request::get(format!("http://{first}/{path}"))
            .accept("application/did")
            .header("authorization", "Bearer secret");
        egress.fetch(&request).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let [away, stay] = seen.as_slice() else {
        panic!("two requests arrived")
    };
    for headers in [away, stay] {
        assert_eq!(headers["accept"], "application/did");
        assert_eq!(headers["user-agent"], USER_AGENT);
        assert!(!headers.contains_key("cookie") && !headers.contains_key("referer"));
    }
    assert!(!away.contains_key("authorization"));
    assert_eq!(stay["authorization"], "Bearer secret");
}

/// Names are resolved once, and what is connected to is what was checked.
#[tokio::test]
async fn a_names_private_addresses_are_dropped() {
    let resolve = |allow: &[&str]| {
        let allow: Vec<Allowed> = allow.iter().map(|text| text.parse().unwrap()).collect();
        Checked(Arc::new(Policy::new(&allow))).resolve("localhost".parse().unwrap())
    };
    let Err(error) = resolve(&[]).await else {
        panic!("localhost is private")
    };
    assert!(error.is::<NoAddress>());
    let found: Vec<SocketAddr> = resolve(&["127.0.0.0/8"]).await.unwrap().collect();
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|address| address.ip() == Ipv4Addr::LOCALHOST)
    );
}

#[tokio::test]
async fn a_ca_bundle_adds_trust() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = axum_server::tls_rustls::RustlsConfig::from_pem(
        cert.pem().into_bytes(),
        signing_key.serialize_pem().into_bytes(),
    )
    .await
    .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/", get(|| async { "private" }));
    tokio::spawn(
        axum_server::from_tcp_rustls(listener, tls)
            .unwrap()
            .serve(router.into_make_service()),
    );
    let mut config = allowing(&[]);
    config.allow = vec!["127.0.0.1/32".parse().unwrap()];
    let url = format!("https://localhost:{port}/");
    let untrusted = fetch(&config, url.clone()).await;
    assert_eq!(untrusted.unwrap_err(), EgressError::Unreachable);
    config.ca_bundle = Some(cert.pem().into_bytes());
    assert_eq!(fetch(&config, url).await.unwrap().body, b"private");

    config.ca_bundle = Some(b"no certificate".to_vec());
    assert!(matches!(Egress::new(&config), Err(EgressError::Config(_))));
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_may_be_fetched() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let proxy = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let line = String::from_utf8_lossy(&request[..length])
                .lines()
                .next()
                .map(str::to_owned);
            lines.lock().unwrap().extend(line);
            let _ = stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
    });
    let direct = serve(Router::new().route("/", get(|| async { "direct" }))).await;
    let mut config = allowing(&[direct]);
    config.proxy = Some(format!("http://{proxy}").parse().unwrap());
    for url in [
        "https://10.0.0.1/",
        "https://metadata.google.internal/",
        "https://localhost/",
    ] {
        assert!(refused(&fetch(&config, url.to_owned()).await), "{url}");
    }
    assert_eq!(
        fetch(&config, format!("http://{direct}/"))
            .await
            .unwrap()
            .body,
        b"direct"
    );
    let outcome = fetch(&config, "https://did.example/x".to_owned()).await;
    assert_eq!(outcome.unwrap_err(), EgressError::Unreachable);
    assert_eq!(
        asked.lock().unwrap().as_slice(),
        ["CONNECT did.example:443 HTTP/1.1"]
    );
}
