#![allow(clippy::unwrap_used)]

mod party;

use std::{path::Path, sync::Arc};

use blindprint_core::{Clock as _, SystemEntropy};
use blindprint_credentials::{
    Contexts, CredentialChecks, Deployment, PresentationChecks, UnverifiedPresentation, Verifier,
    VerifyError,
};
use blindprint_nsm::{Mode, Nsm};
use blindprint_openid4vc::{
    jwe::Jwks,
    vci::NotificationEvent,
    vp::{
        AuthorizationRequest, ClientId, ClientMetadata, Invocation, Presentation, RequestUriMethod,
        ResponseMode, dcql::Query,
    },
};
use blindprint_protocol::attestation::Trust;
use secrecy::SecretString;
use serde_json::{Value, json};

use self::party::{NOW, Party};
use super::*;
use crate::{
    Address, Materials, Passphrase, Surroundings, keyfile::KeyFile, secret::Secret, state::State,
};

const TX_CODE: &str = "493536";

/// A wallet of the party's, at `path`. It has not asked for an attestation: that is not tried here.
fn wallet(party: &Party, path: &Path) -> Wallet {
    let folder = tempfile::tempdir().unwrap();
    let nsm = Nsm::open(folder.path(), Mode::Production, &SystemEntropy).unwrap();
    let trust = Trust::new(nsm.root().clone(), vec![nsm.measurement()], vec![]).unwrap();
    let [identity, recovery] = [(); 2].map(|()| Secret::random(&SystemEntropy));
    let address = Address::new(&party.url, None).unwrap();
    let service = party.url.parse().unwrap();
    let state = State::new(address, service, trust, identity, recovery);
    drop(KeyFile::create(path, passphrase(), &state.encode()).unwrap());
    open(party, path)
}

fn open(party: &Party, path: &Path) -> Wallet {
    let surroundings = Surroundings {
        clock: Arc::clone(&party.clock) as _,
        entropy: Arc::new(SystemEntropy),
        materials: Arc::new(Materials::in_memory()),
    };
    Wallet::open(path, passphrase(), surroundings).unwrap()
}

/// Always the same, and of the kind that needs no stretching.
fn passphrase() -> Passphrase {
    struct Same;
    impl blindprint_core::Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    Passphrase::random(&Same)
}

fn link(party: &Party) -> String {
    format!(
        "openid-credential-offer://?credential_offer_uri={}/offer",
        party.url
    )
}

async fn receive(
    wallet: &mut Wallet,
    party: &Party,
    configuration: &str,
    copies: usize,
) -> Result<CredentialView> {
    let offer = wallet.read_offer(&link(party)).await?;
    let options = ReceiveOptions {
        copies: Some(copies),
        configurations: vec![configuration.to_owned()],
    };
    let tx_code = Some(SecretString::from(TX_CODE));
    let mut received = wallet
        .receive_credentials(&offer, tx_code, &options)
        .await?;
    Ok(received.remove(0))
}

/// Asks for one credential.
fn ask(party: &Party, credential: &Value, response_mode: ResponseMode) -> AuthorizationRequest {
    let query: Query = serde_json::from_value(json!({"credentials": [credential]})).unwrap();
    let request = AuthorizationRequest {
        client_id: ClientId::Did(party.did()),
        response_uri: format!("{}/response", party.url),
        response_mode,
        nonce: "the-challenge".to_owned(),
        state: Some("s".to_owned()),
        query,
        client_metadata: Some(ClientMetadata {
            jwks: Some(Jwks {
                keys: vec![party.encryption_key()],
            }),
            ..ClientMetadata::default()
        }),
    };
    *party.question.lock().unwrap() = Some(request.clone());
    request
}

fn reference(party: &Party, method: RequestUriMethod) -> String {
    let invocation = Invocation::Reference {
        client_id: ClientId::Did(party.did()),
        request_uri: format!("{}/request", party.url),
        method,
    };
    invocation.to_uri().unwrap()
}

/// Verifies the last answer as the service would: it answers this verifier's challenge.
async fn verify(party: &Party, wallet: &Wallet, audience: &str) -> Result<Value, VerifyError> {
    let shown = party.record().shown.last().unwrap().clone();
    assert_eq!(shown.state.as_deref(), Some("s"));
    let presentation = match &shown.vp_token.entries()["q"][0] {
        Presentation::Text(text) => Value::from(text.as_str()),
        Presentation::Object(members) => Value::Object(members.clone()),
    };
    let mut checks = PresentationChecks::bound_to("the-challenge", audience);
    checks.credentials = CredentialChecks { status: false };
    let verified = verifier(party, wallet)
        .presentation(UnverifiedPresentation::from_value(presentation)?, &checks)
        .await?;
    Ok(Value::Object(verified.credentials()[0].claims().clone()))
}

fn verifier(party: &Party, wallet: &Wallet) -> Verifier {
    let deployment = Deployment::new(&party.url.parse().unwrap());
    Verifier::new(
        Arc::new(wallet.resolver().unwrap()),
        Arc::new(wallet.egress().unwrap()),
        Arc::clone(&party.clock) as _,
        Contexts::standard().with(&deployment),
    )
}

#[tokio::test]
async fn copies_are_received_verified_and_kept() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.age");
    let mut wallet = wallet(&party, &path);
    let offer = wallet.read_offer(&link(&party)).await.unwrap();
    assert_eq!(offer.issuer(), party.url);
    assert_eq!(offer.issuer_name().as_deref(), Some("An issuer"));
    assert_eq!(offer.tx_code().unwrap().length, Some(6));
    // Another's words cannot drive the terminal.
    assert_eq!(
        offer.credentials()[0].name.as_deref(),
        Some("Enrolment[31m")
    );

    let received = receive(&mut wallet, &party, "enrolment_ldp_vc", 2)
        .await
        .unwrap();
    assert_eq!((received.copies, received.unused), (2, 2));
    assert_eq!(received.issuer, party.did());
    assert_eq!(received.expires, Some(NOW.plus(86_400)));
    assert_eq!(received.claims["credentialSubject"]["parameterSet"], "set");
    {
        let record = party.record();
        assert!(record.request_encrypted);
        assert_eq!(record.notified, [NotificationEvent::CredentialAccepted]);
        // The first token request has no nonce, and the first key proofs a stale one.
        assert_eq!(record.refused, ["use_dpop_nonce", "invalid_nonce"]);
    }
    // More than the issuer gives at once are not asked for.
    let many = receive(&mut wallet, &party, "enrolment_dc+sd-jwt", 60)
        .await
        .unwrap();
    assert_eq!(many.copies, 3);
    assert_eq!(many.types, [party.vct()]);
    assert_eq!(many.claims["parameterSet"], "set");

    drop(wallet);
    let mut wallet = open(&party, &path);
    assert_eq!(
        wallet.credentials().unwrap(),
        [received.clone(), many.clone()]
    );
    let holders: Vec<_> = wallet.state.credentials[1]
        .copies
        .iter()
        .map(|copy| copy.signing_key().unwrap().public().thumbprint())
        .collect();
    assert_eq!(std::collections::BTreeSet::from_iter(&holders).len(), 3);
    let good = wallet
        .credential_status(&received.id.to_string())
        .await
        .unwrap();
    assert_eq!(good, CredentialStatus::Good);
    party.clock.advance(86_400 + Verifier::LEEWAY + 1);
    let late = wallet
        .credential_status(&received.id.to_string())
        .await
        .unwrap();
    assert_eq!(late, CredentialStatus::Bad("expired".to_owned()));

    let begin = &received.id.to_string()[..8];
    assert_eq!(wallet.credential(begin).unwrap().id, received.id);
    assert!(wallet.credential("").is_err());
    wallet.delete_credential(begin).unwrap();
    assert!(wallet.credential(begin).is_err());
    drop(wallet);
    assert_eq!(open(&party, &path).credentials().unwrap(), [many]);
}

#[tokio::test]
async fn every_format_is_shown_and_believed() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = wallet(&party, &folder.path().join("wallet.age"));
    let audience = format!("decentralized_identifier:{}", party.did());
    for (configuration, format, mode, method) in [
        (
            "enrolment_ldp_vc",
            "ldp_vc",
            ResponseMode::DirectPost,
            RequestUriMethod::Get,
        ),
        (
            "enrolment_ldp_vc_rdfc",
            "ldp_vc",
            ResponseMode::DirectPostJwt,
            RequestUriMethod::Post,
        ),
        (
            "enrolment_jwt_vc_json",
            "jwt_vc_json",
            ResponseMode::DirectPostJwt,
            RequestUriMethod::Get,
        ),
    ] {
        receive(&mut wallet, &party, configuration, 1)
            .await
            .unwrap();
        let types = json!([[
            "https://www.w3.org/2018/credentials#VerifiableCredential",
            "BlindprintEnrolmentCredential"
        ]]);
        ask(
            &party,
            &json!({"id": "q", "format": format, "meta": {"type_values": types},
            "claims": [{"path": ["credentialSubject", "modality"]}]}),
            mode,
        );
        let link = reference(&party, method);
        let request = wallet
            .read_presentation_request(&link, &[], false)
            .await
            .unwrap();
        assert!(request.is_signed());
        assert_eq!(request.verifier(), audience);
        // Nothing can be withheld in these formats, and the person sees that.
        assert_eq!(request.disclosures()[0].claims.len(), 4);
        let presented = wallet.present(request).await.unwrap();
        assert!(presented.redirect_uri.unwrap().contains("response_code"));
        let claims = verify(&party, &wallet, &audience).await.unwrap();
        assert_eq!(claims["credentialSubject"]["parameterSet"], "set");
        assert_eq!(
            verify(&party, &wallet, "decentralized_identifier:did:key:z6Mk").await,
            Err(VerifyError::WrongDomain)
        );
        // Its only copy is used.
        let again = wallet.read_presentation_request(&link, &[], false).await;
        assert!(matches!(again.err(), Some(Error::NoCredential)));
    }
}

#[tokio::test]
async fn an_sd_jwt_shows_what_was_asked_for() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.age");
    let mut wallet = wallet(&party, &path);
    let id = receive(&mut wallet, &party, "enrolment_dc+sd-jwt", 2)
        .await
        .unwrap()
        .id
        .to_string();
    let asked = json!({"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": [party.vct()]},
        "claims": [{"path": ["modality"]}]});
    ask(&party, &asked, ResponseMode::DirectPostJwt);
    let link = reference(&party, RequestUriMethod::Post);
    let audience = format!("decentralized_identifier:{}", party.did());
    let mut keys = Vec::new();
    for unused in [1, 0] {
        let request = wallet
            .read_presentation_request(&link, &[id[..8].to_owned()], false)
            .await
            .unwrap();
        let names: Vec<_> = request.disclosures()[0]
            .claims
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        assert_eq!(names, ["modality"]);
        wallet.present(request).await.unwrap();
        assert_eq!(wallet.credential(&id).unwrap().unused, unused);
        let claims = verify(&party, &wallet, &audience).await.unwrap();
        assert!(claims.get("modality").is_some() && claims.get("parameterSet").is_none());
        keys.push(claims["cnf"]["jwk"]["x"].clone());
    }
    assert_ne!(keys[0], keys[1], "each copy has a key of its own");
    let exhausted = wallet.read_presentation_request(&link, &[], false).await;
    assert!(matches!(exhausted.err(), Some(Error::NoCredential)));
    let request = wallet
        .read_presentation_request(&link, &[], true)
        .await
        .unwrap();
    wallet.present(request).await.unwrap();
    drop(wallet);
    let shown = open(&party, &path).credential(&id).unwrap().shown;
    assert_eq!(shown.len(), 3);
    assert!(
        shown
            .iter()
            .all(|shown| shown.to == audience && shown.at == NOW)
    );
}

#[tokio::test]
async fn where_the_issuer_signs_with_es256_so_does_the_holder() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = wallet(&party, &folder.path().join("wallet.age"));
    receive(&mut wallet, &party, "enrolment_dc+sd-jwt_es256", 1)
        .await
        .unwrap();
    let asked = json!({"id": "q", "format": "dc+sd-jwt", "meta": {}});
    ask(&party, &asked, ResponseMode::DirectPostJwt);
    let link = reference(&party, RequestUriMethod::Post);
    let request = wallet
        .read_presentation_request(&link, &[], false)
        .await
        .unwrap();
    wallet.present(request).await.unwrap();
    let audience = format!("decentralized_identifier:{}", party.did());
    let claims = verify(&party, &wallet, &audience).await.unwrap();
    assert_eq!(claims["cnf"]["jwk"]["crv"], "P-256");
}

#[tokio::test]
async fn a_copy_counts_as_shown_even_if_the_answer_is_lost() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = wallet(&party, &folder.path().join("wallet.age"));
    let id = receive(&mut wallet, &party, "enrolment_dc+sd-jwt", 1)
        .await
        .unwrap()
        .id
        .to_string();
    let mut request = ask(
        &party,
        &json!({"id": "q", "format": "dc+sd-jwt", "meta": {}}),
        ResponseMode::DirectPost,
    );
    request.response_uri = format!("{}/nowhere", party.url);
    *party.question.lock().unwrap() = Some(request);
    let request = wallet
        .read_presentation_request(&reference(&party, RequestUriMethod::Get), &[], false)
        .await
        .unwrap();
    assert!(matches!(
        wallet.present(request).await,
        Err(Error::Declined { .. })
    ));
    assert_eq!(wallet.credential(&id).unwrap().unused, 0);
}

#[tokio::test]
async fn an_unsigned_request_is_said_to_be_one_and_a_refusal_reaches_the_verifier() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = wallet(&party, &folder.path().join("wallet.age"));
    receive(&mut wallet, &party, "enrolment_dc+sd-jwt", 1)
        .await
        .unwrap();
    let mut request = ask(
        &party,
        &json!({"id": "q", "format": "dc+sd-jwt", "meta": {}}),
        ResponseMode::DirectPost,
    );
    request.client_id = ClientId::RedirectUri(request.response_uri.clone());
    let link = Invocation::Unsigned(Box::new(request)).to_uri().unwrap();
    let request = wallet
        .read_presentation_request(&link, &[], false)
        .await
        .unwrap();
    assert!(!request.is_signed());
    assert!(request.recipient().starts_with("127.0.0.1:"));
    wallet.refuse_presentation(request).await.unwrap();
    assert_eq!(party.record().declined, ["access_denied"]);
    assert!(party.record().shown.is_empty());
    assert_eq!(wallet.credentials().unwrap()[0].unused, 1);

    let request = wallet
        .read_presentation_request(&link, &[], false)
        .await
        .unwrap();
    wallet.present(request).await.unwrap();
    let audience = format!("redirect_uri:{}/response", party.url);
    let claims = verify(&party, &wallet, &audience).await.unwrap();
    assert!(claims.get("modality").is_none());
}

#[tokio::test]
async fn requests_of_others_or_that_nothing_answers_are_refused() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = wallet(&party, &folder.path().join("wallet.age"));
    receive(&mut wallet, &party, "enrolment_dc+sd-jwt", 1)
        .await
        .unwrap();
    ask(
        &party,
        &json!({"id": "q", "format": "dc+sd-jwt", "meta": {}}),
        ResponseMode::DirectPost,
    );
    let good = reference(&party, RequestUriMethod::Get);
    assert!(
        wallet
            .read_presentation_request(&good, &[], false)
            .await
            .is_ok()
    );
    // In another's name.
    let other = good.replace("did%3Akey%3Az6Mk", "did%3Akey%3Az6Ml");
    let refused = wallet.read_presentation_request(&other, &[], false).await;
    assert!(matches!(refused.err(), Some(Error::Unusable(_))));
    // At an address of the local network that the person did not name.
    let inside = good.replace("127.0.0.1", "127.0.0.2");
    let refused = wallet.read_presentation_request(&inside, &[], false).await;
    assert!(matches!(refused.err(), Some(Error::Unusable(_))));
    for question in [
        json!({"id": "q", "format": "ldp_vc", "meta": {}}),
        json!({"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": ["https://else.example"]}}),
        json!({"id": "q", "format": "dc+sd-jwt", "meta": {}, "claims": [{"path": ["iris"]}]}),
    ] {
        ask(&party, &question, ResponseMode::DirectPost);
        let refused = wallet.read_presentation_request(&good, &[], false).await;
        assert!(
            matches!(refused.err(), Some(Error::NoCredential)),
            "{question}"
        );
    }
    // What would be given away without a proof of one's own is told before.
    for bound in [true, false] {
        let question = json!({
            "id": "q", "format": "dc+sd-jwt", "meta": {},
            "require_cryptographic_holder_binding": bound,
        });
        ask(&party, &question, ResponseMode::DirectPost);
        let read = wallet.read_presentation_request(&good, &[], false).await;
        assert_eq!(read.unwrap().disclosures()[0].handed_over, !bound);
    }
    party.clock.advance(86_400);
    ask(
        &party,
        &json!({"id": "q", "format": "dc+sd-jwt", "meta": {}}),
        ResponseMode::DirectPost,
    );
    let expired = wallet.read_presentation_request(&good, &[], false).await;
    assert!(matches!(expired.err(), Some(Error::NoCredential)));
    assert!(party.clock.now() > NOW);
}

#[tokio::test]
async fn issuers_that_misbehave_leave_nothing_behind() {
    let party = Party::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = wallet(&party, &folder.path().join("wallet.age"));

    let offer = wallet.read_offer(&link(&party)).await.unwrap();
    let options = ReceiveOptions::default();
    for (tx_code, refused) in [(None, "invalid"), (Some("000000"), "declined")] {
        let tx_code = tx_code.map(SecretString::from);
        let error = wallet
            .receive_credentials(&offer, tx_code, &options)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), refused, "{error}");
    }
    party.record().binds_elsewhere = true;
    let error = receive(&mut wallet, &party, "enrolment_ldp_vc", 1)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unusable(why) if why.contains("none of the keys")),
        "{error}"
    );
    assert_eq!(
        party.record().notified,
        [NotificationEvent::CredentialFailure]
    );
    party.record().binds_elsewhere = false;

    party.record().sends_openly = true;
    let error = receive(&mut wallet, &party, "enrolment_ldp_vc", 1)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error}");
    party.record().sends_openly = false;

    party.record().deferrals = 1;
    let error = receive(&mut wallet, &party, "enrolment_ldp_vc", 1)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Declined { code, .. } if code == "credential_request_denied"),
        "{error}"
    );

    for (member, value) in [
        ("credential_issuer", json!("https://else.example")),
        ("credential_configurations_supported", json!({})),
    ] {
        let whole = party.metadata.lock().unwrap().clone();
        party.metadata.lock().unwrap()[member] = value;
        assert!(matches!(
            wallet.read_offer(&link(&party)).await.err(),
            Some(Error::Unusable(_))
        ));
        *party.metadata.lock().unwrap() = whole;
    }
    party.metadata.lock().unwrap()["credential_request_encryption"]["enc_values_supported"] =
        json!(["A128CBC-HS256"]);
    let error = receive(&mut wallet, &party, "enrolment_ldp_vc", 1)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error}");
    assert_eq!(wallet.credentials().unwrap(), []);
}
