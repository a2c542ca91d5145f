use async_trait::async_trait;
use blindprint_core::{ConsentId, Invalid, Jws, SubjectId, UnixTime};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteExecutor, sqlite::SqliteRow};

use super::Tx;
use crate::{
    Result,
    domain::{
        notifying::{Event, Job, JobId, JobState},
        relying_parties::{NewRelyingParty, RelyingParty, RelyingPartyId},
    },
    store::{
        RelyingPartyStore,
        sqlite::{SqliteStore, corrupt, count, failed, parsed, time, time_option},
    },
};

const PARTY: &str = "id, name, audience, webhook, contact, notes, added";
const JOB: &str = "id, relying_party, event, payload, made, state, attempts, next, ended, error";

#[async_trait]
impl RelyingPartyStore for SqliteStore {
    async fn record_relying_party(&self, party: &RelyingParty) -> Result<bool> {
        const DOING: &str = "remembering a relying party";
        let mut tx = self.begin(DOING).await?;
        let known = &party.known;
        let done = sqlx::query(
            "INSERT INTO relying_parties (id, name, audience, webhook, contact, notes, added)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (audience) DO NOTHING",
        )
        .bind(party.id.to_string())
        .bind(known.name.as_str())
        .bind(known.audience.as_str())
        .bind(known.webhook.as_deref())
        .bind(known.contact.as_deref())
        .bind(known.notes.as_deref())
        .bind(party.added.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn relying_party(&self, id: RelyingPartyId) -> Result<Option<RelyingParty>> {
        let row =
            QueryBuilder::<Sqlite>::new(format!("SELECT {PARTY} FROM relying_parties WHERE id = "))
                .push_bind(id.to_string())
                .build()
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("reading about a relying party"))?;
        row.as_ref().map(party).transpose()
    }

    async fn relying_parties(&self) -> Result<Vec<RelyingParty>> {
        let rows = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {PARTY} FROM relying_parties ORDER BY name, id"
        ))
        .build()
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading the relying parties"))?;
        rows.iter().map(party).collect()
    }

    async fn change_relying_party(&self, party: &RelyingParty) -> Result<bool> {
        const DOING: &str = "changing a relying party";
        let mut tx = self.begin(DOING).await?;
        let known = &party.known;
        let done = sqlx::query(
            "UPDATE relying_parties
             SET name = $2, audience = $3, webhook = $4, contact = $5, notes = $6
             WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM relying_parties WHERE audience = $3 AND id <> $1)",
        )
        .bind(party.id.to_string())
        .bind(known.name.as_str())
        .bind(known.audience.as_str())
        .bind(known.webhook.as_deref())
        .bind(known.contact.as_deref())
        .bind(known.notes.as_deref())
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn remove_relying_party(&self, id: RelyingPartyId) -> Result<bool> {
        const DOING: &str = "forgetting a relying party";
        let mut tx = self.begin(DOING).await?;
        let done = sqlx::query("DELETE FROM relying_parties WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn recipients(&self, subject: &SubjectId) -> Result<Vec<RelyingPartyId>> {
        recipients(&self.readers, subject, None)
            .await
            .map_err(failed("finding whom to tell"))
    }

    async fn queue(&self, jobs: &[Job]) -> Result<()> {
        const DOING: &str = "noting what to tell";
        let mut tx = self.begin(DOING).await?;
        insert(&mut tx, jobs).await.map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))
    }

    async fn lease_job(&self, now: UnixTime, until: UnixTime) -> Result<Option<Job>> {
        let row = QueryBuilder::<Sqlite>::new("UPDATE jobs SET attempts = attempts + 1, next = ")
            .push_bind(until.0)
            .push(" WHERE id = (SELECT id FROM jobs WHERE state = 'waiting' AND next <= ")
            .push_bind(now.0)
            .push(" ORDER BY next, id LIMIT 1) RETURNING ")
            .push(JOB)
            .build()
            .fetch_optional(&self.writer)
            .await
            .map_err(failed("taking up a job"))?;
        row.as_ref().map(job).transpose()
    }

    async fn job_done(&self, id: JobId, now: UnixTime) -> Result<()> {
        sqlx::query(
            "UPDATE jobs SET state = 'delivered', payload = NULL, error = NULL, ended = $2
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(now.0)
        .execute(&self.writer)
        .await
        .map_err(failed("recording that an event arrived"))?;
        Ok(())
    }

    async fn job_failed(
        &self,
        id: JobId,
        error: &str,
        next: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE jobs SET error = $2, next = COALESCE($3, next),
                             state = CASE WHEN $3 IS NULL THEN 'dead' ELSE 'waiting' END,
                             ended = CASE WHEN $3 IS NULL THEN $4 END
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(error)
        .bind(next.map(|at| at.0))
        .bind(now.0)
        .execute(&self.writer)
        .await
        .map_err(failed("recording that an event did not arrive"))?;
        Ok(())
    }

    async fn revive_job(&self, id: JobId, now: UnixTime) -> Result<bool> {
        const DOING: &str = "reviving a job";
        let mut tx = self.begin(DOING).await?;
        // It may be as old as a new one once more.
        let done = sqlx::query(
            "UPDATE jobs SET state = 'waiting', attempts = 0, made = $2, next = $2, ended = NULL
             WHERE id = $1 AND state = 'dead'",
        )
        .bind(id.to_string())
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn jobs(&self, state: Option<JobState>, skip: u32, most: u32) -> Result<(Vec<Job>, u64)> {
        const DOING: &str = "reading jobs";
        let matching = |select: &str| {
            let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {select} FROM jobs"));
            if let Some(state) = state {
                query.push(" WHERE state = ").push_bind(state.as_str());
            }
            query
        };
        let row = matching("COUNT(*) AS jobs")
            .build()
            .fetch_one(&self.readers)
            .await
            .map_err(failed(DOING))?;
        let jobs: i64 = row.try_get("jobs").map_err(corrupt)?;
        let rows = matching(JOB)
            .push(" ORDER BY made DESC, id LIMIT ")
            .push_bind(i64::from(most))
            .push(" OFFSET ")
            .push_bind(i64::from(skip))
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(failed(DOING))?;
        let page = rows.iter().map(job).collect::<Result<_>>()?;
        Ok((page, jobs.try_into().map_err(corrupt)?))
    }
}

/// Notes jobs within the caller's transaction.
pub(super) async fn insert(tx: &mut Tx, jobs: &[Job]) -> sqlx::Result<()> {
    for job in jobs {
        sqlx::query(
            "INSERT INTO jobs (id, relying_party, event, payload, made, next)
             SELECT $1, id, $3, $4, $5, $6 FROM relying_parties WHERE id = $2
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(job.id.to_string())
        .bind(job.recipient.to_string())
        .bind(job.event.uri())
        .bind(job.payload.as_deref())
        .bind(job.made.0)
        .bind(job.next.0)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Notes, within the transaction that records a withdrawal, that those who relied on the consent are told:
/// whom it named, or else whom verdicts were for.
pub(in crate::store::sqlite) async fn queue_withdrawn(
    tx: &mut Tx,
    subject: &SubjectId,
    consent: ConsentId,
    receipt: &Jws,
    at: UnixTime,
) -> Result<()> {
    queue(tx, subject, consent, receipt, at)
        .await
        .map_err(failed("noting whom to tell of a withdrawal"))
}

async fn queue(
    tx: &mut Tx,
    subject: &SubjectId,
    consent: ConsentId,
    receipt: &Jws,
    at: UnixTime,
) -> sqlx::Result<()> {
    let row = sqlx::query("SELECT recipient FROM consents WHERE subject = $1 AND id = $2")
        .bind(subject.as_str())
        .bind(consent.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    let named: Option<String> = row
        .map(|row| row.try_get("recipient"))
        .transpose()?
        .flatten();
    let recipients = recipients(&mut **tx, subject, named.as_deref()).await?;
    let jobs: Vec<_> = recipients
        .into_iter()
        .map(|recipient| Job::new(receipt, recipient, Event::ConsentWithdrawn, subject, at))
        .collect();
    insert(tx, &jobs).await
}

/// Relying parties with a webhook: the one that is named, or all that verdicts on the subject were for.
async fn recipients(
    executor: impl SqliteExecutor<'_>,
    subject: &SubjectId,
    named: Option<&str>,
) -> sqlx::Result<Vec<RelyingPartyId>> {
    let rows = sqlx::query(
        "SELECT id FROM relying_parties
         WHERE webhook IS NOT NULL
           AND (audience = $2
                OR ($2 IS NULL AND audience IN (SELECT audience FROM verdicts WHERE subject = $1)))
         ORDER BY id",
    )
    .bind(subject.as_str())
    .bind(named)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            let id: &str = row.try_get("id")?;
            id.parse()
                .map_err(|error: Invalid| sqlx::Error::Decode(error.into()))
        })
        .collect()
}

fn party(row: &SqliteRow) -> Result<RelyingParty> {
    let text = |column| row.try_get(column).map_err(corrupt);
    Ok(RelyingParty {
        id: parsed(row, "id")?,
        known: NewRelyingParty {
            name: row.try_get("name").map_err(corrupt)?,
            audience: parsed(row, "audience")?,
            webhook: text("webhook")?,
            contact: text("contact")?,
            notes: text("notes")?,
        },
        added: time(row, "added")?,
    })
}

fn job(row: &SqliteRow) -> Result<Job> {
    let event: &str = row.try_get("event").map_err(corrupt)?;
    let state: &str = row.try_get("state").map_err(corrupt)?;
    Ok(Job {
        id: parsed(row, "id")?,
        recipient: parsed(row, "relying_party")?,
        event: Event::ALL
            .into_iter()
            .find(|known| known.uri() == event)
            .ok_or_else(|| corrupt("an unknown event"))?,
        payload: row.try_get("payload").map_err(corrupt)?,
        made: time(row, "made")?,
        state: JobState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| corrupt("an unknown state of a job"))?,
        attempts: count(row, "attempts")?,
        next: time(row, "next")?,
        ended: time_option(row, "ended")?,
        error: row.try_get("error").map_err(corrupt)?,
    })
}
