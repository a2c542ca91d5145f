use blindprint_protocol::message::{EnclaveRequest, Refusal};
use blindprint_wallet::{ExpectedVerdict, verify_verdict};

use super::{
    refused,
    scene::{Scene, challenge, probe, sign, statement},
};
use crate::{
    Result,
    round::{nonce, shop},
};

/// What was recorded once is sent again.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    let alice = &scene.alice;
    let challenged = challenge(alice).await?;
    let recorded = probe(alice, &scene.alice_person, &challenged).await?;
    let answer = alice.wallet.submit_probe(&challenged, &recorded).await?;

    let open = EnclaveRequest::Open {
        probe: recorded.statement,
        evaluations: Vec::new(),
        comparison: None,
    };
    let again = scene.host.refused(&open, Refusal::ChallengeGone).await?;

    let fresh = challenge(alice).await?;
    let claim = sign(
        &alice.key,
        &statement(alice, &fresh, shop(), &recorded.submission),
    )?;
    let sent = alice
        .wallet
        .client()
        .submit_probe(
            alice.wallet.signer(),
            &fresh.challenge.challenge,
            &claim,
            recorded.submission,
        )
        .await;
    let moved = refused(
        "the old ciphertext for a new challenge",
        sent,
        &["proof-rejected"],
    )?;

    let expected = ExpectedVerdict {
        audience: &shop(),
        nonce: &nonce(),
        subject: None,
    };
    let shown = verify_verdict(&answer.jws, &scene.attested, &expected);
    let login = refused("the old verdict in a new login", shown, &["unbelievable"])?;
    Ok(vec![format!("the same probe again: {again}"), moved, login])
}
