//! Receiving credentials by OID4VCI with a pre-authorised code: with DPoP where the issuer does it,
//! encrypted where it can.

use std::sync::Arc;

use blindprint_core::wire::{CredentialBasis, CredentialOffer, OfferCredential};
use blindprint_credentials::{CredentialChecks, VerifiedCredential};
use blindprint_did::{KeyType, SigningKey};
use blindprint_openid4vc::{
    Format, dpop,
    vci::{
        Algorithm, AuthorizationServerMetadata, CredentialConfiguration, Display, Grant,
        IssuerMetadata, NotificationEvent, Offer, OfferLink, PreAuthorizedGrant, TokenRequest,
        TokenResponse, TxCode, authorization_server_metadata_url, issuer_metadata_url,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{
    CredentialView,
    believe::Believer,
    exchange::{Post, Session, unusable, unverified},
    issuance::{Holder, Issuance},
    record::{Copy, CredentialRecord},
};
use crate::{Error, Result, Wallet, client::printable, secret::Secret};

/// What this wallet calls itself to servers that want a `client_id`.
const CLIENT_ID: &str = "blindprint-wallet";
/// Copies that are asked for, unless told otherwise.
const COPIES: usize = 4;
/// Most copies of one credential.
const MOST_COPIES: usize = 64;

/// How credentials are received.
#[derive(Debug, Clone, Default)]
pub struct ReceiveOptions {
    /// Copies of each, each with a key of its own; a few if `None`, and never more than the issuer
    /// gives at once.
    pub copies: Option<usize>,
    /// Of what was offered, by configuration id; all if empty.
    pub configurations: Vec<String>,
}

/// An offer that was read, and what its issuer says of itself. Nothing is received yet.
pub struct PendingOffer {
    offer: Offer,
    metadata: IssuerMetadata,
}

/// One credential on offer, for the person to look at. Names are the issuer's own words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OfferedCredential {
    /// Its configuration.
    pub configuration: String,
    /// Its name.
    pub name: Option<String>,
    /// Its format.
    pub format: String,
}

impl PendingOffer {
    /// Who offers: a URL. Everybody can write an offer, so the person should know this issuer.
    pub fn issuer(&self) -> &str {
        &self.metadata.credential_issuer
    }

    /// What the issuer calls itself.
    pub fn issuer_name(&self) -> Option<String> {
        name_of(&self.metadata.display)
    }

    /// What is offered.
    pub fn credentials(&self) -> Vec<OfferedCredential> {
        self.offer
            .credential_configuration_ids
            .iter()
            .filter_map(|id| {
                let configuration = self.metadata.credential_configurations_supported.get(id)?;
                Some(OfferedCredential {
                    configuration: id.clone(),
                    name: configuration_name(configuration),
                    format: configuration.format.as_str().to_owned(),
                })
            })
            .collect()
    }

    /// What is said of the transaction code that has to be typed in, if one has to.
    pub fn tx_code(&self) -> Option<&TxCode> {
        self.offer.pre_authorized()?.tx_code.as_ref()
    }
}

impl Wallet {
    /// Has the wallet's own service offer credentials on what it knows of this subject.
    pub async fn offer_credential(
        &self,
        configurations: Vec<String>,
        basis: CredentialBasis,
    ) -> Result<CredentialOffer> {
        let wanted = OfferCredential {
            configurations,
            basis,
            tx_code: None,
            client_id: None,
        };
        self.client.offer_credential(self.signer(), &wanted).await
    }

    /// Reads an offer's link, and what its issuer says of itself.
    pub async fn read_offer(&self, link: &str) -> Result<PendingOffer> {
        let session = self.session()?;
        let offer = match OfferLink::parse(link).map_err(unusable)? {
            OfferLink::Value(offer) => offer,
            OfferLink::Reference(url) => {
                Offer::parse(&session.get(&url, "application/json").await?).map_err(unusable)?
            }
        };
        let issuer = &offer.credential_issuer;
        let url = issuer_metadata_url(issuer).map_err(unusable)?;
        let metadata = session.get(&url, "application/json").await?;
        let metadata = IssuerMetadata::parse(&metadata, issuer).map_err(unusable)?;
        let known = &metadata.credential_configurations_supported;
        let unknown = |id: &String| !known.contains_key(id);
        if offer.credential_configuration_ids.iter().any(unknown) {
            return Err(Error::Unusable(
                "the offer names a credential that its issuer does not describe".to_owned(),
            ));
        }
        Ok(PendingOffer { offer, metadata })
    }

    /// Receives what is on offer. The person must have seen who offers what, and agreed. What is
    /// received is verified, bound to fresh keys, and in the key file when this returns.
    pub async fn receive_credentials(
        &mut self,
        offer: &PendingOffer,
        tx_code: Option<SecretString>,
        options: &ReceiveOptions,
    ) -> Result<Vec<CredentialView>> {
        let PendingOffer { offer, metadata } = offer;
        let wanted: Vec<&String> = offer
            .credential_configuration_ids
            .iter()
            .filter(|id| options.configurations.is_empty() || options.configurations.contains(id))
            .collect();
        if wanted.is_empty() || !options.configurations.iter().all(|id| wanted.contains(&id)) {
            return Err(Error::Invalid("that is not on offer".to_owned()));
        }
        let grant = offer.pre_authorized().ok_or_else(|| {
            Error::Unusable("the offer asks for a login, which this wallet does not do".to_owned())
        })?;
        if grant.tx_code.is_some() != tx_code.is_some() {
            return Err(Error::Invalid(if tx_code.is_some() {
                "this offer needs no transaction code".to_owned()
            } else {
                "this offer needs the transaction code that came another way".to_owned()
            }));
        }
        let mut issuance = self.redeem(metadata, grant, tx_code, options).await?;
        let mut received = Vec::new();
        for configuration in wanted {
            let id = self.receive_one(&mut issuance, configuration).await?;
            received.push(id);
        }
        Ok(received)
    }

    /// Exchanges the code for a token.
    async fn redeem<'a>(
        &self,
        metadata: &'a IssuerMetadata,
        grant: &PreAuthorizedGrant,
        tx_code: Option<SecretString>,
        options: &ReceiveOptions,
    ) -> Result<Issuance<'a>> {
        let mut session = self.session()?;
        let server = metadata
            .authorization_server(grant.authorization_server.as_deref())
            .map_err(unusable)?;
        let url = authorization_server_metadata_url(server).map_err(unusable)?;
        let about = session.get(&url, "application/json").await?;
        let about = AuthorizationServerMetadata::parse(&about, server).map_err(unusable)?;
        let algorithms = &about.dpop_signing_alg_values_supported;
        let key_type = [KeyType::Ed25519, KeyType::P256]
            .into_iter()
            .find(|key_type| dpop::accepts(algorithms, *key_type));
        if let Some(key_type) = key_type {
            session.bind(SigningKey::generate(key_type, self.entropy()));
        }
        let client_id = (!about.anonymous_pre_authorized).then_some(CLIENT_ID);
        let request = TokenRequest {
            grant: Grant::PreAuthorized {
                code: grant.code.clone().into(),
                tx_code,
            },
            client_id: client_id.map(str::to_owned),
            client_secret: None,
            scope: None,
            authorization_details: Vec::new(),
        };
        let answer = session
            .post(&Post {
                url: about.token_endpoint.as_deref().unwrap_or_default(),
                content_type: "application/x-www-form-urlencoded",
                accept: "application/json",
                body: request.to_form().expose_secret().as_bytes().to_vec(),
            })
            .await?;
        let token = TokenResponse::parse(&answer.body).map_err(unusable)?;
        if token.is_dpop() && key_type.is_none() {
            return Err(Error::Unusable(
                "the token is bound to a key that this wallet has not shown".to_owned(),
            ));
        }
        session.authorize(token.access_token.clone().into(), token.is_dpop());
        let batch = metadata
            .batch_credential_issuance
            .map_or(1, |batch| batch.batch_size as usize);
        Ok(Issuance {
            session,
            metadata,
            token,
            client_id,
            copies: options
                .copies
                .unwrap_or(COPIES)
                .clamp(1, batch.min(MOST_COPIES)),
        })
    }

    async fn receive_one(
        &mut self,
        issuance: &mut Issuance<'_>,
        id: &str,
    ) -> Result<CredentialView> {
        let metadata = issuance.metadata;
        let configuration = &metadata.credential_configurations_supported[id];
        let holders = self.holders(configuration, issuance.copies)?;
        let (credentials, notification) = issuance.request(self, id, &holders).await?;
        let kept = self
            .keep(metadata, configuration, credentials, holders)
            .await;
        let event = if kept.is_ok() {
            NotificationEvent::CredentialAccepted
        } else {
            NotificationEvent::CredentialFailure
        };
        issuance.notify(notification, event).await;
        kept
    }

    /// Fresh keys of a type that the issuer takes.
    fn holders(
        &self,
        configuration: &CredentialConfiguration,
        copies: usize,
    ) -> Result<Vec<Holder>> {
        let unfit = |why: &str| Err(Error::Unusable(format!("the issuer {why}")));
        let Some(jwt) = configuration.proof_types_supported.get("jwt") else {
            return unfit("does not bind this credential to keys that are proven by a JWT");
        };
        if jwt.key_attestations_required.is_some() {
            return unfit("asks for attested keys, which this wallet does not have");
        }
        let names = &jwt.proof_signing_alg_values_supported;
        // Whoever verifies ES256 from the issuer perhaps verifies nothing else from the holder.
        let signed = &configuration.credential_signing_alg_values_supported;
        let key_types = if signed.contains(&Algorithm::from("ES256")) {
            [KeyType::P256, KeyType::Ed25519]
        } else {
            [KeyType::Ed25519, KeyType::P256]
        };
        let key_type = key_types
            .into_iter()
            .find(|key_type| dpop::accepts(names, *key_type));
        let Some(key_type) = key_type else {
            return unfit("takes neither EdDSA nor ES256 keys");
        };
        Ok((0..copies)
            .map(|_| {
                let key = SigningKey::generate(key_type, self.entropy());
                Holder {
                    secret: Secret::copy_from(key.to_secret().expose_secret()),
                    key,
                }
            })
            .collect())
    }

    /// Verifies what came, and writes it into the key file.
    async fn keep(
        &mut self,
        metadata: &IssuerMetadata,
        configuration: &CredentialConfiguration,
        credentials: Vec<Value>,
        holders: Vec<Holder>,
    ) -> Result<CredentialView> {
        let received_from = metadata.credential_issuer.clone();
        let believer = self.believer(&received_from)?;
        let mut holders: Vec<Option<Holder>> = holders.into_iter().map(Some).collect();
        let mut copies = Vec::new();
        let mut first = None;
        for credential in credentials {
            let verified = believe(&believer, configuration, &credential).await?;
            let holder = holders
                .iter_mut()
                .find(|holder| {
                    holder
                        .as_ref()
                        .is_some_and(|holder| is_bound(&verified, holder))
                })
                .and_then(Option::take)
                .ok_or_else(|| {
                    Error::Unusable(
                        "a credential is bound to none of the keys asked for".to_owned(),
                    )
                })?;
            copies.push(Copy {
                credential,
                key_type: holder.key.key_type(),
                key: holder.secret,
                holder: verified.holder().map(str::to_owned),
                shown: Vec::new(),
            });
            let first = first.get_or_insert_with(|| verified.clone());
            if first.issuer() != verified.issuer() || first.types() != verified.types() {
                return Err(Error::Unusable(
                    "the copies are not of one credential".to_owned(),
                ));
            }
        }
        let first =
            first.ok_or_else(|| Error::Unusable("the issuer sent no credential".to_owned()))?;
        let record = CredentialRecord {
            id: self.entropy().uuid(),
            name: configuration_name(configuration),
            received_from,
            issuer: first.issuer().to_owned(),
            types: first.types().to_vec(),
            format: configuration.format.clone(),
            received: self.now(),
            expires: first.valid_until(),
            copies,
        };
        let view = record.view()?;
        self.state.credentials.push(record);
        self.save()?;
        Ok(view)
    }

    pub(super) fn session(&self) -> Result<Session> {
        Ok(Session::new(
            self.egress()?,
            Arc::clone(&self.surroundings.clock),
            Arc::clone(&self.surroundings.entropy),
        ))
    }
}

/// Verifies one credential. Its status is looked at when its owner asks.
async fn believe(
    believer: &Believer,
    configuration: &CredentialConfiguration,
    credential: &Value,
) -> Result<VerifiedCredential> {
    use blindprint_credentials::Format as Secured;
    let verified = believer
        .credential(credential.clone(), &CredentialChecks { status: false })
        .await
        .map_err(|error| unverified(&error))?;
    let fits = match configuration.format {
        Format::LdpVc => {
            credential.is_object()
                && matches!(
                    verified.format(),
                    Secured::EddsaJcs2022 | Secured::EddsaRdfc2022
                )
        }
        Format::JwtVcJson => credential.is_string() && verified.format() == Secured::Jwt,
        Format::SdJwtVc => credential.is_string() && verified.format() == Secured::SdJwt,
        Format::Other(_) => false,
    };
    if fits {
        Ok(verified)
    } else {
        Err(Error::Unusable(
            "the credential is of another format than was offered".to_owned(),
        ))
    }
}

/// Whether a credential is this key's and nobody else's.
fn is_bound(credential: &VerifiedCredential, holder: &Holder) -> bool {
    let key = holder.key.public();
    match credential.holder_key() {
        Some(bound) => *bound == key,
        None => credential
            .holder()
            .is_some_and(|did| did == key.subject().as_str() || did == key.subject_jwk().as_str()),
    }
}

fn configuration_name(configuration: &CredentialConfiguration) -> Option<String> {
    name_of(&configuration.credential_metadata.as_ref()?.display)
}

/// The English name, or the first.
fn name_of(display: &[Display]) -> Option<String> {
    let english = display.iter().find(|display| {
        display
            .locale
            .as_deref()
            .is_some_and(|locale| locale.starts_with("en"))
    });
    let name = english.or(display.first())?.name.as_ref()?;
    Some(printable(name))
}
