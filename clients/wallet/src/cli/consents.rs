use std::fmt::Write as _;

use blindprint_core::statement::ConsentState;
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result, output::when};

/// List the consents you gave or refused
#[derive(Args)]
pub(crate) struct Arguments {}

pub(super) async fn run(place: &Place, _: &Arguments) -> Result {
    let wallet = super::open(place).await?;
    let consents = wallet.consents();
    let mut text = String::new();
    for consent in &consents {
        let state = match consent.state {
            ConsentState::Given => format!("live until {}", when(consent.expires)),
            ConsentState::Requested => "not confirmed".to_owned(),
            ended => ended.as_str().to_owned(),
        };
        let with = consent.recipient.as_ref();
        let with = with.map_or_else(String::new, |audience| format!(" with {audience}"));
        let _ = writeln!(
            text,
            "{}  {}{with}  {state}",
            consent.id,
            consent.purpose.as_str()
        );
    }
    if consents.is_empty() {
        text.push_str("You have given no consent.\n");
    }
    Ok(Outcome::new(text, json!({ "consents": consents })))
}
