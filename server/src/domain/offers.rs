//! Offers of credentials: what a subject's wallet asks for, and any wallet of theirs redeems once.

use blindprint_core::{
    Digest, Nonce, SubjectId, UnixTime,
    problem::ProblemCode,
    wire::{CredentialBasis, CredentialOffer, OfferCredential},
};
use blindprint_openid4vc::vci::{Grants, InputMode, Offer, OfferLink, PreAuthorizedGrant, TxCode};

use super::{
    Caller, OpenId,
    configurations::Configuration,
    issued::{IssuanceId, Reference},
    protocol_key::ProtocolKey,
};
use crate::{Error, Result};

/// How long an offer can be redeemed, in seconds.
const OFFER_SECONDS: i64 = 300;
/// Digits of a transaction code.
const TX_CODE_DIGITS: u32 = 6;
/// Offers of one subject that are remembered at once.
const MOST_OFFERS: u32 = 100;
const LONGEST_CLIENT: usize = 256;
/// Wrong transaction codes after which an offer is of no use any more.
pub const MOST_WRONG: u32 = 5;

/// An offer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRecord {
    /// Digest of its pre-authorised code.
    pub offer: Digest,
    /// Whose credentials.
    pub subject: SubjectId,
    /// Which configurations, by their ids.
    pub configurations: Vec<Configuration>,
    /// What they stand on.
    pub basis: Reference,
    /// Digest of the transaction code with the pre-authorised one, if there is one.
    pub tx_code: Option<Digest>,
    /// The one wallet that may redeem it.
    pub client: Option<String>,
    /// Wrong transaction codes so far.
    pub wrong: u32,
    /// When it was made.
    pub made: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
    /// When it was redeemed.
    pub redeemed: Option<UnixTime>,
}

/// What comes with a pre-authorised code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Digest of the code.
    pub offer: Digest,
    /// Digest of the transaction code with it.
    pub tx_code: Option<Digest>,
    /// The wallet's client id.
    pub client: Option<String>,
}

/// Why an offer is not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRedeemed {
    /// Never made, or over.
    Gone,
    /// Redeemed before. Whoever comes second has learnt a secret, so the first one's token dies too.
    Twice,
    /// It is for a wallet that says who it is.
    Anonymous,
    /// It is for another wallet.
    Stranger,
    /// It needs a transaction code.
    TxCodeMissing,
    /// It has none.
    TxCodeUnexpected,
    /// Not its transaction code.
    TxCodeWrong,
}

impl OfferRecord {
    /// Whether this attempt redeems it at `now`.
    ///
    /// The transaction code is looked at before an earlier redemption: a code alone, seen on
    /// somebody's screen, ends nobody's token.
    pub fn judge(&self, attempt: &Attempt, now: UnixTime) -> Result<(), NotRedeemed> {
        if now >= self.expires || self.wrong >= MOST_WRONG {
            return Err(NotRedeemed::Gone);
        }
        match (&self.client, &attempt.client) {
            (Some(_), None) => return Err(NotRedeemed::Anonymous),
            (Some(client), Some(given)) if client != given => return Err(NotRedeemed::Stranger),
            _ => {}
        }
        match (self.tx_code, attempt.tx_code) {
            (Some(_), None) => return Err(NotRedeemed::TxCodeMissing),
            (None, Some(_)) => return Err(NotRedeemed::TxCodeUnexpected),
            (Some(code), Some(given)) if code != given => return Err(NotRedeemed::TxCodeWrong),
            _ => {}
        }
        match self.redeemed {
            Some(_) => Err(NotRedeemed::Twice),
            None => Ok(()),
        }
    }
}

/// The secret in an offer's address, from which everything else that is secret about it follows: the
/// database holds none of it.
#[derive(Clone, Copy)]
pub struct OfferSecret(Nonce);

impl OfferSecret {
    /// The secret in an address.
    pub const fn new(secret: Nonce) -> Self {
        Self(secret)
    }

    /// The pre-authorised code.
    fn code(self) -> String {
        Digest::of("blindprint/pre-authorized-code/v1", self.0.as_bytes()).to_string()
    }

    /// What the person types in besides, where that is wanted.
    fn tx_code(self, key: &ProtocolKey) -> String {
        let digest = key.derive("blindprint/tx-code/v1", self.0.as_bytes());
        let (first, _) = digest.as_bytes().split_at(8);
        let number = first
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let width = TX_CODE_DIGITS as usize;
        // Of 2^64 numbers, one remainder comes up more often than another by less than 2^-44.
        format!("{:0width$}", number % 10_u64.pow(TX_CODE_DIGITS))
    }
}

/// The name of an offer in the database.
pub(super) fn offer_digest(code: &str) -> Digest {
    Digest::of("blindprint/offer/v1", code.as_bytes())
}

/// Digest of a transaction code, which only who knows the pre-authorised one can compare.
pub(super) fn tx_code_digest(code: &str, tx_code: &str) -> Digest {
    let code = offer_digest(code);
    Digest::of_parts(
        "blindprint/offer-tx-code/v1",
        &[code.as_bytes(), tx_code.as_bytes()],
    )
}

impl From<CredentialBasis> for Reference {
    fn from(basis: CredentialBasis) -> Self {
        match basis {
            CredentialBasis::Enrolment(id) => Self::Enrolment(id),
            CredentialBasis::Authentication(challenge) => Self::Authentication(challenge),
            CredentialBasis::Consent(id) => Self::ConsentReceipt(id),
        }
    }
}

impl OpenId {
    /// Offers credentials about the caller to whichever wallet gets the offer. `name` stands for a request
    /// that may be repeated: it makes the same offer again.
    pub async fn offer_credential(
        &self,
        caller: &Caller,
        wanted: OfferCredential,
        name: Option<[u8; 16]>,
    ) -> Result<CredentialOffer> {
        let basis = Reference::from(wanted.basis);
        let configurations = configurations(&wanted.configurations, &basis)?;
        if let Some(client) = &wanted.client_id
            && !((1..=LONGEST_CLIENT).contains(&client.len())
                && client.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(Error::because(
                ProblemCode::MalformedRequest,
                "client_id: 1 to 256 printable ASCII characters",
            ));
        }
        let now = self.clock.now();
        self.credentials.basis(&caller.subject, basis).await?;
        let secret = OfferSecret(match name {
            Some(name) => {
                let subject =
                    Digest::of("blindprint/offer-of/v1", caller.subject.as_str().as_bytes());
                let message = [&subject.as_bytes()[..], &name].concat();
                let derived = self.protocol.derive("blindprint/offer-secret/v1", &message);
                Nonce::from_bytes(*derived.as_bytes())
            }
            None => Nonce::random(&*self.entropy),
        });
        let code = secret.code();
        let tx_code = wanted
            .tx_code
            .unwrap_or(true)
            .then(|| secret.tx_code(&self.protocol));
        let record = OfferRecord {
            offer: offer_digest(&code),
            subject: caller.subject.clone(),
            configurations,
            basis,
            tx_code: tx_code
                .as_ref()
                .map(|tx_code| tx_code_digest(&code, tx_code)),
            client: wanted.client_id,
            wrong: 0,
            made: now,
            expires: now.plus(OFFER_SECONDS),
            redeemed: None,
        };
        if !self.store.record_offer(&record, MOST_OFFERS).await? {
            return Err(Error::RetryAfter {
                code: ProblemCode::RateLimited,
                seconds: 3600,
            });
        }
        let known = self.store.offer(record.offer).await?;
        let record =
            known.ok_or_else(|| Error::broken("making an offer")("it is gone again".into()))?;
        let address = format!("{}/credential-offers/{}", self.id(), secret.0);
        Ok(CredentialOffer {
            by_value: OfferLink::Value(self.offer_document(&record, code)).to_uri(),
            by_reference: OfferLink::Reference(address.clone()).to_uri(),
            qr_code: format!("{address}/qr.svg"),
            tx_code,
            expires: record.expires,
        })
    }

    /// The offer at an address, for as long as somebody can redeem it.
    pub async fn offered(&self, secret: OfferSecret) -> Result<Offer> {
        let code = secret.code();
        let known = self.store.offer(offer_digest(&code)).await?;
        let open = |offer: &OfferRecord| {
            offer.redeemed.is_none() && offer.wrong < MOST_WRONG && self.clock.now() < offer.expires
        };
        let offer = known
            .filter(open)
            .ok_or(Error::Refused(ProblemCode::NotFound))?;
        Ok(self.offer_document(&offer, code))
    }

    fn offer_document(&self, offer: &OfferRecord, code: String) -> Offer {
        let tx_code = offer.tx_code.map(|_| TxCode {
            input_mode: Some(InputMode::Numeric),
            length: Some(TX_CODE_DIGITS),
            description: Some("Shown where the credential was ordered".to_owned()),
        });
        Offer {
            credential_issuer: self.id().to_string(),
            credential_configuration_ids: offer
                .configurations
                .iter()
                .map(ToString::to_string)
                .collect(),
            grants: Some(Grants {
                authorization_code: None,
                pre_authorized: Some(PreAuthorizedGrant {
                    code,
                    tx_code,
                    authorization_server: None,
                }),
            }),
        }
    }
}

/// Configurations by their ids, each once, all of the basis' own kind.
fn configurations(ids: &[String], basis: &Reference) -> Result<Vec<Configuration>> {
    let malformed = |detail: &str| Error::because(ProblemCode::MalformedRequest, detail);
    let mut configurations: Vec<Configuration> = Vec::new();
    for id in ids {
        let configuration: Configuration = id
            .parse()
            .map_err(|_| malformed("configurations: one is not in the issuer's metadata"))?;
        if configuration.kind != basis.kind() {
            return Err(malformed("configurations: one does not fit the basis"));
        }
        if configurations.contains(&configuration) {
            return Err(malformed("configurations: one comes twice"));
        }
        configurations.push(configuration);
    }
    if configurations.is_empty() {
        return Err(malformed("configurations: at least one"));
    }
    Ok(configurations)
}

/// What an offer was redeemed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Which offer.
    pub offer: Digest,
    /// Which of its configurations.
    pub configuration: Configuration,
    /// By what name the wallet tells what became of it.
    pub notification: String,
    /// The credentials' common issuance.
    pub issuance: IssuanceId,
    /// When.
    pub at: UnixTime,
}
