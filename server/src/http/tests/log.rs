use blindprint_core::wire::{LogDescription, OwnLogEntries};
use blindprint_did::SigningKey;
use blindprint_log::{
    CheckpointNote, Commitment, ConsistencyProof, Entry, InclusionProof, Kind, LogVerifier,
    OfflineProof, Salt, TilePath, TreeHash,
};

use super::{
    Fixture,
    fixture::{stamp, wallet},
    wallets::met,
};
use crate::{domain::ledger::Draft, store::LedgerStore as _};

const OWN: &str = "/v1/log/entries";

async fn append(fixture: &Fixture, key: &SigningKey, events: u32) {
    let subject = key.public().subject();
    let drafts: Vec<Draft> = (0..events)
        .map(|n| Draft::of(&subject, Kind::Verdict, format!("event {n}")))
        .collect();
    let store = &fixture.store;
    store.append_entries(&drafts, stamp()).await.unwrap();
}

async fn key_of(fixture: &Fixture) -> LogVerifier {
    let description: LogDescription =
        serde_json::from_slice(&fixture.get("/v1/log").await.body).unwrap();
    let key: LogVerifier = description.key.parse().unwrap();
    assert_eq!(key.name(), description.origin);
    key
}

#[tokio::test]
async fn a_stranger_can_verify_the_log_from_what_is_served() {
    let fixture = Fixture::new().await;
    for early in ["/log/checkpoint", "/log/tile/0/000.p/1", "/v1/log/proofs/0"] {
        assert_eq!(fixture.get(early).await.problem(), "not-found", "{early}");
    }
    append(&fixture, &wallet(), 3).await;
    let older = fixture.app.ledger.publish().await.unwrap().unwrap();
    append(&fixture, &wallet(), 257).await;
    fixture.app.ledger.publish().await.unwrap();

    let reply = fixture.get("/log/checkpoint").await;
    assert_eq!(reply.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
    assert_eq!(reply.headers["cache-control"], "public, no-cache");
    let note: CheckpointNote = String::from_utf8(reply.body).unwrap().parse().unwrap();
    let key = key_of(&fixture).await;
    let head = note.verify(&key).unwrap();
    let head = head.checkpoint();
    assert_eq!((head.origin(), head.size()), ("id.example.org/log", 260));

    let bundle = fixture.get("/log/tile/entries/000").await;
    assert_eq!(
        bundle.headers["cache-control"],
        "public, max-age=31536000, immutable"
    );
    let path: TilePath = "tile/entries/000".parse().unwrap();
    let entry = path.decode_entries(&bundle.body).unwrap()[7].to_vec();
    let partial = fixture.get("/log/tile/entries/001.p/4").await;
    assert_eq!(partial.headers["cache-control"], "public, max-age=86400");

    let proof = fixture.get("/v1/log/inclusion?index=7&size=260").await;
    assert_eq!(proof.headers["access-control-allow-origin"], "*");
    let proof: InclusionProof = serde_json::from_slice(&proof.body).unwrap();
    proof
        .verify(TreeHash::of_entry(&entry), head.root())
        .unwrap();
    let proof = fixture.get("/v1/log/consistency?first=3&second=260").await;
    let proof: ConsistencyProof = serde_json::from_slice(&proof.body).unwrap();
    head.extends(older.checkpoint(), &proof).unwrap();
    let proof = fixture.get("/v1/log/proofs/259").await;
    let proof: OfflineProof = serde_json::from_slice(&proof.body).unwrap();
    assert_eq!(proof.verify(&key, &[]).unwrap().index, 259);
}

#[tokio::test]
async fn what_is_not_in_the_log_is_not_found() {
    let fixture = Fixture::new().await;
    append(&fixture, &wallet(), 5).await;
    fixture.app.ledger.publish().await.unwrap();
    for path in [
        "/log/tile/0/000",
        "/log/tile/0/0",
        "/log/tile/0/000.p/6",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/05",
        "/log/tile/9/000",
        "/log/tile/-1/000",
        "/log/tile/data/000.p/5",
        "/log/tile/entries/x001/000",
        "/log/tile/0/x001/x234/067.p/8",
        "/log/tile/0/%30%30%30.p/5",
        "/log/tile/0/000.p/5/",
        "/log/tile/0/../0/000.p/5",
        "/v1/log/inclusion?index=5&size=5",
        "/v1/log/inclusion?index=0&size=6",
        "/v1/log/inclusion?index=18446744073709551615&size=18446744073709551615",
        "/v1/log/consistency?first=0&second=6",
        "/v1/log/consistency?first=5&second=4",
        "/v1/log/proofs/5",
        "/v1/log/proofs/-1",
    ] {
        assert_eq!(fixture.get(path).await.problem(), "not-found", "{path}");
    }
    for path in [
        "/v1/log/inclusion?index=0",
        "/v1/log/inclusion?index=0&size=5&more=1",
        "/v1/log/consistency?first=-1&second=5",
    ] {
        let problem = fixture.get(path).await.problem();
        assert_eq!(problem, "malformed-request", "{path}");
    }
    assert_eq!(fixture.get("/log/tile/0/000.p/5").await.body.len(), 160);
}

#[tokio::test]
async fn a_subject_is_shown_what_opens_their_own_entries_and_nobody_elses() {
    let fixture = Fixture::new().await;
    let (alice, bob) = (wallet(), wallet());
    met(&fixture, &alice).await;
    append(&fixture, &alice, 1).await;
    append(&fixture, &bob, 250).await;
    append(&fixture, &alice, 101).await;
    let page = async |from: &str| -> OwnLogEntries {
        let reply = fixture
            .signed(&alice, "GET", &format!("{OWN}{from}"), "")
            .await;
        serde_json::from_slice(&reply.body).unwrap()
    };
    let first = page("").await;
    assert_eq!(first.entries.len(), 100);
    let rest = page(&format!("?from={}", first.next.unwrap())).await;
    assert_eq!((rest.entries.len(), rest.next), (2, None));
    let indices: Vec<u64> = first
        .entries
        .iter()
        .chain(&rest.entries)
        .map(|entry| entry.index)
        .collect();
    assert!(indices.iter().copied().eq([0].into_iter().chain(251..352)));
    let shown = &rest.entries[1];
    let entry = Entry::parse(shown.entry.as_bytes()).unwrap();
    let salt: Salt = shown.salt.parse().unwrap();
    let opened = Commitment::to(&salt, shown.event.as_bytes());
    assert_eq!(entry.commitment(), Some(&opened));
    assert_eq!(shown.event, "event 100");
    assert_eq!(fixture.get(OWN).await.problem(), "unauthenticated");
    let stranger = fixture.signed(&wallet(), "GET", OWN, "").await;
    assert_eq!(stranger.json()["entries"].as_array().unwrap().len(), 0);
}
