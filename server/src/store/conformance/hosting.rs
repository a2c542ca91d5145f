use super::*;
use crate::domain::{Addition, DidName, HostedDid, NotHosted};

fn name(text: &str) -> DidName {
    text.parse().unwrap()
}

fn log(text: &str) -> HostedDid {
    HostedDid {
        name: name(text),
        did: format!("did:webvh:Qm:id.example.org:dids:{text}"),
        subject: alice(),
        entries: 1,
        document: Some("{}".to_owned()),
        created: NOW,
    }
}

fn addition(entry: &str) -> Addition<'_> {
    Addition {
        entry,
        document: Some("{\"id\":1}"),
        at: NOW,
    }
}

async fn meet(store: &dyn Store, subject: &SubjectId) {
    apply(store, subject, consent_given(subject).0).await;
}

#[tokio::test]
async fn a_log_grows_at_its_end_only_and_survives_a_crash() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    meet(store, &alice()).await;
    let alice_log = log("alice");
    assert_eq!(store.hosted(&alice_log.name).await.unwrap(), None);
    assert_eq!(store.host(&alice_log, "one", 2).await.unwrap(), Ok(()));
    let name = &alice_log.name;
    assert!(store.append_entry(name, 1, &addition("two")).await.unwrap());
    let lost = store.append_entry(name, 1, &addition("another two")).await;
    assert!(!lost.unwrap(), "another device was first");
    let ahead = store.append_entry(name, 3, &addition("four")).await;
    assert!(!ahead.unwrap());
    let last = Addition {
        document: None,
        ..addition("three")
    };
    assert!(store.append_entry(name, 2, &last).await.unwrap());
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(again.log(name).await.unwrap(), ["one", "two", "three"]);
    let head = HostedDid {
        entries: 3,
        document: None,
        ..alice_log
    };
    assert_eq!(again.hosted(&head.name).await.unwrap(), Some(head));
}

#[tokio::test]
async fn a_name_is_one_subjects_and_they_have_so_many() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let bob: SubjectId = "did:key:z6MkBob".parse().unwrap();
    meet(&**store, &alice()).await;
    meet(&**store, &bob).await;
    let bobs = HostedDid {
        subject: bob.clone(),
        ..log("alice")
    };
    assert_eq!(store.host(&log("alice"), "a", 2).await.unwrap(), Ok(()));
    assert_eq!(
        store.host(&bobs, "b", 2).await.unwrap(),
        Err(NotHosted::Taken)
    );
    assert_eq!(store.log(&name("alice")).await.unwrap(), ["a"]);
    assert_eq!(store.host(&log("second"), "a", 2).await.unwrap(), Ok(()));
    assert_eq!(
        store.host(&log("third"), "a", 2).await.unwrap(),
        Err(NotHosted::TooMany)
    );
    assert_eq!(
        store.hosted_of(&alice()).await.unwrap(),
        [log("alice"), log("second")]
    );
    assert_eq!(store.hosted_of(&bob).await.unwrap(), []);
    assert!(store.log(&name("third")).await.unwrap().is_empty());
}
