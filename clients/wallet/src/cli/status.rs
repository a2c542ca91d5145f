use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result, output::when};

/// Check the service's attestation and show what it and the wallet know of you
#[derive(Args)]
pub(crate) struct Arguments {}

pub(super) async fn run(place: &Place, _: &Arguments) -> Result {
    let wallet = super::open(place).await?;
    let attested = wallet.attest().await?;
    let said = wallet.status().await?;
    let enrolments = wallet.enrolments();
    let mut text = format!(
        "Service: {}; its enclave is genuine and one that you trust\nSubject: {}\nKey: {}\n",
        wallet.service(),
        wallet.subject(),
        wallet.key()
    );
    for enrolment in &enrolments {
        let _ = write!(
            text,
            "Enrolment {}: {}, {}",
            enrolment.id, enrolment.profile, enrolment.state
        );
        let known = said.enrolments.iter().any(|known| known.id == enrolment.id);
        let since = enrolment
            .enrolled
            .map_or_else(String::new, |at| format!(" since {}", when(at)));
        let _ = writeln!(
            text,
            "{since}{}",
            if known {
                ""
            } else {
                ", unknown to the service"
            }
        );
    }
    let live = wallet
        .consents()
        .iter()
        .filter(|consent| consent.live)
        .count();
    let _ = writeln!(
        text,
        "Live consents: {live}\nVerdicts so far: {}",
        said.verdicts
    );
    if wallet.recovery_paper().is_some() {
        text.push_str(
            "The recovery key is still in the wallet: `recovery-key` shows it for paper.\n",
        );
    }
    Ok(Outcome::new(
        text,
        json!({
            "service": wallet.service(),
            "subject": wallet.subject(),
            "key": wallet.key(),
            "attested": attested,
            "consents": wallet.consents(),
            "enrolments": enrolments,
            "service_says": said,
        }),
    ))
}
