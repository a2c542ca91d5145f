//! The JSON-LD contexts that are understood. None is ever fetched.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Deployment, VerifyError, credential::BASE_CONTEXT};

const CREDENTIALS_V2: &str = include_str!("../contexts/credentials-v2.json");
const DATA_INTEGRITY_V2: &str = include_str!("../contexts/data-integrity-v2.json");

/// Addresses of contexts and their texts.
#[derive(Debug, Clone)]
pub struct Contexts {
    texts: BTreeMap<String, &'static str>,
}

impl Contexts {
    /// Blindprint's own context, to be served at [`Deployment::context_url`] as
    /// `application/ld+json`.
    pub const BLINDPRINT: &'static str = include_str!("../contexts/blindprint-v1.json");

    /// W3C's contexts for credentials and proofs only.
    pub fn standard() -> Self {
        let texts = [
            (BASE_CONTEXT, CREDENTIALS_V2),
            (
                "https://w3id.org/security/data-integrity/v2",
                DATA_INTEGRITY_V2,
            ),
        ];
        Self {
            texts: texts
                .into_iter()
                .map(|(url, text)| (url.to_owned(), text))
                .collect(),
        }
    }

    /// These, and Blindprint's own as this deployment serves it.
    #[must_use]
    pub fn with(mut self, deployment: &Deployment) -> Self {
        self.texts
            .insert(deployment.context_url(), Self::BLINDPRINT);
        self
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
