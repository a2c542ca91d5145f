//! Rights, events and retention, beside requests.

use std::{sync::Arc, time::Duration};

use blindprint_egress::Egress;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Error, Result,
    config::Config,
    domain::{
        Credentials, OpenId, Service,
        ledger::Ledger,
        notifying::{LOOK_EVERY, Notifier},
        retention::Policy,
        rights::{Rights, RightsParts},
    },
};

/// How often requests that are not over are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often the reaper runs.
const REAP_EVERY: Duration = Duration::from_hours(24);
/// The reaper's first run after a start.
const REAP_FIRST: Duration = Duration::from_mins(5);

/// The keeper of rights over what was prepared.
pub(super) fn rights(
    config: &Config,
    service: &Arc<Service>,
    credentials: &Arc<Credentials>,
    openid: &Arc<OpenId>,
    ledger: &Arc<Ledger>,
) -> Arc<Rights> {
    let parts = RightsParts {
        service: Arc::clone(service),
        credentials: Arc::clone(credentials),
        openid: Arc::clone(openid),
        ledger: Arc::clone(ledger),
    };
    Arc::new(Rights::new(config.rights.terms(), parts))
}

/// Starts what goes on.
pub(super) fn start(
    config: &Config,
    rights: &Arc<Rights>,
    service: &Arc<Service>,
    credentials: &Arc<Credentials>,
    chores: &mut JoinSet<()>,
) -> Result<()> {
    let egress = Egress::new(&config.egress.client()?)
        .map_err(|error| Error::Setup(format!("egress: {error}")))?;
    let most_age = i64::from(config.rights.events_hours) * 3600;
    let notifier = Notifier::new(
        Arc::clone(service),
        Arc::clone(credentials),
        egress,
        most_age,
    );
    chores.spawn(carry_out(Arc::clone(rights)));
    chores.spawn(deliver(notifier));
    chores.spawn(reap(Arc::clone(rights), config.retention.policy()));
    Ok(())
}

async fn carry_out(rights: Arc<Rights>) {
    loop {
        if let Err(error) = rights.tick().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "rights requests could not be looked at"
            );
        }
        sleep(TICK).await;
    }
}

async fn deliver(notifier: Notifier) {
    loop {
        if let Err(error) = notifier.deliver().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "events could not be sent"
            );
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn reap(rights: Arc<Rights>, policy: Policy) {
    sleep(REAP_FIRST).await;
    loop {
        match rights.reap(&policy).await {
            Ok(report) => {
                for line in report.lines.iter().filter(|line| line.deleted > 0) {
                    tracing::info!(
                        kept = line.kept.as_str(),
                        deleted = line.deleted,
                        "kept long enough"
                    );
                }
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what was kept long enough could not be deleted"
            ),
        }
        sleep(REAP_EVERY).await;
    }
}
