use serde_json::json;

use super::{super::Fixture, Browser, browser::html};
use crate::domain::admin::{ActKind, ActOutcome, ActQuery, Role};

/// The acts of this kind, newest first.
async fn acts(fixture: &Fixture, kind: ActKind) -> Vec<ActOutcome> {
    let query = ActQuery {
        kind: Some(kind),
        most: 100,
        ..ActQuery::default()
    };
    let (acts, total) = fixture.app.dashboard.rules.acts(&query).await.unwrap();
    assert_eq!(acts.len() as u64, total);
    acts.into_iter().map(|record| record.act.outcome).collect()
}

/// The path parts that follow `before` in a page.
fn ids(page: &str, before: &str) -> Vec<String> {
    let parts = page.split(before).skip(1);
    parts
        .map(|rest| rest.split(['/', '"']).next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn one_signs_out_and_in_again_with_the_same_passkey() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    browser.form("/admin/sign-out", "").await;
    assert_eq!(browser.get("/admin/account").await.status, 303);
    assert_eq!(browser.sign_in().await.status, 200);
    let page = browser.get("/admin/account").await;
    assert!(html(&page).contains("laptop"));
    assert_eq!(acts(&fixture, ActKind::SignIn).await, [ActOutcome::Done]);
}

#[tokio::test]
async fn a_passkey_that_did_not_verify_its_user_opens_nothing() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    browser.cookie = None;
    browser.passkey.verifies = false;
    assert_eq!(browser.sign_in().await.status, 403);
    assert_eq!(browser.cookie, None);
    assert_eq!(acts(&fixture, ActKind::SignIn).await, [ActOutcome::Refused]);
    let mut newcomer = Browser::new(&fixture);
    newcomer.passkey.verifies = false;
    let link = newcomer.link(Role::Auditor).await;
    assert_eq!(newcomer.join(&link).await.status, 403);
}

#[tokio::test]
async fn a_copied_passkey_gives_itself_away_by_its_counter() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    for _ in 0..3 {
        assert_eq!(browser.sign_in().await.status, 200);
    }
    browser.cookie = None;
    browser.passkey.counter = 1;
    assert_eq!(browser.sign_in().await.status, 403);
    assert_eq!(
        acts(&fixture, ActKind::SignIn).await[0],
        ActOutcome::Refused
    );
}

#[tokio::test]
async fn pages_of_other_origins_cannot_use_a_passkey() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    browser.cookie = None;
    browser.passkey.origin = "https://id.example.org.evil.example".to_owned();
    assert_eq!(browser.sign_in().await.status, 403);
}

#[tokio::test]
async fn nobody_learns_which_passkeys_exist() {
    let fixture = Fixture::new().await;
    let mut known = Browser::of(&fixture, Role::Auditor).await;
    known.cookie = None;
    known.passkey.origin = "https://evil.example".to_owned();
    let known = known.sign_in().await;
    let mut unknown = Browser::new(&fixture);
    unknown.passkey.user = vec![0; 16];
    let unknown = unknown.sign_in().await;
    assert_eq!(known.status, unknown.status);
    let without_id = |reply: super::super::fixture::Reply| {
        let mut body = reply.json();
        body.as_object_mut().unwrap().remove("instance");
        body
    };
    assert_eq!(without_id(known), without_id(unknown));
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_its_own_ceremony() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    browser.cookie = None;
    let begun = browser
        .script("/admin/sign-in/begin", &json!({}))
        .await
        .json();
    let answer = browser.passkey.get(&begun["options"]);
    let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
    assert_eq!(
        browser.script("/admin/sign-in/finish", &body).await.status,
        200
    );
    let again = Browser::new(&fixture)
        .script("/admin/sign-in/finish", &body)
        .await;
    assert_eq!(again.status, 403);
    // A challenge to sign in proves nothing within a session.
    let begun = browser
        .script("/admin/sign-in/begin", &json!({}))
        .await
        .json();
    let answer = browser.passkey.get(&begun["options"]);
    let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
    assert_eq!(
        browser.script("/admin/prove/finish", &body).await.status,
        403
    );
    // And it is too late after five minutes.
    let begun = browser
        .script("/admin/sign-in/begin", &json!({}))
        .await
        .json();
    fixture.clock.advance(301);
    let answer = browser.passkey.get(&begun["options"]);
    let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
    assert_eq!(
        browser.script("/admin/sign-in/finish", &body).await.status,
        403
    );
}

#[tokio::test]
async fn passkeys_are_added_renamed_and_removed_but_the_last_stays() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    let page = html(&browser.get("/admin/account").await);
    let first = ids(&page, "/admin/account/passkeys/")[0].clone();
    let last = format!("/admin/account/passkeys/{first}/removal");
    assert_eq!(browser.form(&last, "").await.status, 409);
    // Another authenticator in the same session.
    let mut other = Browser::new(&fixture);
    other.cookie.clone_from(&browser.cookie);
    let path = "/admin/account/new-passkey";
    let wanted = json!({ "passkey": "key ring" });
    let begun = other.script(&format!("{path}/begin"), &wanted).await.json();
    let answer = other.passkey.create(&begun["options"]);
    let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
    let added = other.script(&format!("{path}/finish"), &body).await;
    assert_eq!(added.status, 200);
    let rename = format!("/admin/account/passkeys/{first}/name");
    assert_eq!(browser.form(&rename, "name=old+laptop").await.status, 303);
    let page = html(&browser.get("/admin/account").await);
    assert!(page.contains("old laptop") && page.contains("key ring"));
    assert_eq!(browser.form(&last, "").await.status, 303);
    let page = html(&browser.get("/admin/account").await);
    assert!(!page.contains("old laptop"));
    browser.cookie = None;
    assert_eq!(browser.sign_in().await.status, 403, "it is gone");
    other.cookie = None;
    assert_eq!(other.sign_in().await.status, 200);
}

#[tokio::test]
async fn the_passkeys_and_sessions_of_others_are_not_ones_own() {
    let fixture = Fixture::new().await;
    let mut ada = Browser::of(&fixture, Role::Auditor).await;
    assert_eq!(ada.sign_in().await.status, 200);
    let page = html(&ada.get("/admin/account").await);
    let passkey = ids(&page, "/admin/account/passkeys/")[0].clone();
    let session = ids(&page, "/admin/account/sessions/")[0].clone();
    let mut eve = Browser::of(&fixture, Role::Operator).await;
    for path in [
        format!("/admin/account/passkeys/{passkey}/removal"),
        format!("/admin/account/passkeys/{passkey}/name"),
        format!("/admin/account/sessions/{session}/end"),
    ] {
        assert_eq!(eve.form(&path, "name=x").await.status, 404, "{path}");
    }
    let end = format!("/admin/account/sessions/{session}/end");
    assert_eq!(ada.form(&end, "").await.status, 303);
}

#[tokio::test]
async fn the_session_list_ends_a_session_elsewhere() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Auditor).await;
    let elsewhere = browser.cookie.clone();
    assert_eq!(browser.sign_in().await.status, 200);
    let page = html(&browser.get("/admin/account").await);
    let other = ids(&page, "/admin/account/sessions/");
    assert_eq!(other.len(), 1, "one's own session is ended by signing out");
    let end = format!("/admin/account/sessions/{}/end", other[0]);
    assert_eq!(browser.form(&end, "").await.status, 303);
    let here = std::mem::replace(&mut browser.cookie, elsewhere);
    assert_eq!(browser.get("/admin/account").await.status, 303);
    browser.cookie = here;
    assert_eq!(browser.get("/admin/account").await.status, 200);
}
