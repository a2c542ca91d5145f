use blindprint_wallet::Challenged;

use super::{
    refused,
    scene::{Scene, challenge, probe, sign, statement},
};
use crate::{Result, round::shop};

/// Probes that are damaged on purpose, each correctly signed.
pub(super) async fn attempt(scene: &Scene) -> Result<Vec<String>> {
    let challenged = challenge(&scene.alice).await?;
    let whole = probe(&scene.alice, &scene.alice_person, &challenged)
        .await?
        .submission;
    let flipped = {
        let mut bytes = whole.clone();
        bytes[whole.len() / 2] ^= 1;
        bytes
    };
    let mut other_version = whole.clone();
    other_version[4] ^= 0xFF;
    let cut = whole[..whole.len() - 1].to_vec();
    Ok(vec![
        send(
            scene,
            &challenged,
            flipped,
            "one bit of the ciphertext flipped",
            "proof-rejected",
        )
        .await?,
        send(
            scene,
            &challenge(&scene.alice).await?,
            cut,
            "the last byte cut off",
            "malformed-submission",
        )
        .await?,
        send(
            scene,
            &challenge(&scene.alice).await?,
            other_version,
            "another version",
            "malformed-submission",
        )
        .await?,
        send(
            scene,
            &challenge(&scene.alice).await?,
            vec![0; 64 << 10],
            "64 KiB of zeros",
            "too-large",
        )
        .await?,
    ])
}

async fn send(
    scene: &Scene,
    challenged: &Challenged,
    bytes: Vec<u8>,
    what: &str,
    wanted: &str,
) -> Result<String> {
    let alice = &scene.alice;
    let claim = sign(&alice.key, &statement(alice, challenged, shop(), &bytes))?;
    let sent = alice
        .wallet
        .client()
        .submit_probe(
            alice.wallet.signer(),
            &challenged.challenge.challenge,
            &claim,
            bytes,
        )
        .await;
    refused(what, sent, &[wanted])
}
