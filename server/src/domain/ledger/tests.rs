use std::{
    net::SocketAddr,
    sync::{Mutex as Lock, PoisonError},
};

use axum::{Router, extract::State as Handed, http::StatusCode, routing::post};
use blindprint_core::{ManualClock, SystemEntropy};
use blindprint_log::{
    AddCheckpoint, Checkpoint, Kind, TilePath, TreeHash, WitnessKey, WitnessVerifier,
};
use secrecy::SecretBox;

use super::*;
use crate::store::SqliteStore;

const NOW: UnixTime = UnixTime(1_800_000_000);

struct Fixture {
    ledger: Ledger,
    store: SqliteStore,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        Self::watched(Vec::new()).await
    }

    async fn watched(witnesses: Vec<Witness>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("db.sqlite"))
            .await
            .unwrap();
        Self {
            ledger: ledger(&store, 1, witnesses, None),
            store,
            folder,
        }
    }

    async fn append(&self, events: &[&str]) {
        let subject = "did:key:z6MkAlice".parse().unwrap();
        let drafts: Vec<Draft> = events
            .iter()
            .map(|event| Draft::of(&subject, Kind::Verdict, *event))
            .collect();
        let stored: &dyn Store = &self.store;
        stored
            .append_entries(&drafts, self.ledger.stamp())
            .await
            .unwrap();
    }

    async fn publish(&self) -> Checkpoint {
        let head = self.ledger.publish().await.unwrap().unwrap();
        head.checkpoint().clone()
    }

    /// Why a server that starts with this database publishes nothing.
    async fn refusal(&self, known: Option<String>) -> Option<&'static str> {
        let started = ledger(&self.store, 1, Vec::new(), known);
        let published = started.publish().await;
        let why = started.unsound().await;
        assert_eq!(published.is_err(), why.is_some(), "{published:?}");
        why
    }
}

fn ledger(store: &SqliteStore, seed: u8, witnesses: Vec<Witness>, known: Option<String>) -> Ledger {
    let allow = witnesses
        .iter()
        .map(|witness| witness.url.authority().parse().unwrap());
    let egress = blindprint_egress::Config {
        allow: allow.collect(),
        ..blindprint_egress::Config::default()
    };
    let service = "https://id.example.org:8443".parse().unwrap();
    let seed = SecretBox::new(Box::new([seed; 32]));
    Ledger::new(LedgerParts {
        store: Arc::new(store.clone()),
        clock: Arc::new(ManualClock::at(NOW)),
        entropy: Arc::new(SystemEntropy),
        key: LogKey::from_seed(&Ledger::origin(&service), &seed).unwrap(),
        egress: Egress::new(&egress).unwrap(),
        witnesses,
        known,
    })
}

#[tokio::test]
async fn a_checkpoint_covers_what_was_appended_and_proofs_hold_under_it() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    assert!(ledger.publish().await.unwrap().is_none());
    assert!(ledger.checkpoint().await.is_err());
    fixture.append(&["a", "b", "c"]).await;
    let first = fixture.publish().await;
    assert_eq!(first.origin(), "id.example.org:8443/log");
    assert_eq!(first.size(), 3);
    assert_eq!(fixture.publish().await, first, "nothing has come since");
    fixture.append(&["d"; 300]).await;
    assert!(
        ledger.inclusion(5, 10).await.is_err(),
        "no checkpoint covers it yet"
    );
    let proof = ledger.proof(302).await.unwrap();
    let proven = proof.verify(ledger.verifier(), &[]).unwrap();
    assert_eq!(proven.index, 302);
    let second = proven.checkpoint;
    assert_eq!(second.size(), 303, "a proof makes a checkpoint");
    let extension = ledger.consistency(3, 303).await.unwrap();
    second.extends(&first, &extension).unwrap();
    let inclusion = ledger.inclusion(2, 303).await.unwrap();
    let entry = fixture.store_entry(2).await;
    inclusion
        .verify(TreeHash::of_entry(&entry), second.root())
        .unwrap();
    for (index, size) in [(3, 3), (0, 304), (u64::MAX, u64::MAX)] {
        assert!(ledger.inclusion(index, size).await.is_err());
    }
    assert!(ledger.consistency(4, 3).await.is_err());
    assert!(ledger.proof(303).await.is_err());
}

impl Fixture {
    async fn store_entry(&self, index: u64) -> Vec<u8> {
        let stored: &dyn Store = &self.store;
        stored.log_entries(index, 1).await.unwrap().remove(0)
    }
}

#[tokio::test]
async fn tiles_are_served_as_far_as_the_checkpoint_goes() {
    let fixture = Fixture::new().await;
    fixture.append(&["a"; 258]).await;
    let head = fixture.publish().await;
    fixture.append(&["not published"; 3]).await;
    let tile = async |path: &str| fixture.ledger.tile(&path.parse().unwrap()).await;
    let full = tile("tile/entries/000").await.unwrap();
    assert!(!full.partial);
    let path: TilePath = "tile/entries/000".parse().unwrap();
    let entries = path.decode_entries(&full.bytes).unwrap();
    assert_eq!(entries[7], fixture.store_entry(7).await);
    let hashes = tile("tile/0/001.p/2").await.unwrap();
    assert!(hashes.partial);
    assert_eq!(hashes.bytes.len(), 64);
    assert_eq!(tile("tile/1/000.p/1").await.unwrap().bytes.len(), 32);
    for beyond in [
        "tile/0/001.p/3",
        "tile/entries/001.p/3",
        "tile/1/000",
        "tile/0/002",
    ] {
        assert!(tile(beyond).await.is_err(), "{beyond}");
    }
    assert_eq!(head.size(), 258);
}

#[tokio::test]
async fn what_was_signed_and_is_no_longer_so_is_found_at_the_next_start() {
    const OPEN: &str = "DROP TRIGGER log_entries_stay; DROP TRIGGER log_entries_remain;
                        DROP TRIGGER log_hashes_stay; DROP TRIGGER log_hashes_remain;";
    for (tampering, found) in [
        ("SELECT 1", None),
        (
            "PRAGMA foreign_keys = OFF; DELETE FROM log_entries WHERE position = 4",
            Some("shorter"),
        ),
        (
            "PRAGMA foreign_keys = OFF; DELETE FROM log_entries WHERE position = 1",
            Some("altered"),
        ),
        (
            "UPDATE log_entries SET entry = CASE position
                 WHEN 1 THEN (SELECT entry FROM log_entries WHERE position = 2)
                 ELSE (SELECT entry FROM log_entries WHERE position = 1) END
             WHERE position IN (1, 2)",
            Some("altered"),
        ),
        (
            "UPDATE log_hashes SET hash = zeroblob(32) WHERE position = 1",
            Some("altered"),
        ),
        (
            "UPDATE log_hashes SET hash = zeroblob(32) WHERE position = 6",
            Some("hashes"),
        ),
        (
            "UPDATE log_checkpoints SET note = replace(note, 'id.example.org', 'id.example.com')",
            Some("another key"),
        ),
    ] {
        let fixture = Fixture::new().await;
        fixture.append(&["a", "b", "c", "d", "e"]).await;
        fixture.publish().await;
        fixture.store.tamper(OPEN).await.unwrap();
        fixture.store.tamper(tampering).await.unwrap();
        let why = fixture.refusal(None).await;
        match found {
            None => assert_eq!(why, None),
            Some(found) => assert!(why.unwrap().contains(found), "{tampering}: {why:?}"),
        }
    }
}

#[tokio::test]
async fn a_database_that_was_set_back_does_not_sign_another_history() {
    let past = Fixture::new().await;
    past.append(&["a", "b"]).await;
    past.publish().await;
    let present = Fixture::new().await;
    present.append(&["a", "b", "c"]).await;
    present.publish().await;
    let known = present.ledger.checkpoint().await.unwrap();
    assert!(
        past.refusal(Some(known.clone()))
            .await
            .unwrap()
            .contains("shorter")
    );
    // As long as it was, and not what it was.
    past.append(&["d"]).await;
    assert!(
        past.refusal(Some(known.clone()))
            .await
            .unwrap()
            .contains("hashes")
    );
    assert_eq!(present.refusal(Some(known)).await, None);
    let other = ledger(&present.store, 2, Vec::new(), None);
    assert!(other.publish().await.is_err());
    assert!(other.unsound().await.unwrap().contains("log-key"));
    drop(present.folder);
}

/// A witness of one log, by the book.
struct Witnessing {
    key: WitnessKey,
    log: LogVerifier,
    last: Lock<Option<Checkpoint>>,
}

impl Witnessing {
    fn answer(&self, body: &str) -> (StatusCode, [(&'static str, &'static str); 1], String) {
        const SIZE: [(&str, &str); 1] = [("content-type", "text/x.tlog.size")];
        const TEXT: [(&str, &str); 1] = [("content-type", "text/plain")];
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let asked: AddCheckpoint = body.parse().unwrap();
        let known = last.as_ref().map_or(0, Checkpoint::size);
        if asked.old_size != known {
            return (StatusCode::CONFLICT, SIZE, format!("{known}\n"));
        }
        let head = asked.checkpoint.verify(&self.log).unwrap();
        let checked = AddCheckpoint::check(asked.old_size, asked.path, last.as_ref(), &head);
        if checked == Err(LogError::Forked) {
            return (StatusCode::CONFLICT, TEXT, String::new());
        }
        checked.unwrap();
        *last = Some(head.checkpoint().clone());
        let line = self.key.cosign(&head, NOW).unwrap();
        (StatusCode::OK, TEXT, line.to_string())
    }

    /// Serves on a free port of this machine for as long as the test runs.
    async fn start(log: LogVerifier) -> (Arc<Self>, Witness) {
        let key = WitnessKey::generate("witness.example", &SystemEntropy).unwrap();
        let vkey: WitnessVerifier = key.verifier();
        let witnessing = Arc::new(Self {
            key,
            log,
            last: Lock::default(),
        });
        let router = Router::new()
            .route(
                "/add-checkpoint",
                post(
                    |Handed(witnessing): Handed<Arc<Self>>, body: String| async move {
                        witnessing.answer(&body)
                    },
                ),
            )
            .with_state(Arc::clone(&witnessing));
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = url.parse().unwrap();
        (witnessing, Witness { vkey, url })
    }
}

#[tokio::test]
async fn a_witness_countersigns_what_extends_what_it_has_seen() {
    let unwatched = Fixture::new().await;
    let (witnessing, witness) = Witnessing::start(unwatched.ledger.verifier().clone()).await;
    let fixture = Fixture::watched(vec![witness.clone()]).await;
    let ledger = &fixture.ledger;
    assert_eq!(
        ledger.cosign(&witness, 0).await.unwrap(),
        0,
        "nothing to sign"
    );
    fixture.append(&["a", "b"]).await;
    fixture.publish().await;
    assert_eq!(ledger.cosign(&witness, 0).await.unwrap(), 2);
    fixture.append(&["c"]).await;
    fixture.publish().await;
    assert_eq!(
        ledger.cosign(&witness, 0).await.unwrap(),
        3,
        "a server that starts learns from the witness what it has seen"
    );
    let head = ledger.head().await.unwrap().unwrap();
    assert_eq!(head.cosigned(&witness.vkey), Ok(NOW));
    let stored: &dyn Store = &fixture.store;
    assert_eq!(stored.latest_head(true).await.unwrap().unwrap().size, 3);
    let proof = ledger.proof(1).await.unwrap();
    let proven = proof.verify(ledger.verifier(), std::slice::from_ref(&witness.vkey));
    assert_eq!(proven.unwrap().witnessed, [NOW]);
    assert_eq!(witnessing.last.lock().unwrap().as_ref().unwrap().size(), 3);
}

#[tokio::test]
async fn a_log_that_is_not_what_its_witness_knows_is_published_no_more() {
    let first = Fixture::new().await;
    let (_witnessing, witness) = Witnessing::start(first.ledger.verifier().clone()).await;
    let present = Fixture::watched(vec![witness.clone()]).await;
    present.append(&["a", "b", "c"]).await;
    present.publish().await;
    assert_eq!(present.ledger.cosign(&witness, 0).await.unwrap(), 3);
    for (written, again) in [(&["a"][..], "another b"), (&["a", "b", "d"][..], "e")] {
        let past = Fixture::watched(vec![witness.clone()]).await;
        past.append(written).await;
        past.publish().await;
        assert!(past.ledger.cosign(&witness, 0).await.is_err());
        assert!(past.ledger.unsound().await.unwrap().contains("set back"));
        past.append(&[again]).await;
        assert!(past.ledger.publish().await.is_err());
    }
}
