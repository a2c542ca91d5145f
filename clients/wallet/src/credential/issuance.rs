//! The calls of one issuance, after the token: nonce, credential, deferred credential, notification.

use std::time::Duration;

use blindprint_did::SigningKey;
use blindprint_openid4vc::{
    Code,
    jwe::{self, DecryptionKey, Encryption, Parties},
    vci::{
        CredentialRequest, CredentialResponse, DeferredRequest, IssuerMetadata, NonceResponse,
        Notification, NotificationEvent, ResponseEncryption, TokenResponse, Wanted, prove_key,
    },
};
use serde_json::Value;

use super::exchange::{Post, Session, host_of, unusable};
use crate::{Error, Result, Wallet, secret::Secret};

/// Longest wait for an issuer that defers, in seconds, and how often it is asked.
const LONGEST_DEFERRAL: u64 = 30;
const DEFERRALS: u32 = 10;

/// What is needed for each credential of one offer.
pub(super) struct Issuance<'a> {
    pub(super) session: Session,
    pub(super) metadata: &'a IssuerMetadata,
    pub(super) token: TokenResponse,
    pub(super) client_id: Option<&'a str>,
    pub(super) copies: usize,
}

/// A key that a credential will be bound to.
pub(super) struct Holder {
    pub(super) secret: Secret,
    pub(super) key: SigningKey,
}

impl Issuance<'_> {
    /// The credentials, once more if the nonce had gone stale.
    pub(super) async fn request(
        &mut self,
        wallet: &Wallet,
        id: &str,
        holders: &[Holder],
    ) -> Result<(Vec<Value>, Option<String>)> {
        match self.request_once(wallet, id, holders).await {
            Err(Error::Declined { code, .. }) if code == Code::InvalidNonce.as_str() => {
                self.request_once(wallet, id, holders).await
            }
            answer => answer,
        }
    }

    async fn request_once(
        &mut self,
        wallet: &Wallet,
        id: &str,
        holders: &[Holder],
    ) -> Result<(Vec<Value>, Option<String>)> {
        let nonce = self.nonce().await?;
        let proofs = holders
            .iter()
            .map(|holder| {
                let issuer = &self.metadata.credential_issuer;
                prove_key(
                    &holder.key,
                    issuer,
                    nonce.as_deref(),
                    self.client_id,
                    wallet.now(),
                )
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(unusable)?;
        let named = self
            .token
            .authorization_details
            .iter()
            .find(|detail| detail.credential_configuration_id.as_deref() == Some(id))
            .and_then(|detail| detail.credential_identifiers.first());
        let (to, key) = self.response_encryption(wallet)?.unzip();
        let request = CredentialRequest {
            wanted: match named {
                Some(identifier) => Wanted::Identifier(identifier.clone()),
                None => Wanted::Configuration(id.to_owned()),
            },
            proofs,
            response_encryption: to.clone(),
        };
        let url = &self.metadata.credential_endpoint;
        let mut response = self
            .ask(wallet, url, &request.to_json(), key.as_ref())
            .await?;
        for _ in 0..DEFERRALS {
            let (transaction_id, interval) = match response {
                CredentialResponse::Issued {
                    credentials,
                    notification_id,
                } => return Ok((credentials, notification_id)),
                CredentialResponse::Deferred {
                    transaction_id,
                    interval,
                } => (transaction_id, interval),
            };
            let url = self.metadata.deferred_credential_endpoint.as_deref();
            let Some(url) = url.filter(|_| interval <= LONGEST_DEFERRAL) else {
                break;
            };
            tokio::time::sleep(Duration::from_secs(interval)).await;
            let request = DeferredRequest {
                transaction_id,
                response_encryption: to.clone(),
            };
            response = self
                .ask(wallet, url, &request.to_json(), key.as_ref())
                .await?;
        }
        Err(Error::Declined {
            who: host_of(url),
            code: "deferred".to_owned(),
            detail: "the credential takes longer than this wallet waits: ask for another offer"
                .to_owned(),
        })
    }

    /// Posts one request, encrypted if the issuer has a key for that, and reads the answer.
    async fn ask(
        &mut self,
        wallet: &Wallet,
        url: &str,
        request: &Value,
        key: Option<&DecryptionKey>,
    ) -> Result<CredentialResponse> {
        let clear = request.to_string();
        let sealed = match &self.metadata.credential_request_encryption {
            None => None,
            Some(support) => {
                let enc =
                    Encryption::best_of(support.enc_values_supported.iter().map(String::as_str));
                match (support.jwks.recipient(), enc) {
                    (Some(issuer), Some(enc)) => Some(jwe::encrypt(
                        clear.as_bytes(),
                        &issuer,
                        enc,
                        Parties::default(),
                        wallet.entropy(),
                    )),
                    _ if support.encryption_required => return Err(encryption_impossible()),
                    _ => None,
                }
            }
        };
        let (content_type, body) = match sealed {
            Some(jwe) => ("application/jwt", jwe.into_bytes()),
            None => ("application/json", clear.into_bytes()),
        };
        let post = Post {
            url,
            content_type,
            accept: if key.is_some() {
                "application/jwt"
            } else {
                "application/json"
            },
            body,
        };
        let response = self.session.post(&post).await?;
        match key {
            None => CredentialResponse::parse(&response.body),
            Some(key) => {
                // What was to come encrypted and did not, may have been changed on the way.
                let jwe = std::str::from_utf8(&response.body).unwrap_or_default();
                CredentialResponse::open(jwe.trim(), key)
            }
        }
        .map_err(unusable)
    }

    fn response_encryption(
        &self,
        wallet: &Wallet,
    ) -> Result<Option<(ResponseEncryption, DecryptionKey)>> {
        let Some(support) = &self.metadata.credential_response_encryption else {
            return Ok(None);
        };
        let agrees = support
            .alg_values_supported
            .iter()
            .any(|alg| alg == jwe::ALG);
        let enc = Encryption::best_of(support.enc_values_supported.iter().map(String::as_str));
        match enc.filter(|_| agrees) {
            Some(enc) => {
                let key = DecryptionKey::generate(wallet.entropy());
                let to = ResponseEncryption {
                    key: key.public(),
                    enc,
                };
                Ok(Some((to, key)))
            }
            None if support.encryption_required => Err(encryption_impossible()),
            None => Ok(None),
        }
    }

    async fn nonce(&mut self) -> Result<Option<String>> {
        let Some(url) = &self.metadata.nonce_endpoint else {
            return Ok(None);
        };
        let answer = self
            .session
            .post_openly(&Post {
                url,
                content_type: "application/json",
                accept: "application/json",
                body: Vec::new(),
            })
            .await?;
        let nonce = NonceResponse::parse(&answer.body).map_err(unusable)?;
        Ok(Some(nonce.c_nonce))
    }

    /// Tells the issuer, if it wants to know. That it does not hear it changes nothing here.
    pub(super) async fn notify(
        &mut self,
        notification_id: Option<String>,
        event: NotificationEvent,
    ) {
        let endpoint = self.metadata.notification_endpoint.as_deref();
        let (Some(url), Some(notification_id)) = (endpoint, notification_id) else {
            return;
        };
        let notification = Notification {
            notification_id,
            event,
            event_description: None,
        };
        let Ok(body) = serde_json::to_vec(&notification) else {
            return;
        };
        let _ = self
            .session
            .post(&Post {
                url,
                content_type: "application/json",
                accept: "application/json",
                body,
            })
            .await;
    }
}

fn encryption_impossible() -> Error {
    Error::Unusable("the issuer asks for encryption that this wallet does not do".to_owned())
}
