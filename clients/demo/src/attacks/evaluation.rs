use blindprint_core::{
    Digest, EnrolmentId, Nonce, SystemEntropy, label,
    statement::{Enrolment, Evaluation, Purpose},
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_protocol::message::{
    EnclaveRequest, MatcherRequest, MatcherResponse, Refusal, SignedEvaluation,
};
use blindprint_template::EncodingKey;
use serde_bytes::ByteBuf;

use super::scene::{Scene, challenge, code, now, sign, statement};
use crate::{Error, Result, round::shop};

/// The host and a thief, who has Alice's wallet but not her face, make the encrypted bit say
/// "match": they compare Mallory's face with itself and pass the result off as Alice's.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    let alice = &scene.alice;
    let genuine = mallory_with_mallory(scene).await?;
    let challenged = challenge(alice).await?;
    let probe = statement(alice, &challenged, shop(), b"never uploaded");
    let probe_jws = sign(&alice.key, &probe)?;
    let open = |evaluation: SignedEvaluation| EnclaveRequest::Open {
        probe: probe_jws.clone(),
        evaluations: vec![evaluation],
        comparison: None,
    };
    let other = scene
        .host
        .refused(&open(genuine.clone()), Refusal::Evaluations)
        .await?;

    let forged = Evaluation {
        binding: probe.binding().digest(),
        submission: probe.submission,
        template: probe.template,
        verdict: Digest::of(label::VERDICT_CIPHERTEXT, &genuine.verdict),
        profile: probe.profile,
        tau: probe.profile.profile().tau,
        parameters: blindprint_template::PARAMETERS.name.to_owned(),
        key: probe.key,
    };
    let host_key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    let signed = SignedEvaluation {
        evaluation: sign(&host_key, &forged)?,
        verdict: genuine.verdict,
    };
    let unadmitted = scene
        .host
        .refused(&open(signed), Refusal::Evaluations)
        .await?;
    Ok(vec![
        format!("a genuine evaluation of another comparison: {other}"),
        format!("one that fits, signed by the host itself: {unadmitted}"),
    ])
}

/// A real matcher's evaluation of Mallory's face against itself.
async fn mallory_with_mallory(scene: &Scene) -> Result<SignedEvaluation> {
    let mallory = &scene.mallory;
    let profile = mallory.wallet.enrolments()[0].profile;
    let key = EncodingKey::generate(&SystemEntropy);
    let face = scene.mallory_person.captures[0].embedding()?;
    let enrolment = Enrolment {
        sub: mallory.wallet.subject().clone(),
        service: scene.attested.service.clone(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        replaces: None,
        consent: scene.attested.key,
        purpose: Purpose::Authentication,
        profile,
        key: scene.attested.key,
        submission: scene.attested.key,
        nonce: Nonce::random(&SystemEntropy),
        recovery_key: mallory.wallet.key(),
        iat: now(),
    };
    let submission = scene
        .seal(code(profile, &key, &face)?, enrolment.binding())
        .await?;
    let check = MatcherRequest::CheckTemplate {
        binding: enrolment.binding(),
        submission: ByteBuf::from(submission),
    };
    let MatcherResponse::TemplateChecked { template, .. } = scene.host.matcher(&check).await?
    else {
        return Err(Error::Broken(
            "the matcher did not check a valid template".to_owned(),
        ));
    };
    let mut challenged = challenge(mallory).await?;
    challenged.enrolment = enrolment.enrolment;
    challenged.challenge.template = Digest::of(label::TEMPLATE, &template);
    let probe = statement(mallory, &challenged, shop(), b"");
    let submission = scene
        .seal(code(profile, &key, &face)?, probe.binding())
        .await?;
    let evaluate = MatcherRequest::Evaluate {
        binding: probe.binding(),
        submission: ByteBuf::from(submission),
        template,
    };
    match scene.host.matcher(&evaluate).await? {
        MatcherResponse::Evaluated(evaluation, _) => Ok(evaluation),
        _ => Err(Error::Broken(
            "the matcher did not evaluate a valid probe".to_owned(),
        )),
    }
}
