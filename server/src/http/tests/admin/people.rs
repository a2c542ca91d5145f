use super::{super::Fixture, Browser, browser::html};
use crate::domain::admin::{Permission, Role};

/// The id of the administrator who is called so.
async fn id_of(fixture: &Fixture, name: &str) -> String {
    let everybody = fixture.app.dashboard.rules.administrators().await.unwrap();
    let found = everybody.into_iter().find(|who| who.name.as_str() == name);
    found.unwrap().id.to_string()
}

#[tokio::test]
async fn the_first_link_makes_an_operator_who_lets_others_in() {
    let fixture = Fixture::new().await;
    let rules = &fixture.app.dashboard.rules;
    let lost = rules.first_link().await.unwrap().unwrap();
    let link = rules.first_link().await.unwrap().unwrap();
    let mut ada = Browser::new(&fixture);
    let lost = format!("/admin/join/{}", lost.expose());
    assert_eq!(ada.get(&lost).await.status, 404, "a new start ends it");
    let link = format!("/admin/join/{}", link.expose());
    assert_eq!(ada.get(&link).await.status, 200);
    assert_eq!(ada.join(&link).await.status, 200);
    assert!(rules.first_link().await.unwrap().is_none());
    let made = ada
        .form(
            "/admin/administrators/links",
            "name=Grace&role=privacy_officer",
        )
        .await;
    let page = html(&made);
    let address = page.split("/admin/join/").nth(1).unwrap();
    let secret = address.split('<').next().unwrap();
    let mut grace = Browser::new(&fixture);
    let link = format!("/admin/join/{secret}");
    let welcome = html(&grace.get(&link).await);
    assert!(welcome.contains("Grace") && welcome.contains("Privacy officer"));
    assert_eq!(grace.join(&link).await.status, 200);
    assert_eq!(grace.get("/admin/audit").await.status, 200);
    assert_eq!(grace.get("/admin/administrators").await.status, 403);
}

#[tokio::test]
async fn a_link_works_once_for_a_day_and_until_it_is_taken_back() {
    let fixture = Fixture::new().await;
    let mut used = Browser::new(&fixture);
    let link = used.link(Role::Auditor).await;
    assert_eq!(used.join(&link).await.status, 200);
    assert_eq!(Browser::new(&fixture).join(&link).await.status, 403);
    let late = used.link(Role::Auditor).await;
    fixture.clock.advance(86_400);
    assert_eq!(Browser::new(&fixture).join(&late).await.status, 403);
    let mut operator = Browser::of(&fixture, Role::Operator).await;
    let revoked = operator.link(Role::Auditor).await;
    let page = html(&operator.get("/admin/administrators").await);
    let id = page.split("/admin/administrators/links/").nth(1).unwrap();
    let id = id.split('/').next().unwrap();
    let path = format!("/admin/administrators/links/{id}/revocation");
    assert_eq!(operator.form(&path, "").await.status, 303);
    assert_eq!(operator.form(&path, "").await.status, 404);
    assert_eq!(Browser::new(&fixture).join(&revoked).await.status, 403);
}

#[tokio::test]
async fn two_who_have_one_link_do_not_both_get_in() {
    let fixture = Fixture::new().await;
    let mut first = Browser::new(&fixture);
    let mut second = Browser::new(&fixture);
    let link = first.link(Role::Operator).await;
    let wanted = serde_json::json!({ "name": "Ada", "passkey": "laptop" });
    let begin = format!("{link}/begin");
    let one = first.script(&begin, &wanted).await.json();
    let two = second.script(&begin, &wanted).await.json();
    let mut statuses = Vec::new();
    for (browser, begun) in [(&mut first, one), (&mut second, two)] {
        let answer = browser.passkey.create(&begun["options"]);
        let body = serde_json::json!({ "ceremony": begun["ceremony"], "answer": answer });
        let reply = browser.script(&format!("{link}/finish"), &body).await;
        statuses.push(reply.status.as_u16());
    }
    assert_eq!(statuses, [200, 403]);
}

#[tokio::test]
async fn a_new_role_holds_from_the_next_sign_in() {
    let fixture = Fixture::new().await;
    let mut officer = Browser::of(&fixture, Role::PrivacyOfficer).await;
    let id = id_of(&fixture, "Ada").await;
    let mut operator = Browser::of(&fixture, Role::Operator).await;
    let path = format!("/admin/administrators/{id}/role");
    assert_eq!(operator.form(&path, "role=root").await.status, 400);
    assert_eq!(operator.form(&path, "role=auditor").await.status, 303);
    assert_eq!(officer.get("/admin/account").await.status, 303);
    assert_eq!(officer.sign_in().await.status, 200);
    assert!(Role::Auditor.may(Permission::SeeAdministrators));
    assert_eq!(officer.get("/admin/administrators").await.status, 200);
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_with_the_links_they_made() {
    let fixture = Fixture::new().await;
    let mut gone = Browser::of(&fixture, Role::Operator).await;
    let id = id_of(&fixture, "Ada").await;
    let made = gone
        .form("/admin/administrators/links", "name=Bob&role=operator")
        .await;
    let page = html(&made);
    let secret = page.split("/admin/join/").nth(1).unwrap();
    let link = format!("/admin/join/{}", secret.split('<').next().unwrap());
    let mut operator = Browser::of(&fixture, Role::Operator).await;
    let path = format!("/admin/administrators/{id}/removal");
    assert_eq!(operator.form(&path, "").await.status, 303);
    assert_eq!(gone.get("/admin/account").await.status, 303);
    assert_eq!(gone.sign_in().await.status, 403);
    assert_eq!(Browser::new(&fixture).join(&link).await.status, 403);
    assert_eq!(operator.form(&path, "").await.status, 404);
}

#[tokio::test]
async fn there_is_always_an_operator() {
    let fixture = Fixture::new().await;
    let mut operator = Browser::of(&fixture, Role::Operator).await;
    let id = id_of(&fixture, "Ada").await;
    let removal = format!("/admin/administrators/{id}/removal");
    assert_eq!(operator.form(&removal, "").await.status, 409);
    let role = format!("/admin/administrators/{id}/role");
    assert_eq!(operator.form(&role, "role=auditor").await.status, 409);
    assert_eq!(operator.get("/admin/administrators").await.status, 200);
}

#[tokio::test]
async fn names_that_deceive_are_refused() {
    let fixture = Fixture::new().await;
    let mut operator = Browser::of(&fixture, Role::Operator).await;
    for name in ["", "Ada%0Aroot", "%E2%80%AEadA"] {
        let body = format!("name={name}&role=auditor");
        let reply = operator.form("/admin/administrators/links", &body).await;
        assert_eq!(reply.status, 400, "{name}");
    }
    let markup = "name=%3Cscript%3Ealert(1)%3C%2Fscript%3E&role=auditor";
    let made = operator.form("/admin/administrators/links", markup).await;
    assert_eq!(made.status, 200);
    let page = html(&operator.get("/admin/administrators").await);
    assert!(!page.contains("<script>alert"));
}
