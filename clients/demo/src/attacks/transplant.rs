use super::{
    refused,
    scene::{Scene, challenge, probe, sign, statement},
};
use crate::{Result, round::shop};

/// Mallory sends Alice's fresh probe as an answer to a challenge of their own.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    let stolen = probe(
        &scene.alice,
        &scene.alice_person,
        &challenge(&scene.alice).await?,
    )
    .await?;
    let mallory = &scene.mallory;
    let own = challenge(mallory).await?;
    let claim = sign(
        &mallory.key,
        &statement(mallory, &own, shop(), &stolen.submission),
    )?;
    let sent = mallory
        .wallet
        .client()
        .submit_probe(
            mallory.wallet.signer(),
            &own.challenge.challenge,
            &claim,
            stolen.submission,
        )
        .await;
    Ok(vec![refused(
        "Alice's ciphertext under Mallory's name",
        sent,
        &["proof-rejected"],
    )?])
}
