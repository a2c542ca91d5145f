use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::{OwnLogEntries, OwnLogEntry};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Error, Result,
    domain::ledger::{MOST_OWN, OwnEntry},
    http::{
        App,
        openapi::WalletProblems,
        parameters::{Nothing, Parameters},
        proof::Wallet,
    },
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Wanted {
    /// Where to begin.
    from: u64,
}

/// What the log holds about the caller, with what opens the commitments.
#[utoipa::path(
    get, path = "/v1/log/entries", operation_id = "list_own_log_entries", tag = "log",
    params(Wanted),
    responses((status = OK, body = OwnLogEntries), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Parameters(wanted): Parameters<Wanted>,
    request: Wallet<Nothing>,
) -> Result<Json<OwnLogEntries>> {
    let subject = &request.caller.subject;
    let entries = app.ledger.own_entries(subject, wanted.from).await?;
    let entries: Result<Vec<OwnLogEntry>> = entries.into_iter().map(told).collect();
    let entries = entries?;
    let full = entries.len() == MOST_OWN as usize;
    let next = entries.last().filter(|_| full).map(|last| last.index + 1);
    Ok(Json(OwnLogEntries { entries, next }))
}

fn told(entry: OwnEntry) -> Result<OwnLogEntry> {
    let text = String::from_utf8(entry.entry)
        .map_err(|error| Error::broken("reading the log")(error.into()))?;
    Ok(OwnLogEntry {
        index: entry.index,
        entry: text,
        salt: entry.salt.to_text().to_string(),
        event: entry.event,
    })
}
