use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Entropy, UnixTime};
use blindprint_did::{Jwk, KeyType, SigningKey, jwt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Contexts, Credential, IssueError, Presentation, Relationship, VerifyError,
    credential::is_url,
    graph::Graph,
    proof, schema,
    sd_jwt::{Disclosure, RESERVED, SdJwt, SdJwtClaims},
    status::TokenStatusList,
    timestamp,
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
        self.check_credential(&credential)?;
        let document = credential.into_document().into_members();
        self.prove(
            document,
            suite,
            Relationship::AssertionMethod,
            None,
            created,
        )
    }

    /// The credential as `vc+jwt` (VC-JOSE-COSE), which OID4VCI calls `jwt_vc_json`.
    ///
    /// The registered claims repeat what the credential says, for readers that know JWTs only.
    pub fn credential_jwt(&self, credential: &Credential) -> Result<String, IssueError> {
        self.check_credential(credential)?;
        Graph::of(self.contexts, credential.document().members())?;
        let mut claims = credential.document().members().clone();
        let mut repeat = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        };
        repeat("iss", Some(credential.issuer().into()));
        repeat("sub", credential.subject_id().map(Value::from));
        repeat("jti", credential.document().members().get("id").cloned());
        repeat("nbf", credential.valid_from().map(|at| at.0.into()));
        repeat("exp", credential.valid_until().map(|at| at.0.into()));
        self.token("vc+jwt", Some("vc"), &claims)
    }

    /// The presentation with a Data Integrity proof (`authentication`).
    pub fn presentation(
        &self,
        presentation: Presentation,
        suite: Suite,
        binding: &Binding,
        created: UnixTime,
    ) -> Result<Value, IssueError> {
        self.check_presentation(&presentation)?;
        let document = presentation.into_document().into_members();
        let purpose = Relationship::Authentication;
        self.prove(document, suite, purpose, Some(binding), created)
    }

    /// The presentation as `vp+jwt`, valid from `issued` until `expires`.
    pub fn presentation_jwt(
        &self,
        presentation: &Presentation,
        binding: &Binding,
        issued: UnixTime,
        expires: UnixTime,
    ) -> Result<String, IssueError> {
        self.check_presentation(presentation)?;
        Graph::of(self.contexts, presentation.document().members())?;
        let mut claims = presentation.document().members().clone();
        claims.extend([
            ("iss".to_owned(), self.controller().into()),
            ("aud".to_owned(), binding.domain.as_str().into()),
            ("nonce".to_owned(), binding.challenge.as_str().into()),
            ("iat".to_owned(), issued.0.into()),
            ("exp".to_owned(), expires.0.into()),
        ]);
        self.token("vp+jwt", Some("vp"), &claims)
    }

    /// An SD-JWT VC with every disclosure, as it goes to the holder.
    pub fn sd_jwt(
        &self,
        claims: &SdJwtClaims<'_>,
        entropy: &dyn Entropy,
    ) -> Result<SdJwt, IssueError> {
        if claims.issuer != self.controller() {
            return Err(VerifyError::IssuerMismatch.into());
        }
        let mut digests = Vec::new();
        let mut disclosures = Vec::new();
        for (name, value) in &claims.claims {
            if RESERVED.contains(&name.as_str()) {
                return Err(VerifyError::Disclosure("a reserved name").into());
            }
            let disclosure = Disclosure::new(name, value, entropy)?;
            digests.push(disclosure.digest());
            disclosures.push(disclosure);
        }
        digests.extend((0..claims.decoys).map(|_| URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())));
        // In the order of their names they would tell which claim each stands for.
        digests.sort_unstable();
        let mut payload = Map::new();
        payload.insert("_sd".to_owned(), digests.into());
        payload.insert("_sd_alg".to_owned(), "sha-256".into());
        payload.insert("iss".to_owned(), claims.issuer.into());
        payload.insert("iat".to_owned(), claims.issued.0.into());
        payload.insert("vct".to_owned(), claims.vct.as_str().into());
        if let Some(expires) = claims.expires {
            payload.insert("exp".to_owned(), expires.0.into());
        }
        if let Some(holder) = claims.holder {
            payload.insert("cnf".to_owned(), json!({ "jwk": Jwk::from(holder) }));
        }
        if let Some(status) = claims.status {
            payload.insert("status".to_owned(), status.to_value());
        }
        let issued = self.token("dc+sd-jwt", None, &payload)?;
        Ok(SdJwt::issued(issued, disclosures)?)
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
        let claims = json!({
            "iss": self.controller(),
            "sub": uri,
            "iat": issued.0,
            "exp": expires.0,
            "ttl": ttl,
            "status_list": list.to_value(),
        });
        self.token("statuslist+jwt", None, &claims)
    }

    fn check_credential(&self, credential: &Credential) -> Result<(), IssueError> {
        if credential.issuer() != self.controller() {
            return Err(VerifyError::NotTheIssuersKey.into());
        }
        schema::check(self.contexts, credential)?;
        unsigned(credential.document().members())
    }

    fn check_presentation(&self, presentation: &Presentation) -> Result<(), IssueError> {
        if presentation
            .holder()
            .is_some_and(|holder| holder != self.controller())
        {
            return Err(VerifyError::NotTheHoldersKey.into());
        }
        unsigned(presentation.document().members())
    }

    fn prove(
        &self,
        mut document: Map<String, Value>,
        suite: Suite,
        purpose: Relationship,
        binding: Option<&Binding>,
        created: UnixTime,
    ) -> Result<Value, IssueError> {
        if self.key.key_type() != KeyType::Ed25519 {
            return Err(IssueError::KeyType);
        }
        let mut proof = Map::new();
        let mut set = |name: &str, value: Value| proof.insert(name.to_owned(), value);
        set("type", "DataIntegrityProof".into());
        set("cryptosuite", suite.name().into());
        set("created", timestamp::format(created).into());
        set("verificationMethod", self.method.into());
        set("proofPurpose", purpose.as_str().into());
        if let Some(binding) = binding {
            set("challenge", binding.challenge.as_str().into());
            set("domain", binding.domain.as_str().into());
        }
        // vc-di-eddsa section 3.3.1, step 1; the other suite leaves it out.
        if suite == Suite::EddsaJcs2022
            && let Some(context) = document.get("@context")
        {
            set("@context", context.clone());
        }
        let hashes = proof::hashes(self.contexts, suite, &document, proof.clone())?;
        let signature = self.key.sign_hashes(&hashes)?;
        let value = format!("z{}", bs58::encode(signature).into_string());
        proof.insert("proofValue".to_owned(), value.into());
        document.insert("proof".to_owned(), Value::Object(proof));
        Ok(Value::Object(document))
    }

    fn token(
        &self,
        typ: &str,
        content_type: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<String, IssueError> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), typ.into());
        if let Some(content_type) = content_type {
            header.insert("cty".to_owned(), content_type.into());
        }
        header.insert("kid".to_owned(), self.method.into());
        Ok(jwt::sign(self.key, header, claims)?)
    }
}

fn unsigned(members: &Map<String, Value>) -> Result<(), IssueError> {
    if members.contains_key("proof") {
        return Err(VerifyError::SeveralProofs.into());
    }
    Ok(())
}
