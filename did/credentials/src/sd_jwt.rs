//! SD-JWT VC (`dc+sd-jwt`): RFC 9901 and draft-ietf-oauth-sd-jwt-vc.

use blindprint_core::UnixTime;
use blindprint_did::{PublicKey, SigningKey};
use serde_json::{Map, Value};

use crate::{Binding, Claims, Deployment, IssueError, VerifyError, status::TokenStatusEntry};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdJwt {
    issued: String,
    disclosures: Vec<Disclosure>,
    key_binding: Option<String>,
}

/// One claim that the holder may show or withhold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    text: String,
    name: Option<String>,
    value: Value,
}

impl SdJwt {
    /// The longest text that is read, in bytes.
    pub const MAX_LEN: usize = 128 * 1024;
    /// How many disclosures it may have.
    pub const MAX_DISCLOSURES: usize = 256;

    /// Reads the form with tildes.
    pub fn parse(text: &str) -> Result<Self, VerifyError> {
        let _ = text;
        Err(VerifyError::Malformed("unfinished"))
    }

    /// The form with tildes (RFC 9901 section 4).
    pub fn to_text(&self) -> String {
        self.issued.clone()
    }

    /// The credential's type, not verified.
    pub fn vct(&self) -> Option<String> {
        None
    }

    /// The claims with everything disclosed put in its place, not verified: what a wallet shows
    /// its owner, and what DCQL is matched against.
    pub fn claims(&self) -> Result<Map<String, Value>, VerifyError> {
        Err(VerifyError::Malformed("unfinished"))
    }

    /// What can be disclosed.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// The same SD-JWT, showing only what `paths` lead to (claims path pointers of OID4VP
    /// section 7 without wildcards) and what that stands on. Drops any key binding.
    pub fn disclosing(&self, paths: &[Vec<Value>]) -> Result<Self, VerifyError> {
        let _ = paths;
        Err(VerifyError::Malformed("unfinished"))
    }

    /// The same SD-JWT with a key-binding JWT (RFC 9901 section 4.3) by the holder.
    pub fn bound(
        self,
        key: &SigningKey,
        binding: &Binding,
        issued: UnixTime,
    ) -> Result<Self, IssueError> {
        let _ = (key, binding, issued);
        Err(IssueError::KeyType)
    }
}

impl Disclosure {
    /// The claim's name; `None` for an array's element.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The claim's value.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// As it stands in the SD-JWT.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
