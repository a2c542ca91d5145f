//! Offers of credentials: what a subject's wallet asks for, and any wallet of theirs redeems once.

use blindprint_core::{Digest, SubjectId, UnixTime};

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
    pub configurations: Vec<String>,
    /// What they stand on.
    pub basis: String,
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

/// What an offer was redeemed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Which offer.
    pub offer: Digest,
    /// Which of its configurations.
    pub configuration: String,
    /// By what name the wallet tells what became of it.
    pub notification: String,
    /// The credentials' common issuance.
    pub issuance: String,
    /// When.
    pub at: UnixTime,
}
