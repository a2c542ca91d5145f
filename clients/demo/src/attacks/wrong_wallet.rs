use blindprint_core::SystemEntropy;
use blindprint_template::EncodingKey;
use blindprint_wallet::{ExpectedVerdict, verify_verdict};

use super::{
    refused,
    scene::{Scene, challenge, code, sign, statement},
};
use crate::{
    Error, Result,
    round::{nonce, shop},
};

/// Alice's own face, but not her wallet.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    let alice = &scene.alice;
    let asked = scene
        .mallory
        .wallet
        .challenge(alice.enrolment, shop(), nonce())
        .await;
    let other_key = refused(
        "another wallet asks for Alice's enrolment",
        asked,
        &["not-found"],
    )?;

    // Even with her identity key, without κ her face gives an unrelated code.
    let challenged = challenge(alice).await?;
    let profile = challenged.challenge.profile;
    let face = scene.alice_person.captures[0].embedding()?;
    let code = code(profile, &EncodingKey::generate(&SystemEntropy), &face)?;
    let binding = statement(alice, &challenged, shop(), b"").binding();
    let submission = scene.seal(code, binding).await?;
    let claim = sign(
        &alice.key,
        &statement(alice, &challenged, shop(), &submission),
    )?;
    let jws = alice
        .wallet
        .client()
        .submit_probe(
            alice.wallet.signer(),
            &challenged.challenge.challenge,
            &claim,
            submission,
        )
        .await?;
    let expected = ExpectedVerdict {
        audience: &shop(),
        nonce: &challenged.nonce,
        subject: Some(alice.wallet.subject()),
    };
    if verify_verdict(&jws, &scene.attested, &expected)?.matched {
        return Err(Error::Broken(
            "her face matched under another key".to_owned(),
        ));
    }
    Ok(vec![
        other_key,
        "her very capture and her identity key, but another encoding key: the enclave signs \"no match\""
            .to_owned(),
    ])
}
