//! OAuth 2.0, `OpenID4VCI` and `OpenID4VP`: how machine clients get in, how wallets receive credentials and show them.

use std::sync::Arc;

use blindprint_core::{Clock, Digest, Entropy, ServiceId};
use blindprint_openid4vc::{
    Code,
    jwe::{DecryptionKey, RecipientKey, SealedJwe},
};
use secrecy::zeroize::Zeroizing;

use super::{Credentials, Locks, ProtocolKey, presentation_requests::PresentationRequests};
use crate::store::Store;

/// What the operator decided about these protocols.
#[derive(Debug, Clone)]
pub struct OpenIdTerms {
    /// The service: issuer, authorization server and verifier in one.
    pub service: ServiceId,
    /// Most copies of a credential that are issued at once.
    pub batch_size: usize,
}

/// The parts that these protocols use.
pub struct OpenIdParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// The issuer.
    pub credentials: Arc<Credentials>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What codes and nonces are made with.
    pub protocol: ProtocolKey,
}

/// The service as authorization server, credential issuer and verifier.
pub struct OpenId {
    pub(super) terms: OpenIdTerms,
    pub(super) store: Arc<dyn Store>,
    pub(super) credentials: Arc<Credentials>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) protocol: ProtocolKey,
    /// Offers that are being redeemed for credentials.
    pub(super) redeeming: Locks<Digest>,
    /// What wallets are asked for.
    pub(super) requests: PresentationRequests,
    /// Wallets encrypt credential requests to it. It lasts as long as this process: after a restart
    /// they read the metadata again.
    request_key: DecryptionKey,
}

impl OpenId {
    /// On these terms.
    pub fn new(terms: OpenIdTerms, parts: OpenIdParts) -> Self {
        let request_key = DecryptionKey::generate(&*parts.entropy);
        let kid = request_key.public().thumbprint();
        Self {
            request_key: request_key.named(kid),
            store: parts.store,
            credentials: parts.credentials,
            clock: parts.clock,
            entropy: parts.entropy,
            protocol: parts.protocol,
            redeeming: Locks::default(),
            requests: PresentationRequests::default(),
            terms,
        }
    }

    /// The service's name.
    pub const fn id(&self) -> &ServiceId {
        &self.terms.service
    }

    /// The key that credential requests may be encrypted to (`OpenID4VCI` section 10).
    pub(super) fn request_key(&self) -> RecipientKey {
        self.request_key.public()
    }

    /// A credential request that was encrypted to [`Self::request_key`].
    pub fn open_request(
        &self,
        jwe: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, blindprint_openid4vc::Error> {
        let text = std::str::from_utf8(jwe).unwrap_or_default();
        SealedJwe::parse(text.trim(), jwe.len())
            .and_then(|sealed| sealed.open(&self.request_key))
            .map_err(|error| error.under(Code::InvalidEncryptionParameters))
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Where randomness comes from.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}
