use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result};

/// Replace the identity key; subject and enrolments stay
#[derive(Args)]
pub(crate) struct Arguments {}

pub(super) async fn run(place: &Place, _: &Arguments) -> Result {
    let mut wallet = super::open(place).await?;
    let changed = wallet.rotate().await?;
    Ok(Outcome::new(
        format!("The key that signs from now on is {}.\n", changed.key),
        json!({ "subject": wallet.subject(), "keys": changed }),
    ))
}
