//! How witnesses come to countersign (C2SP tlog-witness).

use blindprint_egress::Request;
use blindprint_log::{AddCheckpoint, SignedCheckpoint};

use super::{Ledger, SignedHead, State, broken};
use crate::{Error, Result, config::Witness};

/// Longest answer of a witness, in bytes: cosignatures of one or a few keys.
const LONGEST_ANSWER: usize = 4096;

/// What a witness answered.
enum Answer {
    /// Its cosignature lines.
    Cosigned(String),
    /// It has another size in mind.
    Knows(u64),
    /// It has countersigned another history of this size.
    Forked,
}

impl Ledger {
    /// Has a witness countersign the latest checkpoint, which extends what it countersigned at size
    /// `old`. Returns the size that it has countersigned now.
    pub async fn cosign(&self, witness: &Witness, old: u64) -> Result<u64> {
        let Some(head) = self.head().await? else {
            return Ok(old);
        };
        let size = head.checkpoint().size();
        if head.cosigned(&witness.vkey).is_ok() {
            return Ok(size);
        }
        let mut answer = self.ask(witness, old.min(size), &head).await?;
        if let Answer::Knows(known) = answer
            && known <= size
        {
            answer = self.ask(witness, known, &head).await?;
        }
        let lines = match answer {
            Answer::Cosigned(lines) => lines,
            Answer::Knows(known) if known <= size => {
                return Err(unusable("it cannot say what it countersigned"));
            }
            Answer::Knows(_) | Answer::Forked => return Err(self.forked(witness, size).await),
        };
        self.keep(size, witness, &lines).await?;
        Ok(size)
    }

    async fn ask(&self, witness: &Witness, old: u64, head: &SignedCheckpoint) -> Result<Answer> {
        let proof = self.prove_extension(old, head.checkpoint().size()).await?;
        let wanted = AddCheckpoint::new(proof, head).map_err(broken)?;
        let url = format!(
            "{}/add-checkpoint",
            witness.url.as_str().trim_end_matches('/')
        );
        let request = Request::post(url, "text/plain; charset=utf-8", wanted.to_string())
            .limit(LONGEST_ANSWER);
        let answer = self.egress.fetch(&request).await.map_err(unusable)?;
        let sized = answer.content_type.as_deref() == Some("text/x.tlog.size");
        let text = String::from_utf8(answer.body).map_err(unusable)?;
        match answer.status {
            200 => Ok(Answer::Cosigned(text)),
            409 if sized => text.trim().parse().map(Answer::Knows).map_err(unusable),
            409 => Ok(Answer::Forked),
            status => Err(unusable(format!("it answered {status}"))),
        }
    }

    /// Others may have countersigned it meanwhile.
    async fn keep(&self, size: u64, witness: &Witness, lines: &str) -> Result<()> {
        let _sound = self.sound().await?;
        let Some(head) = self.store.head_of(size).await? else {
            return Ok(());
        };
        let cosigned = self
            .signed(&head.note)?
            .with_cosignature(lines, &witness.vkey)
            .map_err(unusable)?;
        let note = cosigned.to_string();
        self.store.record_cosigned(&SignedHead { size, note }).await
    }

    /// A witness has countersigned what is not here: the database was set back.
    async fn forked(&self, witness: &Witness, size: u64) -> Error {
        const WHY: &str = "a witness has countersigned what is not in the log: the database was set \
                           back; put the right one back";
        tracing::error!(witness = witness.vkey.name(), size, "{WHY}");
        *self.state.lock().await = State::Unsound(WHY);
        unusable(WHY)
    }
}

fn unusable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::broken("asking a witness to countersign")(why.into())
}
