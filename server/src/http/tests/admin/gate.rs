use axum::body::Body;
use serde_json::json;

use super::{
    super::{Fixture, fixture::SERVICE},
    Browser,
    browser::html,
};
use crate::domain::admin::Role;

#[tokio::test]
async fn strangers_are_sent_to_sign_in_and_back_to_where_they_wanted() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    let reply = browser.get("/admin/audit?q=x").await;
    assert_eq!(reply.status, 303);
    assert_eq!(
        reply.headers["location"],
        "/admin/sign-in?next=%2Fadmin%2Faudit%3Fq%3Dx"
    );
    let page = browser.get("/admin/sign-in?next=/admin/audit").await;
    assert!(html(&page).contains("data-next=\"/admin/audit\""));
    let page = browser
        .get("/admin/sign-in?next=https://evil.example")
        .await;
    assert!(html(&page).contains("data-next=\"/admin\""));
}

#[tokio::test]
async fn every_page_tells_browsers_what_to_refuse() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Operator).await;
    for path in [
        "/admin/sign-in",
        "/admin/join/nonsense",
        "/admin/account",
        "/admin/administrators",
        "/admin/audit",
        "/admin/no-such-page",
    ] {
        let reply = browser.get(path).await;
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        if reply.status != 303 {
            assert!(
                policy.contains("script-src 'self';") && !policy.contains("unsafe"),
                "{path}: {policy}"
            );
            assert_eq!(reply.headers["x-frame-options"], "DENY", "{path}");
            assert_eq!(reply.headers["cache-control"], "no-store", "{path}");
            assert!(html(&reply).starts_with("<!doctype html>"), "{path}");
        }
    }
}

#[tokio::test]
async fn the_cookie_is_for_this_host_over_tls_and_for_no_script() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    let link = browser.link(Role::Auditor).await;
    let reply = browser.join(&link).await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    for part in [
        "__Host-blindprint-admin=",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn a_form_needs_the_sessions_token_and_a_page_of_ours() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Operator).await;
    let path = "/admin/sign-out";
    let form = "application/x-www-form-urlencoded";
    let token = browser.csrf();
    let good = format!("csrf={token}");
    let other = Browser::of(&fixture, Role::Operator).await;
    for (body, origin, site) in [
        ("", Some(SERVICE), Some("same-origin")),
        ("csrf=", Some(SERVICE), Some("same-origin")),
        (&*format!("csrf={}", other.csrf()), Some(SERVICE), None),
        (&good, Some("https://evil.example"), None),
        (&good, Some("null"), None),
        (&good, None, None),
        (&good, None, Some("same-origin")),
        (&good, Some(SERVICE), Some("cross-site")),
        (&good, Some(SERVICE), Some("same-site")),
    ] {
        let cookie = browser.cookie.clone().unwrap();
        let mut request = axum::http::Request::post(path)
            .header("host", "id.example.org")
            .header("content-type", form)
            .header("cookie", format!("__Host-blindprint-admin={cookie}"));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let reply = browser.send(request).await;
        assert_eq!(reply.status, 410, "{body} {origin:?} {site:?}");
        assert!(browser.cookie.is_some());
    }
    let reply = browser.form(path, "").await;
    assert_eq!(reply.status, 303);
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn a_cookie_of_another_name_or_a_made_up_one_is_none() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Operator).await;
    let cookie = browser.cookie.take().unwrap();
    // The plain name is for plain HTTP on this machine alone.
    let plain = browser
        .request("GET", "/admin/account")
        .header("cookie", format!("blindprint-admin={cookie}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(browser.send(plain).await.status, 303);
    browser.cookie = Some("A".repeat(43));
    assert_eq!(browser.get("/admin/account").await.status, 303);
    browser.cookie = Some(cookie);
    assert_eq!(browser.get("/admin/account").await.status, 200);
}

#[tokio::test]
async fn sessions_end_when_idle_and_in_the_end() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    fixture.clock.advance(29 * 60);
    assert_eq!(browser.get("/admin/account").await.status, 200);
    fixture.clock.advance(29 * 60);
    assert_eq!(browser.get("/admin/account").await.status, 200);
    fixture.clock.advance(31 * 60);
    assert_eq!(browser.get("/admin/account").await.status, 303);
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    for _ in 0..35 {
        fixture.clock.advance(20 * 60);
        assert_eq!(browser.get("/admin/account").await.status, 200);
    }
    fixture.clock.advance(20 * 60);
    assert_eq!(browser.get("/admin/account").await.status, 303);
}

#[tokio::test]
async fn what_destroys_wants_the_passkey_again_and_then_goes_on() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Operator).await;
    let wanted = "name=Bob&role=auditor";
    let made = browser.form("/admin/administrators/links", wanted).await;
    assert_eq!(made.status, 200, "who just joined has used the passkey");
    fixture.clock.advance(301);
    let asked = browser.form("/admin/administrators/links", wanted).await;
    assert_eq!(asked.status, 401);
    let page = html(&asked);
    assert!(
        page.contains("action=\"/admin/administrators/links\""),
        "{page}"
    );
    assert!(page.contains("name=\"role\" value=\"auditor\""), "{page}");
    assert_eq!(browser.prove().await.status, 200);
    let made = browser.form("/admin/administrators/links", wanted).await;
    assert_eq!(made.status, 200);
    assert!(html(&made).contains(&format!("{SERVICE}/admin/join/")));
}

#[tokio::test]
async fn attempts_are_few_from_one_address() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::new(&fixture);
    let mut statuses = Vec::new();
    for _ in 0..25 {
        let reply = browser.script("/admin/sign-in/begin", &json!({})).await;
        statuses.push(reply.status.as_u16());
    }
    assert_eq!(statuses[..20], [200; 20]);
    assert!(statuses[20..].contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn htmx_gets_parts_and_scripts_get_problems() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::PrivacyOfficer).await;
    let part = browser
        .request("GET", "/admin/administrators")
        .header("hx-request", "true")
        .body(Body::empty())
        .unwrap();
    let part = browser.send(part).await;
    assert_eq!(part.status, 403);
    assert!(
        html(&part).trim_start().starts_with("<div class=\"toast"),
        "{}",
        html(&part)
    );
    let refused = browser.script("/admin/prove/finish", &json!({})).await;
    assert_eq!(refused.problem(), "malformed-request");
    browser.cookie = None;
    let stranger = browser
        .request("GET", "/admin/administrators")
        .header("hx-request", "true")
        .body(Body::empty())
        .unwrap();
    let stranger = browser.send(stranger).await;
    assert_eq!(stranger.status, 204);
    assert!(stranger.headers.contains_key("hx-redirect"));
}

#[tokio::test]
async fn errors_are_pages_in_the_readers_language() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    let request = browser
        .request("GET", "/admin/no-such-page")
        .header("accept-language", "de")
        .body(Body::empty())
        .unwrap();
    let reply = browser.send(request).await;
    assert_eq!(reply.status, 404);
    assert!(html(&reply).contains("lang=\"de\""));
    assert!(html(&reply).contains("Diese Seite gibt es nicht"));
}
