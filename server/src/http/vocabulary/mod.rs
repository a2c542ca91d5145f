pub(super) mod context;
pub(super) mod credential_type;
pub(super) mod schema;

use blindprint_credentials::CredentialType;

/// The kind of credential of this name.
fn kind(slug: &str) -> Option<CredentialType> {
    CredentialType::ALL
        .into_iter()
        .find(|known| known.slug() == slug)
}
