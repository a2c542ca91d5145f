use blindprint_core::{
    Digest, EnrolmentId, Nonce, SubjectId, SystemEntropy, label,
    statement::{ConsentReceipt, Enrolment, Purpose},
};
use blindprint_protocol::message::{
    EnclaveRequest, EnclaveResponse, MatcherRequest, MatcherResponse, Refusal,
};
use blindprint_template::EncodingKey;
use serde_bytes::ByteBuf;

use super::{
    refused,
    scene::{Scene, code, now, sign},
};
use crate::{Error, Result, people::Person, round::Enrolled};

/// Templates under names that they were not made for.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    Ok(vec![
        mallory_as_alice(scene).await?,
        alice_as_mallory(scene).await?,
    ])
}

/// Mallory's own face under Alice's name, so that Mallory could log in as Alice. Host and matcher
/// help: the proof is valid and a genuine matcher vouches for it.
async fn mallory_as_alice(scene: &Scene) -> Result<String> {
    let alice = scene.alice.wallet.subject();
    let EnclaveResponse::Nonce { nonce, .. } = scene
        .host
        .enclave(&EnclaveRequest::IssueNonce {
            subject: alice.clone(),
        })
        .await?
    else {
        return Err(Error::Broken("the enclave issued no nonce".to_owned()));
    };
    let (statement, submission) = template(
        scene,
        &scene.mallory_person,
        alice,
        nonce,
        consent_of(&scene.alice)?,
    )
    .await?;
    let check = MatcherRequest::CheckTemplate {
        binding: statement.binding(),
        submission: ByteBuf::from(submission),
    };
    let MatcherResponse::TemplateChecked { check, .. } = scene.host.matcher(&check).await? else {
        return Err(Error::Broken(
            "the matcher did not check a valid template".to_owned(),
        ));
    };
    let register = EnclaveRequest::Register {
        enrolment: sign(&scene.mallory.key, &statement)?,
        recovery: None,
        checks: vec![check],
    };
    let reason = scene.host.refused(&register, Refusal::Signature).await?;
    Ok(format!("Mallory's face under Alice's name: {reason}"))
}

/// Alice's ciphertext under Mallory's name, so that her verdicts would count for Mallory.
async fn alice_as_mallory(scene: &Scene) -> Result<String> {
    let client = scene.mallory.wallet.client();
    let signer = scene.mallory.wallet.signer();
    let alice_nonce = client.nonce(scene.alice.wallet.signer()).await?.nonce;
    let consent = consent_of(&scene.mallory)?;
    let (made_for_alice, submission) = template(
        scene,
        &scene.alice_person,
        scene.alice.wallet.subject(),
        alice_nonce,
        consent,
    )
    .await?;
    let claim = Enrolment {
        sub: scene.mallory.wallet.subject().clone(),
        nonce: client.nonce(signer).await?.nonce,
        replaces: Some(scene.mallory.enrolment),
        ..made_for_alice
    };
    let jws = sign(&scene.mallory.key, &claim)?;
    let sent = client
        .enrol(
            signer,
            claim.enrolment,
            &jws,
            None,
            submission,
            Some(&scene.invitation),
        )
        .await;
    refused(
        "Alice's ciphertext under Mallory's name",
        sent,
        &["proof-rejected"],
    )
}

async fn template(
    scene: &Scene,
    face: &Person,
    subject: &SubjectId,
    nonce: Nonce,
    consent: Digest,
) -> Result<(Enrolment, Vec<u8>)> {
    let embedding = face.captures[0].embedding()?;
    let profile = scene.mallory.wallet.enrolments()[0].profile;
    let mut statement = Enrolment {
        sub: subject.clone(),
        service: scene.attested.service.clone(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        replaces: None,
        consent,
        purpose: Purpose::Authentication,
        profile,
        key: scene.attested.key,
        submission: consent, // Replaced below, once the bytes are there.
        nonce,
        recovery_key: scene.mallory.wallet.key(),
        iat: now(),
    };
    let code = code(profile, &EncodingKey::generate(&SystemEntropy), &embedding)?;
    let submission = scene.seal(code, statement.binding()).await?;
    statement.submission = Digest::of(label::SUBMISSION, &submission);
    Ok((statement, submission))
}

/// The digest of a person's consent, as its receipt names it.
fn consent_of(who: &Enrolled) -> Result<Digest> {
    who.wallet
        .consents()
        .iter()
        .find_map(|consent| {
            blindprint_did::verify::<ConsentReceipt>(consent.receipt.as_ref()?).ok()
        })
        .map(|receipt| receipt.statement().statement)
        .ok_or_else(|| Error::Broken("a wallet has no consent receipt".to_owned()))
}
