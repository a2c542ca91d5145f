//! Labels of digests that more than one party computes; what only one crate computes keeps its label
//! to itself. A label never changes its meaning: another meaning takes another label. The labels
//! stand in the docs of [`crate::statement`] too, for those who write a wallet of their own.

/// A request's body, in a [`crate::statement::RequestProof`].
pub const BODY: &str = "blindprint/body/v1";
/// The exact text of a notice, in a [`crate::statement::Consent`].
pub const NOTICE: &str = "blindprint/notice/v1";
/// A consent record in canonical JSON, in a [`crate::statement::Consent`].
pub const CONSENT_RECORD: &str = "blindprint/consent-record/v1";
/// A link of a subject's chain of consents; see [`crate::consent::chain`].
pub const CONSENT_CHAIN: &str = "blindprint/consent-chain/v1";
/// An uploaded template or probe.
pub const SUBMISSION: &str = "blindprint/submission/v1";
/// A template as it is stored.
pub const TEMPLATE: &str = "blindprint/template/v1";
/// An encrypted verdict bit.
pub const VERDICT_CIPHERTEXT: &str = "blindprint/verdict-ciphertext/v1";
/// The encoded compact public key.
pub const PUBLIC_KEY: &str = "blindprint/public-key/v1";
/// The encoded common reference string.
pub const CRS: &str = "blindprint/crs/v1";
/// The encoded evaluation keys.
pub const EVALUATION_KEYS: &str = "blindprint/evaluation-keys/v1";
/// The JWS of a [`crate::statement::RightsRequest`]: what opens the certificate of an erasure.
pub const ERASURE_CLAIM: &str = "blindprint/erasure-claim/v1";
