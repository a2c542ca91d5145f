//! Hosted DIDs: whoever holds the update keys writes the log, and nobody else.

use blindprint_core::{Clock as _, SystemEntropy, UnixTime};
use blindprint_did::{KeyType, SigningKey};
use blindprint_resolver::{
    Document,
    webvh::{Change, Creation, Log},
};
use serde_json::{Value, json};

use super::{
    Fixture,
    fixture::{Reply, wallet},
    wallets::met,
};

const DIDS: &str = "/v1/dids";

/// A wallet's log, as it keeps it.
struct Kept {
    name: &'static str,
    key: SigningKey,
    log: Log,
}

impl Kept {
    fn at(place: &str, name: &'static str, now: UnixTime) -> Self {
        let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let creation = Creation::at(place.parse().unwrap());
        let log = Log::create(&creation, &key, now, |did| Document::new(did.clone())).unwrap();
        Self { name, key, log }
    }

    fn new(name: &'static str, now: UnixTime) -> Self {
        Self::at(&format!("id.example.org:dids:{name}"), name, now)
    }

    fn first(&self) -> Value {
        json!({ "name": self.name, "entry": self.log.entries()[0].line() })
    }

    /// One more entry, which the service has not seen.
    fn next(&self, change: &Change, at: UnixTime) -> String {
        self.log.update(change, &self.key, at).unwrap()
    }

    fn grown(&mut self, entry: &str, at: UnixTime) {
        self.log = self.log.append(entry, at).unwrap();
    }
}

async fn host(fixture: &Fixture, key: &SigningKey, body: &Value) -> Reply {
    fixture.signed(key, "POST", DIDS, &body.to_string()).await
}

async fn append(fixture: &Fixture, key: &SigningKey, name: &str, entry: &str) -> Reply {
    let path = format!("{DIDS}/{name}/entries");
    let body = json!({ "entry": entry }).to_string();
    fixture.signed(key, "POST", &path, &body).await
}

fn with_service(log: &Log) -> Change {
    let mut document = log.document().clone();
    document.other.insert("note".to_owned(), "changed".into());
    Change {
        document: Some(document),
        ..Change::default()
    }
}

#[tokio::test]
async fn a_log_is_begun_grown_read_resolved_and_given_up() {
    let fixture = Fixture::new().await;
    let owner = wallet();
    met(&fixture, &owner).await;
    let mut alice = Kept::new("alice", fixture.clock.now());
    let reply = host(&fixture, &owner, &alice.first()).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    assert_eq!(reply.json()["did"], alice.log.did().as_str());
    let again = host(&fixture, &owner, &alice.first()).await;
    assert_eq!(again.status, 201, "repeated");

    fixture.clock.advance(5);
    let now = fixture.clock.now();
    let entry = alice.next(&with_service(&alice.log), now);
    let reply = append(&fixture, &owner, "alice", &entry).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    assert_eq!(reply.json()["entries"], 2);
    let again = append(&fixture, &owner, "alice", &entry).await;
    assert_eq!(again.json()["entries"], 2, "repeated");
    alice.grown(&entry, now);

    let log = fixture.get("/dids/alice/did.jsonl").await;
    assert_eq!(log.headers["content-type"], "text/jsonl");
    assert_eq!(log.headers["access-control-allow-origin"], "*");
    assert_eq!(log.body, alice.log.to_jsonl().into_bytes());
    let document = fixture.get("/dids/alice/did.json").await;
    assert_eq!(document.json()["id"], "did:web:id.example.org:dids:alice");
    assert_eq!(document.json()["note"], "changed");
    for did in [
        alice.log.did().as_str(),
        "did:web:id.example.org:dids:alice",
    ] {
        let resolved = fixture.get(&format!("/1.0/identifiers/{did}")).await;
        assert_eq!(resolved.status, 200, "{}", resolved.json());
        assert_eq!(resolved.json()["didDocument"]["id"], did);
    }

    fixture.clock.advance(5);
    let now = fixture.clock.now();
    let gone = Change {
        deactivate: true,
        ..Change::default()
    };
    let entry = alice.next(&gone, now);
    let reply = append(&fixture, &owner, "alice", &entry).await;
    assert_eq!(reply.json()["deactivated"], true, "{}", reply.json());
    let did = alice.log.did().to_string();
    let resolved = fixture.get(&format!("/1.0/identifiers/{did}")).await;
    assert_eq!(resolved.status, 410);
    assert_eq!(resolved.json()["didDocumentMetadata"]["deactivated"], true);
    assert_eq!(fixture.get("/dids/alice/did.json").await.status, 404);
    assert_eq!(fixture.get("/dids/alice/did.jsonl").await.status, 200);
    fixture.clock.advance(5);
    let late = append(&fixture, &owner, "alice", &entry.replace("3-", "4-")).await;
    assert_eq!(late.problem(), "log-refused");
    let list = fixture.signed(&owner, "GET", DIDS, "").await.json();
    assert_eq!(list["dids"][0]["name"], "alice");
    assert_eq!(list["dids"][0]["entries"], 3);
}

#[tokio::test]
async fn nobody_else_can_write_and_the_service_takes_no_forgery() {
    let fixture = Fixture::new().await;
    let (owner, other) = (wallet(), wallet());
    let alice = Kept::new("alice", fixture.clock.now());
    let stranger = host(&fixture, &owner, &alice.first()).await;
    assert_eq!(stranger.problem(), "consent-required");
    met(&fixture, &owner).await;
    met(&fixture, &other).await;
    assert_eq!(host(&fixture, &owner, &alice.first()).await.status, 201);
    let taken = Kept::new("alice", fixture.clock.now());
    assert_eq!(
        host(&fixture, &other, &taken.first()).await.problem(),
        "conflict"
    );
    assert_eq!(
        host(&fixture, &owner, &taken.first()).await.problem(),
        "conflict"
    );

    fixture.clock.advance(2);
    let now = fixture.clock.now();
    let good = alice.next(&with_service(&alice.log), now);
    let not_theirs = append(&fixture, &other, "alice", &good).await;
    assert_eq!(not_theirs.problem(), "not-found");
    let forger = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    let foreign = Kept::new("alice", now);
    for (what, entry) in [
        ("changed", good.replace("changed", "forged!")),
        ("of another log", foreign.log.entries()[0].line().to_owned()),
        ("two lines", format!("{good}\n{good}")),
        ("nonsense", "{}".to_owned()),
        ("nothing", String::new()),
    ] {
        let reply = append(&fixture, &owner, "alice", &entry).await;
        assert_eq!(reply.problem(), "log-refused", "{what}");
    }
    assert!(
        alice
            .log
            .update(&with_service(&alice.log), &forger, now)
            .is_err(),
        "the library itself signs with no other key"
    );
    fixture.clock.advance(-100);
    let future = append(&fixture, &owner, "alice", &good).await;
    assert_eq!(future.problem(), "log-refused");
    fixture.clock.advance(100);
    assert_eq!(append(&fixture, &owner, "alice", &good).await.status, 201);
}

#[tokio::test]
async fn two_devices_and_two_updates_in_a_second_are_told_apart() {
    let fixture = Fixture::new().await;
    let owner = wallet();
    met(&fixture, &owner).await;
    let alice = Kept::new("alice", fixture.clock.now());
    host(&fixture, &owner, &alice.first()).await;
    fixture.clock.advance(10);
    let now = fixture.clock.now();
    let first = alice.next(&with_service(&alice.log), now);
    let mut document = alice.log.document().clone();
    document.other.insert("note".to_owned(), "another".into());
    let change = Change {
        document: Some(document),
        ..Change::default()
    };
    let second = alice.next(&change, now);
    let (a, b) = tokio::join!(
        append(&fixture, &owner, "alice", &first),
        append(&fixture, &owner, "alice", &second)
    );
    let refused = match (a.status.as_u16(), b.status.as_u16()) {
        (201, _) => b,
        (_, 201) => a,
        statuses => panic!("neither was taken: {statuses:?}"),
    };
    // Whether it lost the race in the store or came after it: it does not follow the log.
    assert!(["conflict", "log-refused"].contains(&refused.problem().as_str()));
    let log = fixture.get("/dids/alice/did.jsonl").await.body;
    assert_eq!(String::from_utf8(log).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_did_is_hosted_where_it_says_and_so_many_of_them() {
    let fixture = Fixture::new().await;
    let owner = wallet();
    met(&fixture, &owner).await;
    let now = fixture.clock.now();
    for place in [
        "id.example.org:dids:bob",
        "id.example.org:alice",
        "id.example.org",
        "evil.example:dids:alice",
        "id.example.org%3A8443:dids:alice",
    ] {
        let kept = Kept::at(place, "alice", now);
        let reply = host(&fixture, &owner, &kept.first()).await;
        assert_eq!(reply.problem(), "log-refused", "{place}");
    }
    let kept = Kept::new("alice", now);
    let mut body = kept.first();
    body["name"] = "Alice".into();
    assert_eq!(
        host(&fixture, &owner, &body).await.problem(),
        "malformed-request"
    );
    let names = [
        "log-0", "log-1", "log-2", "log-3", "log-4", "log-5", "log-6", "log-7", "log-8", "log-9",
        "log-10",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let reply = host(&fixture, &owner, &Kept::new(name, now).first()).await;
        if number < 10 {
            assert_eq!(reply.status, 201);
        } else {
            assert_eq!(reply.problem(), "quota-reached");
        }
    }
    assert_eq!(fixture.get("/dids/nobody/did.jsonl").await.status, 404);
    assert_eq!(fixture.get("/dids/Not-A-Name/did.json").await.status, 404);
}
