use blindprint_core::ServiceId;

use crate::CredentialType;

/// The addresses under which one Blindprint service publishes its vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment(String);

impl Deployment {
    /// The deployment at this public base URL.
    pub fn new(public_url: &ServiceId) -> Self {
        Self(public_url.as_str().to_owned())
    }

    /// Where [`crate::Contexts::BLINDPRINT`] is served.
    pub fn context_url(&self) -> String {
        format!("{}/contexts/v1", self.0)
    }

    /// Where [`CredentialType::schema`] is served.
    pub fn schema_url(&self, credential_type: CredentialType) -> String {
        format!("{}/schemas/{}/v1.json", self.0, credential_type.slug())
    }

    /// The SD-JWT VC type, which is also where its metadata is served.
    pub fn vct(&self, credential_type: CredentialType) -> String {
        format!("{}/credentials/types/{}/v1", self.0, credential_type.slug())
    }
}
