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
        let lines = match self.ask(witness, old.min(size), &head).await? {
            Answer::Cosigned(lines) => lines,
            Answer::Knows(more) if more > size => return Err(self.forked(witness, more).await),
            Answer::Knows(known) => match self.ask(witness, known, &head).await? {
                Answer::Cosigned(lines) => lines,
                Answer::Knows(_) => return Err(unusable("it cannot say what it countersigned")),
            },
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
        let text = String::from_utf8(answer.body).map_err(unusable)?;
        match answer.status {
            200 => Ok(Answer::Cosigned(text)),
            409 => text.trim().parse().map(Answer::Knows).map_err(unusable),
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
        const WHY: &str = "a witness has countersigned more entries than there are: the database was \
                           set back; put the right one back";
        tracing::error!(witness = witness.vkey.name(), size, WHY);
        *self.state.lock().await = State::Unsound(WHY);
        unusable(WHY)
    }
}

fn unusable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::broken("asking a witness to countersign")(why.into())
}
