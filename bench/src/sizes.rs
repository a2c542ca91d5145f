//! Bytes of everything that is stored or sent.

use std::sync::Arc;

use blindprint_core::{
    Digest, label,
    statement::{Consent, Decision, EnrolmentReceipt, Evaluation, Purpose, TemplateCheck, Verdict},
};
use blindprint_did::{KeyType, SigningKey, sign};
use blindprint_template::PARAMETERS;
use serde::Serialize;

use crate::{error::Result, print::Printer, scene::Scene};

/// Bytes. Statements are compact JWS over ids of usual length, signed with Ed25519.
#[derive(Debug, Serialize)]
pub struct Sizes {
    /// The key that wallets encrypt under; fetched once.
    pub public_key: usize,
    /// The reference string of the proofs; fetched once.
    pub crs: usize,
    /// What a matcher evaluates with; fetched once by each matcher.
    pub evaluation_keys: usize,
    /// An encrypted and proved template as uploaded.
    pub template_upload: usize,
    /// The same at rest.
    pub stored_template: usize,
    /// An encrypted and proved probe as uploaded.
    pub probe_upload: usize,
    /// The encrypted verdict bit.
    pub verdict_ciphertext: usize,
    /// The wallet's consent.
    pub consent: usize,
    /// The wallet's request to register a template.
    pub enrolment: usize,
    /// The matcher's word on a template.
    pub template_check: usize,
    /// The enclave's receipt.
    pub enrolment_receipt: usize,
    /// The wallet's request for a verdict.
    pub probe: usize,
    /// The matcher's word on a comparison.
    pub evaluation: usize,
    /// The enclave's verdict.
    pub verdict: usize,
}

/// Measures one of each.
pub fn measure(scene: &Scene) -> Result<Sizes> {
    let enrolment = &scene.enrolment;
    let probe = &scene.probe;
    let binding = probe.binding();
    let profile = binding.profile.profile();
    let ciphertext = scene
        .matcher
        .worker(Arc::new(blindprint_core::SystemEntropy))
        .evaluate(&binding, &scene.probe_upload, &scene.stored)?;
    let signer = SigningKey::generate(KeyType::Ed25519, &blindprint_core::SystemEntropy);
    let digest = Digest::of("blindprint/bench/size", b"any digest is as long as another");
    let parameters = PARAMETERS.name.to_owned();

    let consent = Consent {
        id: scene.consent,
        sub: enrolment.sub.clone(),
        service: enrolment.service.clone(),
        decision: Decision::Given,
        purpose: Purpose::Authentication,
        recipient: None,
        record: digest,
        previous: Some(digest),
        notice: digest,
        given: enrolment.iat,
        expires: enrolment.iat.plus(31_536_000),
    };
    let template_check = TemplateCheck {
        binding: enrolment.binding().digest(),
        submission: enrolment.submission,
        template: probe.template,
        parameters: parameters.clone(),
        key: enrolment.key,
    };
    let enrolment_receipt = EnrolmentReceipt {
        iss: enrolment.service.clone(),
        sub: enrolment.sub.clone(),
        enrolment: enrolment.enrolment,
        template: probe.template,
        submission: enrolment.submission,
        consent: enrolment.consent,
        profile: enrolment.profile,
        key: enrolment.key,
        pinned_key: scene.wallet.public().uri(),
        replaced: None,
        handle: enrolment.nonce,
        iat: enrolment.iat,
    };
    let evaluation = Evaluation {
        binding: binding.digest(),
        submission: probe.submission,
        template: probe.template,
        verdict: Digest::of(label::VERDICT_CIPHERTEXT, &ciphertext),
        profile: probe.profile,
        tau: profile.tau,
        parameters: parameters.clone(),
        key: probe.key,
    };
    let verdict = Verdict {
        iss: probe.service.clone(),
        sub: probe.sub.clone(),
        aud: probe.audience.clone(),
        nonce: "n-0S6_WzA2Mj".to_owned(),
        purpose: probe.purpose,
        matched: scene.secret.open(&ciphertext)?,
        profile: probe.profile,
        tau: profile.tau,
        amr: profile.modality.amr().to_owned(),
        enrolment: probe.enrolment,
        template: probe.template,
        submission: probe.submission,
        challenge: probe.challenge,
        parameters,
        key: probe.key,
        iat: probe.iat,
    };
    Ok(Sizes {
        public_key: scene.material.public_key.len(),
        crs: scene.material.crs.len(),
        evaluation_keys: scene.material.evaluation_keys.len(),
        template_upload: scene.template_upload.len(),
        stored_template: scene.stored.len(),
        probe_upload: scene.probe_upload.len(),
        verdict_ciphertext: ciphertext.len(),
        consent: sign(&scene.wallet, &consent)?.as_str().len(),
        enrolment: sign(&scene.wallet, enrolment)?.as_str().len(),
        template_check: sign(&signer, &template_check)?.as_str().len(),
        enrolment_receipt: sign(&signer, &enrolment_receipt)?.as_str().len(),
        probe: sign(&scene.wallet, probe)?.as_str().len(),
        evaluation: sign(&signer, &evaluation)?.as_str().len(),
        verdict: sign(&signer, &verdict)?.as_str().len(),
    })
}

impl Sizes {
    /// Prints the table.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title("Sizes in bytes")?;
        let rows = [
            ("public key (sent once)", self.public_key),
            ("reference string of proofs (sent once)", self.crs),
            ("evaluation keys (sent once)", self.evaluation_keys),
            ("template, uploaded with its proof", self.template_upload),
            ("template at rest", self.stored_template),
            ("probe, uploaded with its proof", self.probe_upload),
            ("verdict ciphertext", self.verdict_ciphertext),
            ("statement: consent", self.consent),
            ("statement: enrolment", self.enrolment),
            ("statement: template check", self.template_check),
            ("statement: enrolment receipt", self.enrolment_receipt),
            ("statement: probe", self.probe),
            ("statement: evaluation", self.evaluation),
            ("statement: verdict", self.verdict),
        ];
        for (what, bytes) in rows {
            out.line(format!("{what:<40} {bytes:>12}"))?;
        }
        Ok(())
    }
}
