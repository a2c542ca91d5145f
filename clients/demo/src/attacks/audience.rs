use blindprint_core::Audience;
use blindprint_protocol::message::{EnclaveRequest, Refusal};
use blindprint_wallet::{Challenged, ExpectedVerdict, verify_verdict};

use super::{
    refused,
    scene::{Scene, challenge, probe},
};
use crate::Result;

/// A verdict for the shop is used at the bank.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    let bank: Audience = "https://bank.example"
        .parse()
        .expect("a constant that is a valid name");
    let alice = &scene.alice;
    let challenged = challenge(alice).await?;
    let own = probe(alice, &scene.alice_person, &challenged).await?;
    let verdict = alice.wallet.submit_probe(&challenged, &own).await?;
    let expected = ExpectedVerdict {
        audience: &bank,
        nonce: &challenged.nonce,
        subject: None,
    };
    let shown = verify_verdict(&verdict.jws, &scene.attested, &expected);
    let relying_party = refused(
        "the bank, shown the shop's verdict",
        shown,
        &["unbelievable"],
    )?;

    let asked = challenge(alice).await?;
    let answered = probe(
        alice,
        &scene.alice_person,
        &Challenged {
            audience: bank,
            ..asked.clone()
        },
    )
    .await?;
    let sent = alice
        .wallet
        .client()
        .submit_probe(
            alice.wallet.signer(),
            &asked.challenge.challenge,
            &answered.statement,
            answered.submission,
        )
        .await;
    let server = refused(
        "a probe for the bank to the shop's challenge",
        sent,
        &["refused"],
    )?;
    let open = EnclaveRequest::Open {
        probe: answered.statement,
        evaluations: Vec::new(),
        comparison: None,
    };
    let enclave = scene.host.refused(&open, Refusal::Mismatch).await?;
    Ok(vec![
        relying_party,
        server,
        format!("the same past the server: {enclave}"),
    ])
}
