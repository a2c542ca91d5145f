use blindprint_core::{Clock as _, SystemClock, SystemEntropy};
use blindprint_server::{
    Error, Result,
    config::Config,
    domain::{ledger::Stamp, retention},
    folder::DataFolder,
    store::SqliteStore,
};
use clap::Args;

/// Delete what has been kept long enough, and say what. A running service does so daily, and ends
/// idle enrolments besides.
#[derive(Args)]
pub(crate) struct Retention {
    /// Delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Retention {
    pub(crate) async fn run(self, config: &Config) -> Result<String> {
        let Self { dry_run, json } = self;
        let folder = DataFolder::existing(&config.data)?;
        let store = SqliteStore::open(&folder.database()).await?;
        let (policy, now) = (config.retention.policy(), SystemClock.now());
        let report = if dry_run {
            retention::would_end(&store, &policy, now).await
        } else {
            let stamp = Stamp {
                at: now,
                entropy: &SystemEntropy,
            };
            retention::end(&store, &policy, stamp).await
        };
        store.close().await;
        let report = report?;
        if json {
            serde_json::to_string(&report).map_err(|error| Error::Setup(format!("JSON: {error}")))
        } else {
            Ok(report.to_string())
        }
    }
}
