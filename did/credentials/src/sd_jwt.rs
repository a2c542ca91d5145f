//! SD-JWT VC (`dc+sd-jwt`): RFC 9901 and draft-ietf-oauth-sd-jwt-vc.

mod disclosure;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::UnixTime;
use blindprint_did::{
    PublicKey, SigningKey,
    jwt::{self, UnverifiedJwt},
};
pub use disclosure::Disclosure;
use disclosure::{Disclosed, disclose};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    Binding, Claims, Deployment, IssueError, VerifyError, error, status::TokenStatusEntry,
};

/// Claims that verification stands on, which must not be withheld (draft-ietf-oauth-sd-jwt-vc section
/// 2.2.2), and names that RFC 9901 uses itself.
pub(crate) const RESERVED: [&str; 11] = [
    "_sd",
    "_sd_alg",
    "...",
    "iss",
    "iat",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "status",
];

/// What goes into an SD-JWT VC.
#[derive(Debug, Clone)]
pub struct SdJwtClaims<'a> {
    /// The credential's type.
    pub vct: String,
    /// The issuer's DID.
    pub issuer: &'a str,
    /// When it was issued; round it, it links copies.
    pub issued: UnixTime,
    /// Until when it holds.
    pub expires: Option<UnixTime>,
    /// The holder's key (`cnf.jwk`).
    pub holder: Option<&'a PublicKey>,
    /// Where its status is told.
    pub status: Option<&'a TokenStatusEntry>,
    /// What it says, each claim disclosed or withheld by itself.
    pub claims: Map<String, Value>,
    /// Digests of nothing, which hide how many claims there are.
    pub decoys: usize,
}

impl<'a> SdJwtClaims<'a> {
    /// One of Blindprint's own credentials.
    pub fn of(
        deployment: &Deployment,
        issuer: &'a str,
        claims: &Claims,
        issued: UnixTime,
    ) -> Result<Self, IssueError> {
        let Ok(Value::Object(members)) = serde_json::to_value(claims) else {
            return Err(VerifyError::Malformed("claims are an object").into());
        };
        Ok(Self {
            vct: deployment.vct(claims.credential_type()),
            issuer,
            issued,
            expires: None,
            holder: None,
            status: None,
            claims: members,
            decoys: 0,
        })
    }
}

/// An SD-JWT with disclosures and perhaps a key-binding JWT. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq)]
pub struct SdJwt {
    issued: String,
    payload: Map<String, Value>,
    disclosures: Vec<Disclosure>,
    key_binding: Option<String>,
}

impl SdJwt {
    /// The longest text that is read, in bytes.
    pub const MAX_LEN: usize = 128 * 1024;
    /// How many disclosures it may have.
    pub const MAX_DISCLOSURES: usize = 256;

    /// Reads the form with tildes.
    pub fn parse(text: &str) -> Result<Self, VerifyError> {
        if text.len() > Self::MAX_LEN {
            return Err(VerifyError::TooLarge);
        }
        let (head, key_binding) = text
            .rsplit_once('~')
            .ok_or(VerifyError::Malformed("an SD-JWT has tildes"))?;
        let mut parts = head.split('~');
        let issued = parts.next().unwrap_or_default().to_owned();
        let disclosures = parts
            .map(Disclosure::parse)
            .collect::<Result<Vec<_>, _>>()?;
        let mut read = Self::issued(issued, disclosures)?;
        if !key_binding.is_empty() {
            read.key_binding = Some(key_binding.to_owned());
        }
        Ok(read)
    }

    /// From its parts.
    pub(crate) fn issued(
        issued: String,
        disclosures: Vec<Disclosure>,
    ) -> Result<Self, VerifyError> {
        if disclosures.len() > Self::MAX_DISCLOSURES {
            return Err(VerifyError::TooLarge);
        }
        let token = UnverifiedJwt::parse(&issued, Self::MAX_LEN).map_err(error::of_token)?;
        let payload = crate::Document::try_from(token.claims().clone())?.into_members();
        Ok(Self {
            issued,
            payload,
            disclosures,
            key_binding: None,
        })
    }

    /// The form with tildes (RFC 9901 section 4).
    pub fn to_text(&self) -> String {
        let mut text = self.unbound();
        text.push_str(self.key_binding.as_deref().unwrap_or_default());
        text
    }

    /// The credential's type, not verified.
    pub fn vct(&self) -> Option<&str> {
        self.payload.get("vct").and_then(Value::as_str)
    }

    /// The claims with everything disclosed put in its place, not verified: what a wallet shows
    /// its owner, and what DCQL is matched against.
    pub fn claims(&self) -> Result<Map<String, Value>, VerifyError> {
        Ok(self.disclosed()?.claims)
    }

    /// What can be disclosed.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// The same SD-JWT, showing only what `paths` lead to (claims path pointers of OID4VP
    /// section 7; null stands for every element of an array), what that contains and what it stands
    /// on. Drops any key binding.
    pub fn disclosing(&self, paths: &[Vec<Value>]) -> Result<Self, VerifyError> {
        let disclosed = self.disclosed()?;
        let on_the_way = |a: &[Value], b: &[Value]| {
            a.iter()
                .zip(b)
                .all(|(a, b)| a == b || (a.is_null() && b.is_number()))
        };
        let disclosures = self
            .disclosures
            .iter()
            .zip(&disclosed.paths)
            .filter(|(_, at)| paths.iter().any(|wanted| on_the_way(wanted, at)))
            .map(|(disclosure, _)| disclosure.clone())
            .collect();
        Ok(Self {
            issued: self.issued.clone(),
            payload: self.payload.clone(),
            disclosures,
            key_binding: None,
        })
    }

    /// The same SD-JWT with a key-binding JWT (RFC 9901 section 4.3) by the holder.
    pub fn bound(
        mut self,
        key: &SigningKey,
        binding: &Binding,
        issued: UnixTime,
    ) -> Result<Self, IssueError> {
        if !self
            .holder_key()?
            .is_some_and(|holder| holder == key.public())
        {
            return Err(VerifyError::KeyBinding.into());
        }
        let mut header = Map::new();
        header.insert("typ".to_owned(), "kb+jwt".into());
        let claims = json!({
            "aud": binding.domain,
            "nonce": binding.challenge,
            "iat": issued.0,
            "sd_hash": self.sd_hash(),
        });
        self.key_binding = Some(jwt::sign(key, header, &claims)?);
        Ok(self)
    }

    /// The issuer's token alone.
    pub(crate) fn token(&self) -> Result<UnverifiedJwt, VerifyError> {
        UnverifiedJwt::parse(&self.issued, Self::MAX_LEN).map_err(error::of_token)
    }

    pub(crate) fn key_binding(&self) -> Option<&str> {
        self.key_binding.as_deref()
    }

    /// What a key-binding JWT must name: the digest of everything before it.
    pub(crate) fn sd_hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.unbound()))
    }

    /// The key in `cnf` (RFC 7800), not verified.
    pub fn holder_key(&self) -> Result<Option<PublicKey>, VerifyError> {
        match self.payload.get("cnf") {
            None => Ok(None),
            Some(cnf) => cnf
                .get("jwk")
                .and_then(|jwk| PublicKey::from_jwk(jwk).ok())
                .map(Some)
                .ok_or(VerifyError::Malformed("cnf holds no usable key")),
        }
    }

    fn unbound(&self) -> String {
        let mut text = self.issued.clone();
        text.push('~');
        for disclosure in &self.disclosures {
            text.push_str(disclosure.as_str());
            text.push('~');
        }
        text
    }

    fn disclosed(&self) -> Result<Disclosed, VerifyError> {
        disclose(&self.payload, &self.disclosures)
    }
}

#[cfg(test)]
mod tests;
