use blindprint_core::EnrolmentId;
use blindprint_wallet::Error;
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result};

/// Destroy an enrolment: the template at the service and its key here
#[derive(Args)]
pub(crate) struct Arguments {
    /// Which [default: the only one]
    #[arg(long, value_name = "ID")]
    enrolment: Option<EnrolmentId>,
}

pub(super) async fn run(place: &Place, arguments: &Arguments) -> Result {
    let mut wallet = super::open(place).await?;
    let enrolments = wallet.enrolments();
    let id = match (arguments.enrolment, enrolments.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only.id,
        (None, []) => return Err(Error::Invalid("there is no enrolment to erase".to_owned())),
        (None, _) => {
            return Err(Error::Invalid(
                "there are several enrolments: name one from `status` with --enrolment".to_owned(),
            ));
        }
    };
    let erased = wallet.erase(id).await?;
    Ok(Outcome::new(
        format!("Enrolment {id} is destroyed, and so is its key on this device.\n"),
        json!({ "erased": erased }),
    ))
}
