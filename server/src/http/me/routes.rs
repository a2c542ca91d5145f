//! Every route of the subject's page with what it asks for.

use std::sync::Arc;

use axum::{
    Router,
    http::Method,
    middleware,
    routing::{MethodRouter, any, get, post},
};

use super::{
    browsers, consents, entries, erasure,
    gate::{Door, gate, nowhere},
    notices, overview, receipts, rights, sign_in, uses, welcome,
};
use crate::http::App;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Access {
    /// Nothing.
    Open,
    /// Somebody who is signed in. Handlers serve their own and nobody else's.
    Own,
    /// The same, and that they signed in the last five minutes.
    Fresh,
}

/// A route.
pub(in crate::http) struct Entry {
    /// GET or POST.
    pub method: Method,
    /// Its path with placeholders.
    pub path: &'static str,
    /// What it asks for.
    pub access: Access,
    handler: MethodRouter<Arc<App>>,
}

fn read(path: &'static str, access: Access, handler: MethodRouter<Arc<App>>) -> Entry {
    Entry {
        method: Method::GET,
        path,
        access,
        handler,
    }
}

fn write(path: &'static str, access: Access, handler: MethodRouter<Arc<App>>) -> Entry {
    Entry {
        method: Method::POST,
        path,
        access,
        handler,
    }
}

/// All of them.
pub(in crate::http) fn table() -> Vec<Entry> {
    use Access::{Fresh, Open, Own};
    vec![
        read("/me", Open, get(welcome::page)),
        read("/me/protection", Open, get(welcome::protection)),
        read("/me/notices", Open, get(notices::list)),
        read("/me/notices/{digest}", Open, get(notices::read)),
        read("/me/sign-in", Open, get(sign_in::page)),
        read("/me/sign-in/link", Open, get(sign_in::link)),
        read("/me/sign-in/qr.svg", Open, get(sign_in::picture)),
        write("/me/sign-in/begin", Open, post(sign_in::begin)),
        write("/me/sign-out", Own, post(sign_in::out)),
        read("/me/data", Own, get(overview::page)),
        read("/me/uses", Own, get(uses::page)),
        read("/me/consents", Own, get(consents::page)),
        read("/me/consents/{id}/withdrawal", Own, get(consents::ask)),
        write("/me/consents/{id}/end", Fresh, post(consents::withdraw)),
        read("/me/rights", Own, get(rights::page)),
        read("/me/rights/new/{right}", Own, get(rights::ask)),
        write("/me/rights/open", Own, post(rights::open)),
        write("/me/rights/{id}/cancellation", Own, post(rights::cancel)),
        read("/me/rights/{id}/export", Own, get(rights::export)),
        write("/me/export", Own, post(rights::export_now)),
        read("/me/erasure", Own, get(erasure::ask)),
        write("/me/erasure/everything", Fresh, post(erasure::everything)),
        read("/me/enrolments/{id}/erasure", Own, get(erasure::ask_one)),
        write("/me/enrolments/{id}/end", Fresh, post(erasure::one)),
        // Who has the claim has the certificate: nobody is left who could sign in.
        read("/me/farewell/{claim}", Open, get(erasure::farewell)),
        read("/me/farewell/{claim}/proof.json", Open, get(erasure::proof)),
        read("/me/receipts", Own, get(receipts::page)),
        read("/me/receipts/consents/{id}", Own, get(receipts::consent)),
        read(
            "/me/receipts/enrolments/{id}",
            Own,
            get(receipts::enrolment),
        ),
        read("/me/receipts/decisions/{id}", Own, get(receipts::decision)),
        read("/me/log", Own, get(entries::page)),
        read("/me/log/{index}", Own, get(entries::one)),
        read("/me/log/{index}/proof", Own, get(entries::proof)),
        read("/me/browsers", Own, get(browsers::page)),
        write("/me/browsers/{id}/end", Own, post(browsers::end)),
    ]
}

/// The subject's page.
pub(in crate::http) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let mut router = Router::new();
    for entry in table() {
        let door = Door {
            app: Arc::clone(app),
            access: entry.access,
            writes: entry.method != Method::GET,
        };
        let guarded = entry
            .handler
            .layer(middleware::from_fn_with_state(door, gate));
        router = router.route(entry.path, guarded);
    }
    router.route("/me/{*rest}", any(nowhere))
}
