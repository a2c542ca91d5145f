//! Access tokens: opaque, short-lived, kept as digests.

use blindprint_core::{Digest, UnixTime};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Service,
    clients::{ClientId, Scopes, random_secret, secret_digest},
};
use crate::Result;

/// How long an access token is good for, in seconds.
pub const TOKEN_SECONDS: i64 = 600;

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
    /// The wallet that redeemed this offer.
    Wallet(Digest),
}

/// Why a machine client gets no token (RFC 6749 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGranted {
    /// Unknown, revoked, or not its secret. Which of them is not told.
    Client,
    /// It may do none of what it asks for, or not all of it.
    Scope,
}

impl Service {
    /// A token for a machine client, with the scopes it asks for or else with all of its own.
    pub async fn client_token(
        &self,
        id: &str,
        secret: &SecretString,
        wanted: Option<&Scopes>,
        jkt: Option<String>,
    ) -> Result<Result<(SecretString, Scopes), NotGranted>> {
        let known = match id.parse::<ClientId>() {
            Ok(id) => self.store.client(id).await?,
            Err(_) => None,
        };
        let presented = secret_digest(secret.expose_secret());
        let genuine = |client: &super::clients::ClientRecord| {
            client.secret == presented && client.revoked.is_none()
        };
        let Some(client) = known.filter(genuine) else {
            return Ok(Err(NotGranted::Client));
        };
        let scopes = wanted.unwrap_or(&client.scopes);
        if scopes.is_empty() || !scopes.within(&client.scopes) {
            return Ok(Err(NotGranted::Scope));
        }
        let token = random_secret(&*self.entropy);
        self.store
            .record_token(&TokenRecord {
                token: token_digest(&token),
                holder: TokenHolder::Client(client.id, scopes.clone()),
                jkt,
                expires: self.clock.now().plus(TOKEN_SECONDS),
            })
            .await?;
        Ok(Ok((token, scopes.clone())))
    }

    /// What a presented token is good for, if it is still good.
    pub async fn token(&self, presented: &SecretString) -> Result<Option<TokenRecord>> {
        let known = self.store.token(token_digest(presented)).await?;
        Ok(known.filter(|token| self.clock.now() < token.expires))
    }
}

/// Digest of an access token, as it is kept.
pub(super) fn token_digest(token: &SecretString) -> Digest {
    Digest::of(
        "blindprint/access-token/v1",
        token.expose_secret().as_bytes(),
    )
}
