//! What a wallet gets for an offer that it redeemed.

use blindprint_core::{Digest, problem::ProblemCode};
use blindprint_did::KeyType;
use blindprint_openid4vc::{
    Code, Error as Refused,
    vci::{Client, CredentialRequest, CredentialResponse, ProofRules, Wanted, verify_proofs},
};
use secrecy::ExposeSecret as _;

use super::{
    Denied, OpenId,
    clients::random_secret,
    configurations::Configuration,
    issuance::HolderKey,
    offers::{OfferRecord, Redemption},
    protocol_key::{LiveNonce, NonceUse},
    tokens::NONCE_SECONDS,
};
use crate::{Error, Result};

impl OpenId {
    /// A fresh nonce for key proofs.
    pub fn key_proof_nonce(&self) -> String {
        let until = self.clock.now().plus(NONCE_SECONDS);
        self.protocol
            .nonce(NonceUse::KeyProof, until, &*self.entropy)
    }

    /// Credentials of one configuration, one for each key whose proof holds; none if any does not.
    ///
    /// What they stand on is looked at again. What was issued is on record before it is returned; a wallet that
    /// does not receive it asks its owner for another offer.
    pub async fn redeem(
        &self,
        offer: Digest,
        client: Option<&str>,
        request: &CredentialRequest,
    ) -> Result<CredentialResponse, Denied> {
        let known = self.store.offer(offer).await?;
        let offer = known.ok_or(denied("the offer is over"))?;
        let configuration = wanted(&request.wanted, &offer)?;
        let (holders, nonces) = self.prove(client, request)?;
        // Two requests at once must not both find that nothing was issued yet.
        let _held = self.redeeming.hold(&offer.offer).await;
        let issued = self.store.redemptions(offer.offer).await?;
        if issued
            .iter()
            .any(|redemption| redemption.configuration == configuration)
        {
            return Err(denied("the offer gave this credential already").into());
        }
        for nonce in nonces {
            if !self.store.spend_proof(nonce.name, nonce.until).await? {
                return Err(stale().into());
            }
        }
        let basis = self
            .credentials
            .basis(&offer.subject, offer.basis)
            .await
            .map_err(groundless)?;
        let issued = self
            .credentials
            .issue(&basis, configuration.format, &holders)
            .await
            .map_err(groundless)?;
        let notification = random_secret(&*self.entropy).expose_secret().to_owned();
        self.store
            .record_redemption(&Redemption {
                offer: offer.offer,
                configuration,
                notification: notification.clone(),
                issuance: issued.issuance,
                at: self.clock.now(),
            })
            .await?;
        Ok(CredentialResponse::Issued {
            credentials: issued.credentials,
            notification_id: Some(notification),
        })
    }

    /// Remembers what became of what an offer was redeemed for; `false` if there is nothing of that name.
    pub async fn notify(&self, offer: Digest, notification: &str, event: &str) -> Result<bool> {
        self.store.notify(offer, notification, event).await
    }

    /// The keys that a request proves, and the nonces to be spent for them.
    fn prove(
        &self,
        client: Option<&str>,
        request: &CredentialRequest,
    ) -> Result<(Vec<HolderKey>, Vec<LiveNonce>), Denied> {
        let now = self.clock.now();
        let rules = ProofRules {
            issuer: self.id().as_str(),
            key_types: &[KeyType::Ed25519, KeyType::P256],
            client: client.map_or(Client::Anonymous, Client::Named),
            batch_size: self.terms.batch_size,
            now,
        };
        let proven = verify_proofs(&request.proofs, &rules)?;
        let live: Option<Vec<_>> = proven
            .nonces()
            .iter()
            .map(|nonce| self.protocol.open(NonceUse::KeyProof, nonce, now))
            .collect();
        let nonces = live.ok_or(stale())?;
        let holders = proven.accept(true)?;
        let holders = holders.iter().map(|holder| HolderKey {
            key: *holder.public(),
        });
        Ok((holders.collect(), nonces))
    }
}

/// The configuration that is asked for, if the offer has it.
fn wanted(wanted: &Wanted, offer: &OfferRecord) -> Result<Configuration, Refused> {
    let offered = |id: &str| {
        let mut configurations = offer.configurations.iter();
        configurations
            .find(|configuration| configuration.to_string() == id)
            .copied()
    };
    match wanted {
        Wanted::Identifier(id) => offered(id).ok_or(Refused::new(
            Code::UnknownCredentialIdentifier,
            "the token response named no such credential_identifier",
        )),
        Wanted::Configuration(id) => offered(id).ok_or_else(|| {
            if id.parse::<Configuration>().is_ok() {
                denied("the offer does not have this configuration")
            } else {
                Refused::new(
                    Code::UnknownCredentialConfiguration,
                    "the metadata names no such configuration",
                )
            }
        }),
    }
}

const fn denied(reason: &'static str) -> Refused {
    Refused::new(Code::CredentialRequestDenied, reason)
}

const fn stale() -> Refused {
    Refused::new(
        Code::InvalidNonce,
        "fetch another nonce and prove the keys with it",
    )
}

/// What a credential would stand on may be gone since it was offered.
fn groundless(error: Error) -> Denied {
    if error.code() == ProblemCode::NoBasis {
        denied("what the credential would say is not true any more").into()
    } else {
        error.into()
    }
}
