use blindprint_core::{
    ConsentId, EnrolmentId, Nonce,
    wire::{CredentialBasis, CredentialOffer},
};
use blindprint_wallet::{Error, Wallet};
use clap::Args;

use crate::cli::Result;

/// Ends of the ids of the service's configurations.
pub(super) const FORMATS: [&str; 5] = [
    "ldp_vc",
    "ldp_vc_rdfc",
    "jwt_vc_json",
    "dc+sd-jwt",
    "dc+sd-jwt_es256",
];

/// What the own service is asked to certify.
#[derive(Args)]
#[group(multiple = false)]
pub(super) struct Basis {
    /// That you are enrolled [default: the only enrolment]
    #[arg(long, value_name = "ID", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "given, and given with a value")]
    enrolment: Option<Option<EnrolmentId>>,
    /// That you were recognised a moment ago: the verdict's challenge
    #[arg(long, value_name = "CHALLENGE")]
    authentication: Option<Nonce>,
    /// That you gave consent [default: the only live consent]
    #[arg(long, value_name = "ID", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "given, and given with a value")]
    consent: Option<Option<ConsentId>>,
}

impl Basis {
    /// Has the own service offer it in this format.
    pub(super) async fn offer(&self, wallet: &Wallet, format: &str) -> Result<CredentialOffer> {
        let (kind, basis) = self.of(wallet)?;
        let configuration = format!("{kind}_{format}");
        wallet.offer_credential(vec![configuration], basis).await
    }

    fn of(&self, wallet: &Wallet) -> Result<(&'static str, CredentialBasis)> {
        let only = |count: usize, what: &str| {
            Error::Invalid(match count {
                0 => format!("this wallet has no {what}"),
                _ => format!("this wallet has several {what}s: name one"),
            })
        };
        if let Some(challenge) = self.authentication {
            return Ok(("authentication", CredentialBasis::Authentication(challenge)));
        }
        if let Some(id) = self.enrolment {
            let mut enrolments = wallet.enrolments();
            enrolments.retain(|enrolment| enrolment.state == "registered");
            let id = match (id, enrolments.as_slice()) {
                (Some(id), _) => id,
                (None, [one]) => one.id,
                (None, several) => return Err(only(several.len(), "enrolment")),
            };
            return Ok(("enrolment", CredentialBasis::Enrolment(id)));
        }
        let mut consents = wallet.consents();
        consents.retain(|consent| consent.live);
        let id = match (self.consent.flatten(), consents.as_slice()) {
            (Some(id), _) => id,
            (None, [one]) => one.id,
            (None, several) => return Err(only(several.len(), "live consent")),
        };
        Ok(("consent-receipt", CredentialBasis::Consent(id)))
    }
}
