//! What goes on beside requests, for as long as the service runs.

use std::{sync::Arc, time::Duration};

use axum_server::tls_rustls::RustlsConfig;
use blindprint_core::{Clock, Entropy};
use tokio::time::sleep;

use crate::{Result, config::TlsSection, domain::Service, folder::DataFolder, http::App, tls};

/// Keeps in touch with the enclave, and finishes what was cut off: at the start and whenever the
/// enclave comes back.
pub(super) async fn settle(service: Arc<Service>) {
    loop {
        // Asked for what it remembers: terms that changed with a restart must not stay in use.
        let reached = service.enclave().health().await.is_ok();
        match service.settle_all().await {
            Ok(0) => {}
            Ok(remaining) => tracing::debug!(remaining, reached, "changes wait for the enclave"),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what was cut off could not be looked at"
            ),
        }
        sleep(Duration::from_secs(2)).await;
    }
}

/// Ends what has lapsed: consents whose time is over or whose notice has changed, and templates that
/// nothing covers.
pub(super) async fn lapse(service: Arc<Service>) {
    loop {
        let done = async {
            service.publish_notices().await?;
            service.end_what_lapsed().await
        };
        let pause = match done.await {
            Ok(0) => Duration::from_mins(1),
            Ok(ended) => {
                tracing::info!(ended, "consents and templates lapsed");
                Duration::from_secs(1)
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what has lapsed could not be ended yet"
                );
                Duration::from_secs(10)
            }
        };
        sleep(pause).await;
    }
}

/// Forgets what is over.
pub(super) async fn forget(app: Arc<App>, idempotency_seconds: i64) {
    loop {
        let now = app.service.clock().now();
        let forgotten = app
            .service
            .store()
            .forget_expired(now, now.plus(-idempotency_seconds));
        if let Err(error) = forgotten.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what is over could not be forgotten"
            );
        }
        if let Err(error) = app.own_page.rules.forget().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "subjects' sessions that are over could not be forgotten"
            );
        }
        app.openid.forget_presentations();
        app.metrics.run_upkeep();
        sleep(Duration::from_secs(30)).await;
    }
}

/// The certificate, renewed before its end.
pub(super) struct Certificate {
    pub(super) section: TlsSection,
    pub(super) host: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Certificate {
    pub(super) fn load(&self, folder: &DataFolder) -> Result<Arc<rustls::ServerConfig>> {
        let host = self.host.as_deref();
        tls::server_config(&self.section, folder, host, &*self.clock, &*self.entropy)
    }

    pub(super) async fn keep(self, folder: DataFolder, live: RustlsConfig) {
        loop {
            sleep(Duration::from_hours(12)).await;
            match self.load(&folder) {
                Ok(config) => live.reload_from_config(config),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the certificate could not be renewed"
                ),
            }
        }
    }
}
