#![allow(clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap as Headers, Method, StatusCode as Status, Uri},
    response::IntoResponse,
    routing::{any, get, post},
};
use blindprint_core::{Jws, ManualClock, SystemEntropy, UnixTime};
use blindprint_did::KeyType;
use tokio::net::TcpListener;

use super::*;

const NOW: UnixTime = UnixTime(1_760_000_000);

/// Serves `router` on a free port of this machine for as long as the test runs.
async fn serve(router: Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    client(&url)
}

fn client(url: &str) -> Client {
    let address = Address::new(url, None).unwrap();
    Client::new(
        &address,
        Arc::new(ManualClock::at(NOW)),
        Arc::new(SystemEntropy),
    )
    .unwrap()
}

fn problem(code: ProblemCode) -> String {
    serde_json::to_string(&ProblemDocument {
        kind: code.type_uri(),
        title: code.title().to_owned(),
        status: code.status(),
        detail: Some("because \u{1b}[31mred".to_owned()),
        instance: Some("req-1".to_owned()),
    })
    .unwrap()
}

fn status(code: ProblemCode) -> Status {
    Status::from_u16(code.status()).unwrap()
}

#[tokio::test]
async fn a_proof_covers_method_path_query_and_body() {
    let client = serve(Router::new().fallback(any(
        |method: Method, uri: Uri, headers: Headers, body: Bytes| async move {
            let proof: Jws = headers[PROOF_HEADER].to_str().unwrap().parse().unwrap();
            let proof = blindprint_did::verify::<RequestProof>(&proof)
                .unwrap()
                .into_statement();
            assert_eq!(proof.htm, method.as_str());
            assert_eq!(proof.htu, uri.path_and_query().unwrap().as_str());
            assert_eq!(proof.body, Digest::of("blindprint/body/v1", &body));
            assert_eq!(proof.iat, NOW);
            proof.jti.to_string()
        },
    )))
    .await;
    let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    let subject = key.public().subject();
    let service = "https://id.example.org".parse().unwrap();
    let signer = Signer {
        subject: &subject,
        service: &service,
        key: &key,
    };
    let mut seen = Vec::new();
    for call in [
        Call::get("/v1/subjects/me"),
        Call::get("/v1/things?a=b%20c&d=é"),
        Call::post("/v1/consents").json(&"body"),
        Call::post("/v1/enrolments").binary("application/octet-stream", vec![0, 1, 2]),
    ] {
        seen.push(client.send(&call.signed(signer)).await.unwrap().body);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4, "each proof is used once");
}

#[tokio::test]
async fn answers_are_bounded_announced_or_not() {
    let client = serve(
        Router::new()
            .route("/announced", get(|| async { vec![7_u8; 4096] }))
            .route(
                "/streamed",
                get(|| async {
                    let chunks =
                        (0..8).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![7_u8; 512])));
                    axum::body::Body::from_stream(futures_util::stream::iter(chunks))
                }),
            ),
    )
    .await;
    for path in ["/announced", "/streamed"] {
        let call = |limit| Call::get(path).up_to(limit, Duration::from_secs(5));
        assert_eq!(client.send(&call(4096)).await.unwrap().body.len(), 4096);
        let refused = client.send(&call(4095)).await.unwrap_err();
        assert!(matches!(refused, Error::ServiceFailed(_)), "{refused}");
    }
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let client =
        serve(Router::new().route("/", post(|| async { std::future::pending::<()>().await })))
            .await;
    let started = Instant::now();
    let call = Call::post("/").up_to(1, Duration::from_millis(200));
    assert!(matches!(
        client.send(&call).await,
        Err(Error::Unreachable(_))
    ));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_is_idempotent_is_sent_again_when_the_service_is_busy() {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    let client = serve(Router::new().route(
        "/",
        post(|headers: Headers| async move {
            assert!(headers.contains_key("idempotency-key"));
            if TRIES.fetch_add(1, Ordering::SeqCst) < 1 {
                let code = ProblemCode::Unavailable;
                return (status(code), [("retry-after", "1")], problem(code)).into_response();
            }
            "done".into_response()
        }),
    ))
    .await;
    let call = Call::post("/").idempotent(uuid::Uuid::nil());
    assert_eq!(client.send(&call).await.unwrap().body, b"done");
    assert_eq!(TRIES.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_lost_connection_is_retried_only_where_that_is_safe() {
    // A listener that takes connections and closes them at once.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let refused = client.send(&Call::post("/")).await.unwrap_err();
    assert!(matches!(refused, Error::Unreachable(_)), "{refused}");
    let once = connections.swap(0, Ordering::SeqCst);
    client
        .send(&Call::post("/").idempotent(uuid::Uuid::nil()))
        .await
        .unwrap_err();
    let often = connections.load(Ordering::SeqCst);
    assert!(
        often >= ATTEMPTS && often > once,
        "{once} and {often} connections"
    );
}

#[tokio::test]
async fn who_is_not_there_is_reported_in_a_few_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(&format!("http://{address}"));
    let Error::Unreachable(why) = client.send(&Call::post("/")).await.unwrap_err() else {
        panic!()
    };
    assert!(why.starts_with("Connection refused"), "{why}");
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    let client = serve(Router::new().route(
        "/{slug}",
        get(
            |axum::extract::Path(slug): axum::extract::Path<String>| async move {
                let code =
                    ProblemCode::from_type_uri(&format!("urn:blindprint:problem:{slug}")).unwrap();
                (status(code), [("retry-after", "99")], problem(code))
            },
        ),
    ))
    .await;
    for (code, expected) in [
        (ProblemCode::ConsentRequired, "no-consent"),
        (ProblemCode::InvitationRequired, "invitation-needed"),
        (ProblemCode::Throttled, "throttled"),
        (ProblemCode::RateLimited, "busy"),
        (ProblemCode::Unavailable, "busy"),
        (ProblemCode::Conflict, "busy"),
        (ProblemCode::Locked, "locked"),
        (ProblemCode::Internal, "service-failed"),
        (ProblemCode::ProofRejected, "proof-rejected"),
        (ProblemCode::ChallengeGone, "challenge-gone"),
    ] {
        let error = client
            .send(&Call::get(format!("/{}", code.slug())))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), expected);
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_problem_document_is_a_failure_of_the_service() {
    let client = serve(
        Router::new()
            .route("/html", get(|| async { (Status::BAD_GATEWAY, "<html>") }))
            .route(
                "/moved",
                get(|| async { (Status::FOUND, [("location", "http://evil.example/")]) }),
            )
            .route(
                "/long",
                get(|| async { (Status::BAD_REQUEST, vec![b'x'; PROBLEM_LIMIT + 1]) }),
            ),
    )
    .await;
    for path in ["/html", "/moved", "/long", "/missing"] {
        let error = client.send(&Call::get(path)).await.unwrap_err();
        assert!(matches!(error, Error::ServiceFailed(_)), "{path}: {error}");
    }
}

#[test]
fn plain_http_stays_on_this_machine() {
    for good in [
        "https://id.example.org",
        "https://id.example.org:8443/",
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert!(Address::new(good, None).is_ok(), "{good}");
    }
    for bad in [
        "http://id.example.org",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "ftp://localhost",
        "https://u:p@host",
        "https://host/path",
        "https://host?q",
        "host",
    ] {
        assert!(
            matches!(Address::new(bad, None), Err(Error::Invalid(_))),
            "{bad}"
        );
    }
}
