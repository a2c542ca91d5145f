use blindprint_core::{
    Audience,
    consent::{ConsentState, Scope},
};

use super::*;

/// What the enclave's answer makes of `effect` once it is another decision.
fn deciding(mut effect: Effect, change: impl FnOnce(&mut Consent)) -> Effect {
    if let Effect::ConsentGiven { consent, .. } = &mut effect {
        change(consent);
    }
    effect
}

fn head_of(effect: &Effect) -> Digest {
    match effect {
        Effect::ConsentGiven { head, .. } | Effect::ConsentWithdrawn { head, .. } => *head,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_consent_is_kept_with_its_record_and_moves_the_head_of_the_chain() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    assert_eq!(store.consent_head(&alice()).await.unwrap(), None);
    let recipient: Audience = "https://shop.example".parse().unwrap();
    let (given, id, _) = consent_given(&alice());
    let given = deciding(given, |consent| {
        consent.purpose = Purpose::Sharing;
        consent.recipient = Some(recipient.clone());
    });
    apply(&**store, &alice(), given.clone()).await;
    let head = store.consent_head(&alice()).await.unwrap();
    assert_eq!(head, Some(head_of(&given)));
    let known = store.consent(&alice(), id).await.unwrap().unwrap();
    assert_eq!(*known.lifecycle.scope(), Scope::Sharing(recipient));
    assert_eq!(known.document, "{}");
    let Effect::ConsentGiven { handle, jws, .. } = given else {
        panic!()
    };
    assert_eq!((known.handle, known.jws), (handle, jws));
}

#[tokio::test]
async fn a_refusal_is_on_record_and_allows_nothing() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, id, _) = consent_given(&alice());
    let refused = deciding(given, |consent| {
        consent.decision = Decision::Refused;
        consent.expires = consent.given;
    });
    apply(&**store, &alice(), refused).await;
    let ended = Effect::ConsentsEnded {
        subject: alice(),
        at: NOW.plus(1),
    };
    apply(&**store, &alice(), ended).await;
    let known = store.consent(&alice(), id).await.unwrap().unwrap();
    assert_eq!(known.state(NOW), ConsentState::Refused);
    assert!(!known.is_live(NOW));
}

#[tokio::test]
async fn a_consent_ends_once_and_by_the_first_reason() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, id, _) = consent_given(&alice());
    let head = head_of(&given);
    apply(&**store, &alice(), given).await;
    let invalidated = Effect::ConsentInvalidated {
        subject: alice(),
        consent: id,
        at: NOW.plus(1),
        receipt: jws("invalid"),
    };
    let withdrawn = Effect::ConsentWithdrawn {
        subject: alice(),
        consent: id,
        at: NOW.plus(2),
        withdrawal: None,
        head: random_digest(),
        receipt: jws("withdrawn"),
    };
    for effect in [invalidated, withdrawn] {
        apply(&**store, &alice(), effect).await;
        let known = store.consent(&alice(), id).await.unwrap().unwrap();
        assert_eq!(known.state(NOW), ConsentState::Invalidated);
        assert_eq!(known.lifecycle.ended(), Some(NOW.plus(1)));
        assert_eq!(known.withdrawal_receipt, Some(jws("invalid")));
        let now = store.consent_head(&alice()).await.unwrap();
        assert_eq!(now, Some(head), "what ended nothing is no link");
    }
}

#[tokio::test]
async fn a_consents_record_survives_a_crash_before_the_enclave_has_answered() {
    let fixture = Fixture::sqlite().await;
    let asked = (b"request".as_slice(), "{\"a\":1}");
    let alice = alice();
    let begun = fixture.store.begin_consent(&alice, None, asked, NOW);
    begun.await.unwrap().unwrap();
    let reopened: &dyn Store = &fixture.reopened().await;
    let unfinished = reopened.unfinished_operations(None).await.unwrap();
    assert_eq!(unfinished[0].document.as_deref(), Some("{\"a\":1}"));
    assert_eq!(unfinished[0].request, b"request");
}
