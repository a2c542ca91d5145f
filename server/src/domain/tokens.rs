//! Access tokens: opaque, short-lived, kept as digests.

use blindprint_core::{Digest, Nonce, UnixTime};
use blindprint_openid4vc::{Code, Error as Refused, dpop::Unspent};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Attempt, Denied, NotRedeemed, OpenId,
    clients::{ClientId, Scopes, random_secret, secret_digest},
    offers::{offer_digest, tx_code_digest},
    protocol_key::NonceUse,
};
use crate::Result;

/// How long an access token is good for, in seconds.
pub const TOKEN_SECONDS: i64 = 600;
/// How long a nonce is good for, in seconds.
pub(super) const NONCE_SECONDS: i64 = 300;

/// An access token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Digest of what the bearer presents.
    pub token: Digest,
    /// Who it was given to.
    pub holder: TokenHolder,
    /// Thumbprint of the key whose DPoP proof must come with it (RFC 9449).
    pub jkt: Option<String>,
    /// When it ends.
    pub expires: UnixTime,
}

/// Who an access token was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenHolder {
    /// A machine client, for these of its scopes.
    Client(ClientId, Scopes),
    /// A wallet that redeemed an offer.
    Wallet {
        /// Which offer.
        offer: Digest,
        /// What the wallet calls itself.
        client: Option<String>,
    },
}

/// A token on its way to whom it was granted.
pub struct Granted {
    /// What to present.
    pub token: SecretString,
    /// Whether a DPoP proof must come with it.
    pub bound: bool,
    /// What it is good for, of a machine client.
    pub scopes: Option<Scopes>,
}

impl OpenId {
    /// A token for a machine client, with the scopes it asks for or else with all of its own.
    pub async fn grant_client(
        &self,
        id: &str,
        secret: &SecretString,
        wanted: Option<&str>,
    ) -> Result<Granted, Denied> {
        let known = match id.parse::<ClientId>() {
            Ok(id) => self.store.client(id).await?,
            Err(_) => None,
        };
        let presented = secret_digest(secret.expose_secret());
        let client = known
            .filter(|client| client.secret == presented && client.revoked.is_none())
            .ok_or(Refused::new(
                Code::InvalidClient,
                "no client has this id and secret",
            ))?;
        let too_much = Refused::new(Code::InvalidScope, "the client does not have these scopes");
        let scopes = match wanted {
            Some(wanted) => wanted.parse::<Scopes>().map_err(|_| too_much)?,
            None => client.scopes.clone(),
        };
        if scopes.is_empty() || !scopes.within(&client.scopes) {
            return Err(too_much.into());
        }
        let token = random_secret(&*self.entropy);
        self.store
            .record_token(&TokenRecord {
                token: token_digest(&token),
                holder: TokenHolder::Client(client.id, scopes.clone()),
                jkt: None,
                expires: self.clock.now().plus(TOKEN_SECONDS),
            })
            .await?;
        Ok(Granted {
            token,
            bound: false,
            scopes: Some(scopes),
        })
    }

    /// A token for a wallet that has an offer's code, and wants these of its configurations by name. The
    /// code is spent in the transaction that makes the token.
    ///
    /// Who redeems it a second time has learnt a secret, or the first one has: then nobody's token stays
    /// good (RFC 6749 section 4.1.2, of authorization codes, holds for these as well).
    pub async fn grant_wallet(
        &self,
        code: &SecretString,
        tx_code: Option<&SecretString>,
        client: Option<String>,
        dpop: Option<Unspent>,
        wanted: &[&str],
    ) -> Result<Granted, Denied> {
        let code = code.expose_secret();
        let attempt = Attempt {
            offer: offer_digest(code),
            tx_code: tx_code.map(|tx_code| tx_code_digest(code, tx_code.expose_secret())),
            client,
        };
        // Who guesses makes nothing be written.
        let offer = self.store.offer(attempt.offer).await?;
        let offer = offer.ok_or(Refused::from(NotRedeemed::Gone))?;
        let offered: Vec<String> = offer
            .configurations
            .iter()
            .map(ToString::to_string)
            .collect();
        if !wanted
            .iter()
            .all(|id| offered.iter().any(|offered| offered == id))
        {
            return Err(Refused::new(
                Code::InvalidRequest,
                "authorization_details names what was not offered",
            )
            .into());
        }
        let jkt = self.spend_dpop(dpop).await?;
        let bound = jkt.is_some();
        let (token, now) = (random_secret(&*self.entropy), self.clock.now());
        let record = TokenRecord {
            token: token_digest(&token),
            holder: TokenHolder::Wallet {
                offer: attempt.offer,
                client: attempt.client.clone(),
            },
            jkt,
            expires: now.plus(TOKEN_SECONDS),
        };
        self.store
            .redeem_offer(&attempt, &record, now)
            .await?
            .map_err(Refused::from)?;
        Ok(Granted {
            token,
            bound,
            scopes: None,
        })
    }

    /// What a presented token is good for, if it is still good.
    pub async fn token(&self, presented: &SecretString) -> Result<Option<TokenRecord>> {
        let known = self.store.token(token_digest(presented)).await?;
        Ok(known.filter(|token| self.clock.now() < token.expires))
    }

    /// A fresh nonce for DPoP proofs.
    pub fn dpop_nonce(&self) -> String {
        let until = self.clock.now().plus(NONCE_SECONDS);
        self.protocol.nonce(NonceUse::Dpop, until, &*self.entropy)
    }

    /// Whether a DPoP proof has a nonce of this service's that is still good.
    pub fn has_fresh_nonce(&self, proof: &Unspent) -> bool {
        let now = self.clock.now();
        let live = |nonce: &str| self.protocol.open(NonceUse::Dpop, nonce, now);
        proof.nonce().and_then(live).is_some()
    }

    /// Takes a DPoP proof once. Returns the thumbprint of its key.
    pub async fn spend_dpop(&self, proof: Option<Unspent>) -> Result<Option<String>, Denied> {
        let Some(proof) = proof else { return Ok(None) };
        let name = Nonce::from_bytes(*proof.id().as_bytes());
        let first = self.store.spend_proof(name, proof.until()).await?;
        Ok(Some(proof.spend(first)?.thumbprint()))
    }
}

impl From<NotRedeemed> for Refused {
    fn from(reason: NotRedeemed) -> Self {
        match reason {
            NotRedeemed::Gone | NotRedeemed::Twice => Self::new(
                Code::InvalidGrant,
                "the code is unknown, used or over: ask for a new offer",
            ),
            NotRedeemed::Stranger => {
                Self::new(Code::InvalidGrant, "the offer is for another client_id")
            }
            NotRedeemed::TxCodeWrong => Self::new(
                Code::InvalidGrant,
                "not the transaction code: five wrong ones end the offer",
            ),
            NotRedeemed::Anonymous => {
                Self::new(Code::InvalidClient, "the offer is for one client_id")
            }
            NotRedeemed::TxCodeMissing => {
                Self::new(Code::InvalidRequest, "the offer needs a tx_code")
            }
            NotRedeemed::TxCodeUnexpected => {
                Self::new(Code::InvalidRequest, "the offer has no tx_code")
            }
        }
    }
}

/// Digest of an access token, as it is kept.
pub(super) fn token_digest(token: &SecretString) -> Digest {
    Digest::of(
        "blindprint/access-token/v1",
        token.expose_secret().as_bytes(),
    )
}
