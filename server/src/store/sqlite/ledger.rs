use std::str::FromStr;

use async_trait::async_trait;
use blindprint_core::{EnrolmentId, Jws, Nonce, SubjectId, UnixTime, statement::EnrolmentReceipt};
use blindprint_log::{Entry, Frontier, Kind, LogError, Salt, TreeHash};
use secrecy::zeroize::Zeroizing;
use serde_json::json;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteExecutor, Transaction, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, failed};
use crate::{
    Result,
    domain::ledger::{Draft, OwnEntry, SignedHead, Stamp},
    store::LedgerStore,
};

type Tx = Transaction<'static, Sqlite>;

/// Appends entries to the log within the caller's transaction, and returns their positions: what is
/// logged and what it is about are recorded together or not at all.
pub(super) async fn append(
    tx: &mut Tx,
    drafts: &[Draft],
    stamp: Stamp<'_>,
) -> sqlx::Result<Vec<u64>> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let mut frontier = frontier(tx).await?;
    let mut positions = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let index = frontier.size();
        append_one(tx, &mut frontier, draft, stamp).await?;
        positions.push(index);
    }
    for subject in drafts.iter().filter_map(Draft::forgets) {
        // What opens the commitments about them: the log says nothing of them any more.
        sqlx::query("DELETE FROM log_salts WHERE subject = $1")
            .bind(subject.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(positions)
}

/// Destroys what opens the commitments to verdicts that were given before, which are about to go: what
/// is kept beside the log is kept no longer than what it is about.
pub(super) async fn forget_verdicts(tx: &mut Tx, before: UnixTime) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM log_salts WHERE event IN (SELECT jws FROM verdicts WHERE given < $1)")
        .bind(before.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Logs that a template is over because another took its place, which the enclave's receipt for that
/// one says of it by its id alone.
pub(super) async fn log_replaced(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    let row =
        sqlx::query("SELECT subject, receipt FROM enrolments WHERE id = $1 AND state = 'live'")
            .bind(enrolment.to_string())
            .fetch_optional(&mut **tx)
            .await?;
    let Some(row) = row else {
        return Ok(());
    };
    let subject: SubjectId = read(&row, "subject")?;
    let receipt: Jws = read(&row, "receipt")?;
    // What another epoch of the enclave signed may name no handle.
    let Ok(word) = blindprint_did::verify::<EnrolmentReceipt>(&receipt) else {
        return Ok(());
    };
    let event = json!({ "enrolment": enrolment, "ended": "replaced" }).to_string();
    let handles = vec![word.statement().handle];
    let draft = Draft::ended(&subject, Kind::EnrolmentErased, handles, event);
    append(tx, &[draft], stamp).await.map(drop)
}

/// Logs that all consents of a subject are over because the device that gave them is lost. The enclave
/// gives no receipt for each.
pub(super) async fn log_consents_ended(
    tx: &mut Tx,
    subject: &SubjectId,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    let rows = sqlx::query(
        "SELECT handle FROM consents WHERE subject = $1 AND state = 'given' AND handle <> ''
         ORDER BY given, id",
    )
    .bind(subject.as_str())
    .fetch_all(&mut **tx)
    .await?;
    let handles: sqlx::Result<Vec<Nonce>> = rows.iter().map(|row| read(row, "handle")).collect();
    let event = json!({ "ended": "device replaced" }).to_string();
    let drafts: Vec<Draft> = handles?
        .chunks(Entry::MAX_HANDLES / 2)
        .map(|handles| {
            let handles = handles.to_vec();
            Draft::ended(subject, Kind::ConsentWithdrawn, handles, event.as_str())
        })
        .collect();
    append(tx, &drafts, stamp).await.map(drop)
}

fn read<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &SqliteRow,
    column: &str,
) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    text.parse()
        .map_err(|error: T::Err| sqlx::Error::Decode(error.into()))
}

async fn append_one(
    tx: &mut Tx,
    frontier: &mut Frontier,
    draft: &Draft,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    let salt = Salt::random(stamp.entropy);
    let entry = draft.entry(&salt, stamp.at).map_err(impossible)?.encode();
    let position = column(frontier.size())?;
    sqlx::query("INSERT INTO log_entries (position, entry) VALUES ($1, $2)")
        .bind(position)
        .bind(&entry)
        .execute(&mut **tx)
        .await?;
    let nodes = frontier
        .append(TreeHash::of_entry(&entry))
        .map_err(impossible)?;
    for (place, hash) in nodes {
        sqlx::query("INSERT INTO log_hashes (position, hash) VALUES ($1, $2)")
            .bind(column(place)?)
            .bind(hash.as_bytes().as_slice())
            .execute(&mut **tx)
            .await?;
    }
    if let Some(event) = draft.event() {
        sqlx::query(
            "INSERT INTO log_salts (position, subject, salt, event) VALUES ($1, $2, $3, $4)",
        )
        .bind(position)
        .bind(draft.subject().map(SubjectId::as_str))
        .bind(salt.expose().as_slice())
        .bind(event)
        .execute(&mut **tx)
        .await?;
    }
    for handle in draft.handles() {
        sqlx::query("INSERT INTO log_handles (handle, position) VALUES ($1, $2)")
            .bind(handle.to_string())
            .bind(position)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// What the next entry is appended to.
async fn frontier(tx: &mut Tx) -> sqlx::Result<Frontier> {
    let size = size(&mut **tx).await?;
    let places = Frontier::needs(size).map_err(impossible)?;
    let nodes = hashes(&mut **tx, &places).await?;
    let nodes = nodes.ok_or_else(|| sqlx::Error::Decode("the log lacks a hash".into()))?;
    Frontier::of(size, nodes).map_err(impossible)
}

async fn size(executor: impl SqliteExecutor<'_>) -> sqlx::Result<u64> {
    let row = sqlx::query("SELECT COALESCE(MAX(position) + 1, 0) AS size FROM log_entries")
        .fetch_one(executor)
        .await?;
    number(&row, "size")
}

/// The stored hashes at these places, in this order; `None` if one is missing.
async fn hashes(
    executor: impl SqliteExecutor<'_>,
    places: &[u64],
) -> sqlx::Result<Option<Vec<TreeHash>>> {
    if places.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let mut query = QueryBuilder::new("SELECT position, hash FROM log_hashes WHERE position IN (");
    let mut listed = query.separated(", ");
    for place in places {
        listed.push_bind(column(*place)?);
    }
    query.push(")");
    let rows = query.build().fetch_all(executor).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let hash: &[u8] = row.try_get("hash")?;
        let hash = <[u8; 32]>::try_from(hash).map_err(|error| sqlx::Error::Decode(error.into()))?;
        found.push((number(row, "position")?, TreeHash::from_bytes(hash)));
    }
    found.sort_unstable_by_key(|(place, _)| *place);
    let found = places.iter().map(|place| {
        let at = found.binary_search_by_key(place, |(place, _)| *place);
        at.ok().map(|at| found[at].1)
    });
    Ok(found.collect())
}

fn number(row: &SqliteRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    number
        .try_into()
        .map_err(|_| sqlx::Error::Decode("a negative position in the log".into()))
}

fn column(number: u64) -> sqlx::Result<i64> {
    number
        .try_into()
        .map_err(|_| sqlx::Error::Encode("no such position in the log".into()))
}

/// Drafts fit into entries, and the log ends at 2^48 of them.
fn impossible(error: LogError) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

fn head(row: &SqliteRow) -> sqlx::Result<SignedHead> {
    Ok(SignedHead {
        size: number(row, "size")?,
        note: row.try_get("note")?,
    })
}

#[cfg(test)]
impl SqliteStore {
    /// Does what somebody at the database could do.
    pub(crate) async fn tamper(&self, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement).execute(&self.writer).await?;
        Ok(())
    }
}

#[async_trait]
impl LedgerStore for SqliteStore {
    async fn append_entries(&self, drafts: &[Draft], stamp: Stamp<'_>) -> Result<Vec<u64>> {
        const DOING: &str = "appending to the log";
        let mut tx = self.begin(DOING).await?;
        let positions = append(&mut tx, drafts, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(positions)
    }

    async fn log_fact(
        &self,
        fact: &str,
        value: &str,
        draft: &Draft,
        stamp: Stamp<'_>,
    ) -> Result<Option<u64>> {
        const DOING: &str = "logging a change of the service";
        let mut tx = self.begin(DOING).await?;
        let changed = sqlx::query(
            "INSERT INTO log_facts (fact, value) VALUES ($1, $2)
             ON CONFLICT (fact) DO UPDATE SET value = excluded.value
             WHERE value <> excluded.value",
        )
        .bind(fact)
        .bind(value)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if changed.rows_affected() == 0 {
            return Ok(None);
        }
        let positions = append(&mut tx, std::slice::from_ref(draft), stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(positions.first().copied())
    }

    async fn log_size(&self) -> Result<u64> {
        size(&self.readers)
            .await
            .map_err(failed("reading how long the log is"))
    }

    async fn log_hashes(&self, places: &[u64]) -> Result<Option<Vec<TreeHash>>> {
        hashes(&self.readers, places)
            .await
            .map_err(failed("reading the log's hashes"))
    }

    async fn log_entries(&self, first: u64, most: u32) -> Result<Vec<Vec<u8>>> {
        const DOING: &str = "reading the log";
        let rows = sqlx::query(
            "SELECT entry FROM log_entries WHERE position >= $1 ORDER BY position LIMIT $2",
        )
        .bind(column(first).map_err(failed(DOING))?)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(DOING))?;
        rows.iter()
            .map(|row| row.try_get("entry").map_err(corrupt))
            .collect()
    }

    async fn own_entries(
        &self,
        subject: &SubjectId,
        first: u64,
        most: u32,
    ) -> Result<Vec<OwnEntry>> {
        const DOING: &str = "reading what the log holds of a subject";
        let rows = sqlx::query(
            "SELECT s.position, e.entry, s.salt, s.event
             FROM log_salts s JOIN log_entries e ON e.position = s.position
             WHERE s.subject = $1 AND s.position >= $2 ORDER BY s.position LIMIT $3",
        )
        .bind(subject.as_str())
        .bind(column(first).map_err(failed(DOING))?)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(DOING))?;
        rows.iter()
            .map(|row| {
                let salt: &[u8] = row.try_get("salt").map_err(corrupt)?;
                let salt = Zeroizing::new(<[u8; 32]>::try_from(salt).map_err(corrupt)?);
                Ok(OwnEntry {
                    index: number(row, "position").map_err(corrupt)?,
                    entry: row.try_get("entry").map_err(corrupt)?,
                    salt: Salt::from_bytes(&salt),
                    event: row.try_get("event").map_err(corrupt)?,
                })
            })
            .collect()
    }

    async fn entry_of_handle(&self, handle: &Nonce) -> Result<Option<u64>> {
        const DOING: &str = "finding a tombstone in the log";
        let row =
            sqlx::query("SELECT MAX(position) AS position FROM log_handles WHERE handle = $1")
                .bind(handle.to_string())
                .fetch_one(&self.readers)
                .await
                .map_err(failed(DOING))?;
        let position: Option<i64> = row.try_get("position").map_err(corrupt)?;
        position
            .map(|position| position.try_into().map_err(corrupt))
            .transpose()
    }

    async fn record_head(&self, head: &SignedHead, now: UnixTime) -> Result<()> {
        const DOING: &str = "keeping a checkpoint";
        sqlx::query(
            "INSERT INTO log_checkpoints (size, note, signed) VALUES ($1, $2, $3)
             ON CONFLICT (size) DO NOTHING",
        )
        .bind(column(head.size).map_err(failed(DOING))?)
        .bind(&head.note)
        .bind(now.0)
        .execute(&self.writer)
        .await
        .map_err(failed(DOING))?;
        Ok(())
    }

    async fn record_cosigned(&self, head: &SignedHead) -> Result<()> {
        const DOING: &str = "keeping a cosigned checkpoint";
        sqlx::query("UPDATE log_checkpoints SET note = $2, cosigned = TRUE WHERE size = $1")
            .bind(column(head.size).map_err(failed(DOING))?)
            .bind(&head.note)
            .execute(&self.writer)
            .await
            .map_err(failed(DOING))?;
        Ok(())
    }

    async fn head_of(&self, size: u64) -> Result<Option<SignedHead>> {
        const DOING: &str = "reading a checkpoint";
        let row = sqlx::query("SELECT size, note FROM log_checkpoints WHERE size = $1")
            .bind(column(size).map_err(failed(DOING))?)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(DOING))?;
        row.as_ref()
            .map(|row| head(row).map_err(corrupt))
            .transpose()
    }

    async fn latest_head(&self, cosigned: bool) -> Result<Option<SignedHead>> {
        const DOING: &str = "reading the latest checkpoint";
        let row = sqlx::query(
            "SELECT size, note FROM log_checkpoints WHERE cosigned OR NOT $1
             ORDER BY size DESC LIMIT 1",
        )
        .bind(cosigned)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed(DOING))?;
        row.as_ref()
            .map(|row| head(row).map_err(corrupt))
            .transpose()
    }
}
