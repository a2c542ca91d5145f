//! The whole matrix: every route of the dashboard, asked by everybody.

use axum::{body::Body, http::Method};

use super::{
    super::{Fixture, fixture::OPERATOR},
    Browser,
    browser::html,
};
use crate::{
    domain::admin::{Permission, Role},
    http::{
        admin::{Access, table},
        web::NAVIGATION,
    },
};

/// A path with its placeholders filled in, all naming nothing.
fn concrete(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51"
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What the gate said: that it is closed, or nothing, because the handler answered.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    SignIn,
    Forbidden,
    Stale,
    ProveAgain,
    Enter,
}

async fn ask(browser: &mut Browser<'_>, method: &Method, path: &str, token: bool) -> Said {
    let path = concrete(path);
    let mut request = browser.request(method.as_str(), &path);
    if *method == Method::POST {
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if token {
            request = request.header("x-csrf-token", browser.csrf());
        }
    }
    let reply = browser.send(request.body(Body::empty()).unwrap()).await;
    let text = html(&reply);
    match reply.status.as_u16() {
        303 if reply.headers["location"]
            .to_str()
            .unwrap()
            .starts_with("/admin/sign-in?next") =>
        {
            Said::SignIn
        }
        401 if text.contains("You are signed out") => Said::SignIn,
        401 if text.contains("Confirm that it is you") => Said::ProveAgain,
        403 if text.contains("Your role does not allow this") => Said::Forbidden,
        410 if text.contains("This form is out of date") => Said::Stale,
        _ => Said::Enter,
    }
}

#[tokio::test]
async fn nobody_without_a_session_gets_past_the_gate() {
    let fixture = Fixture::new().await;
    for entry in table() {
        let mut stranger = Browser::new(&fixture);
        let said = ask(&mut stranger, &entry.method, entry.path, true).await;
        let expected = if entry.access == Access::Open {
            Said::Enter
        } else {
            Said::SignIn
        };
        assert_eq!(said, expected, "{} {}", entry.method, entry.path);
    }
}

#[tokio::test]
async fn each_role_gets_as_far_as_its_permissions() {
    for role in Role::ALL {
        let fixture = Fixture::new().await;
        for entry in table() {
            // Each in a session of its own, because some routes end it.
            let mut browser = Browser::of(&fixture, role).await;
            let said = ask(&mut browser, &entry.method, entry.path, true).await;
            let allowed = entry.access.permission().is_none_or(|it| role.may(it));
            let expected = if allowed {
                Said::Enter
            } else {
                Said::Forbidden
            };
            assert_eq!(said, expected, "{role} {} {}", entry.method, entry.path);
            fixture.clock.advance(60);
        }
    }
}

#[tokio::test]
async fn no_route_changes_anything_without_the_sessions_token() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Operator).await;
    for entry in table() {
        if entry.method == Method::POST && entry.access != Access::Open {
            let said = ask(&mut browser, &entry.method, entry.path, false).await;
            assert_eq!(said, Said::Stale, "{}", entry.path);
        }
    }
}

#[tokio::test]
async fn routes_that_ask_for_it_want_a_passkey_of_the_last_minutes() {
    let fixture = Fixture::new().await;
    for role in Role::ALL {
        let mut browser = Browser::of(&fixture, role).await;
        fixture.clock.advance(301);
        for entry in table() {
            let allowed = entry.access.permission().is_some_and(|it| role.may(it));
            if entry.access.is_fresh() && allowed {
                let said = ask(&mut browser, &entry.method, entry.path, true).await;
                assert_eq!(said, Said::ProveAgain, "{role} {}", entry.path);
            }
        }
    }
}

#[tokio::test]
async fn an_operators_api_token_opens_no_page() {
    let fixture = Fixture::new().await;
    for entry in table() {
        let mut browser = Browser::new(&fixture);
        let request = browser
            .request(entry.method.as_str(), &concrete(entry.path))
            .header("authorization", format!("Bearer {OPERATOR}"))
            .body(Body::empty())
            .unwrap();
        let reply = browser.send(request).await;
        if entry.access != Access::Open {
            assert!(
                [303, 401].contains(&reply.status.as_u16()),
                "{} {}",
                entry.path,
                reply.status
            );
        }
    }
}

#[tokio::test]
async fn administrators_sessions_open_no_api() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::of(&fixture, Role::Operator).await;
    for path in [
        "/v1/invitations",
        "/v1/consents",
        "/v1/subjects/me",
        "/metrics",
    ] {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, 401, "{path}");
    }
}

#[test]
fn every_role_may_read_and_only_some_may_write() {
    for entry in table() {
        let Some(permission) = entry.access.permission() else {
            continue;
        };
        if entry.method == Method::POST {
            assert!(
                permission == Permission::OwnAccount || !Role::Auditor.may(permission),
                "an auditor could change something at {}",
                entry.path
            );
        }
        assert!(Role::ALL.into_iter().any(|role| role.may(permission)));
    }
}

#[test]
fn the_navigation_leads_where_its_readers_may_go() {
    let table = table();
    for link in NAVIGATION {
        let entry = table
            .iter()
            .find(|entry| entry.path == link.path && entry.method == Method::GET);
        let entry = entry.unwrap_or_else(|| panic!("{} leads nowhere", link.path));
        assert_eq!(
            entry.access,
            Access::Needs(link.permission),
            "{}",
            link.path
        );
    }
}
