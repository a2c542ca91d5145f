//! What an enclave that reads the log is shown of it: its own mark, under a countersigned checkpoint,
//! with everything that came before. Without that it serves nothing, so that nobody can set it back.

use std::time::Duration;

use blindprint_log::Kind;
use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse, LogSeen};
use serde_bytes::ByteBuf;
use tokio::time::{Instant, sleep};

use super::{Draft, Ledger, SignedHead};
use crate::{Error, Result, backend::Enclave};

/// Entries of one part, in bytes: far below the longest frame, with the checkpoint beside them.
const PART: usize = 96 * 1024;
/// Entries that are read at once.
const AT_ONCE: u32 = 512;
/// How long the witnesses have to countersign.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often that is looked for.
const PAUSE: Duration = Duration::from_millis(200);

impl Ledger {
    /// Logs a mark of the enclave's, and shows it the log up to there. Returns what it has seen then.
    pub async fn show(&self, enclave: &Enclave) -> Result<LogSeen> {
        let (mark, from) = match enclave.ask(&EnclaveRequest::Mark).await {
            Ok(EnclaveResponse::Mark { mark, log_size }) => (mark, log_size),
            Ok(EnclaveResponse::Refused(refusal)) => return Err(unshown(refusal)),
            Ok(_) => return Err(unshown("it answered something else")),
            Err(error) => return Err(unshown(error)),
        };
        // Asked again soon, it gives the same mark: one entry is enough.
        let draft = Draft::public(Kind::EnclaveMark, mark.clone());
        self.follow("mark", mark.as_str(), &draft).await?;
        let covers = self.store.log_size().await?;
        self.publish().await?;
        let head = self.countersigned(covers).await?;
        self.show_entries(enclave, &head, from).await
    }

    /// A checkpoint over at least so many entries, with the cosignatures of all witnesses, or of those
    /// that answer.
    async fn countersigned(&self, covers: u64) -> Result<SignedHead> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let head = self.store.latest_head(!self.witnesses.is_empty()).await?;
            let late = Instant::now() >= deadline;
            if let Some(head) = head.filter(|head| head.size >= covers) {
                let signed = self.signed(&head.note)?;
                let mut witnesses = self.witnesses.iter();
                if late || witnesses.all(|witness| signed.cosigned(&witness.vkey).is_ok()) {
                    return Ok(head);
                }
            } else if late {
                return Err(unshown("no witness countersigned in time"));
            }
            sleep(PAUSE).await;
        }
    }

    async fn show_entries(
        &self,
        enclave: &Enclave,
        head: &SignedHead,
        from: u64,
    ) -> Result<LogSeen> {
        let mut first = from;
        loop {
            let entries = self.part(first, head.size).await?;
            let next = first + entries.len() as u64;
            let last = next >= head.size;
            if entries.is_empty() && !last {
                return Err(unshown("the log lacks an entry"));
            }
            let request = EnclaveRequest::ShowLog {
                checkpoint: head.note.clone(),
                first,
                entries,
                last,
            };
            match enclave.ask(&request).await {
                Ok(EnclaveResponse::LogSeen(seen)) if last => return Ok(seen),
                Ok(EnclaveResponse::LogSeen(_)) => first = next,
                Ok(EnclaveResponse::Refused(refusal)) => return Err(unshown(refusal)),
                Ok(_) => return Err(unshown("it answered something else")),
                Err(error) => return Err(unshown(error)),
            }
        }
    }

    /// As many entries from `first` on as one request takes, none at `size` or beyond.
    async fn part(&self, first: u64, size: u64) -> Result<Vec<ByteBuf>> {
        let wanted = u32::try_from(size.saturating_sub(first)).unwrap_or(AT_ONCE);
        let entries = self.store.log_entries(first, wanted.min(AT_ONCE)).await?;
        let mut bytes = 0;
        Ok(entries
            .into_iter()
            .take_while(|entry| {
                bytes += entry.len();
                bytes <= PART
            })
            .map(ByteBuf::from)
            .collect())
    }
}

fn unshown(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::broken("showing the enclave the log")(why.into())
}
