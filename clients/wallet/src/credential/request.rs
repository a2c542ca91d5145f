//! A verifier's request object: fetched, and verified with a key of the verifier's DID.

use blindprint_credentials::Suite;
use blindprint_did::KeyType;
use blindprint_egress::Request;
use blindprint_openid4vc::vp::{
    AuthorizationRequest, ClientId, Expected, RequestUriMethod, RequestUriPost, SELF_ISSUED,
    UnverifiedRequest,
};
use blindprint_resolver::{DidUrl, Options};

use super::exchange::{accepted, unfetched, unusable};
use crate::{Error, Result, Wallet};

impl Wallet {
    pub(super) async fn fetch_request(
        &self,
        client_id: &ClientId,
        url: &str,
        method: RequestUriMethod,
    ) -> Result<AuthorizationRequest> {
        let nonce = blindprint_core::Nonce::random(self.entropy()).to_string();
        let (request, nonce) = match method {
            RequestUriMethod::Get => (Request::get(url), None),
            RequestUriMethod::Post => {
                let post = RequestUriPost {
                    wallet_nonce: Some(nonce.clone()),
                    wallet_metadata: Some(wallet_metadata()),
                };
                let form = "application/x-www-form-urlencoded";
                (Request::post(url, form, post.to_form()), Some(nonce))
            }
        };
        let request = request.accept("application/oauth-authz-req+jwt");
        let response = self
            .egress()?
            .fetch(&request)
            .await
            .map_err(|e| unfetched(url, &e))?;
        let response = accepted(url, response)?;
        let text = std::str::from_utf8(&response.body)
            .map_err(|_| Error::Unusable("the request is not text".to_owned()))?;
        self.verify_request(text, client_id, nonce.as_deref()).await
    }

    pub(super) async fn verify_request(
        &self,
        jwt: &str,
        client_id: &ClientId,
        wallet_nonce: Option<&str>,
    ) -> Result<AuthorizationRequest> {
        let unverified = UnverifiedRequest::parse(jwt).map_err(unusable)?;
        let not_found = || Error::Unusable("the request's key is not one of its DID".to_owned());
        let kid: DidUrl = unverified.kid().parse().map_err(|_| not_found())?;
        let resolver = self.resolver()?;
        let found = Box::pin(resolver.resolve(kid.did(), &Options::default())).await;
        let found = found.map_err(|e| Error::Unusable(format!("the verifier's DID: {e}")))?;
        if found.document_metadata.deactivated {
            return Err(Error::Unusable(
                "the verifier's DID was given up".to_owned(),
            ));
        }
        let method = found.document.method(&kid).ok_or_else(not_found)?;
        if method.controller != *kid.did() {
            return Err(not_found());
        }
        let key = method.key().ok_or_else(not_found)?;
        let expected = Expected {
            client_id,
            wallet_nonce,
            audience: &[SELF_ISSUED],
            now: self.now(),
        };
        unverified.verify(&key, &expected).map_err(unusable)
    }
}

/// What the wallet can do, for verifiers that ask by POST: OID4VP section 10.
fn wallet_metadata() -> String {
    let algorithms = [KeyType::Ed25519, KeyType::P256].map(|key_type| match key_type {
        KeyType::Ed25519 => "EdDSA",
        KeyType::P256 => "ES256",
    });
    serde_json::json!({
        "vp_formats_supported": {
            "ldp_vc": {
                "proof_type_values": ["DataIntegrityProof"],
                "cryptosuite_values": [Suite::EddsaJcs2022.name(), Suite::EddsaRdfc2022.name()],
            },
            "jwt_vc_json": { "alg_values": algorithms },
            "dc+sd-jwt": { "sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms },
        },
        "client_id_prefixes_supported": ["decentralized_identifier", "redirect_uri"],
        "request_object_signing_alg_values_supported": algorithms,
        "response_types_supported": ["vp_token"],
    })
    .to_string()
}
