//! What a verdict is worth to others: a credential over the standard protocols, checked by software
//! that has nothing of ours in it, before and after its erasure.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use blindprint_core::wire::CredentialBasis;
use blindprint_wallet::{Erasing, ReceiveOptions};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{Error, Result, erasure::Proof, round::Enrolled, say, service::RunningService};

/// The format of `@digitalbazaar/vc`, the verifier.
const CONFIGURATION: &str = "enrolment_ldp_vc";

/// Says whether the verifier took the credential before its holder was erased and refused it afterwards;
/// gives back the proof of the erasure.
pub(crate) async fn show(service: &RunningService, mut holder: Enrolled) -> Result<(bool, Proof)> {
    say("\nA credential, for people who have never heard of Blindprint:");
    let wallet = &mut holder.wallet;
    let basis = CredentialBasis::Enrolment(holder.enrolment);
    let offer = wallet
        .offer_credential(vec![CONFIGURATION.to_owned()], basis)
        .await?;
    let read = wallet.read_offer(&offer.by_reference).await?;
    let tx_code = offer.tx_code.map(Into::into);
    let received = wallet
        .receive_credentials(&read, tx_code, &ReceiveOptions::default())
        .await?;
    let credential = received
        .first()
        .ok_or_else(|| Error::Broken("no credential came".to_owned()))?;
    say(&format!(
        "  The wallet has received {} copies over OpenID4VCI, each for a key of its own.",
        credential.copies
    ));
    let copy = wallet
        .hand_over(&credential.id.to_string(), "the demo's verifier")?
        .to_string();

    say("  An independent verifier in JavaScript (@digitalbazaar/vc) looks at one of them:");
    let before = verify(service, &copy).await?;
    let erased = wallet.erase_everything().await?;
    if !matches!(erased, Erasing::Done(_)) {
        return Err(Error::Broken(format!(
            "the erasure is not done: {erased:?}"
        )));
    }
    say("  Its holder has everything erased. The same verifier, the same credential:");
    let after = verify(service, &copy).await?;
    Ok((before && !after, Proof::of(wallet)?))
}

/// Prints what the verifier says; whether it takes the credential.
async fn verify(service: &RunningService, credential: &str) -> Result<bool> {
    let Output {
        status,
        stdout,
        stderr,
    } = run(service, credential).await?;
    let said = String::from_utf8_lossy(&stdout);
    if said.trim().is_empty() {
        return Err(Error::Setup(format!(
            "the verifier does not run (scripts/interop installs it): {}",
            String::from_utf8_lossy(&stderr)
        )));
    }
    for line in said.lines() {
        say(&format!("    {line}"));
    }
    Ok(status.success())
}

async fn run(service: &RunningService, credential: &str) -> Result<Output> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop"));
    // A newer Node.js than the system's, where that is too old.
    let node = folder.join("node_modules/.bin/node");
    let node = if node.exists() { node } else { "node".into() };
    let mut process = Command::new(node)
        .args(["verify.mjs", "--plain"])
        .current_dir(folder)
        .env("NODE_EXTRA_CA_CERTS", service.authority())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| Error::Setup(format!("Node.js does not start: {e}")))?;
    if let Some(mut input) = process.stdin.take() {
        input.write_all(credential.as_bytes()).await?;
    }
    Ok(process.wait_with_output().await?)
}
