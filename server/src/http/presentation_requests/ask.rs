use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use blindprint_core::{Digest, Nonce, UnixTime, label};
use blindprint_openid4vc::vp::{ResponseMode, dcql::Query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{Facts, Scope, WantedPresentation},
    http::{
        App, Problem,
        idempotency::{Keep, Keyed},
        oauth2::client::Client,
        openapi::ClientProblems,
        parameters::Plain,
    },
};

const PATH: &str = "/v1/presentation-requests";
const USUAL_SECONDS: u32 = 300;

/// What a machine client wants to be shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestPresentation {
    /// A DCQL query (OID4VP section 6). Every credential has to be shown by its holder.
    #[schema(value_type = Object)]
    query: Query,
    /// `direct_post.jwt`, encrypted, unless this says `direct_post`.
    #[schema(value_type = Option<String>)]
    response_mode: Option<ResponseMode>,
    /// Who asks; the service's DID unless this says otherwise.
    client_id_prefix: Option<Prefix>,
    /// DIDs whose credentials count; this service's own by default.
    trusted_issuers: Option<Vec<String>>,
    /// Where the wallet sends the person's browser back to, with a `response_code` in the fragment.
    redirect_uri: Option<String>,
    /// How long it can be answered, in seconds: at most 600, by default 300.
    valid_for: Option<u32>,
}

/// Who asks (OID4VP section 5.9).
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Prefix {
    /// The service's DID, which signs the request.
    DecentralizedIdentifier,
    /// The address that the answer goes to; the request is not signed.
    RedirectUri,
}

/// A request that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresentationRequested {
    /// Its name.
    id: Nonce,
    /// What the wallet opens: a link, or for a QR code.
    uri: String,
    /// Who asks, in the wallet's words.
    client_id: String,
    /// When it ends unanswered.
    expires: UnixTime,
}

/// Asks whichever wallet gets the link for a presentation. It is kept for minutes and in memory only: a
/// restart forgets it.
#[utoipa::path(
    post, path = "/v1/presentation-requests", operation_id = "request_presentation",
    tag = "credentials",
    request_body = RequestPresentation,
    responses((status = CREATED, body = PresentationRequested), ClientProblems),
    security(("client" = ["presentations:request"])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
    body: Plain<RequestPresentation>,
) -> Result<Response, Problem> {
    client.require(Scope::PresentationsRequest)?;
    let Plain { value, bytes } = body;
    let facts = Facts {
        method: "POST",
        target: PATH,
        body: Digest::of(label::BODY, &bytes),
    };
    let caller = format!("client:{}", client.id());
    let keyed = Keyed::new(&caller, Keyed::key(&headers)?, facts, None);
    let wanted = WantedPresentation {
        query: value.query,
        response_mode: value.response_mode.unwrap_or(ResponseMode::DirectPostJwt),
        signed: value.client_id_prefix != Some(Prefix::RedirectUri),
        issuers: value.trusted_issuers.unwrap_or_default(),
        redirect_uri: value.redirect_uri,
        valid_for: value.valid_for.unwrap_or(USUAL_SECONDS),
    };
    let (openid, id, name) = (Arc::clone(&app.openid), client.id(), keyed.name());
    let work = async move {
        let made = openid.request_presentation(id, wanted, name)?;
        Ok(PresentationRequested {
            id: made.id,
            uri: made.uri,
            client_id: made.client_id,
            expires: made.expires,
        })
    };
    // The key decides the request's name: what is repeated finds the same request, or makes it again
    // after a restart.
    Ok(app
        .once(keyed, Keep::Nothing, StatusCode::CREATED, work)
        .await?)
}
