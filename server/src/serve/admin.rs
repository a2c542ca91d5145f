//! The dashboard, and how its first administrator gets in.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::http::Uri;
use blindprint_core::{Clock, Entropy, ServiceId};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Result,
    config::Config,
    domain::admin::{Admin, AdminParts, Relying},
    http::{App, Dashboard},
    store::Store,
};

/// How often sessions that are over are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(5);

/// The dashboard over what was prepared.
pub(super) fn dashboard(
    config: &Config,
    service: &ServiceId,
    http: Option<SocketAddr>,
    store: &Arc<dyn Store>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Dashboard {
    let plain_host = http.map(super::host_and_port);
    let plain = plain_host.as_ref().map(|host| format!("http://{host}"));
    let relying = Relying::new(service, plain.as_deref());
    if relying.is_none() {
        tracing::warn!(
            "nobody can sign in to the dashboard: {service} has no host name, which passkeys need"
        );
    }
    let parts = AdminParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        relying,
    };
    let rules = Admin::new(parts, config.admin.terms());
    Dashboard::new(rules, plain_host, config.limits.remembered)
}

/// Where browsers reach the dashboard: plain HTTP on this machine if the service is `localhost`, because
/// they do not know the local authority's certificate.
pub(super) fn origin(service: &ServiceId, http: Option<SocketAddr>) -> String {
    let uri: Option<Uri> = service.as_str().parse().ok();
    let is_local = uri.is_some_and(|uri| uri.host() == Some("localhost"));
    match http {
        Some(address) if is_local => format!("http://{}", super::host_and_port(address)),
        _ => service.to_string(),
    }
}

/// The address by which the first administrator joins, while there is none.
pub(super) async fn first_link(app: &App, origin: &str) -> Result<Option<String>> {
    let link = app.dashboard.rules.first_link().await?;
    Ok(link.map(|secret| format!("{origin}/admin/join/{}", secret.expose())))
}

/// Starts what goes on.
pub(super) fn start(app: &Arc<App>, chores: &mut JoinSet<()>) {
    let app = Arc::clone(app);
    chores.spawn(async move {
        loop {
            if let Err(error) = app.dashboard.rules.forget().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "administrators' sessions that are over could not be forgotten"
                );
            }
            sleep(FORGET_EVERY).await;
        }
    });
}
