use blindprint_core::ConsentId;
use blindprint_wallet::Error;
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result};

/// Take a consent back: no verdict is possible from then on, and its templates are destroyed
#[derive(Args)]
pub(crate) struct Arguments {
    /// Which [default: the only live one]
    id: Option<ConsentId>,
}

pub(super) async fn run(place: &Place, arguments: &Arguments) -> Result {
    let mut wallet = super::open(place).await?;
    let live: Vec<_> = wallet
        .consents()
        .into_iter()
        .filter(|consent| consent.live)
        .collect();
    let id = match (arguments.id, live.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only.id,
        (None, []) => {
            return Err(Error::Invalid(
                "there is no live consent to withdraw".to_owned(),
            ));
        }
        (None, _) => {
            return Err(Error::Invalid(
                "there are several live consents: name one from `consents`".to_owned(),
            ));
        }
    };
    let consent = wallet.withdraw(id).await?;
    Ok(Outcome::new(
        format!("Consent {id} is withdrawn; the enclave has confirmed it.\n"),
        json!({ "consent": consent, "enrolments": wallet.enrolments() }),
    ))
}
