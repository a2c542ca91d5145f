//! What is issued, on what it stands, and what takes it away.

use blindprint_core::{
    Clock as _, Digest, EnrolmentId, KeyUri, Nonce, SystemEntropy, profiles,
    statement::{Enrolment, Purpose, Verdict},
};
use blindprint_credentials::{
    CredentialChecks, UnverifiedCredential, VerifiedCredential, VerifyError,
};
use blindprint_did::{KeyType, SigningKey, jws_digest, sign};
use serde_json::{Value, json};

use super::{
    Fixture,
    fixture::{service, stamp, wallet},
    wallets::met,
};
use crate::{
    Error,
    backend::EnclaveHealth,
    domain::{
        Basis, HolderKey, IssuerMethod, ListForm,
        issued::{CredentialFormat, CredentialKind, ListId, Reference},
        record::{Effect, PendingEnrolment, VerdictRecord},
    },
    store::{OperationStore as _, SubjectStore as _, VerdictStore as _},
};

pub(super) fn digest(text: &str) -> Digest {
    Digest::of("test", text.as_bytes())
}

fn receipt(key: &SigningKey) -> blindprint_core::Jws {
    sign(
        key,
        &blindprint_core::statement::Withdrawal {
            sub: key.public().subject(),
            service: service(),
            consent: blindprint_core::ConsentId::random(&SystemEntropy),
            iat: blindprint_core::UnixTime(0),
        },
    )
    .unwrap()
}

async fn finish(fixture: &Fixture, key: &SigningKey, effect: Effect) {
    let store = &fixture.store;
    let subject = key.public().subject();
    let now = fixture.clock.now();
    let sequence = store.begin_operation(&subject, b"", now).await.unwrap();
    store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
}

/// Somebody with a live enrolment, in front of an enclave that said its terms.
pub(super) async fn enrolled(fixture: &Fixture, key: &SigningKey) -> EnrolmentId {
    let verdict_key: KeyUri = key.public().uri();
    fixture.app.service.enclave().said(EnclaveHealth {
        parameters: "blindprint-test-set".to_owned(),
        key: digest("key"),
        verdict_key,
        matchers: 1,
        matchers_needed: 1,
        recompute: false,
        incidents: 0,
        log: None,
    });
    met(fixture, key).await;
    let enrolment = EnrolmentId::random(&SystemEntropy);
    let pending = PendingEnrolment {
        enrolment: Enrolment {
            sub: key.public().subject(),
            service: service(),
            enrolment,
            replaces: None,
            consent: digest("consent"),
            purpose: Purpose::Authentication,
            profile: profiles()[0].id(),
            key: digest("key"),
            submission: digest("submission"),
            nonce: Nonce::random(&SystemEntropy),
            recovery_key: key.public().uri(),
            iat: fixture.clock.now(),
        },
        statement: digest("statement"),
        template: digest("template"),
        ciphertext: vec![1],
        invitation: None,
    };
    let now = fixture.clock.now();
    let begun = fixture.store.begin_enrolment(&pending, b"", now).await;
    let effect = Effect::Enrolled {
        enrolment,
        receipt: receipt(key),
        replaced: None,
        at: now,
    };
    let sequence = begun.unwrap().unwrap();
    let finished = fixture
        .store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await;
    finished.unwrap();
    enrolment
}

async fn erase(fixture: &Fixture, key: &SigningKey, enrolment: EnrolmentId) {
    let effect = Effect::Erased {
        enrolment,
        receipt: Some(receipt(key)),
        at: fixture.clock.now(),
    };
    finish(fixture, key, effect).await;
}

/// A verdict on record.
pub(super) async fn verdict(
    fixture: &Fixture,
    key: &SigningKey,
    enrolment: EnrolmentId,
    matched: bool,
) -> Nonce {
    let challenge = Nonce::random(&SystemEntropy);
    let now = fixture.clock.now();
    let jws = sign(
        key,
        &Verdict {
            iss: service(),
            sub: key.public().subject(),
            aud: "https://shop.example".parse().unwrap(),
            nonce: "12345678".to_owned(),
            purpose: Purpose::Authentication,
            matched,
            profile: profiles()[0].id(),
            tau: 692,
            amr: "face".to_owned(),
            enrolment,
            template: digest("template"),
            submission: digest("submission"),
            challenge,
            parameters: "blindprint-test-set".to_owned(),
            key: digest("key"),
            iat: now,
        },
    )
    .unwrap();
    let record = VerdictRecord {
        challenge,
        subject: key.public().subject(),
        enrolment,
        probe: digest("probe"),
        audience: "https://shop.example".parse().unwrap(),
        matched,
        jws,
        given: now,
    };
    fixture
        .store
        .record_verdict(&record, &SystemEntropy)
        .await
        .unwrap();
    challenge
}

async fn basis(fixture: &Fixture, key: &SigningKey, reference: Reference) -> Result<Basis, Error> {
    let credentials = &fixture.app.public.credentials;
    credentials.basis(&key.public().subject(), reference).await
}

fn holders(count: usize) -> Vec<HolderKey> {
    (0..count)
        .map(|_| HolderKey {
            key: SigningKey::generate(KeyType::Ed25519, &SystemEntropy).public(),
        })
        .collect()
}

async fn issue(
    fixture: &Fixture,
    basis: &Basis,
    format: CredentialFormat,
    copies: usize,
) -> Vec<Value> {
    let credentials = &fixture.app.public.credentials;
    let issued = credentials.issue(basis, format, &holders(copies)).await;
    issued.unwrap().credentials
}

async fn verify(fixture: &Fixture, credential: &Value) -> Result<VerifiedCredential, VerifyError> {
    let verifications = fixture.app.public.credentials.verifications();
    let credential = UnverifiedCredential::from_value(credential.clone())?;
    let checks = CredentialChecks::default();
    verifications.credential(credential, checks).await.unwrap()
}

#[tokio::test]
async fn lists_are_signed_anew_when_their_key_is_disowned() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let basis = basis(&fixture, &key, Reference::Enrolment(enrolment)).await;
    let basis = basis.unwrap();
    let before = issue(&fixture, &basis, CredentialFormat::LdpVcJcs, 1).await;
    verify(&fixture, &before[0]).await.unwrap();
    fixture.clock.advance(1);
    let issuer = fixture.app.public.credentials.issuer();
    let old = crate::domain::OldKeys::AreDisowned;
    let rotated = issuer
        .now()
        .rotated(old, &SystemEntropy, fixture.clock.now());
    issuer.replace(rotated.unwrap());
    let after = issue(&fixture, &basis, CredentialFormat::LdpVcJcs, 1).await;
    verify(&fixture, &after[0]).await.unwrap();
    assert!(verify(&fixture, &before[0]).await.is_err());
}

#[tokio::test]
async fn an_erasure_revokes_every_copy_in_every_format() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let challenge = verdict(&fixture, &key, enrolment, true).await;
    let mut all = Vec::new();
    for reference in [
        Reference::Enrolment(enrolment),
        Reference::Authentication(challenge),
    ] {
        let basis = basis(&fixture, &key, reference).await.unwrap();
        for format in CredentialFormat::ALL {
            all.extend(issue(&fixture, &basis, format, 3).await);
        }
    }
    assert_eq!(all.len(), 30);
    for credential in &all {
        verify(&fixture, credential).await.unwrap();
        let text = credential.to_string();
        assert!(!text.contains(key.public().subject().as_str()));
        assert!(!text.contains(&enrolment.to_string()));
        assert!(!text.contains(&digest("template").to_string()));
    }
    erase(&fixture, &key, enrolment).await;
    for credential in &all {
        assert_eq!(
            verify(&fixture, credential).await,
            Err(VerifyError::Revoked)
        );
    }
    for reference in [
        Reference::Enrolment(enrolment),
        Reference::Authentication(challenge),
    ] {
        let refused = basis(&fixture, &key, reference).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
    }
}

#[tokio::test]
async fn what_was_erased_after_the_offer_is_not_issued() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let basis = basis(&fixture, &key, Reference::Enrolment(enrolment)).await;
    let basis = basis.unwrap();
    assert_eq!(basis.kind(), CredentialKind::Enrolment);
    erase(&fixture, &key, enrolment).await;
    let credentials = &fixture.app.public.credentials;
    let format = CredentialFormat::LdpVcJcs;
    let refused = credentials.issue(&basis, format, &holders(1)).await;
    assert_eq!(refused.unwrap_err().code().slug(), "no-basis");
    for copies in [0, 17] {
        let refused = credentials.issue(&basis, format, &holders(copies)).await;
        assert_eq!(refused.unwrap_err().code().slug(), "malformed-request");
    }
}

#[tokio::test]
async fn a_verdict_must_be_the_callers_positive_and_fresh() {
    let fixture = Fixture::new().await;
    let (key, other) = (wallet(), wallet());
    let enrolment = enrolled(&fixture, &key).await;
    enrolled(&fixture, &other).await;
    let no = verdict(&fixture, &key, enrolment, false).await;
    let yes = verdict(&fixture, &key, enrolment, true).await;
    let of = Reference::Authentication;
    assert!(basis(&fixture, &key, of(no)).await.is_err());
    assert!(basis(&fixture, &other, of(yes)).await.is_err());
    assert!(
        basis(&fixture, &key, of(Nonce::random(&SystemEntropy)))
            .await
            .is_err()
    );
    fixture.clock.advance(300);
    let fresh = basis(&fixture, &key, of(yes)).await.unwrap();
    let credential = issue(&fixture, &fresh, CredentialFormat::LdpVcJcs, 1)
        .await
        .remove(0);
    let verified = verify(&fixture, &credential).await.unwrap();
    let claims = &verified.claims()["credentialSubject"];
    assert_eq!(claims["audience"], "https://shop.example");
    assert_eq!(claims["matched"], true);
    assert_eq!(claims["operatingPoint"]["fmr"], 0.000_013);
    let record = fixture.store.verdict(yes).await.unwrap().unwrap();
    assert_eq!(claims["verdictDigest"], jws_digest(&record.jws).to_string());
    fixture.clock.advance(1);
    assert!(basis(&fixture, &key, of(yes)).await.is_err());
    fixture.clock.advance(600);
    assert_eq!(
        verify(&fixture, &credential).await,
        Err(VerifyError::Expired)
    );
}

#[tokio::test]
async fn a_withdrawal_revokes_the_receipt() {
    let fixture = Fixture::new().await;
    let key = wallet();
    met(&fixture, &key).await;
    let subject = key.public().subject();
    let consent = fixture.store.consents_of(&subject).await.unwrap().remove(0);
    let basis = basis(&fixture, &key, Reference::ConsentReceipt(consent.id)).await;
    let basis = basis.unwrap();
    let credential = issue(&fixture, &basis, CredentialFormat::LdpVcRdfc, 1)
        .await
        .remove(0);
    let verified = verify(&fixture, &credential).await.unwrap();
    let claims = &verified.claims()["credentialSubject"];
    assert_eq!(claims["consentDigest"], consent.record.to_string());
    let document = serde_json::from_str(&consent.document).unwrap();
    let record = blindprint_consent::record::digest(&document).unwrap();
    assert_eq!(claims["recordDigest"], record.to_string());
    assert_eq!(
        (&claims["state"], &claims["noticeLanguage"]),
        (&json!("given"), &json!("en"))
    );
    let withdrawn = Effect::ConsentWithdrawn {
        subject,
        consent: consent.id,
        at: fixture.clock.now(),
        withdrawal: Some(receipt(&key)),
        head: consent.record,
        receipt: receipt(&key),
    };
    finish(&fixture, &key, withdrawn).await;
    assert_eq!(
        verify(&fixture, &credential).await,
        Err(VerifyError::Revoked)
    );
}

#[tokio::test]
async fn an_operator_suspends_and_reinstates() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let basis = basis(&fixture, &key, Reference::Enrolment(enrolment)).await;
    let basis = basis.unwrap();
    for format in [CredentialFormat::LdpVcJcs, CredentialFormat::SdJwtEs256] {
        let copies = issue(&fixture, &basis, format, 2).await;
        let verified = verify(&fixture, &copies[0]).await.unwrap();
        let entry = match verified.claims().get("credentialStatus") {
            Some(entries) => entries[0].clone(),
            None => verified.claims()["status"]["status_list"].clone(),
        };
        let mut entry = entry;
        if let Some(members) = entry.as_object_mut() {
            members.remove("statusPurpose");
        }
        for (purpose, status, expected) in [
            ("suspension", true, Some(VerifyError::Suspended)),
            ("suspension", false, None),
            ("revocation", true, Some(VerifyError::Revoked)),
        ] {
            let body = json!({
                "credentialStatus": entry,
                "statusPurpose": purpose,
                "status": status,
            });
            let path = "/credentials/status";
            let reply = fixture.operate("POST", path, &body.to_string(), None).await;
            assert_eq!(reply.status, 200, "{}", reply.json());
            for copy in &copies {
                assert_eq!(verify(&fixture, copy).await.err(), expected, "{purpose}");
            }
        }
    }
}

#[tokio::test]
async fn lists_are_signed_anew_when_they_change_and_before_they_are_old() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let basis = basis(&fixture, &key, Reference::Enrolment(enrolment)).await;
    let basis = basis.unwrap();
    issue(&fixture, &basis, CredentialFormat::LdpVcJcs, 1).await;
    issue(&fixture, &basis, CredentialFormat::SdJwtEdDsa, 1).await;
    let (bits, tokens) = ("/status-lists/1/revocation", "/status-lists/2");
    let first = fixture.get(bits).await;
    assert_eq!(first.headers["content-type"], "application/vc");
    assert_eq!(first.headers["access-control-allow-origin"], "*");
    assert!(first.headers.contains_key("etag"));
    let token = fixture.get(tokens).await;
    assert_eq!(token.headers["content-type"], "application/statuslist+jwt");
    fixture.clock.advance(30);
    assert_eq!(fixture.get(bits).await.body, first.body, "kept");
    fixture.clock.advance(1);
    let second = fixture.get(bits).await;
    assert_ne!(second.body, first.body, "half its time is over");
    erase(&fixture, &key, enrolment).await;
    let third = fixture.get(bits).await;
    assert_ne!(third.body, second.body, "it says something else");
    let suspended = fixture.get("/status-lists/1/suspension").await.json();
    assert_eq!(
        suspended["credentialSubject"]["statusPurpose"],
        "suspension"
    );
    for missing in [
        "/status-lists/1",
        "/status-lists/2/revocation",
        "/status-lists/3",
    ] {
        assert_eq!(fixture.get(missing).await.status, 404, "{missing}");
    }
    let lists = fixture.app.public.credentials.lists();
    assert_eq!(
        lists.signed(ListId(9), ListForm::Token).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn old_credentials_verify_after_rotations_and_under_another_did() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let basis = basis(&fixture, &key, Reference::Enrolment(enrolment)).await;
    let basis = basis.unwrap();
    let issuer = fixture.app.public.credentials.issuer();
    let mut all = Vec::new();
    for format in CredentialFormat::ALL {
        all.extend(issue(&fixture, &basis, format, 1).await);
    }
    fixture.clock.advance(5);
    let rotated = issuer.now().rotated(
        crate::domain::OldKeys::StayListed,
        &SystemEntropy,
        fixture.clock.now(),
    );
    let rotated = rotated.unwrap();
    let text = rotated.to_text().unwrap();
    issuer.replace(rotated);
    for format in CredentialFormat::ALL {
        all.extend(issue(&fixture, &basis, format, 1).await);
    }
    let webvh = IssuerMethod::Webvh;
    let webvh = crate::domain::Issuer::from_text(&text, &service(), webvh).unwrap();
    issuer.replace(webvh);
    for format in CredentialFormat::ALL {
        all.extend(issue(&fixture, &basis, format, 1).await);
    }
    fixture.clock.advance(3600);
    let mut issuers = std::collections::BTreeSet::new();
    for credential in &all {
        let verified = verify(&fixture, credential).await.unwrap();
        issuers.insert(verified.issuer().to_owned());
    }
    assert_eq!(issuers.len(), 2);
    erase(&fixture, &key, enrolment).await;
    for credential in &all {
        assert_eq!(
            verify(&fixture, credential).await,
            Err(VerifyError::Revoked)
        );
    }
}
