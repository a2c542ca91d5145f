use std::collections::BTreeSet;

use blindprint_core::{EnrolmentId, SystemEntropy};

use super::*;
use crate::domain::{
    ClientId, IssuerMethod,
    issued::{
        Ground, Issuance, IssuanceId, LIST_ENTRIES, ListId, ListKind, Standing, StatusEntry, Whose,
    },
};

fn issuance(ground: Ground, kind: ListKind, copies: usize) -> Issuance {
    Issuance {
        id: IssuanceId::random(&SystemEntropy),
        ground,
        issuer: IssuerMethod::Web,
        entries: Some((kind, copies)),
        issued: NOW,
    }
}

async fn issue(
    store: &dyn Store,
    ground: Ground,
    kind: ListKind,
    copies: usize,
) -> Vec<StatusEntry> {
    let issuance = issuance(ground, kind, copies);
    let entries = store.record_issuance(&issuance, &SystemEntropy).await;
    entries.unwrap().unwrap()
}

async fn marked(store: &dyn Store, list: ListId) -> BTreeSet<(u32, &'static str)> {
    let (version, marked) = store.marked_entries(list).await.unwrap();
    let record = store.status_list(list).await.unwrap().unwrap();
    assert_eq!(record.version, version);
    marked
        .into_iter()
        .map(|(index, standing)| (index, standing.as_str()))
        .collect()
}

fn indices(entries: &[StatusEntry], standing: Standing) -> BTreeSet<(u32, &'static str)> {
    entries
        .iter()
        .map(|entry| (entry.index, standing.as_str()))
        .collect()
}

fn client() -> ClientId {
    let entropy: &dyn Entropy = &SystemEntropy;
    entropy.uuid().to_string().parse().unwrap()
}

fn of_client(client: ClientId, credential: Option<&str>) -> Ground {
    Ground::Client {
        client,
        credential: credential.map(str::to_owned),
    }
}

async fn erase(store: &dyn Store, enrolment: EnrolmentId) {
    let erased = Effect::Erased {
        enrolment,
        receipt: Some(jws("erased")),
        at: NOW,
    };
    apply(store, &alice(), erased).await;
}

#[tokio::test]
async fn an_erasure_revokes_every_copy_and_survives_a_crash() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let (one, other) = (
        enrolled(store, &alice()).await.enrolment.enrolment,
        enrolled(store, &alice()).await.enrolment.enrolment,
    );
    let erased = issue(store, Ground::Enrolment(alice(), one), ListKind::Token, 5).await;
    let verdict = issue(store, Ground::Verdict(alice(), one), ListKind::Bitstring, 2).await;
    let kept = issue(store, Ground::Enrolment(alice(), other), ListKind::Token, 3).await;
    let (tokens, bits) = (erased[0].list, verdict[0].list);
    assert_eq!(kept[0].list, tokens);
    assert_ne!(tokens, bits);
    let all: BTreeSet<u32> = erased
        .iter()
        .chain(&kept)
        .map(|entry| entry.index)
        .collect();
    assert_eq!(all.len(), 8, "an index is for one copy");
    assert!(all.iter().all(|index| *index < LIST_ENTRIES));
    assert!(marked(store, tokens).await.is_empty());
    let before = store.status_list(tokens).await.unwrap().unwrap();
    assert_eq!(before.kind, ListKind::Token);

    erase(store, one).await;
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(
        marked(again, tokens).await,
        indices(&erased, Standing::Revoked)
    );
    assert_eq!(
        marked(again, bits).await,
        indices(&verdict, Standing::Revoked)
    );
    let after = again.status_list(tokens).await.unwrap().unwrap();
    assert!(after.version > before.version);

    for ground in [
        Ground::Enrolment(alice(), one),
        Ground::Verdict(alice(), one),
        Ground::Enrolment("did:key:z6MkBob".parse().unwrap(), other),
    ] {
        let late = issuance(ground, ListKind::Token, 1);
        assert_eq!(
            store.record_issuance(&late, &SystemEntropy).await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_replaced_enrolment_takes_its_credentials_with_it() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let old = enrolled(&**store, &alice()).await.enrolment.enrolment;
    let entries = issue(
        &**store,
        Ground::Enrolment(alice(), old),
        ListKind::Token,
        2,
    )
    .await;
    let next = pending(&alice(), random_digest(), None);
    let sequence = store
        .begin_enrolment(&next, b"register", NOW)
        .await
        .unwrap()
        .unwrap();
    let effect = Effect::Enrolled {
        enrolment: next.enrolment.enrolment,
        receipt: jws("enrolled"),
        replaced: Some(old),
        at: NOW,
    };
    store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
    assert_eq!(
        marked(&**store, entries[0].list).await,
        indices(&entries, Standing::Revoked)
    );
}

#[tokio::test]
async fn a_consent_that_ends_takes_its_receipts_with_it() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let mut receipts = Vec::new();
    for _ in 0..3 {
        let (given, consent, _) = consent_given(&alice());
        apply(&**store, &alice(), given).await;
        let ground = Ground::Consent(alice(), consent);
        receipts.push((consent, issue(&**store, ground, ListKind::Token, 2).await));
    }
    let list = receipts[0].1[0].list;
    let (withdrawn, entries) = &receipts[0];
    let effect = Effect::ConsentWithdrawn {
        subject: alice(),
        consent: *withdrawn,
        at: NOW,
        withdrawal: Some(jws("withdrawal")),
        head: random_digest(),
        receipt: jws("receipt"),
    };
    apply(&**store, &alice(), effect).await;
    assert_eq!(
        marked(&**store, list).await,
        indices(entries, Standing::Revoked)
    );
    let late = issuance(Ground::Consent(alice(), *withdrawn), ListKind::Token, 1);
    assert_eq!(
        store.record_issuance(&late, &SystemEntropy).await.unwrap(),
        None
    );
    let ended = Effect::ConsentsEnded {
        subject: alice(),
        at: NOW,
    };
    apply(&**store, &alice(), ended).await;
    assert_eq!(marked(&**store, list).await.len(), 6);
}

#[tokio::test]
async fn suspension_is_lifted_and_revocation_is_not() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (ours, theirs) = (client(), client());
    let ground = of_client(ours, Some("urn:example:1"));
    let entries = issue(&**store, ground, ListKind::Bitstring, 1).await;
    let list = entries[0].list;
    issue(
        &**store,
        of_client(theirs, Some("urn:example:1")),
        ListKind::Bitstring,
        1,
    )
    .await;
    for _ in 0..2 {
        issue(&**store, of_client(ours, None), ListKind::Bitstring, 1).await;
    }

    for stranger in [
        Whose::Client(theirs, entries[0]),
        Whose::Named(ours, "urn:example:2".to_owned()),
        Whose::Anybody(StatusEntry {
            index: entries[0].index ^ 1,
            ..entries[0]
        }),
    ] {
        let changed = store
            .change_standing(&stranger, Standing::Revoked, stamp())
            .await;
        assert_eq!(changed.unwrap(), None, "{stranger:?}");
    }
    assert!(marked(&**store, list).await.is_empty());

    let named = Whose::Named(ours, "urn:example:1".to_owned());
    let ours = Whose::Client(ours, entries[0]);
    let anybody = Whose::Anybody(entries[0]);
    for (whose, to, then) in [
        (&ours, Standing::Suspended, Standing::Suspended),
        (&named, Standing::Valid, Standing::Valid),
        (&anybody, Standing::Suspended, Standing::Suspended),
        (&ours, Standing::Revoked, Standing::Revoked),
        (&ours, Standing::Valid, Standing::Revoked),
        (&anybody, Standing::Suspended, Standing::Revoked),
    ] {
        let before = store.status_list(list).await.unwrap().unwrap().version;
        let standing = store.change_standing(whose, to, stamp()).await.unwrap();
        assert_eq!(standing, Some(then));
        let after = store.status_list(list).await.unwrap().unwrap().version;
        assert_eq!(after > before, to == then, "{to:?}");
        let expected = match then {
            Standing::Valid => BTreeSet::new(),
            _ => indices(&entries, then),
        };
        assert_eq!(marked(&**store, list).await, expected);
    }
}

#[tokio::test]
async fn the_next_list_is_begun_when_one_is_half_full() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let first = issue(store, of_client(client(), None), ListKind::Token, 1).await[0];
    fixture.sqlite.seem_filled(LIST_ENTRIES / 2 - 1).await;
    let entries = issue(store, of_client(client(), None), ListKind::Token, 3).await;
    assert_eq!(entries[0].list, first.list, "it has room for one more");
    assert!(entries[1].list > first.list);
    assert_eq!(entries[1].list, entries[2].list);
    let none = store.status_list(ListId(entries[1].list.0 + 1)).await;
    assert_eq!(none.unwrap(), None);
}

#[tokio::test]
async fn each_did_of_the_service_has_lists_of_its_own() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let web = issue(&**store, of_client(client(), None), ListKind::Token, 1).await[0];
    let issuance = Issuance {
        issuer: IssuerMethod::Webvh,
        ..issuance(of_client(client(), None), ListKind::Token, 1)
    };
    let entries = store.record_issuance(&issuance, &SystemEntropy).await;
    let webvh = entries.unwrap().unwrap()[0];
    assert_ne!(web.list, webvh.list);
    let record = store.status_list(webvh.list).await.unwrap().unwrap();
    assert_eq!(record.issuer, IssuerMethod::Webvh);
}

#[tokio::test]
async fn the_services_identity_is_its_first() {
    let fixture = Fixture::sqlite().await;
    assert_eq!(fixture.store.identity().await.unwrap(), None);
    fixture.store.record_identity("did:webvh:a").await.unwrap();
    fixture.store.record_identity("did:webvh:b").await.unwrap();
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(again.identity().await.unwrap().unwrap(), "did:webvh:a");
}

#[tokio::test]
async fn indices_follow_no_order() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let entries = issue(&**store, of_client(client(), None), ListKind::Token, 64).await;
    let ascending = entries
        .windows(2)
        .filter(|pair| pair[0].index < pair[1].index)
        .count();
    assert!((10..54).contains(&ascending), "{ascending} of 63");
    let low = entries
        .iter()
        .filter(|entry| entry.index < LIST_ENTRIES / 2)
        .count();
    assert!((10..54).contains(&low), "{low} of 64 in the lower half");
}

#[tokio::test]
async fn what_has_no_status_takes_no_index() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let silent = Issuance {
        entries: None,
        ..issuance(of_client(client(), None), ListKind::Token, 0)
    };
    let entries = store.record_issuance(&silent, &SystemEntropy).await;
    assert_eq!(entries.unwrap(), Some(Vec::new()));
    assert_eq!(store.status_list(ListId(1)).await.unwrap(), None);
}
