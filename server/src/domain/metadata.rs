//! What the service says of itself to wallets and clients that find it by its name alone.

use std::collections::BTreeMap;

use blindprint_credentials::{CredentialType, Deployment};
use blindprint_openid4vc::{
    Format, dpop,
    jwe::{self, Encryption, Jwks},
    vci::{
        AuthorizationServerMetadata, BatchIssuance, CredentialConfiguration, CredentialDefinition,
        CredentialMetadata, Display, IssuerMetadata, PRE_AUTHORIZED_CODE, ProofType,
        RequestEncryption, ResponseEncryptionSupport,
    },
};

use super::{
    OpenId, Scope,
    configurations::Configuration,
    issued::{CredentialFormat, CredentialKind},
};

impl OpenId {
    /// OpenID4VCI section 12.2.
    pub fn issuer_metadata(&self) -> IssuerMetadata {
        let at = |path: &str| format!("{}{path}", self.id());
        IssuerMetadata {
            credential_issuer: self.id().to_string(),
            authorization_servers: Vec::new(),
            credential_endpoint: at("/openid4vci/credential"),
            nonce_endpoint: Some(at("/openid4vci/nonce")),
            // Nothing is ever deferred: what is not issued at once is refused.
            deferred_credential_endpoint: None,
            notification_endpoint: Some(at("/openid4vci/notification")),
            credential_request_encryption: Some(RequestEncryption {
                jwks: Jwks::from(&self.request_key()),
                enc_values_supported: texts(&Encryption::NAMES),
                zip_values_supported: Vec::new(),
                encryption_required: false,
            }),
            credential_response_encryption: Some(ResponseEncryptionSupport {
                alg_values_supported: texts(&[jwe::ALG]),
                enc_values_supported: texts(&Encryption::NAMES),
                zip_values_supported: Vec::new(),
                encryption_required: false,
            }),
            batch_credential_issuance: u32::try_from(self.terms.batch_size)
                .ok()
                .filter(|batch_size| *batch_size >= 2)
                .map(|batch_size| BatchIssuance { batch_size }),
            display: vec![named("Blindprint")],
            credential_configurations_supported: Configuration::all()
                .map(|configuration| (configuration.to_string(), self.described(configuration)))
                .collect(),
        }
    }

    /// RFC 8414.
    pub fn authorization_server_metadata(&self) -> AuthorizationServerMetadata {
        AuthorizationServerMetadata {
            issuer: self.id().to_string(),
            authorization_endpoint: None,
            token_endpoint: Some(format!("{}/oauth2/token", self.id())),
            pushed_authorization_request_endpoint: None,
            jwks_uri: None,
            scopes_supported: Scope::ALL.iter().map(ToString::to_string).collect(),
            response_types_supported: Vec::new(),
            grant_types_supported: texts(&["client_credentials", PRE_AUTHORIZED_CODE]),
            token_endpoint_auth_methods_supported: texts(&[
                "client_secret_basic",
                "client_secret_post",
                "none",
            ]),
            code_challenge_methods_supported: Vec::new(),
            dpop_signing_alg_values_supported: texts(&dpop::ALGORITHMS),
            authorization_details_types_supported: Vec::new(),
            anonymous_pre_authorized: true,
        }
    }

    fn described(&self, configuration: Configuration) -> CredentialConfiguration {
        let Configuration { kind, format } = configuration;
        let deployment = Deployment::new(self.id());
        let credential_type = credential_type(kind);
        let (wire, algorithm) = match format {
            CredentialFormat::LdpVcJcs => (Format::LdpVc, "eddsa-jcs-2022"),
            CredentialFormat::LdpVcRdfc => (Format::LdpVc, "eddsa-rdfc-2022"),
            CredentialFormat::JwtVc => (Format::JwtVcJson, "EdDSA"),
            CredentialFormat::SdJwtEdDsa => (Format::SdJwtVc, "EdDSA"),
            CredentialFormat::SdJwtEs256 => (Format::SdJwtVc, "ES256"),
        };
        let context = match wire {
            Format::LdpVc => vec![
                "https://www.w3.org/ns/credentials/v2".into(),
                deployment.context_url().into(),
            ],
            _ => Vec::new(),
        };
        let definition = CredentialDefinition {
            context,
            types: vec![
                "VerifiableCredential".to_owned(),
                credential_type.name().to_owned(),
            ],
        };
        let is_sd_jwt = wire == Format::SdJwtVc;
        CredentialConfiguration {
            format: wire,
            scope: Some(configuration.to_string()),
            credential_signing_alg_values_supported: vec![algorithm.into()],
            cryptographic_binding_methods_supported: texts(&["jwk", "did:key", "did:jwk"]),
            proof_types_supported: BTreeMap::from([(
                "jwt".to_owned(),
                ProofType {
                    proof_signing_alg_values_supported: texts(&dpop::ALGORITHMS),
                    key_attestations_required: None,
                },
            )]),
            credential_metadata: Some(CredentialMetadata {
                display: vec![named(match kind {
                    CredentialKind::Enrolment => "Biometric enrolment",
                    CredentialKind::Authentication => "Biometric authentication",
                    CredentialKind::ConsentReceipt => "Consent receipt",
                })],
                claims: Vec::new(),
            }),
            vct: is_sd_jwt.then(|| deployment.vct(credential_type)),
            credential_definition: (!is_sd_jwt).then_some(definition),
        }
    }
}

const fn credential_type(kind: CredentialKind) -> CredentialType {
    match kind {
        CredentialKind::Enrolment => CredentialType::Enrolment,
        CredentialKind::Authentication => CredentialType::Authentication,
        CredentialKind::ConsentReceipt => CredentialType::ConsentReceipt,
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn named(name: &str) -> Display {
    Display {
        name: Some(name.to_owned()),
        locale: Some("en".to_owned()),
        description: None,
        logo: None,
    }
}
