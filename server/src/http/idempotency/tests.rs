use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::*;
use crate::http::tests::Fixture;

fn request(key: &str, body: &[u8]) -> Keyed {
    let facts = Facts {
        method: "POST",
        target: "/v1/x",
        body: Digest::of("blindprint/body/v1", body),
    };
    Keyed::new("caller", Some(key.to_owned()), facts, None)
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1024)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Work that takes a moment and answers with how often it was done.
async fn work(done: Arc<AtomicU32>) -> Result<u32> {
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(done.fetch_add(1, Ordering::SeqCst))
}

#[tokio::test]
async fn duplicates_at_the_same_moment_are_carried_out_once() {
    let fixture = Fixture::new().await;
    let done = Arc::new(AtomicU32::new(0));
    let once = || {
        let work = work(Arc::clone(&done));
        fixture
            .app
            .once(request("k", b"1"), Keep::Answer, StatusCode::CREATED, work)
    };
    let (first, second) = tokio::join!(once(), once());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(
        (first.status(), second.status()),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    let replays = [&first, &second]
        .iter()
        .filter(|response| response.headers().contains_key(REPLAYED))
        .count();
    assert_eq!(replays, 1);
    assert_eq!(text(first).await, text(second).await);
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let fixture = Fixture::new().await;
    let done = Arc::new(AtomicU32::new(0));
    let once = |body: &[u8]| {
        let work = work(Arc::clone(&done));
        fixture
            .app
            .once(request("k", body), Keep::Answer, StatusCode::OK, work)
    };
    once(b"1").await.unwrap();
    let refused = once(b"2").await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::IdempotencyMismatch);
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn failures_are_not_remembered() {
    let fixture = Fixture::new().await;
    let fail = async { Err::<u32, _>(Error::unavailable(1)) };
    let app = &fixture.app;
    let refused = app
        .once(request("k", b"1"), Keep::Answer, StatusCode::OK, fail)
        .await;
    assert_eq!(refused.unwrap_err().code(), ProblemCode::Unavailable);
    let done = Arc::new(AtomicU32::new(7));
    let again = app
        .once(request("k", b"1"), Keep::Answer, StatusCode::OK, work(done))
        .await;
    assert_eq!(text(again.unwrap()).await, "7");
}

#[tokio::test]
async fn work_goes_on_when_the_caller_hangs_up() {
    let fixture = Fixture::new().await;
    let done = Arc::new(AtomicU32::new(0));
    let once = || {
        let work = work(Arc::clone(&done));
        fixture
            .app
            .once(request("k", b"1"), Keep::Answer, StatusCode::OK, work)
    };
    let cut_off = tokio::time::timeout(Duration::from_millis(5), once()).await;
    assert!(cut_off.is_err());
    let answer = once().await.unwrap();
    assert!(answer.headers().contains_key(REPLAYED));
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_attempt_that_a_crash_cut_off_is_made_again() {
    let fixture = Fixture::new().await;
    let keyed = request("k", b"1");
    let store = fixture.app.service.store();
    let now = fixture.app.service.clock().now();
    // What a process leaves behind that is killed while it works.
    store
        .claim_key("caller", "k", keyed.request, now)
        .await
        .unwrap();
    let done = Arc::new(AtomicU32::new(3));
    let answer = fixture
        .app
        .once(keyed, Keep::Answer, StatusCode::OK, work(done))
        .await
        .unwrap();
    assert_eq!(text(answer).await, "3");
}

#[tokio::test]
async fn answers_with_secrets_stay_out_of_the_database() {
    let fixture = Fixture::new().await;
    let secret = async { Ok("secret".to_owned()) };
    let keyed = request("k", b"1");
    let app = &fixture.app;
    app.once(keyed.clone(), Keep::Nothing, StatusCode::OK, secret)
        .await
        .unwrap();
    let now = app.service.clock().now();
    let recalled = app
        .service
        .store()
        .claim_key("caller", "k", keyed.request, now)
        .await
        .unwrap();
    assert_eq!(recalled, Recalled::New);
}

#[test]
fn requests_differ_in_every_part() {
    let body = Digest::of("blindprint/body/v1", b"1");
    let facts = Facts {
        method: "POST",
        target: "/v1/x",
        body,
    };
    let digest = |facts, statement: Option<&Jws>| Keyed::new("c", None, facts, statement).request;
    let statement: Jws = "a.b.c".parse().unwrap();
    let all = [
        digest(facts, None),
        digest(
            Facts {
                method: "PUT",
                ..facts
            },
            None,
        ),
        digest(
            Facts {
                target: "/v1/y",
                ..facts
            },
            None,
        ),
        digest(
            Facts {
                body: Digest::of("blindprint/body/v1", b"2"),
                ..facts
            },
            None,
        ),
        digest(facts, Some(&statement)),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(all[index + 1..].iter().all(|other| other != one));
    }
}
