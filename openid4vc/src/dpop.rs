//! Demonstrating Proof of Possession (RFC 9449): a token that only the holder of a key can use.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, UnixTime};
use blindprint_did::{Jwk, KeyType, PublicKey, SigningKey, jwt};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::{Code, Error, Result, SKEW};

/// Longest proof that is read, in bytes.
pub const MAX_LEN: usize = 8192;
/// Oldest proof that is taken, in seconds.
pub const MAX_AGE: i64 = 300;
/// Signature algorithms, for metadata.
pub const ALGORITHMS: [&str; 2] = ["EdDSA", "ES256"];
/// Type of the proof.
const TYP: &str = "dpop+jwt";
/// Longest `jti` and `nonce`, in bytes.
const MAX_NAME: usize = 512;

/// The request that a proof is for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `POST`, …
    pub method: &'a str,
    /// The URL as the client knows it. Query and fragment do not count.
    pub url: &'a str,
    /// The token that goes along, at a protected resource.
    pub access_token: Option<&'a str>,
}

/// A proof for one request, made by the client. `nonce` is the last `DPoP-Nonce` that the server
/// has sent.
pub fn prove(
    key: &SigningKey,
    request: &Request<'_>,
    nonce: Option<&str>,
    now: UnixTime,
    entropy: &dyn Entropy,
) -> Result<String> {
    let url = target(request.url).ok_or(refused("the request's address is no URL"))?;
    let mut claims = json!({
        "jti": URL_SAFE_NO_PAD.encode(entropy.bytes::<16>()),
        "htm": request.method,
        "htu": url.as_str(),
        "iat": now,
    });
    if let Some(token) = request.access_token {
        claims["ath"] = hash(token).into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let mut header = Map::new();
    header.insert("typ".to_owned(), TYP.into());
    header.insert(
        "jwk".to_owned(),
        serde_json::to_value(Jwk::from(&key.public())).map_err(|_| refused("no JWK"))?,
    );
    jwt::sign(key, header, &claims).map_err(|_| refused("the proof cannot be signed"))
}

/// A proof that fits its request and time. Whether it was used before, the server has to find out.
#[must_use]
#[derive(Debug)]
pub struct Unspent {
    key: PublicKey,
    jti: Digest,
    issued: UnixTime,
    nonce: Option<String>,
}

/// Verifies what a client sends in `DPoP`, for the request that it comes with. At a protected
/// resource the caller also compares [`Possession::thumbprint`] with the one that the token is
/// bound to.
pub fn verify(proof: &str, request: &Request<'_>, now: UnixTime) -> Result<Unspent> {
    let proof = jwt::UnverifiedJwt::parse(proof, MAX_LEN)
        .map_err(|_| refused("the DPoP proof is not a JWT"))?;
    let key = proof
        .header()
        .get("jwk")
        .and_then(|jwk| PublicKey::from_jwk(jwk).ok())
        .ok_or(refused(
            "the DPoP proof's jwk is not a public Ed25519 or P-256 key",
        ))?;
    let proof = proof
        .verify(&key, &[TYP])
        .map_err(|_| refused("the DPoP proof has another type, or is not signed by its jwk"))?;
    let claims = proof.claims();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("htm") != Some(request.method) {
        return Err(refused("the DPoP proof is for another method"));
    }
    let meant = text("htu").and_then(target);
    if meant.is_none() || meant != target(request.url) {
        return Err(refused("the DPoP proof is for another URL"));
    }
    let issued = claims
        .get("iat")
        .and_then(Value::as_i64)
        .map(UnixTime)
        .ok_or(refused("the DPoP proof has no time"))?;
    if !(-SKEW..=MAX_AGE).contains(&now.since(issued)) {
        return Err(refused("the DPoP proof is too old, or from the future"));
    }
    let same_token = match (request.access_token, text("ath")) {
        (Some(token), Some(ath)) => bool::from(hash(token).as_bytes().ct_eq(ath.as_bytes())),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if !same_token {
        return Err(refused("the DPoP proof is for another access token"));
    }
    let jti = text("jti")
        .filter(|jti| !jti.is_empty() && jti.len() <= MAX_NAME)
        .ok_or(refused("the DPoP proof has no jti"))?;
    let nonce = match claims.get("nonce") {
        None => None,
        Some(Value::String(nonce)) if nonce.len() <= MAX_NAME => Some(nonce.clone()),
        Some(_) => return Err(refused("the DPoP proof's nonce is not a text")),
    };
    Ok(Unspent {
        key,
        jti: Digest::of_parts(
            "blindprint/dpop-jti/v1",
            &[key.thumbprint().as_bytes(), jti.as_bytes()],
        ),
        issued,
        nonce,
    })
}

impl Unspent {
    /// What to remember, so that the proof is taken once.
    pub const fn id(&self) -> Digest {
        self.jti
    }

    /// How long to remember it.
    pub const fn until(&self) -> UnixTime {
        self.issued.plus(MAX_AGE + SKEW)
    }

    /// The server's nonce in it, for servers that give out nonces; they refuse others with
    /// [`Code::UseDpopNonce`].
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// The proof's meaning, if `first`: [`Self::id`] was not seen before.
    pub fn spend(self, first: bool) -> Result<Possession> {
        if first {
            Ok(Possession { key: self.key })
        } else {
            Err(refused("the DPoP proof was used before"))
        }
    }
}

/// That a client has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possession {
    key: PublicKey,
}

impl Possession {
    /// `cnf.jkt` of a token bound to the key: its JWK thumbprint.
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }
}

/// Whether a metadata document's DPoP algorithms let a key of this type in.
pub fn accepts(algorithms: &[String], key_type: KeyType) -> bool {
    algorithms.iter().any(|name| match key_type {
        KeyType::Ed25519 => name == "EdDSA" || name == "Ed25519",
        KeyType::P256 => name == "ES256",
    })
}

/// Normalised by syntax and scheme (RFC 3986 sections 6.2.2 and 6.2.3), without query and fragment.
fn target(url: &str) -> Option<Url> {
    if url.len() > 4096 {
        return None;
    }
    let mut url = Url::parse(url)
        .ok()
        .filter(|url| url.host_str().is_some())?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

const fn refused(reason: &'static str) -> Error {
    Error::new(Code::InvalidDpopProof, reason)
}

#[cfg(test)]
mod tests;
