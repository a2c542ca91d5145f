//! The transparency log: what anybody reads of it, and what only the subject does.

use std::time::Duration;

use blindprint_core::wire::{LogDescription, OwnLogEntries};
use blindprint_log::{CheckpointNote, ConsistencyProof, InclusionProof, TilePath};

use super::{Call, Client, Signer};
use crate::{Error, Result};

/// Longest bundle of entries, in bytes: 256 of the longest.
const BUNDLE_LIMIT: usize = 256 * (2 + blindprint_log::Entry::MAX_LEN);

impl Client {
    /// `GET /v1/log`
    pub async fn log_description(&self) -> Result<LogDescription> {
        self.send(&Call::get("/v1/log")).await?.json()
    }

    /// `GET /log/checkpoint`: whose it is, is not verified yet.
    pub async fn checkpoint(&self) -> Result<CheckpointNote> {
        let call = Call::get("/log/checkpoint").up_to(CheckpointNote::MAX_LEN, SHORT);
        let text = String::from_utf8(self.send(&call).await?.body);
        text.ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Error::ServiceFailed("its checkpoint is none".to_owned()))
    }

    /// `GET /v1/log/inclusion`: the proof, not yet verified.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<InclusionProof> {
        let path = format!("/v1/log/inclusion?index={index}&size={size}");
        self.send(&Call::get(path)).await?.json()
    }

    /// `GET /v1/log/consistency`: the proof, not yet verified.
    pub async fn consistency(&self, first: u64, second: u64) -> Result<ConsistencyProof> {
        let path = format!("/v1/log/consistency?first={first}&second={second}");
        self.send(&Call::get(path)).await?.json()
    }

    /// `GET /v1/log/proofs/{index}`: that an entry is in the log, not yet verified.
    pub async fn offline_proof(&self, index: u64) -> Result<String> {
        self.send(&Call::get(format!("/v1/log/proofs/{index}")))
            .await?
            .json()
    }

    /// `GET /log/tile/…`: bytes, not yet verified.
    pub async fn log_tile(&self, tile: &TilePath) -> Result<Vec<u8>> {
        let call = Call::get(format!("/log/{tile}")).up_to(BUNDLE_LIMIT, SHORT);
        Ok(self.send(&call).await?.body)
    }

    /// `GET /v1/log/entries`: what the log is said to hold about the subject, from this place on.
    pub async fn own_log_entries(&self, signer: Signer<'_>, from: u64) -> Result<OwnLogEntries> {
        let call = Call::get(format!("/v1/log/entries?from={from}"))
            .up_to(OWN_LIMIT, SHORT)
            .signed(signer);
        self.send(&call).await?.json()
    }
}

const SHORT: Duration = Duration::from_mins(1);
/// A page of entries with their events, in bytes.
const OWN_LIMIT: usize = 4 << 20;
