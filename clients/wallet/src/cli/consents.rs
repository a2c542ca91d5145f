use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result, output::when};

/// List the consents you gave
#[derive(Args)]
pub(crate) struct Arguments {}

pub(super) async fn run(place: &Place, _: &Arguments) -> Result {
    let wallet = super::open(place).await?;
    let consents = wallet.consents();
    let mut text = String::new();
    for consent in &consents {
        let state = if consent.live {
            format!("live until {}", when(consent.expires))
        } else {
            "ended".to_owned()
        };
        let _ = writeln!(
            text,
            "{}  {}  {state}",
            consent.id,
            consent.purpose.as_str()
        );
    }
    if consents.is_empty() {
        text.push_str("You have given no consent.\n");
    }
    Ok(Outcome::new(text, json!({ "consents": consents })))
}
