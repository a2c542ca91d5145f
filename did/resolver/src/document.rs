use blindprint_did::PublicKey;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Did, DidUrl, ResolutionError};

mod edit;
mod key;

/// A DID document (W3C DID Core section 5). Members that it does not know are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The JSON-LD context, if any.
    #[serde(rename = "@context", default, skip_serializing_if = "Option::is_none")]
    pub context: Option<OneOrMany<Value>>,
    /// The DID that it is about.
    pub id: Did,
    /// Other names of the same subject, as its controller says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_known_as: Vec<String>,
    /// Who may change it, if not its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<OneOrMany<Did>>,
    /// Keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verification_method: Vec<VerificationMethod>,
    /// For logging in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authentication: Vec<MethodRef>,
    /// For issuing credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertion_method: Vec<MethodRef>,
    /// For encrypting to the subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_agreement: Vec<MethodRef>,
    /// For invoking capabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capability_invocation: Vec<MethodRef>,
    /// For delegating capabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capability_delegation: Vec<MethodRef>,
    /// Services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<Service>,
    /// Other members, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A value or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// Without a list around it.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All values.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// A verification method (Controlled Identifiers section 2.2): a public key, in whatever form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerificationMethod {
    /// Its name: a DID URL, or a fragment (`#key-1`) relative to the document's id.
    pub id: String,
    /// The form of the key, such as `Multikey` or `JsonWebKey`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose key it is: the document's subject unless it says another.
    pub controller: Did,
    /// The key: `publicKeyMultibase`, `publicKeyJwk`, `blockchainAccountId` or what the type has.
    #[serde(flatten)]
    pub material: Map<String, Value>,
}

/// A verification method under a relationship.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MethodRef {
    /// The name of a method.
    Reference(String),
    /// A method only for this relationship.
    Embedded(VerificationMethod),
}

/// A service (W3C DID Core section 5.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its name: a URI, or a fragment relative to the document's id.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: OneOrMany<String>,
    /// Where it is: a URI, an object, or a list of these.
    pub service_endpoint: Value,
    /// Other members, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a key may be used for (W3C DID Core section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Relationship {
    /// Logging in.
    Authentication,
    /// Issuing credentials.
    AssertionMethod,
    /// Encrypting to the subject.
    KeyAgreement,
    /// Invoking capabilities.
    CapabilityInvocation,
    /// Delegating capabilities.
    CapabilityDelegation,
}

impl Relationship {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Authentication,
        Self::AssertionMethod,
        Self::KeyAgreement,
        Self::CapabilityInvocation,
        Self::CapabilityDelegation,
    ];

    /// Its name in documents and proofs.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::AssertionMethod => "assertionMethod",
            Self::KeyAgreement => "keyAgreement",
            Self::CapabilityInvocation => "capabilityInvocation",
            Self::CapabilityDelegation => "capabilityDelegation",
        }
    }
}

impl Document {
    /// A document that holds nothing but its id.
    pub fn new(id: Did) -> Self {
        Self {
            context: None,
            id,
            also_known_as: Vec::new(),
            controller: None,
            verification_method: Vec::new(),
            authentication: Vec::new(),
            assertion_method: Vec::new(),
            key_agreement: Vec::new(),
            capability_invocation: Vec::new(),
            capability_delegation: Vec::new(),
            service: Vec::new(),
            other: Map::new(),
        }
    }

    /// Reads a document as JSON and checks that it is about `did`, and that the names in it are
    /// distinct and DID URLs.
    pub fn parse(json: &[u8], did: &Did) -> Result<Self, ResolutionError> {
        let object = blindprint_did::json::object(json)
            .ok_or(ResolutionError::InvalidDidDocument("not a JSON object"))?;
        Self::from_value(Value::Object(object), did)
    }

    /// As [`Self::parse`], of JSON that was parsed before.
    pub fn from_value(mut value: Value, did: &Did) -> Result<Self, ResolutionError> {
        complete(&mut value, did);
        let document: Self = serde_json::from_value(value)
            .map_err(|_| ResolutionError::InvalidDidDocument("a member has the wrong form"))?;
        if document.id != *did {
            return Err(ResolutionError::InvalidDidDocument(
                "its id is another than the DID",
            ));
        }
        let mut names: Vec<String> = document.methods().map(|method| method.id.clone()).collect();
        names.extend(document.service.iter().map(|service| service.id.clone()));
        let mut seen = std::collections::HashSet::new();
        for name in names {
            if !seen.insert(document.absolute(&name)) {
                return Err(ResolutionError::InvalidDidDocument("two parts of one name"));
            }
        }
        if document
            .methods()
            .any(|method| document.url(&method.id).is_none())
        {
            return Err(ResolutionError::InvalidDidDocument(
                "a verification method's id is not a DID URL",
            ));
        }
        Ok(document)
    }

    /// The document as JSON.
    ///
    /// # Panics
    /// Never: it holds nothing that JSON cannot.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("text, lists and JSON always serialize")
    }

    /// All verification methods, those embedded under a relationship included.
    pub fn methods(&self) -> impl Iterator<Item = &VerificationMethod> {
        let embedded = Relationship::ALL
            .into_iter()
            .flat_map(|relationship| self.relationship(relationship))
            .filter_map(|entry| match entry {
                MethodRef::Embedded(method) => Some(method),
                MethodRef::Reference(_) => None,
            });
        self.verification_method.iter().chain(embedded)
    }

    /// The verification method of this name.
    pub fn method(&self, url: &DidUrl) -> Option<&VerificationMethod> {
        let name = url.to_string();
        self.methods()
            .find(|method| self.absolute(&method.id) == name)
    }

    /// The service of this name (an absolute one).
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.service
            .iter()
            .find(|service| self.absolute(&service.id) == name)
    }

    /// What is listed for a use.
    pub fn relationship(&self, relationship: Relationship) -> &[MethodRef] {
        match relationship {
            Relationship::Authentication => &self.authentication,
            Relationship::AssertionMethod => &self.assertion_method,
            Relationship::KeyAgreement => &self.key_agreement,
            Relationship::CapabilityInvocation => &self.capability_invocation,
            Relationship::CapabilityDelegation => &self.capability_delegation,
        }
    }

    /// Whether the method of this name is listed for this use.
    pub fn permits(&self, url: &DidUrl, relationship: Relationship) -> bool {
        let name = url.to_string();
        self.relationship(relationship).iter().any(|entry| {
            let id = match entry {
                MethodRef::Reference(id) => id,
                MethodRef::Embedded(method) => &method.id,
            };
            self.absolute(id) == name
        })
    }

    /// A name of this document as an absolute one: `#a` and `?b#a` stand behind the id.
    pub fn absolute(&self, name: &str) -> String {
        if name.starts_with(['#', '?', '/']) {
            format!("{}{name}", self.id)
        } else {
            name.to_owned()
        }
    }

    /// A name of this document as a DID URL, if it is one.
    pub fn url(&self, name: &str) -> Option<DidUrl> {
        self.absolute(name).parse().ok()
    }
}

/// Gives methods without a controller, as didwebvh-ts and others write them, the document's own.
fn complete(document: &mut Value, did: &Did) {
    let lists = Relationship::ALL.map(Relationship::member);
    for list in ["verificationMethod"].into_iter().chain(lists) {
        let methods = document.get_mut(list).and_then(Value::as_array_mut);
        for method in methods.into_iter().flatten() {
            if let Some(members) = method.as_object_mut() {
                let controller = members.entry("controller");
                controller.or_insert_with(|| did.as_str().into());
            }
        }
    }
}

impl VerificationMethod {
    /// A key as a `Multikey` with this name.
    pub fn multikey(id: &DidUrl, key: &PublicKey) -> Self {
        let material = [("publicKeyMultibase".to_owned(), key.multikey().into())];
        Self {
            id: id.to_string(),
            kind: "Multikey".to_owned(),
            controller: id.did().clone(),
            material: material.into_iter().collect(),
        }
    }

    /// The key, if it is an Ed25519 or P-256 key in a form that is known here.
    pub fn key(&self) -> Option<PublicKey> {
        key::key(self)
    }

    /// The key as a JWK, if it is given as one.
    pub fn jwk(&self) -> Option<&Value> {
        self.material.get("publicKeyJwk")
    }
}

#[cfg(test)]
mod tests;
