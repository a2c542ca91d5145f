use async_trait::async_trait;
use blindprint_core::UnixTime;
use sqlx::{Row as _, Sqlite, SqliteExecutor};

use crate::{
    Result,
    domain::{
        ledger::{Draft, Stamp},
        record::EnrolmentRecord,
        retention::{Expired, Kept, Policy},
    },
    store::{
        RetentionStore, SubjectStore as _,
        sqlite::{
            SqliteStore, corrupt, failed,
            ledger::{append, forget_verdicts},
            parsed,
        },
    },
};

/// What is over, by kind. `$1` is the time before which it ended.
const fn rows(kept: Kept) -> &'static str {
    match kept {
        Kept::IdleEnrolments => {
            "enrolments WHERE state = 'live' AND enrolled < $1
             AND NOT EXISTS (SELECT 1 FROM verdicts v
                             WHERE v.enrolment = enrolments.id AND v.matched AND v.given >= $1)"
        }
        Kept::Verdicts => "verdicts WHERE given < $1",
        // Verdicts and credentials still name it.
        Kept::ErasedEnrolments => {
            "enrolments WHERE state = 'erased' AND erased < $1
             AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.enrolment = enrolments.id)
             AND NOT EXISTS (SELECT 1 FROM issuances i WHERE i.enrolment = enrolments.id)"
        }
        Kept::ExpiredConsents => {
            "consents WHERE MIN(expires, COALESCE(withdrawn, expires)) < $1
             AND NOT EXISTS (SELECT 1 FROM enrolments e
                             WHERE e.subject = consents.subject AND e.consent = consents.record)
             AND NOT EXISTS (SELECT 1 FROM issuances i
                             WHERE i.subject = consents.subject AND i.consent = consents.id)"
        }
        Kept::RightsRequests => "rights_requests WHERE closed < $1 AND NOT restricts",
        Kept::Certificates => "erasure_certificates WHERE expires < $1",
        Kept::Jobs => "jobs WHERE ended < $1",
        Kept::Invitations => {
            "invitations WHERE MIN(expires, COALESCE(revoked, expires)) < $1
             AND NOT EXISTS (SELECT 1 FROM invited i WHERE i.invitation = invitations.id)
             AND NOT EXISTS (SELECT 1 FROM invitation_uses u WHERE u.invitation = invitations.id)"
        }
    }
}

#[async_trait]
impl RetentionStore for SqliteStore {
    async fn expired(&self, policy: &Policy, now: UnixTime) -> Result<Expired> {
        let mut expired = Expired::default();
        for kept in Kept::ALL {
            if let Some(before) = policy.limit(kept, now) {
                expired.add(kept, count(&self.readers, kept, before).await?);
            }
        }
        Ok(expired)
    }

    async fn reap(&self, policy: &Policy, stamp: Stamp<'_>) -> Result<Expired> {
        const DOING: &str = "deleting what was kept long enough";
        let mut tx = self.begin(DOING).await?;
        let mut expired = Expired::default();
        for kept in Kept::ALL {
            let Some(before) = policy.limit(kept, stamp.at) else {
                continue;
            };
            // The enclave ends these.
            if kept == Kept::IdleEnrolments {
                continue;
            }
            if kept == Kept::Verdicts {
                forget_verdicts(&mut tx, before)
                    .await
                    .map_err(failed(DOING))?;
            }
            release(&mut tx, kept, before)
                .await
                .map_err(failed(DOING))?;
            let statement = format!("DELETE FROM {}", rows(kept));
            let done = sqlx::query(sqlx::AssertSqlSafe(statement))
                .bind(before.0)
                .execute(&mut *tx)
                .await
                .map_err(failed(DOING))?;
            expired.add(kept, done.rows_affected());
        }
        if expired.total() > 0 {
            let kinds: Vec<_> = Kept::ALL
                .into_iter()
                .map(|kept| (kept.as_str(), expired.of(kept)))
                .collect();
            let event = serde_json::to_string(&kinds).map_err(corrupt)?;
            let draft = Draft::own(blindprint_log::Kind::AdminAct, event);
            append(&mut tx, &[draft], stamp)
                .await
                .map_err(failed(DOING))?;
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(expired)
    }

    async fn idle_enrolments(&self, since: UnixTime, most: u32) -> Result<Vec<EnrolmentRecord>> {
        let statement = format!(
            "SELECT id FROM {} ORDER BY enrolled LIMIT $2",
            rows(Kept::IdleEnrolments)
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(since.0)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("finding idle enrolments"))?;
        let mut idle = Vec::with_capacity(rows.len());
        for row in &rows {
            idle.extend(self.enrolment(parsed(row, "id")?).await?);
        }
        Ok(idle)
    }
}

/// Lets credentials go that stand on what goes, and have been revoked with it: their places in the lists
/// stay taken.
async fn release(tx: &mut super::Tx, kept: Kept, before: UnixTime) -> sqlx::Result<()> {
    let which = match kept {
        Kept::ErasedEnrolments => {
            "enrolment IN (SELECT id FROM enrolments WHERE state = 'erased' AND erased < $1)"
        }
        Kept::ExpiredConsents => {
            "EXISTS (SELECT 1 FROM consents c
                     WHERE c.subject = issuances.subject AND c.id = issuances.consent
                       AND MIN(c.expires, COALESCE(c.withdrawn, c.expires)) < $1)"
        }
        _ => return Ok(()),
    };
    let statement = format!(
        "UPDATE issuances
         SET kind = 'forgotten', subject = NULL, enrolment = NULL, consent = NULL
         WHERE state = 'revoked' AND {which}"
    );
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(before.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn count(executor: impl SqliteExecutor<'_>, kept: Kept, before: UnixTime) -> Result<u64> {
    let statement = format!("SELECT COUNT(*) AS rows FROM {}", rows(kept));
    let row = sqlx::query::<Sqlite>(sqlx::AssertSqlSafe(statement))
        .bind(before.0)
        .fetch_one(executor)
        .await
        .map_err(failed("counting what was kept long enough"))?;
    let rows: i64 = row.try_get("rows").map_err(corrupt)?;
    rows.try_into().map_err(corrupt)
}
