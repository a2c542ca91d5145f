use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::super::{
    Fixture,
    fixture::{Reply, SERVICE},
};
use crate::domain::admin::{Actor, Role, authenticator::Authenticator, make_link};

/// A browser with one passkey, and perhaps a session.
pub(super) struct Browser<'a> {
    fixture: &'a Fixture,
    pub passkey: Authenticator,
    pub cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub fn new(fixture: &'a Fixture) -> Self {
        Self {
            fixture,
            passkey: Authenticator::new(SERVICE),
            cookie: None,
        }
    }

    /// A browser in which an administrator of this role is signed in: past the limit for attempts.
    pub async fn of(fixture: &'a Fixture, role: Role) -> Self {
        let mut browser = Self::new(fixture);
        let link = browser.link(role).await;
        let secret = link.strip_prefix("/admin/join/").unwrap().to_owned();
        let rules = &fixture.app.dashboard.rules;
        let (name, passkey) = ("Ada".parse().unwrap(), "laptop".parse().unwrap());
        let begun = rules.begin_joining(&secret.into(), name, passkey).await;
        let (ceremony, options) = begun.unwrap();
        let answer = browser.passkey.create(&options);
        let answer = serde_json::from_value(answer).unwrap();
        let joined = rules.join(ceremony, &answer, "test").await.unwrap();
        browser.cookie = Some(joined.expose().to_owned());
        browser
    }

    /// The path of a fresh link.
    pub async fn link(&self, role: Role) -> String {
        let name = format!("A {role}").parse().unwrap();
        let rules = &self.fixture.app.dashboard.rules;
        let store = self.fixture.app.service.store();
        let made = make_link(store, Actor::machine(), role, name, rules.stamp());
        let (_, secret) = made.await.unwrap();
        format!("/admin/join/{}", secret.expose())
    }

    pub async fn join(&mut self, link: &str) -> Reply {
        let wanted = json!({ "name": "Ada", "passkey": "laptop" });
        let begun = self.script(&format!("{link}/begin"), &wanted).await;
        if begun.status != 200 {
            return begun;
        }
        let begun = begun.json();
        let answer = self.passkey.create(&begun["options"]);
        let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
        self.script(&format!("{link}/finish"), &body).await
    }

    pub async fn sign_in(&mut self) -> Reply {
        let begun = self.script("/admin/sign-in/begin", &json!({})).await.json();
        let answer = self.passkey.get(&begun["options"]);
        let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
        self.script("/admin/sign-in/finish", &body).await
    }

    /// Uses the passkey again within the session.
    pub async fn prove(&mut self) -> Reply {
        let begun = self.script("/admin/prove/begin", &json!({})).await.json();
        let answer = self.passkey.get(&begun["options"]);
        let body = json!({ "ceremony": begun["ceremony"], "answer": answer });
        self.script("/admin/prove/finish", &body).await
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends a form as a page of ours does.
    pub async fn form(&mut self, path: &str, fields: &str) -> Reply {
        let body = format!("csrf={}&{fields}", self.csrf());
        let request = self
            .request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Sends JSON as a script of ours does.
    pub async fn script(&mut self, path: &str, body: &Value) -> Reply {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json")
            .header("x-csrf-token", self.csrf())
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// A request with what browsers add.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "id.example.org");
        if method != "GET" {
            request = request
                .header("origin", SERVICE)
                .header("sec-fetch-site", "same-origin");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("__Host-blindprint-admin={cookie}"));
        }
        request
    }

    /// Sends a request and keeps the cookie of its answer.
    pub async fn send(&mut self, request: Request<Body>) -> Reply {
        let reply = self.fixture.send(request).await;
        for value in reply.headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().unwrap();
            if let Some(rest) = text.strip_prefix("__Host-blindprint-admin=") {
                let value = rest.split(';').next().unwrap().to_owned();
                self.cookie = Some(value).filter(|value| !value.is_empty());
            }
        }
        reply
    }

    /// The token that pages of this session carry.
    pub fn csrf(&self) -> String {
        let cookie = self.cookie.clone().unwrap_or_default();
        crate::domain::admin::SessionSecret::from(cookie).csrf()
    }
}

/// An answer's text.
pub(super) fn html(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}
