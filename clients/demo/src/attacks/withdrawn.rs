use blindprint_protocol::message::{EnclaveRequest, Refusal};

use super::{
    refused,
    scene::{Scene, challenge, probe},
};
use crate::{Error, Result};

/// Carol withdraws her consent between her probe and its upload.
pub(super) async fn attempt(scene: &mut Scene) -> Result<Vec<String>> {
    let carol = &mut scene.carol;
    let challenged = challenge(carol).await?;
    let ready = probe(carol, &scene.carol_person, &challenged).await?;
    let live = carol
        .wallet
        .consents()
        .into_iter()
        .find(|consent| consent.live);
    let consent = live
        .ok_or_else(|| Error::Broken("Carol has no live consent".to_owned()))?
        .id;
    carol.wallet.withdraw(consent).await?;

    let sent = carol
        .wallet
        .client()
        .submit_probe(
            carol.wallet.signer(),
            &challenged.challenge.challenge,
            &ready.statement,
            ready.submission,
        )
        .await;
    let server = refused("a probe made before, sent after", sent, &["no-consent"])?;
    let open = EnclaveRequest::Open {
        probe: ready.statement,
        evaluations: Vec::new(),
        comparison: None,
    };
    let enclave = scene.host.refused(&open, Refusal::NoConsent).await?;
    Ok(vec![server, format!("the same past the server: {enclave}")])
}
