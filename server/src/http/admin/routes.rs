//! Every route of the dashboard with what it asks for.

use std::sync::Arc;

use axum::{
    Router,
    http::Method,
    middleware,
    routing::{MethodRouter, any, get, post},
};

use super::{
    account, administrators, audit,
    gate::{Door, gate, nowhere},
    join, pages, prove, sign_in,
};
use crate::{domain::admin::Permission, http::App};

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Access {
    /// Nothing: whoever has no session yet gets one here.
    Open,
    /// A role with this permission.
    Needs(Permission),
    /// The same, and that a passkey was used in the last five minutes.
    Fresh(Permission),
}

impl Access {
    /// The permission, if one is needed.
    pub(in crate::http) const fn permission(self) -> Option<Permission> {
        match self {
            Self::Open => None,
            Self::Needs(permission) | Self::Fresh(permission) => Some(permission),
        }
    }

    /// Whether a passkey must have been used lately.
    pub(in crate::http) const fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh(_))
    }
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

/// All of them. A page is [`read`], a change is [`write`].
pub(in crate::http) fn table() -> Vec<Entry> {
    use Access::{Fresh, Needs, Open};
    use Permission as P;
    let mut table = vec![
        read("/admin/sign-in", Open, get(sign_in::page)),
        write("/admin/sign-in/begin", Open, post(sign_in::begin)),
        write("/admin/sign-in/finish", Open, post(sign_in::finish)),
        read("/admin/join/{secret}", Open, get(join::page)),
        write("/admin/join/{secret}/begin", Open, post(join::begin)),
        write("/admin/join/{secret}/finish", Open, post(join::finish)),
        write("/admin/sign-out", Needs(P::OwnAccount), post(sign_in::out)),
        write(
            "/admin/prove/begin",
            Needs(P::OwnAccount),
            post(prove::begin),
        ),
        write(
            "/admin/prove/finish",
            Needs(P::OwnAccount),
            post(prove::finish),
        ),
        read("/admin/account", Needs(P::OwnAccount), get(account::page)),
        read(
            "/admin/account/new-passkey",
            Fresh(P::OwnAccount),
            get(account::new_passkey),
        ),
        write(
            "/admin/account/new-passkey/begin",
            Fresh(P::OwnAccount),
            post(account::begin_adding),
        ),
        write(
            "/admin/account/new-passkey/finish",
            Fresh(P::OwnAccount),
            post(account::finish_adding),
        ),
        write(
            "/admin/account/passkeys/{id}/name",
            Needs(P::OwnAccount),
            post(account::rename),
        ),
        write(
            "/admin/account/passkeys/{id}/removal",
            Fresh(P::OwnAccount),
            post(account::remove),
        ),
        write(
            "/admin/account/sessions/{id}/end",
            Needs(P::OwnAccount),
            post(account::end_session),
        ),
        read(
            "/admin/administrators",
            Needs(P::SeeAdministrators),
            get(administrators::page),
        ),
        write(
            "/admin/administrators/links",
            Fresh(P::ManageAdministrators),
            post(administrators::make_link),
        ),
        write(
            "/admin/administrators/links/{id}/revocation",
            Needs(P::ManageAdministrators),
            post(administrators::revoke_link),
        ),
        write(
            "/admin/administrators/{id}/role",
            Fresh(P::ManageAdministrators),
            post(administrators::change_role),
        ),
        write(
            "/admin/administrators/{id}/removal",
            Fresh(P::ManageAdministrators),
            post(administrators::remove),
        ),
        read("/admin/audit", Needs(P::SeeAudit), get(audit::page)),
    ];
    table.extend(pages());
    table
}

/// What stands in the service's memory, and what is done about it.
fn pages() -> Vec<Entry> {
    use Access::{Fresh, Needs};
    use Permission as P;
    use pages::{
        clients, configuration, consents, credential, credentials, invitations, jobs, log,
        new_request, notices, overview, parties, request, requests, subject, subjects,
    };
    vec![
        read("/admin", Needs(P::SeeOverview), get(overview::read)),
        read(
            "/admin/subjects",
            Needs(P::SeeSubjects),
            get(subjects::list),
        ),
        read(
            "/admin/subjects/{did}",
            Needs(P::SeeSubjects),
            get(subject::read),
        ),
        read(
            "/admin/consents",
            Needs(P::SeeConsents),
            get(consents::list),
        ),
        read(
            "/admin/rights-requests",
            Needs(P::SeeRequests),
            get(requests::list),
        ),
        read(
            "/admin/rights-requests/new",
            Needs(P::DecideRequests),
            get(new_request::page),
        ),
        write(
            "/admin/rights-requests/identification",
            Needs(P::DecideRequests),
            post(new_request::identify),
        ),
        read(
            "/admin/rights-requests/identification/{id}",
            Needs(P::DecideRequests),
            get(new_request::identification),
        ),
        write(
            "/admin/rights-requests/new",
            Fresh(P::DecideRequests),
            post(new_request::open),
        ),
        read(
            "/admin/rights-requests/{id}",
            Needs(P::SeeRequests),
            get(request::read),
        ),
        write(
            "/admin/rights-requests/{id}/approval",
            Fresh(P::DecideRequests),
            post(request::accept),
        ),
        write(
            "/admin/rights-requests/{id}/rejection",
            Fresh(P::DecideRequests),
            post(request::reject),
        ),
        write(
            "/admin/rights-requests/{id}/overturning",
            Fresh(P::DecideRequests),
            post(request::overturn),
        ),
        write(
            "/admin/rights-requests/{id}/upholding",
            Fresh(P::DecideRequests),
            post(request::uphold),
        ),
        write(
            "/admin/rights-requests/{id}/lifting",
            Fresh(P::DecideRequests),
            post(request::lift),
        ),
        write(
            "/admin/rights-requests/{id}/action",
            Needs(P::DecideRequests),
            post(request::require_action),
        ),
        write(
            "/admin/rights-requests/{id}/extension",
            Needs(P::DecideRequests),
            post(request::extend),
        ),
        read("/admin/notices", Needs(P::SeeNotices), get(notices::list)),
        read(
            "/admin/notices/{name}",
            Needs(P::SeeNotices),
            get(notices::read),
        ),
        read(
            "/admin/processing-record",
            Needs(P::SeeNotices),
            get(notices::record),
        ),
        read(
            "/admin/relying-parties",
            Needs(P::SeeRelyingParties),
            get(parties::list),
        ),
        read(
            "/admin/relying-parties/new",
            Needs(P::ManageRelyingParties),
            get(parties::new),
        ),
        write(
            "/admin/relying-parties/new",
            Needs(P::ManageRelyingParties),
            post(parties::add),
        ),
        read(
            "/admin/relying-parties/{id}",
            Needs(P::SeeRelyingParties),
            get(parties::read),
        ),
        write(
            "/admin/relying-parties/{id}",
            Needs(P::ManageRelyingParties),
            post(parties::change),
        ),
        write(
            "/admin/relying-parties/{id}/removal",
            Fresh(P::ManageRelyingParties),
            post(parties::remove),
        ),
        write(
            "/admin/deliveries/{id}/revival",
            Needs(P::RunJobs),
            post(parties::revive),
        ),
        read(
            "/admin/credentials",
            Needs(P::SeeCredentials),
            get(credentials::list),
        ),
        read(
            "/admin/credentials/{id}",
            Needs(P::SeeCredentials),
            get(credential::read),
        ),
        write(
            "/admin/credentials/{id}/suspension",
            Fresh(P::ChangeCredentials),
            post(credential::suspend),
        ),
        write(
            "/admin/credentials/{id}/reinstatement",
            Fresh(P::ChangeCredentials),
            post(credential::reinstate),
        ),
        write(
            "/admin/credentials/{id}/revocation",
            Fresh(P::ChangeCredentials),
            post(credential::revoke),
        ),
        read("/admin/log", Needs(P::SeeLog), get(log::list)),
        read("/admin/jobs", Needs(P::SeeJobs), get(jobs::list)),
        read(
            "/admin/configuration",
            Needs(P::SeeConfiguration),
            get(configuration::read),
        ),
        read(
            "/admin/invitations",
            Needs(P::SeeAccess),
            get(invitations::list),
        ),
        read("/admin/clients", Needs(P::SeeAccess), get(clients::list)),
    ]
}

/// The dashboard.
pub(in crate::http) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let mut router = Router::new();
    for entry in table() {
        let door = Door {
            app: Arc::clone(app),
            access: entry.access,
            writes: entry.method != Method::GET,
            route: entry.path,
        };
        let guarded = entry
            .handler
            .layer(middleware::from_fn_with_state(door, gate));
        router = router.route(entry.path, guarded);
    }
    router.route("/admin/{*rest}", any(nowhere))
}
