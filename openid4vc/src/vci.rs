//! From issuer to wallet: OID4VCI 1.0 (`openid-4-verifiable-credential-issuance-1_0`).

mod credential;
mod metadata;
mod offer;
mod proof;
mod token;

pub use credential::{
    CredentialRequest, CredentialResponse, DeferredRequest, NonceResponse, Notification,
    NotificationEvent, ResponseEncryption, Wanted,
};
pub use metadata::{
    Algorithm, AuthorizationServerMetadata, BatchIssuance, ClaimDescription,
    CredentialConfiguration, CredentialDefinition, CredentialMetadata, Display, IssuerMetadata,
    Logo, ProofType, RequestEncryption, ResponseEncryptionSupport,
    authorization_server_metadata_url, issuer_metadata_url,
};
pub use offer::{
    AuthorizationCodeGrant, Grants, InputMode, Offer, OfferLink, PreAuthorizedGrant, TxCode,
};
pub use proof::{Client, HolderKey, ProofRules, ProvenKeys, prove_key, verify_proofs};
pub use token::{AuthorizationDetail, Grant, PRE_AUTHORIZED_CODE, TokenRequest, TokenResponse};

#[cfg(test)]
mod tests;
