use blindprint_core::UnixTime;
use blindprint_did::SigningKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Contexts, Credential, IssueError, Presentation, VerifyError,
    credential::is_url,
    sd_jwt::{SdJwt, SdJwtClaims},
    status::TokenStatusList,
};

/// A Data Integrity cryptosuite (W3C vc-di-eddsa).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// Over RFC 8785 canonical JSON.
    #[serde(rename = "eddsa-jcs-2022")]
    EddsaJcs2022,
    /// Over the canonical RDF dataset (RDFC-1.0).
    #[serde(rename = "eddsa-rdfc-2022")]
    EddsaRdfc2022,
}

impl Suite {
    /// The `cryptosuite` of its proofs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
        }
    }
}

/// What ties a presentation to one request of one verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The verifier's `challenge`, or `nonce`.
    pub challenge: String,
    /// The verifier: `domain`, or `aud`.
    pub domain: String,
}

/// A key together with its name in the issuer's or holder's DID document.
pub struct Signer<'a> {
    key: &'a SigningKey,
    method: &'a str,
    contexts: &'a Contexts,
}

impl<'a> Signer<'a> {
    /// Signs with `key`, which others find under the DID URL `method`. Nothing is signed that uses
    /// other contexts than `contexts`.
    pub fn new(
        key: &'a SigningKey,
        method: &'a str,
        contexts: &'a Contexts,
    ) -> Result<Self, IssueError> {
        let (controller, fragment) = method.split_once('#').unwrap_or((method, ""));
        if !controller.starts_with("did:") || !is_url(controller) || fragment.is_empty() {
            return Err(VerifyError::MalformedProof("a verification method is a DID URL").into());
        }
        Ok(Self {
            key,
            method,
            contexts,
        })
    }

    /// The DID whose key this is.
    pub fn controller(&self) -> &str {
        self.method
            .split_once('#')
            .map_or(self.method, |(controller, _)| controller)
    }

    /// The credential with a Data Integrity proof (`assertionMethod`) made at `created`.
    pub fn credential(
        &self,
        credential: Credential,
        suite: Suite,
        created: UnixTime,
    ) -> Result<Value, IssueError> {
        unimplemented(&(self.key, self.contexts, credential, suite, created))
    }

    /// The credential as `vc+jwt` (VC-JOSE-COSE), which OID4VCI calls `jwt_vc_json`.
    pub fn credential_jwt(&self, credential: &Credential) -> Result<String, IssueError> {
        unimplemented(&credential)
    }

    /// The presentation with a Data Integrity proof (`authentication`).
    pub fn presentation(
        &self,
        presentation: Presentation,
        suite: Suite,
        binding: &Binding,
        created: UnixTime,
    ) -> Result<Value, IssueError> {
        unimplemented(&(presentation, suite, binding, created))
    }

    /// The presentation as `vp+jwt`, valid from `issued` until `expires`.
    pub fn presentation_jwt(
        &self,
        presentation: &Presentation,
        binding: &Binding,
        issued: UnixTime,
        expires: UnixTime,
    ) -> Result<String, IssueError> {
        unimplemented(&(presentation, binding, issued, expires))
    }

    /// An SD-JWT VC with every disclosure, as it goes to the holder.
    pub fn sd_jwt(
        &self,
        claims: &SdJwtClaims<'_>,
        entropy: &dyn blindprint_core::Entropy,
    ) -> Result<SdJwt, IssueError> {
        unimplemented(&(claims, entropy.bytes::<1>()))
    }

    /// The list as `statuslist+jwt`, served at `uri` as `application/statuslist+jwt`. `ttl` is in
    /// seconds.
    pub fn token_status_list(
        &self,
        uri: &str,
        list: &TokenStatusList,
        issued: UnixTime,
        expires: UnixTime,
        ttl: u32,
    ) -> Result<String, IssueError> {
        unimplemented(&(uri, list, issued, expires, ttl))
    }
}

fn unimplemented<A, T>(_: &A) -> Result<T, IssueError> {
    Err(IssueError::KeyType)
}
