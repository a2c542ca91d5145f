use super::*;
use crate::domain::{
    HostedDid, IssuerMethod, NotHosted,
    issued::{Ground, Issuance, IssuanceId, ListKind, Standing},
};

/// Everything that the service may know of somebody.
async fn story(store: &dyn Store, subject: &SubjectId) -> PendingEnrolment {
    let pending = enrolled(store, subject).await;
    let enrolment = pending.enrolment.enrolment;
    let challenge = ChallengeRecord {
        challenge: nonce(),
        subject: subject.clone(),
        enrolment,
        audience: "https://shop.example".parse().unwrap(),
        purpose: Purpose::Authentication,
        template: pending.template,
        profile: pending.enrolment.profile,
        key: pending.enrolment.key,
        expires: NOW.plus(100),
        probe: None,
    };
    store.record_challenge(&challenge).await.unwrap();
    let verdict = VerdictRecord {
        challenge: challenge.challenge,
        subject: subject.clone(),
        enrolment,
        probe: random_digest(),
        audience: challenge.audience,
        matched: true,
        jws: jws("verdict"),
        given: NOW,
    };
    let recorded = store.record_verdict(&verdict, &SystemEntropy);
    recorded.await.unwrap();
    let claimed = store.claim_key(subject.as_str(), "key", random_digest(), NOW);
    claimed.await.unwrap();
    pending
}

fn forgotten(subject: &SubjectId) -> Effect {
    Effect::SubjectErased {
        subject: subject.clone(),
    }
}

fn bob() -> SubjectId {
    "did:key:z6MkBob".parse().unwrap()
}

#[tokio::test]
async fn a_forgotten_subject_is_in_no_file_and_everybody_else_stays() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    story(store, &alice()).await;
    let bobs = story(store, &bob()).await;
    let named = |subject: &SubjectId| {
        let name = subject.as_str().as_bytes();
        let mut files = std::fs::read_dir(fixture.folder.path()).unwrap();
        files.any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(name.len()).any(|window| window == name)
        })
    };
    assert!(named(&alice()));
    assert!(forgotten(&alice()).destroys());
    for _ in 0..2 {
        apply(store, &alice(), forgotten(&alice())).await;
        store.purge().await.unwrap();
        assert!(!named(&alice()));
    }
    assert!(named(&bob()));
    assert_eq!(store.keys_of(&alice()).await.unwrap(), None);
    let template = store.template(bobs.enrolment.enrolment).await.unwrap();
    assert_eq!(template, Some(bobs.ciphertext));
    assert_eq!(store.count_verdicts(&bob()).await.unwrap(), 1);
    // Who comes again is new.
    story(store, &alice()).await;
}

#[tokio::test]
async fn credentials_of_the_forgotten_stay_revoked() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let mut entries = Vec::new();
    for subject in [alice(), bob()] {
        let enrolment = enrolled(&**store, &subject).await.enrolment.enrolment;
        let (given, consent, _) = consent_given(&subject);
        apply(&**store, &subject, given).await;
        for ground in [
            Ground::Enrolment(subject.clone(), enrolment),
            Ground::Verdict(subject.clone(), enrolment),
            Ground::Consent(subject.clone(), consent),
        ] {
            let issuance = Issuance {
                id: IssuanceId::random(&SystemEntropy),
                ground,
                issuer: IssuerMethod::Web,
                entries: Some((ListKind::Token, 1)),
                issued: NOW,
            };
            let taken = store.record_issuance(&issuance, &SystemEntropy).await;
            entries.extend(taken.unwrap().unwrap());
        }
    }
    apply(&**store, &alice(), forgotten(&alice())).await;
    let (_, mut marked) = store.marked_entries(entries[0].list).await.unwrap();
    marked.sort_by_key(|(index, _)| *index);
    let mut alices: Vec<_> = entries[..3]
        .iter()
        .map(|entry| (entry.index, Standing::Revoked))
        .collect();
    alices.sort_by_key(|(index, _)| *index);
    assert_eq!(marked, alices);
}

#[tokio::test]
async fn the_names_of_the_forgottens_dids_become_nobody_elses() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    story(&**store, &alice()).await;
    story(&**store, &bob()).await;
    let log = |subject| HostedDid {
        name: "alice".parse().unwrap(),
        did: "did:webvh:Qm:id.example.org:dids:alice".to_owned(),
        subject,
        entries: 1,
        document: None,
        created: NOW,
    };
    let hosted = store.host(&log(alice()), "one", 2).await.unwrap();
    assert_eq!(hosted, Ok(()));
    apply(&**store, &alice(), forgotten(&alice())).await;
    let name = "alice".parse().unwrap();
    assert_eq!(store.hosted(&name).await.unwrap(), None);
    let taken = store.host(&log(bob()), "one", 2).await.unwrap();
    assert_eq!(taken, Err(NotHosted::Taken));
}
