use std::collections::BTreeSet;

use blindprint_core::{SubjectId, UnixTime};
use blindprint_did::{Jwk, KeyType, PublicKey, SigningKey, jwt};
use serde_json::{Map, Value, json};

use crate::{Code, Error, Result, SKEW};

/// Type of a key proof.
const TYP: &str = "openid4vci-proof+jwt";
/// Longest proof that is read, in bytes: some wallets add an attestation of their key.
const MAX_LEN: usize = 16 << 10;
/// Oldest proof that is taken, in seconds.
const MAX_AGE: i64 = 300;
/// Longest nonce, in bytes.
const MAX_NONCE: usize = 512;

/// Who asks for the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client<'a> {
    /// The token was had without a client id, so the proof must not name one.
    Anonymous,
    /// The client of the token.
    Named(&'a str),
}

/// What key proofs have to fit: OID4VCI appendix F.1.
#[derive(Debug, Clone, Copy)]
pub struct ProofRules<'a> {
    /// The Credential Issuer Identifier.
    pub issuer: &'a str,
    /// Keys that the asked-for configuration can be bound to.
    pub key_types: &'a [KeyType],
    /// Who asks.
    pub client: Client<'a>,
    /// Most credentials in one answer.
    pub batch_size: usize,
    /// The present.
    pub now: UnixTime,
}

/// A key that a wallet has proven to hold; one credential is bound to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderKey {
    key: PublicKey,
    kid: Option<String>,
}

impl HolderKey {
    /// The key.
    pub const fn public(&self) -> &PublicKey {
        &self.key
    }

    /// For `cnf.jwk`.
    pub fn jwk(&self) -> Jwk {
        Jwk::from(&self.key)
    }

    /// For `credentialSubject.id`: the DID that the wallet named, or else the key's did:key.
    pub fn did(&self) -> SubjectId {
        self.kid
            .as_deref()
            .and_then(|kid| kid.split('#').next()?.parse().ok())
            .unwrap_or_else(|| self.key.subject())
    }

    /// The DID URL by which the wallet named the key, if it did.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
}

/// Keys whose proofs hold, all but for the freshness of their nonces, which the issuer alone knows.
#[must_use]
#[derive(Debug)]
pub struct ProvenKeys {
    keys: Vec<HolderKey>,
    nonces: BTreeSet<String>,
}

impl ProvenKeys {
    /// The nonces in the proofs: mostly one.
    pub const fn nonces(&self) -> &BTreeSet<String> {
        &self.nonces
    }

    /// The keys, in the order of their proofs, if `fresh`: this issuer gave out each of
    /// [`Self::nonces`], not too long ago, and none was used before.
    pub fn accept(self, fresh: bool) -> Result<Vec<HolderKey>> {
        if fresh {
            Ok(self.keys)
        } else {
            Err(Error::new(
                Code::InvalidNonce,
                "fetch another nonce and prove the keys with it",
            ))
        }
    }
}

/// Verifies the proofs of one request.
pub fn verify_proofs(proofs: &[String], rules: &ProofRules<'_>) -> Result<ProvenKeys> {
    if proofs.is_empty() {
        return Err(invalid("there is no key proof"));
    }
    if proofs.len() > rules.batch_size {
        return Err(Error::new(
            Code::InvalidCredentialRequest,
            "more key proofs than this issuer's batch size",
        ));
    }
    let mut keys: Vec<HolderKey> = Vec::with_capacity(proofs.len());
    let mut nonces = BTreeSet::new();
    for proof in proofs {
        let (key, nonce) = verify_proof(proof, rules)?;
        if keys.iter().any(|other| other.key == key.key) {
            return Err(invalid("two key proofs are of one key"));
        }
        keys.push(key);
        nonces.insert(nonce);
    }
    Ok(ProvenKeys { keys, nonces })
}

fn verify_proof(proof: &str, rules: &ProofRules<'_>) -> Result<(HolderKey, String)> {
    let proof = jwt::UnverifiedJwt::parse(proof, MAX_LEN)
        .map_err(|_| invalid("the key proof is not a JWT signed with EdDSA or ES256"))?;
    let holder = named_key(proof.header())?;
    if !rules.key_types.contains(&holder.key.key_type()) {
        return Err(invalid("this credential is not bound to keys of that type"));
    }
    let proof = proof
        .verify(&holder.key, &[TYP])
        .map_err(|_| invalid("the key proof has another type, or is not signed by its key"))?;
    let claims = proof.claims();
    if claims.get("aud").is_none_or(|aud| aud != rules.issuer) {
        return Err(invalid("the key proof is for another issuer"));
    }
    let issued = claims.get("iat").and_then(Value::as_i64).map(UnixTime);
    if !issued.is_some_and(|at| (-SKEW..=MAX_AGE).contains(&rules.now.since(at))) {
        return Err(invalid("the key proof is too old, or from the future"));
    }
    match (claims.get("iss"), rules.client) {
        (None, _) => {}
        (Some(iss), Client::Named(client)) if iss == client => {}
        (Some(_), Client::Named(_)) => return Err(invalid("the key proof is of another client")),
        (Some(_), Client::Anonymous) => {
            return Err(invalid(
                "the key proof of an anonymous client must not have iss",
            ));
        }
    }
    let nonce = claims
        .get("nonce")
        .and_then(Value::as_str)
        .filter(|nonce| !nonce.is_empty() && nonce.len() <= MAX_NONCE)
        .ok_or(invalid("the key proof has no nonce"))?;
    Ok((holder, nonce.to_owned()))
}

/// The key that the header names, by exactly one of `kid`, `jwk` and `x5c`.
fn named_key(header: &Map<String, Value>) -> Result<HolderKey> {
    match (header.get("kid"), header.get("jwk"), header.get("x5c")) {
        (Some(kid), None, None) => {
            let kid = kid
                .as_str()
                .ok_or(invalid("the key proof's kid is not a text"))?;
            let key = key_of(kid).ok_or(invalid(
                "the key proof's kid is not that of an Ed25519 or P-256 did:key or did:jwk",
            ))?;
            Ok(HolderKey {
                key,
                kid: Some(kid.to_owned()),
            })
        }
        (None, Some(jwk), None) => PublicKey::from_jwk(jwk)
            .map(|key| HolderKey { key, kid: None })
            .map_err(|_| invalid("the key proof's jwk is not a public Ed25519 or P-256 key")),
        (None, None, Some(_)) => Err(invalid("x5c is not supported: name the key by jwk or kid")),
        _ => Err(invalid(
            "the key proof names its key not by exactly one of kid, jwk and x5c",
        )),
    }
}

/// The key of a did:key or did:jwk, or of a URL of the only verification method it has.
fn key_of(kid: &str) -> Option<PublicKey> {
    let (did, fragment) = match kid.split_once('#') {
        Some((did, fragment)) => (did, Some(fragment)),
        None => (kid, None),
    };
    let subject: SubjectId = did.parse().ok()?;
    let fits = match (did.strip_prefix("did:key:"), fragment) {
        (_, None) => true,
        (Some(key), Some(fragment)) => fragment == key,
        (None, Some(fragment)) => fragment == "0",
    };
    fits.then(|| blindprint_did::resolve(&subject).ok())?
}

/// Proves to `issuer` that the wallet holds `key`, named by its JWK. `nonce` is from the issuer's
/// nonce endpoint, `client_id` the one that the token was had with.
pub fn prove_key(
    key: &SigningKey,
    issuer: &str,
    nonce: Option<&str>,
    client_id: Option<&str>,
    now: UnixTime,
) -> Result<String> {
    let failed = Error::new(Code::ServerError, "the key proof cannot be made");
    let mut claims = json!({ "aud": issuer, "iat": now });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    if let Some(client) = client_id {
        claims["iss"] = client.into();
    }
    let mut header = Map::new();
    header.insert("typ".to_owned(), TYP.into());
    header.insert(
        "jwk".to_owned(),
        serde_json::to_value(Jwk::from(&key.public())).map_err(|_| failed)?,
    );
    jwt::sign(key, header, &claims).map_err(|_| failed)
}

const fn invalid(reason: &'static str) -> Error {
    Error::new(Code::InvalidProof, reason)
}

#[cfg(test)]
mod tests;
