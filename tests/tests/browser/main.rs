//! People at the service's pages, in Debian's Chromium, with wallets and passkeys of their own:
//! `tests/browser` holds what drives it. `BLINDPRINT_SCREENSHOTS=folder` keeps pictures of every page.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use blindprint_tests::{Holder, Node, Service, block_on, program};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

/// More than a page of a list holds.
const INVITATIONS: usize = 30;

/// A service with somebody enrolled who was recognised once and taken for a stranger once.
struct Scene {
    service: Service,
    holder: Holder,
    subject: String,
    invitation: String,
}

impl Scene {
    fn set(settings: &[&str]) -> Self {
        let service = Service::start_with(None, settings);
        let invitation = service.invitation(8);
        let holder = Holder::new();
        let made = holder.init_securely(&service).ok();
        let scene = Self {
            service,
            holder,
            subject: made["subject"].as_str().unwrap().to_owned(),
            invitation,
        };
        let invited = ["--invitation", scene.invitation.as_str()];
        scene.holder.enrol("L001_1", &invited).ok();
        assert_eq!(scene.holder.auth("L001_2").ok()["matched"], true);
        assert_eq!(scene.holder.auth("L002_1").json["matched"], false);
        scene
    }

    /// Plays a program to its end.
    fn play(&self, name: &str) {
        let made = self.service.operate(&["admin", "link", "Olivia", "--json"]);
        let made: Value = serde_json::from_str(&made).unwrap();
        let join = made["link"].as_str().unwrap();
        let (_, path) = join.split_once("/admin/").unwrap();
        let environment: BTreeMap<_, _> = self.holder.environment().into_iter().collect();
        let given = json!({
            "url": self.service.url,
            "join": format!("/admin/{path}"),
            "subject": self.subject,
            "invitation": self.invitation,
            "folder": self.holder.path(""),
            "wallet": { "program": program("blindprint-wallet"), "environment": environment },
        });
        Node::browser(name)
            .converse(&given, |asked| {
                self.age(asked["age"].as_i64().unwrap());
            })
            .ok();
        let log = self.service.log();
        assert!(!log.contains("panicked"), "{log}");
    }

    /// Has every session last used this many seconds earlier than it was: nobody waits half an hour here.
    fn age(&self, seconds: i64) {
        let file = self.service.data().join("blindprint.sqlite");
        let url = format!("sqlite://{}", file.display());
        block_on(async {
            let mut database = SqliteConnection::connect(&url).await.unwrap();
            for sql in [
                "UPDATE admin_sessions SET seen = seen - $1, proven = proven - $1",
                "UPDATE subject_sessions SET seen = seen - $1, proven = proven - $1",
            ] {
                let changed = sqlx::query(sql).bind(seconds).execute(&mut database).await;
                changed.unwrap();
            }
            database.close().await.unwrap();
        });
    }
}

#[test]
fn administrators_run_the_service_from_a_browser() {
    // An officer decides about access here.
    let scene = Scene::set(&["rights.automatic=[\"portability\", \"erasure\"]"]);
    for _ in 0..INVITATIONS {
        scene.service.invitation(1);
    }
    scene
        .holder
        .run(&["credential", "receive", "--enrolment"])
        .ok();
    let shop = [
        "relying-party",
        "add",
        "Shop",
        "--audience",
        "https://shop.example",
    ];
    scene.service.operate(&shop);
    scene.play("dashboard");
}

#[test]
fn subjects_exercise_their_rights_from_a_browser() {
    Scene::set(&[]).play("own");
}
