use serde_json::{Map, Value, json};

use crate::{
    Document, IssueError, UnverifiedCredential, VerifyError,
    credential::{self, BASE_CONTEXT},
};

/// A well-formed presentation (VCDM 2.0 section 4.13). Nothing in it is verified; it may carry a proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Presentation {
    document: Document,
    holder: Option<String>,
}

impl Presentation {
    /// How many credentials it may hold.
    pub const MAX_CREDENTIALS: usize = 16;

    /// Checks the shape of what came from outside.
    pub fn parse(document: Document) -> Result<Self, VerifyError> {
        let members = document.members();
        crate::contexts::begins_with_base(members)?;
        credential::types(members, "VerifiablePresentation")?;
        credential::one_url(members, "id")?;
        let holder = match members.get("holder") {
            None => None,
            Some(Value::String(holder)) => Some(holder),
            Some(Value::Object(holder)) => match holder.get("id") {
                Some(Value::String(holder)) => Some(holder),
                _ => return Err(VerifyError::Malformed("holder has no id")),
            },
            Some(_) => return Err(VerifyError::Malformed("there may be one holder")),
        };
        if holder.is_some_and(|holder| !credential::is_url(holder)) {
            return Err(VerifyError::Malformed("holder must be a URL"));
        }
        let credentials = credential::objects(members, "verifiableCredential")?;
        if credentials.len() > Self::MAX_CREDENTIALS {
            return Err(VerifyError::TooLarge);
        }
        Ok(Self {
            holder: holder.cloned(),
            document,
        })
    }

    /// A presentation of `credentials` by `holder` (a DID), not yet signed. JOSE and SD-JWT
    /// credentials are enveloped (VCDM 2.0 section 4.13.1).
    pub fn of(holder: &str, credentials: &[UnverifiedCredential]) -> Result<Self, IssueError> {
        let document = json!({
            "@context": [BASE_CONTEXT],
            "type": ["VerifiablePresentation"],
            "holder": holder,
            "verifiableCredential": credentials
                .iter()
                .map(UnverifiedCredential::to_member)
                .collect::<Vec<_>>(),
        });
        Ok(Self::parse(Document::try_from(document)?)?)
    }

    /// The whole object.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Who presents.
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// What is presented, not yet looked at.
    pub fn credentials(&self) -> Vec<&Map<String, Value>> {
        credential::objects(self.document.members(), "verifiableCredential").unwrap_or_default()
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
