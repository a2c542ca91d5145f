use std::collections::BTreeMap;

use blindprint_core::Entropy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Code, Error, Result, json,
    jwe::{self, DecryptionKey, Encryption, Parties, RecipientKey, SealedJwe},
};

/// What is asked for: exactly one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A dataset from the token response: `credential_identifier`.
    Identifier(String),
    /// A configuration from the metadata: `credential_configuration_id`.
    Configuration(String),
}

/// How the answer is encrypted: `credential_response_encryption`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseEncryption {
    /// To whom.
    pub key: RecipientKey,
    /// How.
    pub enc: Encryption,
}

/// A request for credentials: OID4VCI section 8.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRequest {
    /// Of what.
    pub wanted: Wanted,
    /// Key proofs of type `jwt`, one a credential; not yet verified.
    pub proofs: Vec<String>,
    /// How the answer is encrypted, if at all.
    pub response_encryption: Option<ResponseEncryption>,
}

#[derive(Deserialize)]
struct RequestWire {
    credential_identifier: Option<String>,
    credential_configuration_id: Option<String>,
    proofs: Option<BTreeMap<String, Value>>,
    proof: Option<ProofWire>,
    credential_response_encryption: Option<Value>,
}

/// The one proof of wallets that follow a draft.
#[derive(Deserialize)]
struct ProofWire {
    proof_type: String,
    jwt: Option<String>,
}

impl CredentialRequest {
    /// Longest request that is read, in bytes.
    pub const MAX_LEN: usize = 256 << 10;

    /// Reads a request, after decryption if it came encrypted.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let wire: RequestWire = json::object(json, Self::MAX_LEN)
            .map_err(|_| invalid("the credential request cannot be read"))?;
        let wanted = match (wire.credential_identifier, wire.credential_configuration_id) {
            (Some(id), None) => Wanted::Identifier(id),
            (None, Some(id)) => Wanted::Configuration(id),
            _ => {
                return Err(invalid(
                    "exactly one of credential_identifier and credential_configuration_id is needed",
                ));
            }
        };
        let proofs = match (wire.proofs, wire.proof) {
            (None, None) => Vec::new(),
            (Some(proofs), None) => jwts(proofs)?,
            (
                None,
                Some(ProofWire {
                    proof_type,
                    jwt: Some(jwt),
                }),
            ) if proof_type == "jwt" => {
                vec![jwt]
            }
            (None, Some(_)) => return Err(proof_type_unsupported()),
            (Some(_), Some(_)) => return Err(invalid("both proof and proofs are there")),
        };
        let response_encryption = wire
            .credential_response_encryption
            .map(|wire| ResponseEncryption::from_wire(&wire))
            .transpose()?;
        Ok(Self {
            wanted,
            proofs,
            response_encryption,
        })
    }

    /// The request's JSON.
    pub fn to_json(&self) -> Value {
        let mut request = match &self.wanted {
            Wanted::Identifier(id) => json!({ "credential_identifier": id }),
            Wanted::Configuration(id) => json!({ "credential_configuration_id": id }),
        };
        if !self.proofs.is_empty() {
            request["proofs"] = json!({ "jwt": self.proofs });
        }
        if let Some(encryption) = &self.response_encryption {
            request["credential_response_encryption"] = encryption.to_wire();
        }
        request
    }
}

fn jwts(proofs: BTreeMap<String, Value>) -> Result<Vec<String>> {
    let mut proofs = proofs.into_iter();
    let (Some((proof_type, proofs)), None) = (proofs.next(), proofs.next()) else {
        return Err(Error::new(
            Code::InvalidProof,
            "proofs holds not exactly one proof type",
        ));
    };
    if proof_type != "jwt" {
        return Err(proof_type_unsupported());
    }
    let proofs: Vec<String> = serde_json::from_value(proofs)
        .map_err(|_| Error::new(Code::InvalidProof, "proofs.jwt is not a list of texts"))?;
    if proofs.is_empty() {
        return Err(Error::new(Code::InvalidProof, "proofs.jwt is empty"));
    }
    Ok(proofs)
}

const fn proof_type_unsupported() -> Error {
    Error::new(Code::InvalidProof, "the only proof type here is jwt")
}

impl ResponseEncryption {
    fn from_wire(wire: &Value) -> Result<Self> {
        let unfit = |reason| Error::new(Code::InvalidEncryptionParameters, reason);
        let wire = wire
            .as_object()
            .ok_or(unfit("credential_response_encryption is not an object"))?;
        if wire.contains_key("zip") {
            return Err(unfit("compression is not supported"));
        }
        // Drafts name the algorithm beside the key.
        if wire.get("alg").is_some_and(|alg| alg != jwe::ALG) {
            return Err(unfit("the key management algorithm is not ECDH-ES"));
        }
        let key = wire.get("jwk").ok_or(unfit("there is no jwk"))?;
        let enc = wire
            .get("enc")
            .and_then(Value::as_str)
            .and_then(Encryption::from_name)
            .ok_or(unfit("enc is neither A128GCM nor A256GCM"))?;
        Ok(Self {
            key: RecipientKey::from_jwk(key)?,
            enc,
        })
    }

    fn to_wire(&self) -> Value {
        json!({ "jwk": self.key.to_jwk(), "enc": self.enc.name() })
    }
}

/// What the credential endpoint and the deferred one answer: OID4VCI sections 8.3 and 9.2.
#[derive(Debug, Clone, PartialEq)]
pub enum CredentialResponse {
    /// 200: here they are.
    Issued {
        /// In the order of the proofs.
        credentials: Vec<Value>,
        /// Names this issuance in a [`Notification`].
        notification_id: Option<String>,
    },
    /// 202: come again.
    Deferred {
        /// Names this issuance in a [`DeferredRequest`].
        transaction_id: String,
        /// In seconds, above 0.
        interval: u64,
    },
}

#[derive(Deserialize)]
struct ResponseWire {
    credentials: Option<Vec<IssuedWire>>,
    notification_id: Option<String>,
    transaction_id: Option<String>,
    interval: Option<u64>,
}

#[derive(Deserialize)]
struct IssuedWire {
    credential: Value,
}

impl CredentialResponse {
    /// Longest answer that is read, in bytes.
    pub const MAX_LEN: usize = 4 << 20;

    /// Reads an answer in the clear.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let unfit = |reason| Error::new(Code::ServerError, reason);
        let wire: ResponseWire = json::object(json, Self::MAX_LEN)
            .map_err(|_| unfit("the credential response cannot be read"))?;
        match wire {
            ResponseWire {
                credentials: Some(issued),
                notification_id,
                transaction_id: None,
                interval: None,
            } if !issued.is_empty()
                && issued
                    .iter()
                    .all(|one| one.credential.is_string() || one.credential.is_object()) =>
            {
                Ok(Self::Issued {
                    credentials: issued.into_iter().map(|one| one.credential).collect(),
                    notification_id,
                })
            }
            ResponseWire {
                credentials: None,
                notification_id: None,
                transaction_id: Some(transaction_id),
                interval: Some(interval),
            } if interval > 0 => Ok(Self::Deferred {
                transaction_id,
                interval,
            }),
            _ => Err(unfit(
                "the credential response holds neither credentials nor a transaction",
            )),
        }
    }

    /// Reads an answer that is encrypted to `key`.
    pub fn open(jwe: &str, key: &DecryptionKey) -> Result<Self> {
        // Base64 makes four bytes of three; header and tag are short.
        let opened = SealedJwe::parse(jwe, Self::MAX_LEN / 3 * 4 + 8192)
            .and_then(|jwe| jwe.open(key))
            .map_err(|error| error.under(Code::ServerError))?;
        Self::parse(&opened)
    }

    /// The answer's JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Issued {
                credentials,
                notification_id,
            } => {
                let credentials: Vec<Value> = credentials
                    .iter()
                    .map(|credential| json!({ "credential": credential }))
                    .collect();
                let mut response = json!({ "credentials": credentials });
                if let Some(id) = notification_id {
                    response["notification_id"] = id.as_str().into();
                }
                response
            }
            Self::Deferred {
                transaction_id,
                interval,
            } => json!({ "transaction_id": transaction_id, "interval": interval }),
        }
    }

    /// The answer as `application/jwt`, for who asked for it encrypted.
    pub fn seal(&self, to: &ResponseEncryption, entropy: &dyn Entropy) -> String {
        let json = self.to_json().to_string();
        jwe::encrypt(
            json.as_bytes(),
            &to.key,
            to.enc,
            Parties::default(),
            entropy,
        )
    }
}

/// A later try: OID4VCI section 9.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeferredRequest {
    /// From the [`CredentialResponse::Deferred`].
    pub transaction_id: String,
    /// How the answer is encrypted, whatever the first request said.
    pub response_encryption: Option<ResponseEncryption>,
}

impl DeferredRequest {
    /// Longest request that is read, in bytes.
    pub const MAX_LEN: usize = 16 << 10;

    /// Reads a request, after decryption if it came encrypted.
    pub fn parse(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Wire {
            transaction_id: String,
            credential_response_encryption: Option<Value>,
        }
        let wire: Wire = json::object(json, Self::MAX_LEN)
            .map_err(|_| invalid("the deferred credential request cannot be read"))?;
        Ok(Self {
            transaction_id: wire.transaction_id,
            response_encryption: wire
                .credential_response_encryption
                .map(|wire| ResponseEncryption::from_wire(&wire))
                .transpose()?,
        })
    }

    /// The request's JSON.
    pub fn to_json(&self) -> Value {
        let mut request = json!({ "transaction_id": self.transaction_id });
        if let Some(encryption) = &self.response_encryption {
            request["credential_response_encryption"] = encryption.to_wire();
        }
        request
    }
}

/// A challenge for key proofs: OID4VCI section 7.2. Answered with `Cache-Control: no-store`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// The challenge.
    pub c_nonce: String,
}

impl NonceResponse {
    /// Reads an answer.
    pub fn parse(json: &[u8]) -> Result<Self> {
        json::object(json, 8192)
            .map_err(|_| Error::new(Code::ServerError, "the nonce response cannot be read"))
    }
}

/// What became of credentials in the wallet: OID4VCI section 11.1. Saying the same again is no
/// error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// From the [`CredentialResponse::Issued`].
    pub notification_id: String,
    /// What became of them.
    pub event: NotificationEvent,
    /// For developers. Of a stranger's making: print it with care.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event_description: Option<String>,
}

/// What became of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// Stored.
    CredentialAccepted,
    /// Not stored, or not all of them.
    CredentialFailure,
    /// The person did not want them.
    CredentialDeleted,
}

impl Notification {
    /// Longest notification that is read, in bytes.
    pub const MAX_LEN: usize = 8192;

    /// Reads a notification.
    pub fn parse(json: &[u8]) -> Result<Self> {
        json::object(json, Self::MAX_LEN).map_err(|_| {
            Error::new(
                Code::InvalidNotificationRequest,
                "the notification cannot be read",
            )
        })
    }
}

const fn invalid(reason: &'static str) -> Error {
    Error::new(Code::InvalidCredentialRequest, reason)
}

#[cfg(test)]
mod tests;
