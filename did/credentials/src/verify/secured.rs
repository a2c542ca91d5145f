//! VCDM 2.0 documents with either way of securing them, read but not yet believed.

use blindprint_core::UnixTime;
use blindprint_did::{
    KeyType, PublicKey,
    jwt::{UnverifiedJwt, VerifiedJwt},
};
use serde_json::{Map, Value};

use super::Format;
use crate::{Contexts, Document, Suite, VerifyError, error, graph::Graph, proof::Proof, status};

/// Claims of a JWT that are not members of the credential or presentation (VC-JOSE-COSE section
/// 3.1.3).
const REGISTERED: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce"];

/// A document and what its proof says of itself.
pub struct Secured {
    /// Without its proof.
    pub document: Document,
    pub format: Format,
    /// The DID URL of the key.
    pub method: String,
    /// `proofPurpose`; a JWT has none, its `typ` says as much.
    pub purpose: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    pub made: Option<UnixTime>,
    pub not_before: Option<UnixTime>,
    pub expires: Option<UnixTime>,
    pub challenge: Option<String>,
    pub domains: Vec<String>,
    signature: Signature,
}

enum Signature {
    Hashes {
        hashes: [u8; 64],
        signature: [u8; 64],
    },
    Token {
        token: UnverifiedJwt,
        typ: &'static str,
    },
}

impl Secured {
    /// A document with one Data Integrity proof, expanded and hashed.
    pub fn data_integrity(contexts: &Contexts, document: Document) -> Result<Self, VerifyError> {
        let (proof, document) = Proof::split(document.into_members())?;
        let hashes = proof.hashes(contexts, &document)?;
        Ok(Self {
            document: Document::within(document, status::MAX_ENCODED)?,
            format: match proof.suite {
                Suite::EddsaJcs2022 => Format::EddsaJcs2022,
                Suite::EddsaRdfc2022 => Format::EddsaRdfc2022,
            },
            method: absolute(proof.method, None)?,
            purpose: Some(proof.purpose),
            issuer: None,
            made: proof.created,
            not_before: None,
            expires: proof.expires,
            challenge: proof.challenge,
            domains: proof.domains,
            signature: Signature::Hashes {
                hashes,
                signature: proof.signature,
            },
        })
    }

    /// A credential as `vc+jwt`.
    pub fn credential_jwt(contexts: &Contexts, token: &str) -> Result<Self, VerifyError> {
        let secured = Self::jwt(contexts, token, "vc+jwt", "issuer")?;
        let claims = secured.claims();
        let repeats = |claim: &str, member: Option<&Value>| match claims.get(claim) {
            Some(claim) if Some(claim) != member => Err(VerifyError::Malformed(
                "a claim differs from the credential",
            )),
            _ => Ok(()),
        };
        let members = secured.document.members();
        repeats("jti", members.get("id"))?;
        if let Some(Value::Object(subject)) = members.get("credentialSubject") {
            repeats("sub", subject.get("id"))?;
        }
        Ok(secured)
    }

    /// A presentation as `vp+jwt`.
    pub fn presentation_jwt(contexts: &Contexts, token: &str) -> Result<Self, VerifyError> {
        Self::jwt(contexts, token, "vp+jwt", "holder")
    }

    fn jwt(
        contexts: &Contexts,
        token: &str,
        typ: &'static str,
        party: &str,
    ) -> Result<Self, VerifyError> {
        let token =
            UnverifiedJwt::parse(token, 2 * status::MAX_ENCODED).map_err(error::of_token)?;
        let claims = token.claims();
        // VCDM 1.1 put the credential there; a reader of both could see two credentials.
        if claims.contains_key("vc") || claims.contains_key("vp") {
            return Err(VerifyError::Malformed("a credential of VCDM 1.1"));
        }
        if claims.contains_key("proof") {
            return Err(VerifyError::SeveralProofs);
        }
        let mut members = claims.clone();
        members.retain(|name, _| !REGISTERED.contains(&name.as_str()));
        let document = Document::within(members, status::MAX_ENCODED)?;
        Graph::of(contexts, document.members())?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let named = match document.members().get(party) {
            Some(Value::Object(party)) => party.get("id").and_then(Value::as_str),
            party => party.and_then(Value::as_str),
        };
        let issuer = text("iss");
        let kid = token
            .kid()
            .ok_or(VerifyError::MalformedProof("there is no kid"))?;
        Ok(Self {
            method: absolute(kid.to_owned(), named.or(issuer.as_deref()))?,
            format: Format::Jwt,
            purpose: None,
            made: numeric_date(claims, "iat")?,
            not_before: numeric_date(claims, "nbf")?,
            expires: numeric_date(claims, "exp")?,
            challenge: text("nonce"),
            domains: audiences(claims),
            issuer,
            document,
            signature: Signature::Token { token, typ },
        })
    }

    /// The DID whose key it says it is.
    pub fn controller(&self) -> &str {
        self.method
            .split_once('#')
            .map_or(&self.method, |(controller, _)| controller)
    }

    /// Whether `key` signed it.
    pub fn verify(self, key: &PublicKey) -> Result<(), VerifyError> {
        match self.signature {
            Signature::Hashes { hashes, signature } => {
                if key.key_type() != KeyType::Ed25519 {
                    return Err(VerifyError::WrongKeyType);
                }
                if key.verifies_hashes(&hashes, &signature) {
                    Ok(())
                } else {
                    Err(VerifyError::Signature)
                }
            }
            Signature::Token { token, typ } => verify_token(token, key, &[typ]).map(|_| ()),
        }
    }

    fn claims(&self) -> Map<String, Value> {
        match &self.signature {
            Signature::Token { token, .. } => token.claims().clone(),
            Signature::Hashes { .. } => Map::new(),
        }
    }
}

/// A token of one of `types` that `key` signed.
pub fn verify_token(
    token: UnverifiedJwt,
    key: &PublicKey,
    types: &[&str],
) -> Result<VerifiedJwt, VerifyError> {
    let alg = token.header().get("alg").and_then(Value::as_str);
    let key_type = match alg {
        Some("EdDSA" | "Ed25519") => KeyType::Ed25519,
        Some("ES256") => KeyType::P256,
        other => return Err(VerifyError::UnknownSuite(other.unwrap_or("?").to_owned())),
    };
    if key.key_type() != key_type {
        return Err(VerifyError::WrongKeyType);
    }
    token.verify(key, types).map_err(error::of_token)
}

/// A key's DID URL; `base` is the DID that a bare fragment belongs to.
pub fn absolute(method: String, base: Option<&str>) -> Result<String, VerifyError> {
    const NOT_A_KEY: VerifyError = VerifyError::MalformedProof("the key is not named by a DID URL");
    let method = match (method.starts_with('#'), base) {
        (true, Some(base)) => format!("{base}{method}"),
        _ => method,
    };
    match method.split_once('#') {
        Some((did, fragment)) if did.starts_with("did:") && !fragment.is_empty() => Ok(method),
        _ => Err(NOT_A_KEY),
    }
}

/// RFC 7519 section 2, without fractions.
pub fn numeric_date(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<UnixTime>, VerifyError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(|at| Some(UnixTime(at)))
            .ok_or(VerifyError::Malformed("a time must be in whole seconds")),
    }
}

/// `aud`: one or several.
pub fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience.clone()],
        Some(Value::Array(audiences)) => audiences
            .iter()
            .filter_map(|audience| audience.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}
