//! The OpenAPI document and its readable page.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware,
    middleware::Next,
    response::Response as HttpResponse,
    routing::get,
};
use blindprint_core::problem::{ProblemCode, ProblemDocument};
use utoipa::{
    IntoResponses, Modify, OpenApi, PartialSchema as _, ToSchema as _,
    openapi::{
        Components, ContentBuilder, OpenApi as Api, Ref, RefOr, Required, Response,
        ResponseBuilder,
        path::{ParameterBuilder, ParameterIn},
        security::{
            ApiKey, ApiKeyValue, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2,
            Scopes, SecurityScheme,
        },
    },
};
use utoipa_swagger_ui::SwaggerUi;

use super::{App, problem};
use crate::domain::Scope;

/// What is said once for all endpoints.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Blindprint",
        description = "Biometric enrolment and authentication on encrypted templates.\n\n\
            Wallets sign every request: header `Blindprint-Proof` carries a compact JWS of a \
            RequestProof over method, path, body digest, nonce and time. Operators and machine \
            clients send a bearer token. Every error under `/v1` is `application/problem+json` with a \
            stable `type`, and every POST there takes an `Idempotency-Key`; elsewhere errors have the \
            form of the standard that an endpoint serves.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "service", description = "What a wallet verifies before it starts"),
        (name = "consent", description = "Notices, consents, withdrawals"),
        (name = "subject", description = "What is kept about the caller, and their keys"),
        (name = "enrolment", description = "Templates"),
        (name = "authentication", description = "Challenges and verdicts"),
        (name = "credentials", description = "OAuth 2.0, OpenID4VCI and OpenID4VP: errors are `{\"error\", \"error_description\"}`"),
        (name = "identity", description = "DIDs: the service's, hosted ones, anybody's"),
        (name = "vocabulary", description = "What credentials say: context, schemas, types"),
        (name = "status", description = "Status lists"),
        (name = "rights", description = "What subjects may ask for, and what comes of it"),
        (name = "log", description = "The transparency log: checkpoint and tiles of C2SP, proofs of RFC 6962"),
        (name = "vc-api", description = "Credentials and presentations for machine clients (VC API)"),
        (name = "operation", description = "For operators"),
    ),
    modifiers(&Common),
)]
pub(super) struct Document;

/// Security schemes and the schema of errors.
struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut Api) {
        let components = api.components.get_or_insert_with(Components::new);
        components.add_security_scheme(
            "wallet",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "Blindprint-Proof",
                "A RequestProof signed by the subject's current key, as a compact JWS",
            ))),
        );
        components.add_security_scheme(
            "recovery",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "Blindprint-Proof",
                "A RequestProof signed by the subject's recovery key, as a compact JWS",
            ))),
        );
        components.add_security_scheme(
            "operator",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("The operator's token, from the data folder"))
                    .build(),
            ),
        );
        let scopes = Scope::ALL.map(|scope| (scope.as_str(), scope.meaning()));
        components.add_security_scheme(
            "client",
            SecurityScheme::OAuth2(OAuth2::with_description(
                [Flow::ClientCredentials(ClientCredentials::new(
                    "/oauth2/token",
                    Scopes::from_iter(scopes),
                ))],
                "A machine client made by `blindprint client add`",
            )),
        );
        components.add_security_scheme(
            "wallet-token",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(
                        "An access token had for an offer's code; scheme `DPoP` if it is bound",
                    ))
                    .build(),
            ),
        );
        let name = ProblemDocument::name().into_owned();
        components.schemas.insert(name, ProblemDocument::schema());
    }
}

/// Says of every POST what `idempotency` does for it.
pub(super) fn with_idempotency(mut document: Api) -> Api {
    let header = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 128 printable ASCII characters. The same request under the same key is carried \
             out once and answered alike for a day; another one is refused.",
        ))
        .schema(Some(String::schema()))
        .build();
    for (path, item) in &mut document.paths.paths {
        // The paths of other standards have no idempotency keys.
        if !path.starts_with("/v1/") {
            continue;
        }
        if let Some(operation) = &mut item.post {
            operation
                .parameters
                .get_or_insert_default()
                .push(RefOr::T(header.clone()));
        }
    }
    document
}

/// `/openapi.json` and `/docs`.
pub(super) fn pages(document: Api) -> Router<Arc<App>> {
    let page: Router<Arc<App>> = SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .into();
    page.route("/docs/index.css", get(style))
        .layer(middleware::from_fn(same_origin))
}

/// In place of the page's own, with what it takes to read it in the dark and by keyboard.
async fn style() -> ([(HeaderName, &'static str); 1], &'static str) {
    (
        [(header::CONTENT_TYPE, "text/css")],
        include_str!("docs.css"),
    )
}

/// The page lives of this server alone; its own styles are inline.
async fn same_origin(request: Request, next: Next) -> HttpResponse {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
             frame-ancestors 'none'",
        ),
    );
    response
}

/// What any endpoint can answer.
const ANY: &[ProblemCode] = &[
    ProblemCode::MalformedRequest,
    ProblemCode::TooLarge,
    ProblemCode::RateLimited,
    ProblemCode::Internal,
    ProblemCode::Unavailable,
];

/// What an endpoint for wallets can answer besides.
const WALLET: &[ProblemCode] = &[
    ProblemCode::Unauthenticated,
    ProblemCode::UnsupportedMediaType,
    ProblemCode::MalformedSubmission,
    ProblemCode::Refused,
    ProblemCode::NotFound,
    ProblemCode::Conflict,
    ProblemCode::IdempotencyMismatch,
    ProblemCode::InsufficientStorage,
];

/// What an endpoint for operators can answer besides.
const OPERATOR: &[ProblemCode] = &[
    ProblemCode::OperatorOnly,
    ProblemCode::UnsupportedMediaType,
    ProblemCode::NotFound,
    ProblemCode::IdempotencyMismatch,
    ProblemCode::InsufficientStorage,
];

/// What an endpoint for machine clients can answer besides.
const CLIENT: &[ProblemCode] = &[
    ProblemCode::ClientOnly,
    ProblemCode::InsufficientScope,
    ProblemCode::UnsupportedMediaType,
    ProblemCode::NotFound,
];

/// What an endpoint that compares can answer besides.
const COMPARISON: &[ProblemCode] = &[
    ProblemCode::InvitationRequired,
    ProblemCode::ConsentRequired,
    ProblemCode::ChallengeGone,
    ProblemCode::ProofRejected,
    ProblemCode::KeyRetired,
    ProblemCode::Throttled,
    ProblemCode::Locked,
];

/// What an endpoint that hosts DIDs can answer besides.
const HOSTING: &[ProblemCode] = &[
    ProblemCode::ConsentRequired,
    ProblemCode::QuotaReached,
    ProblemCode::LogRefused,
];

/// What an endpoint for credentials can answer besides.
const CREDENTIAL: &[ProblemCode] = &[
    ProblemCode::CredentialRefused,
    ProblemCode::NotVerified,
    ProblemCode::Conflict,
    ProblemCode::InsufficientStorage,
];

macro_rules! problem_sets {
    ($($(#[$doc:meta])* $name:ident = [$($set:ident),*];)*) => {
        $(
            $(#[$doc])*
            pub(super) struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    problems(&[$($set),*].concat())
                }
            }
        )*
    };
}

problem_sets! {
    /// Errors of public endpoints.
    PublicProblems = [ANY];
    /// Errors of wallets' endpoints.
    WalletProblems = [ANY, WALLET];
    /// Errors of endpoints that take a template or a probe, or prepare for one.
    ComparisonProblems = [ANY, WALLET, COMPARISON];
    /// Errors of machine clients' endpoints.
    ClientProblems = [ANY, CLIENT];
    /// Errors of wallets' endpoints that host DIDs.
    HostingProblems = [ANY, WALLET, HOSTING];
    /// Errors of machine clients' endpoints for credentials.
    CredentialProblems = [ANY, CLIENT, CREDENTIAL];
    /// Errors of operators' endpoints.
    OperatorProblems = [ANY, OPERATOR];
}

/// Errors in the form of OAuth and `OpenID4VC`.
pub(super) struct ProtocolProblems;

impl IntoResponses for ProtocolProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = ResponseBuilder::new()
            .description("`{\"error\", \"error_description\"}`, as the protocol says")
            .build();
        [("4XX".to_owned(), RefOr::T(response))].into()
    }
}

fn problems(codes: &[ProblemCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for code in codes {
        let line = format!("`{}`: {}", code.type_uri(), code.title());
        by_status
            .entry(code.status().to_string())
            .or_default()
            .push(line);
    }
    by_status
        .into_iter()
        .map(|(status, lines)| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(ProblemDocument::name())))
                .build();
            let response = ResponseBuilder::new()
                .description(lines.join("\n\n"))
                .content(problem::MEDIA_TYPE, content)
                .build();
            (status, RefOr::T(response))
        })
        .collect()
}
