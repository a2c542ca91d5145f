//! The order of checks before anything expensive: size, address, proof, subject, then the rules.

use axum::{body::Body, http::Request};

use super::{Fixture, fixture::wallet};
use crate::domain::Rate;

const MANY: Rate = Rate {
    per_minute: 1_000_000,
    burst: 1_000_000,
};
const FEW: Rate = Rate {
    per_minute: 1,
    burst: 2,
};

fn oversized() -> Request<Body> {
    Request::post("/v1/enrolments")
        .header("content-length", "70000")
        .body(Body::from(vec![0; 70_000]))
        .unwrap()
}

#[tokio::test]
async fn size_comes_before_the_address_limit() {
    let fixture = Fixture::with_rates(FEW, MANY).await;
    for _ in 0..5 {
        assert_eq!(fixture.send(oversized()).await.problem(), "too-large");
    }
    assert_eq!(
        fixture.get("/v1/notices").await.status,
        200,
        "no token was taken"
    );
}

#[tokio::test]
async fn the_address_limit_comes_before_the_proof() {
    let fixture = Fixture::with_rates(FEW, MANY).await;
    let key = wallet();
    for _ in 0..2 {
        let reply = fixture
            .proven(&"a.b.c".parse().unwrap(), "GET", "/v1/subjects/me", "")
            .await;
        assert_eq!(reply.problem(), "unauthenticated");
    }
    let reply = fixture.signed(&key, "GET", "/v1/subjects/me", "").await;
    assert_eq!(reply.problem(), "rate-limited");
    let wait: u32 = reply.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(
        fixture.get("/healthz").await.status,
        200,
        "signs of life are free"
    );
}

#[tokio::test]
async fn the_proof_comes_before_the_subject_limit() {
    let fixture = Fixture::with_rates(MANY, FEW).await;
    let (victim, intruder) = (wallet(), wallet());
    for _ in 0..5 {
        let reply = fixture
            .forged(&intruder, "GET", "/v1/subjects/me", "", |proof| {
                proof.htm = "PUT".to_owned();
            })
            .await;
        assert_eq!(reply.problem(), "unauthenticated");
    }
    for _ in 0..2 {
        assert_eq!(
            fixture
                .signed(&victim, "GET", "/v1/subjects/me", "")
                .await
                .status,
            200
        );
    }
    let reply = fixture.signed(&victim, "GET", "/v1/subjects/me", "").await;
    assert_eq!(reply.problem(), "rate-limited");
    assert_eq!(
        fixture
            .signed(&intruder, "GET", "/v1/subjects/me", "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_subject_limit_comes_before_the_body_is_understood() {
    let fixture = Fixture::with_rates(MANY, FEW).await;
    let key = wallet();
    for _ in 0..2 {
        let reply = fixture.signed(&key, "POST", "/v1/consents", "{").await;
        assert_eq!(reply.problem(), "malformed-request");
    }
    let reply = fixture.signed(&key, "POST", "/v1/consents", "{").await;
    assert_eq!(reply.problem(), "rate-limited");
}

#[tokio::test]
async fn a_body_that_hides_its_length_is_cut_off() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let chunk = || Ok::<_, std::io::Error>(vec![b' '; 8192]);
    let chunks = futures_util::stream::iter(std::iter::repeat_with(chunk).take(1000));
    let proof = fixture.proof(&key, ("POST", "/v1/consents", b""), |_| {});
    let request = Request::post("/v1/consents")
        .header("blindprint-proof", proof.as_str())
        .header("content-type", "application/json")
        .body(Body::from_stream(chunks))
        .unwrap();
    assert_eq!(fixture.send(request).await.problem(), "too-large");
}
