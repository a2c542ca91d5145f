//! Data Integrity proofs (W3C vc-data-integrity) with the suites of vc-di-eddsa.

use blindprint_core::UnixTime;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{Contexts, Suite, VerifyError, credential, graph::Graph};

/// A proof, taken off its document.
pub struct Proof {
    pub suite: Suite,
    pub method: String,
    pub purpose: String,
    pub created: Option<UnixTime>,
    pub expires: Option<UnixTime>,
    pub challenge: Option<String>,
    pub domains: Vec<String>,
    pub signature: [u8; 64],
    /// Every member but `proofValue`.
    options: Map<String, Value>,
}

impl Proof {
    /// Parts a document from its one proof.
    pub fn split(
        mut document: Map<String, Value>,
    ) -> Result<(Self, Map<String, Value>), VerifyError> {
        let proof = match document.remove("proof") {
            None => return Err(VerifyError::NoProof),
            Some(Value::Object(proof)) => proof,
            Some(Value::Array(mut proofs)) => match (proofs.pop(), proofs.is_empty()) {
                (None, _) => return Err(VerifyError::NoProof),
                (Some(Value::Object(proof)), true) => proof,
                (Some(_), true) => return Err(VerifyError::MalformedProof("not an object")),
                (Some(_), false) => return Err(VerifyError::SeveralProofs),
            },
            Some(_) => return Err(VerifyError::MalformedProof("not an object")),
        };
        Ok((Self::parse(proof, &document)?, document))
    }

    fn parse(
        mut options: Map<String, Value>,
        document: &Map<String, Value>,
    ) -> Result<Self, VerifyError> {
        // What is signed here but means nothing here (`previousProof`) must not be passed over.
        const KNOWN: [&str; 12] = [
            "@context",
            "type",
            "id",
            "cryptosuite",
            "created",
            "expires",
            "verificationMethod",
            "proofPurpose",
            "challenge",
            "domain",
            "nonce",
            "proofValue",
        ];
        if options.keys().any(|name| !KNOWN.contains(&name.as_str())) {
            return Err(VerifyError::MalformedProof("a member of unknown meaning"));
        }
        // vc-di-eddsa section 3.3.2 lets the document have more contexts than the proof; those would
        // be unsigned.
        if options
            .get("@context")
            .is_some_and(|context| document.get("@context") != Some(context))
        {
            return Err(VerifyError::MalformedProof(
                "another @context than the document's",
            ));
        }
        let value = required(&options, "proofValue")?;
        let mut signature = [0; 64];
        let length = value
            .strip_prefix('z')
            .filter(|encoded| encoded.len() <= 90)
            .and_then(|encoded| bs58::decode(encoded).onto(&mut signature).ok());
        if length != Some(signature.len()) {
            return Err(VerifyError::MalformedProof("proofValue is not a signature"));
        }
        options.remove("proofValue");
        let kind = required(&options, "type")?;
        let suite = match (kind.as_str(), text(&options, "cryptosuite")?.as_deref()) {
            ("DataIntegrityProof", Some("eddsa-jcs-2022")) => Suite::EddsaJcs2022,
            ("DataIntegrityProof", Some("eddsa-rdfc-2022")) => Suite::EddsaRdfc2022,
            (_, Some(other)) => return Err(VerifyError::UnknownSuite(other.to_owned())),
            (_, None) => return Err(VerifyError::UnknownSuite(kind)),
        };
        text(&options, "nonce")?;
        Ok(Self {
            suite,
            signature,
            method: required(&options, "verificationMethod")?,
            purpose: required(&options, "proofPurpose")?,
            created: time(&options, "created")?,
            expires: time(&options, "expires")?,
            challenge: text(&options, "challenge")?,
            domains: domains(&options)?,
            options,
        })
    }

    /// What was signed, if this is the proof of `document`.
    pub fn hashes(
        &self,
        contexts: &Contexts,
        document: &Map<String, Value>,
    ) -> Result<[u8; 64], VerifyError> {
        hashes(contexts, self.suite, document, self.options.clone())
    }
}

/// The hash of the canonical proof options and that of the canonical document (vc-di-eddsa sections
/// 3.2 and 3.3). Both suites take only what expands without loss, so that what one accepts means
/// the same under the other.
pub fn hashes(
    contexts: &Contexts,
    suite: Suite,
    document: &Map<String, Value>,
    mut options: Map<String, Value>,
) -> Result<[u8; 64], VerifyError> {
    let context = document
        .get("@context")
        .ok_or(VerifyError::Malformed("there is no @context"))?;
    let bare = !options.contains_key("@context");
    options.insert("@context".to_owned(), context.clone());
    let (document_graph, options_graph) = (
        Graph::of(contexts, document)?,
        Graph::of(contexts, &options)?,
    );
    let (options, document) = match suite {
        Suite::EddsaJcs2022 => {
            if bare {
                options.remove("@context");
            }
            (canonical_json(&options)?, canonical_json(document)?)
        }
        Suite::EddsaRdfc2022 => (options_graph.canonical()?, document_graph.canonical()?),
    };
    let mut hashes = [0; 64];
    hashes[..32].copy_from_slice(&Sha256::digest(options));
    hashes[32..].copy_from_slice(&Sha256::digest(document));
    Ok(hashes)
}

/// RFC 8785.
pub fn canonical_json(value: &Map<String, Value>) -> Result<String, VerifyError> {
    serde_json_canonicalizer::to_string(value)
        .map_err(|_| VerifyError::Malformed("JSON without canonical form"))
}

fn required(options: &Map<String, Value>, name: &str) -> Result<String, VerifyError> {
    text(options, name)?.ok_or(VerifyError::MalformedProof("a member is missing"))
}

fn text(options: &Map<String, Value>, name: &str) -> Result<Option<String>, VerifyError> {
    match options.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(VerifyError::MalformedProof("a member is not a string")),
    }
}

fn time(options: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, VerifyError> {
    credential::time(options, name)
        .map_err(|_| VerifyError::MalformedProof("a time is not a dateTimeStamp"))
}

fn domains(options: &Map<String, Value>) -> Result<Vec<String>, VerifyError> {
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or(VerifyError::MalformedProof("domain is not text"))
    };
    match options.get("domain") {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
    }
}

#[cfg(test)]
mod tests;
