//! The REST API: one endpoint, one file. Handlers translate; the rules are in [`crate::domain`].
//!
//! To add an endpoint: write `http/<resource>/<verb>.rs` with its `#[utoipa::path]`, register it
//! in [`routes`](self), and say in `tests.rs` whether it is public. What a request passes, in order, is
//! told in `docs/api-design.md` and kept by `envelope`, `guard` and `proof`.

mod admin;
mod app;
mod attestation;
mod authentications;
mod consents;
mod credential_offers;
mod credentials;
mod did;
mod dids;
mod enrolments;
mod envelope;
mod guard;
mod idempotency;
mod identifiers;
mod invitations;
mod keys;
mod log;
mod me;
mod nonces;
mod notices;
mod oauth2;
mod oid4vci;
mod oid4vp;
mod openapi;
mod operations;
mod operator;
mod parameters;
mod presentation_requests;
mod presentations;
pub mod problem;
mod processing_record;
mod profiles;
mod proof;
mod published;
mod rights_requests;
mod service;
mod status_lists;
mod subjects;
#[cfg(test)]
mod tests;
mod verification;
mod vocabulary;
mod web;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, Method, header},
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use blindprint_core::problem::ProblemCode;
use tower_http::cors::{Any, CorsLayer};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use admin::Dashboard;
pub use app::{Address, App, Operators, Right, TOKEN_RATE};
pub use me::OwnPage;
pub use problem::Problem;

/// Every endpoint and what wraps them.
pub fn router(app: &Arc<App>) -> Router {
    let document = document();
    let (native, _) = routes().split_for_parts();
    let (protocols, _) = protocols().split_for_parts();
    let native = log::tile::DEEPER
        .iter()
        .fold(native, |native, path| {
            native.route(path, get(log::tile::handler))
        })
        .merge(openapi::pages(document))
        .merge(web::routes())
        .merge(admin::routes(app))
        .merge(me::routes(app))
        .method_not_allowed_fallback(method_not_allowed);
    // Within the layer that answers browsers' preflights, which are of a method that no route takes.
    let protocols = protocols
        .method_not_allowed_fallback(method_not_allowed)
        .layer(any_origin());
    native
        .merge(protocols)
        .fallback(|| async { Problem::new(ProblemCode::NotFound).into_response() })
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            guard::guard,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            envelope::envelope,
        ))
        .with_state(Arc::clone(app))
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = routes().split_for_parts();
    let (_, described) = protocols().split_for_parts();
    document.merge(described);
    openapi::with_idempotency(document)
}

async fn method_not_allowed() -> Response {
    Problem::new(ProblemCode::MethodNotAllowed).into_response()
}

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(service::read::handler))
        .routes(routes!(attestation::read::handler))
        .routes(routes!(keys::public_key::handler))
        .routes(routes!(keys::crs::handler))
        .routes(routes!(profiles::list::handler))
        .routes(routes!(notices::list::handler))
        .routes(routes!(notices::read::handler))
        .routes(routes!(consents::give::handler, consents::list::handler))
        .routes(routes!(consents::withdraw::handler))
        .routes(routes!(consents::record::handler))
        .routes(routes!(processing_record::read::handler))
        .routes(routes!(subjects::me::handler))
        .routes(routes!(me::accept::handler))
        .routes(routes!(subjects::rotate_key::handler))
        .routes(routes!(subjects::recover::handler))
        .routes(routes!(nonces::issue::handler))
        .routes(routes!(enrolments::enrol::handler))
        .routes(routes!(enrolments::erase::handler))
        .routes(routes!(authentications::start::handler))
        .routes(routes!(authentications::probe::handler))
        .routes(routes!(authentications::read::handler))
        .routes(routes!(
            invitations::invite::handler,
            invitations::list::handler
        ))
        .routes(routes!(invitations::revoke::handler))
        .routes(routes!(credential_offers::offer::handler))
        .routes(routes!(presentation_requests::ask::handler))
        .routes(routes!(presentation_requests::read::handler))
        .routes(routes!(did::document::handler))
        .routes(routes!(did::log::handler))
        .routes(routes!(did::keys::handler))
        .routes(routes!(dids::host::handler, dids::list::handler))
        .routes(routes!(dids::append::handler))
        .routes(routes!(dids::document::handler))
        .routes(routes!(dids::log::handler))
        .routes(routes!(
            identifiers::resolve::handler,
            identifiers::resolve_with::handler
        ))
        .routes(routes!(vocabulary::context::handler))
        .routes(routes!(vocabulary::schema::handler))
        .routes(routes!(vocabulary::credential_type::handler))
        .routes(routes!(status_lists::token::handler))
        .routes(routes!(status_lists::credential::handler))
        .routes(routes!(credentials::issue::handler))
        .routes(routes!(credentials::verify::handler))
        .routes(routes!(credentials::status::handler))
        .routes(routes!(presentations::verify::handler))
        .routes(routes!(log::describe::handler))
        .routes(routes!(log::checkpoint::handler))
        .routes(routes!(log::tile::handler))
        .routes(routes!(log::inclusion::handler))
        .routes(routes!(log::consistency::handler))
        .routes(routes!(log::proof::handler))
        .routes(routes!(log::entries::handler))
        .routes(routes!(
            rights_requests::open::handler,
            rights_requests::list::handler
        ))
        .routes(routes!(rights_requests::read::handler))
        .routes(routes!(rights_requests::export::handler))
        .routes(routes!(rights_requests::cancel::handler))
        .routes(routes!(rights_requests::certificate::handler))
        .routes(routes!(operations::healthz::handler))
        .routes(routes!(operations::readyz::handler))
        .routes(routes!(operations::metrics::handler))
}

/// Pages of any origin may speak the protocols: who calls is told by a token that the page holds, never
/// by a cookie.
fn any_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("dpop"),
        ])
        .expose_headers([
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
            HeaderName::from_static("dpop-nonce"),
        ])
}

/// What wallets and clients speak by other standards.
fn protocols() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(oauth2::token::handler))
        .routes(routes!(oauth2::metadata::handler))
        .routes(routes!(credential_offers::read::handler))
        .routes(routes!(credential_offers::qr_code::handler))
        .routes(routes!(oid4vci::metadata::handler))
        .routes(routes!(oid4vci::nonce::handler))
        .routes(routes!(oid4vci::credential::handler))
        .routes(routes!(oid4vci::notification::handler))
        .routes(routes!(oid4vp::request::get, oid4vp::request::post))
        .routes(routes!(oid4vp::respond::handler))
}
