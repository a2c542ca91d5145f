use blindprint_core::EnrolmentId;
use blindprint_wallet::{Erasing, Error};
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result, output::when, rights::said};

/// Destroy an enrolment: the template at the service and its key here. Or everything
#[derive(Args)]
pub(crate) struct Arguments {
    /// Have everything erased that the service keeps about you, and keep the proof
    #[arg(long, conflicts_with = "enrolment")]
    everything: bool,
    /// Which [default: the only one]
    #[arg(long, value_name = "ID")]
    enrolment: Option<EnrolmentId>,
}

pub(super) async fn run(place: &Place, arguments: &Arguments) -> Result {
    let mut wallet = super::open(place).await?;
    if arguments.everything {
        let erasing = wallet.erase_everything().await?;
        let text = match &erasing {
            Erasing::Done(word) => format!(
                "{}\nThe proof is in this wallet: `rights proof` prints it. Your keys on this device are destroyed.\n",
                said(word)
            ),
            Erasing::CoolingOff { request, until } => format!(
                "It is erased at {}. Until then nothing is compared, and `rights cancel {request}` takes it back. \
                 Run this again afterwards to get the proof.\n",
                when(*until)
            ),
            Erasing::Waiting { request, due } => format!(
                "A person at the service has to approve request {request}, by {}. Nothing is compared meanwhile. \
                 Run this again afterwards to get the proof.\n",
                when(*due)
            ),
        };
        return Ok(Outcome::new(text, json!({ "erasure": erasing })));
    }
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
