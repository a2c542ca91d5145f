//! The subject's own page, in process.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use blindprint_core::{SignInLink, SystemEntropy, UnixTime, statement::SignIn};
use blindprint_did::{KeyType, SigningKey, sign};

use super::{
    Fixture,
    fixture::{Reply, SERVICE, wallet},
};
use crate::{
    domain::sign_in::{FRESH_SECONDS, IDLE_SECONDS, Standing},
    http::me::{Access, table},
};

/// A browser: its cookie, and what its forms carry.
#[derive(Default)]
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    async fn send(&mut self, fixture: &Fixture, method: &Method, path: &str, form: &str) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::USER_AGENT, "Firefox/130.0 (Linux)");
        let mut body = String::new();
        if *method == Method::POST {
            body = format!("csrf={}&{form}", self.csrf);
            request = request
                .header(header::ORIGIN, SERVICE)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let reply = fixture.send(request.body(Body::from(body)).unwrap()).await;
        if let Some(set) = reply.headers.get(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(
                set.contains("HttpOnly")
                    && set.contains("SameSite=Strict")
                    && set.contains("Secure"),
                "{set}"
            );
            assert!(
                set.starts_with("__Host-") && set.contains("Path=/"),
                "{set}"
            );
            set.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        let text = String::from_utf8_lossy(&reply.body);
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
        reply
    }

    async fn get(&mut self, fixture: &Fixture, path: &str) -> Reply {
        self.send(fixture, &Method::GET, path, "").await
    }

    async fn post(&mut self, fixture: &Fixture, path: &str, form: &str) -> Reply {
        self.send(fixture, &Method::POST, path, form).await
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// The link that a page shows.
fn link(reply: &Reply) -> SignInLink {
    let text = text(reply).replace("&#38;", "&").replace("&amp;", "&");
    let (_, rest) = text.split_once("href=\"blindprint:").unwrap();
    let link = format!("blindprint:{}", rest.split('"').next().unwrap());
    link.parse().unwrap()
}

async fn accept(fixture: &Fixture, key: &SigningKey, link: &SignInLink) -> Reply {
    let word = SignIn {
        sub: key.public().subject(),
        aud: link.service.clone(),
        session: link.session,
        code: link.code.to_string(),
        iat: fixture.app.service.clock().now(),
    };
    let body = serde_json::json!({ "sign_in": sign(key, &word).unwrap() }).to_string();
    fixture.signed(key, "POST", "/v1/sign-ins", &body).await
}

async fn signed_in(fixture: &Fixture, key: &SigningKey) -> Browser {
    let mut browser = Browser::default();
    assert_eq!(
        browser.post(fixture, "/me/sign-in/begin", "").await.status,
        303
    );
    let page = browser.get(fixture, "/me/sign-in").await;
    assert_eq!(accept(fixture, key, &link(&page)).await.status, 204);
    let before = browser.cookie.clone();
    let entered = browser.get(fixture, "/me/sign-in").await;
    assert_eq!(entered.headers[header::LOCATION], "/me/data");
    assert_ne!(browser.cookie, before, "another cookie once signed in");
    let data = browser.get(fixture, "/me/data").await;
    assert!(text(&data).contains(key.public().subject().as_str()));
    browser
}

fn filled(path: &str) -> String {
    path.replace("{id}", "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51")
        .replace("{digest}", &"A".repeat(43))
        .replace("{claim}", &"A".repeat(43))
        .replace("{right}", "review")
        .replace("{index}", "0")
}

#[tokio::test]
async fn every_page_of_ones_own_wants_a_signature_and_no_page_tells_strangers_anything() {
    let fixture = Fixture::new().await;
    for entry in table() {
        let mut stranger = Browser::default();
        let reply = stranger
            .send(&fixture, &entry.method, &filled(entry.path), "")
            .await;
        let status = reply.status.as_u16();
        match (entry.access, &entry.method) {
            (Access::Open, _) => assert!(
                [200, 303, 404].contains(&status),
                "{}: {status}",
                entry.path
            ),
            (_, &Method::GET) => {
                assert_eq!(status, 303, "{}", entry.path);
                assert_eq!(reply.headers[header::LOCATION], "/me?done=me_signed_out");
            }
            (_, _) => assert_eq!(status, 401, "{}", entry.path),
        }
    }
}

#[tokio::test]
async fn every_form_wants_its_token_and_its_origin() {
    let fixture = Fixture::new().await;
    let mut browser = signed_in(&fixture, &wallet()).await;
    for entry in table()
        .into_iter()
        .filter(|entry| entry.method == Method::POST)
    {
        let path = filled(entry.path);
        let mut forged = Browser {
            cookie: browser.cookie.clone(),
            csrf: "x".repeat(43),
        };
        assert_eq!(forged.post(&fixture, &path, "").await.status, 410, "{path}");
        let elsewhere = Request::post(&path)
            .header(header::COOKIE, &browser.cookie)
            .header(header::ORIGIN, "https://evil.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("csrf={}", browser.csrf)))
            .unwrap();
        assert_eq!(fixture.send(elsewhere).await.status, 410, "{path}");
    }
    assert_eq!(browser.get(&fixture, "/me/data").await.status, 200);
}

#[tokio::test]
async fn all_pages_open_for_whoever_is_signed_in_even_if_nothing_is_kept_of_them() {
    let fixture = Fixture::new().await;
    let mut browser = signed_in(&fixture, &wallet()).await;
    for path in [
        "/me/data",
        "/me/uses",
        "/me/consents",
        "/me/rights",
        "/me/receipts",
        "/me/log",
        "/me/browsers",
        "/me/protection",
        "/me/notices",
        "/me/erasure",
        "/me/rights/new/rectification",
        "/me/rights/new/access",
        "/me/rights/new/restriction",
        "/me/rights/new/objection",
        "/me/rights/new/review",
    ] {
        for language in ["en", "de", "fr", "es"] {
            let cookie = browser.cookie.clone();
            browser.cookie = format!("{cookie}; blindprint-language={language}");
            let reply = browser.get(&fixture, path).await;
            assert_eq!(reply.status, 200, "{path}");
            let policy = reply.headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'"));
            assert!(
                text(&reply).contains(&format!("<html lang=\"{language}\"")),
                "{path}"
            );
            browser.cookie = cookie;
        }
    }
    for path in [
        "/me/rights/new/erasure",
        "/me/log/0",
        "/me/nowhere",
        "/me/consents/2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51/withdrawal",
    ] {
        assert_eq!(browser.get(&fixture, path).await.status, 404, "{path}");
    }
    let word = "word=erase";
    assert_eq!(
        browser
            .post(&fixture, "/me/erasure/everything", word)
            .await
            .status,
        404,
        "there is nobody to erase"
    );
    let mistyped = browser
        .post(&fixture, "/me/erasure/everything", "word=no")
        .await;
    assert!(text(&mistyped).contains("Nothing was erased"));
}

#[tokio::test]
async fn the_page_waits_for_the_wallet_and_goes_on_by_itself() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let mut browser = Browser::default();
    browser.post(&fixture, "/me/sign-in/begin", "").await;
    let page = browser.get(&fixture, "/me/sign-in").await;
    let shown = link(&page);
    assert!(text(&page).contains(shown.code.as_str()));
    let picture = browser.get(&fixture, "/me/sign-in/qr.svg").await;
    assert_eq!(picture.headers[header::CONTENT_TYPE], "image/svg+xml");
    assert!(text(&browser.get(&fixture, "/me/sign-in/link").await).contains("every 2s"));
    let other = Browser::default().get(&fixture, "/me/sign-in/qr.svg").await;
    assert_eq!(other.status, 404, "another browser shows another link");

    let forged = SignInLink {
        code: "ABCD-EFGH".parse().unwrap(),
        ..shown.clone()
    };
    assert_eq!(accept(&fixture, &key, &forged).await.problem(), "refused");
    assert_eq!(accept(&fixture, &key, &shown).await.status, 204);
    let thief = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    assert_eq!(
        accept(&fixture, &thief, &shown).await.problem(),
        "challenge-gone"
    );
    let done = browser.get(&fixture, "/me/sign-in/link").await;
    assert_eq!(done.headers["hx-redirect"], "/me/data");
    assert_eq!(
        browser.get(&fixture, "/me").await.headers[header::LOCATION],
        "/me/data"
    );
}

#[tokio::test]
async fn what_destroys_something_wants_a_fresh_signature_and_goes_on_with_what_was_typed() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let mut browser = signed_in(&fixture, &key).await;
    fixture.clock.advance(FRESH_SECONDS);
    let asked = browser
        .post(&fixture, "/me/erasure/everything", "word=ERASE")
        .await;
    assert_eq!(asked.status, 401);
    assert!(
        text(&asked).contains("name=\"word\" value=\"ERASE\""),
        "{}",
        text(&asked)
    );
    let again = browser
        .post(&fixture, "/me/erasure/everything", "word=ERASE")
        .await;
    assert_eq!(
        link(&again),
        link(&asked),
        "drawn again, it is the same link"
    );
    assert_eq!(accept(&fixture, &key, &link(&asked)).await.status, 204);
    assert!(text(&browser.get(&fixture, "/me/sign-in/link").await).contains("data-signed"));
    let goes_on = browser
        .post(&fixture, "/me/erasure/everything", "word=ERASE")
        .await;
    assert_eq!(goes_on.status, 404, "there is nobody to erase");
}

#[tokio::test]
async fn one_signs_out_here_or_there_and_by_being_idle() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let (mut first, mut second) = (
        signed_in(&fixture, &key).await,
        signed_in(&fixture, &key).await,
    );
    let list = text(&first.get(&fixture, "/me/browsers").await);
    assert!(
        list.contains("Firefox, Linux") && list.contains("This one"),
        "{list}"
    );
    let end = list.split("action=\"/me/browsers/").nth(1).unwrap();
    let end = format!("/me/browsers/{}", end.split('"').next().unwrap());
    assert_eq!(first.post(&fixture, &end, "").await.status, 303);
    assert_eq!(second.get(&fixture, "/me/data").await.status, 303);
    let cookie = first.cookie.clone();
    first.post(&fixture, "/me/sign-out", "").await;
    let mut replayed = Browser {
        cookie,
        ..Browser::default()
    };
    assert_eq!(replayed.get(&fixture, "/me/data").await.status, 303);
    let mut idle = signed_in(&fixture, &key).await;
    fixture.clock.advance(IDLE_SECONDS);
    assert_eq!(idle.get(&fixture, "/me/data").await.status, 303);
}

#[tokio::test]
async fn links_are_limited_for_one_address() {
    let fixture = Fixture::new().await;
    let mut limited = false;
    for _ in 0..30 {
        let reply = Browser::default()
            .post(&fixture, "/me/sign-in/begin", "")
            .await;
        limited |= reply.status == 429;
    }
    assert!(limited);
    assert_eq!(fixture.app.service.clock().now(), UnixTime(1_800_000_000));
    let unknown = crate::domain::sign_in::BrowserSecret::from("nobody".to_owned());
    assert_eq!(
        fixture.app.own_page.rules.of_stranger(&unknown),
        Standing::Gone
    );
}
