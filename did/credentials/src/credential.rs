//! Credentials of the W3C Verifiable Credentials Data Model 2.0.

use blindprint_core::UnixTime;
use serde_json::{Map, Value, json};

use crate::{
    Claims, Deployment, Document, IssueError, VerifyError, status::StatusEntry, timestamp,
};

/// The base context, which comes first (VCDM 2.0 section 4.3).
pub(crate) const BASE_CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";

/// A well-formed credential (VCDM 2.0 section 4). Nothing in it is verified; it may carry a proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    document: Document,
    issuer: String,
    types: Vec<String>,
    valid_from: Option<UnixTime>,
    valid_until: Option<UnixTime>,
}

impl Credential {
    /// Checks the shape of what came from outside.
    pub fn parse(document: Document) -> Result<Self, VerifyError> {
        let members = document.members();
        crate::contexts::begins_with_base(members)?;
        let types = types(members, "VerifiableCredential")?;
        one_url(members, "id")?;
        let issuer = match members.get("issuer") {
            Some(Value::String(issuer)) => issuer,
            Some(Value::Object(issuer)) => issuer
                .get("id")
                .and_then(Value::as_str)
                .ok_or(VerifyError::Malformed("issuer has no id"))?,
            _ => return Err(VerifyError::Malformed("there must be one issuer")),
        };
        if !is_url(issuer) {
            return Err(VerifyError::Malformed("issuer must be a URL"));
        }
        let issuer = issuer.to_owned();
        let subjects = objects(members, "credentialSubject")?;
        if subjects.is_empty() || subjects.iter().any(|subject| subject.is_empty()) {
            return Err(VerifyError::Malformed("credentialSubject says nothing"));
        }
        for subject in subjects {
            one_url(subject, "id")?;
        }
        for name in [
            "credentialStatus",
            "credentialSchema",
            "evidence",
            "refreshService",
            "termsOfUse",
        ] {
            for object in objects(members, name)? {
                if !object.contains_key("type") {
                    return Err(VerifyError::Malformed("an object of the model has no type"));
                }
            }
        }
        let (valid_from, valid_until) = (time(members, "validFrom")?, time(members, "validUntil")?);
        if let (Some(from), Some(until)) = (valid_from, valid_until)
            && until < from
        {
            return Err(VerifyError::Malformed("validUntil comes before validFrom"));
        }
        Ok(Self {
            document,
            issuer,
            types,
            valid_from,
            valid_until,
        })
    }

    /// Begins one of Blindprint's own credentials.
    pub fn builder(deployment: &Deployment, issuer: &str, claims: &Claims) -> CredentialBuilder {
        CredentialBuilder::new(deployment, issuer, claims)
    }

    /// The same credential, issued by `issuer` (a DID). An issuer object keeps its other members.
    pub fn issued_by(self, issuer: &str) -> Result<Self, IssueError> {
        let mut members = self.document.into_members();
        match members.get_mut("issuer") {
            Some(Value::Object(object)) => {
                object.insert("id".to_owned(), issuer.into());
            }
            _ => {
                members.insert("issuer".to_owned(), issuer.into());
            }
        }
        Ok(Self::parse(Document::try_from(members)?)?)
    }

    /// The same credential with these status entries in place of any other.
    pub fn with_status(self, entries: &[StatusEntry]) -> Result<Self, IssueError> {
        let mut members = self.document.into_members();
        members.remove("credentialStatus");
        if let Some(status) = one_or_many(entries.iter().map(StatusEntry::to_value).collect()) {
            members.insert("credentialStatus".to_owned(), status);
        }
        Ok(Self::parse(Document::try_from(members)?)?)
    }

    /// The whole object.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The issuer's identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its types, `VerifiableCredential` included.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// From when it holds.
    pub const fn valid_from(&self) -> Option<UnixTime> {
        self.valid_from
    }

    /// Until when it holds.
    pub const fn valid_until(&self) -> Option<UnixTime> {
        self.valid_until
    }

    /// What it says, of one subject or several.
    pub fn subjects(&self) -> Vec<&Map<String, Value>> {
        objects(self.document.members(), "credentialSubject").unwrap_or_default()
    }

    /// The `id` of the subject, if there is one subject and it has one.
    pub fn subject_id(&self) -> Option<&str> {
        match self.subjects().as_slice() {
            [subject] => subject.get("id").and_then(Value::as_str),
            _ => None,
        }
    }

    /// Takes the document out.
    pub fn into_document(self) -> Document {
        self.document
    }

    /// Takes the object out.
    pub fn into_value(self) -> Value {
        self.document.into_value()
    }
}

/// One of Blindprint's own credentials in the making.
#[derive(Debug, Clone)]
pub struct CredentialBuilder {
    members: Map<String, Value>,
    status: Vec<Value>,
}

impl CredentialBuilder {
    fn new(deployment: &Deployment, issuer: &str, claims: &Claims) -> Self {
        let credential_type = claims.credential_type();
        let json = json!({
            "@context": [BASE_CONTEXT, deployment.context_url()],
            "type": ["VerifiableCredential", credential_type.name()],
            "issuer": issuer,
            "credentialSchema": {
                "id": deployment.schema_url(credential_type),
                "type": "JsonSchema",
            },
            "credentialSubject": claims,
        });
        let members = match json {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        Self {
            members,
            status: Vec::new(),
        }
    }

    /// The holder: a DID that names the holder's key.
    #[must_use]
    pub fn held_by(mut self, holder: &str) -> Self {
        if let Some(Value::Object(subject)) = self.members.get_mut("credentialSubject") {
            subject.insert("id".to_owned(), holder.into());
        }
        self
    }

    /// From when it holds.
    #[must_use]
    pub fn valid_from(mut self, at: UnixTime) -> Self {
        let at = timestamp::format(at);
        self.members.insert("validFrom".to_owned(), at.into());
        self
    }

    /// Until when it holds.
    #[must_use]
    pub fn valid_until(mut self, at: UnixTime) -> Self {
        let at = timestamp::format(at);
        self.members.insert("validUntil".to_owned(), at.into());
        self
    }

    /// One more place where its status is told.
    #[must_use]
    pub fn status(mut self, entry: &StatusEntry) -> Self {
        self.status.push(entry.to_value());
        self
    }

    /// The credential.
    pub fn build(mut self) -> Result<Credential, IssueError> {
        if let Some(status) = one_or_many(self.status) {
            self.members.insert("credentialStatus".to_owned(), status);
        }
        Ok(Credential::parse(Document::try_from(self.members)?)?)
    }
}

/// A single value stands for itself, as all implementations write it.
fn one_or_many(mut values: Vec<Value>) -> Option<Value> {
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Value::Array(values)),
    }
}

/// The members of `type`, of which `wanted` must be one.
pub(crate) fn types(
    members: &Map<String, Value>,
    wanted: &str,
) -> Result<Vec<String>, VerifyError> {
    let types: Option<Vec<String>> = match members.get("type") {
        Some(Value::String(name)) => Some(vec![name.clone()]),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let types = types.ok_or(VerifyError::Malformed("type must be names"))?;
    if types.iter().any(|name| name == wanted) {
        Ok(types)
    } else {
        Err(VerifyError::Malformed("of another type"))
    }
}

/// The objects under `name`: none, one, or an array of them.
pub(crate) fn objects<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Vec<&'a Map<String, Value>>, VerifyError> {
    let object = |value: &'a Value| {
        value
            .as_object()
            .ok_or(VerifyError::Malformed("an object of the model is none"))
    };
    match members.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) if !values.is_empty() => values.iter().map(object).collect(),
        Some(value) => Ok(vec![object(value)?]),
    }
}

/// `name`, if present, is one URL.
pub(crate) fn one_url(members: &Map<String, Value>, name: &str) -> Result<(), VerifyError> {
    match members.get(name) {
        None => Ok(()),
        Some(Value::String(url)) if is_url(url) => Ok(()),
        Some(_) => Err(VerifyError::Malformed("an id must be one URL")),
    }
}

/// Something with a scheme and without spaces, such as a DID.
pub(crate) fn is_url(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && text.len() > scheme.len() + 1
        && text
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c))
}

/// The instant under `name`.
pub(crate) fn time(
    members: &Map<String, Value>,
    name: &str,
) -> Result<Option<UnixTime>, VerifyError> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(timestamp::parse)
            .map(Some)
            .ok_or(VerifyError::Malformed("a time must be a dateTimeStamp")),
    }
}
