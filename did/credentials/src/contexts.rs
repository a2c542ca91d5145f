//! The JSON-LD contexts that are understood. None is ever fetched.

use std::{collections::BTreeMap, sync::Arc};

use iref::IriBuf;
use json_ld::RemoteDocument;
use json_syntax::Parse as _;
use serde_json::{Map, Value};

use crate::{CredentialType, Deployment, VerifyError, credential::BASE_CONTEXT};

const CREDENTIALS_V2: &str = include_str!("../contexts/credentials-v2.json");
const DATA_INTEGRITY_V2: &str = include_str!("../contexts/data-integrity-v2.json");

/// Addresses of contexts and their texts, and of our own schemas.
#[derive(Debug, Clone)]
pub struct Contexts {
    documents: Arc<BTreeMap<IriBuf, RemoteDocument>>,
    schemas: BTreeMap<String, CredentialType>,
}

impl Contexts {
    /// Blindprint's own context, to be served at [`Deployment::context_url`] as
    /// `application/ld+json`.
    pub const BLINDPRINT: &'static str = include_str!("../contexts/blindprint-v1.json");

    /// W3C's contexts for credentials and proofs only.
    pub fn standard() -> Self {
        let mut contexts = Self {
            documents: Arc::default(),
            schemas: BTreeMap::new(),
        };
        contexts.insert(BASE_CONTEXT, CREDENTIALS_V2);
        contexts.insert(
            "https://w3id.org/security/data-integrity/v2",
            DATA_INTEGRITY_V2,
        );
        contexts
    }

    /// These, and Blindprint's own context and schemas as this deployment serves them.
    #[must_use]
    pub fn with(mut self, deployment: &Deployment) -> Self {
        self.insert(&deployment.context_url(), Self::BLINDPRINT);
        self.schemas.extend(
            CredentialType::ALL
                .map(|credential_type| (deployment.schema_url(credential_type), credential_type)),
        );
        self
    }

    pub(crate) fn insert(&mut self, url: &str, text: &str) {
        let url = IriBuf::new(url.to_owned()).expect("a context's address is an IRI");
        let (document, _) = json_syntax::Value::parse_str(text).expect("embedded text is JSON");
        Arc::make_mut(&mut self.documents)
            .insert(url.clone(), RemoteDocument::new(Some(url), None, document));
    }

    /// Whose schema is served at `url`.
    pub(crate) fn schema(&self, url: &str) -> Option<CredentialType> {
        self.schemas.get(url).copied()
    }

    /// What loads them.
    pub(crate) fn loader(&self) -> &BTreeMap<IriBuf, RemoteDocument> {
        &self.documents
    }

    /// Refuses a context that is not among these, or is not named by its address.
    pub(crate) fn know(&self, context: &Value) -> Result<(), VerifyError> {
        let urls = match context {
            Value::Array(urls) => urls.as_slice(),
            url => std::slice::from_ref(url),
        };
        for url in urls {
            let url = url
                .as_str()
                .ok_or(VerifyError::UnknownContext("written in place".to_owned()))?;
            let known = iref::Iri::new(url).is_ok_and(|url| self.documents.contains_key(url));
            if !known {
                return Err(VerifyError::UnknownContext(url.to_owned()));
            }
        }
        Ok(())
    }
}

/// The first context is the base context (VCDM 2.0 section 4.3).
pub(crate) fn begins_with_base(members: &Map<String, Value>) -> Result<(), VerifyError> {
    let first = match members.get("@context") {
        Some(Value::Array(contexts)) => contexts.first(),
        _ => None,
    };
    if first.and_then(Value::as_str) == Some(BASE_CONTEXT) {
        Ok(())
    } else {
        Err(VerifyError::Malformed(
            "@context must be an array that begins with VCDM 2.0's",
        ))
    }
}
