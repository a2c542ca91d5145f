use async_trait::async_trait;
use blindprint_core::{ConsentId, Digest, Jws, SubjectId, UnixTime};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, failed, parsed, time};
use crate::{
    Result,
    domain::sign_in::{BrowserId, BrowserRecord},
    store::SignInStore,
};

fn browser(row: &SqliteRow) -> Result<BrowserRecord> {
    Ok(BrowserRecord {
        id: parsed(row, "id")?,
        secret: parsed(row, "secret")?,
        subject: parsed(row, "subject")?,
        key: parsed(row, "key")?,
        sign_in: parsed(row, "sign_in")?,
        proven: time(row, "proven")?,
        created: time(row, "created")?,
        seen: time(row, "seen")?,
        agent: row.try_get("agent").map_err(corrupt)?,
    })
}

#[async_trait]
impl SignInStore for SqliteStore {
    async fn record_browser(&self, browser: &BrowserRecord, most: u32) -> Result<()> {
        const DOING: &str = "remembering a subject's browser";
        let mut tx = self.begin(DOING).await?;
        sqlx::query(
            "INSERT INTO subject_sessions (id, secret, subject, key, sign_in, proven, created, seen, agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(browser.id.to_string())
        .bind(browser.secret.to_string())
        .bind(browser.subject.as_str())
        .bind(browser.key.as_str())
        .bind(browser.sign_in.as_str())
        .bind(browser.proven.0)
        .bind(browser.created.0)
        .bind(browser.seen.0)
        .bind(&browser.agent)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        sqlx::query(
            "DELETE FROM subject_sessions WHERE subject = $1 AND id NOT IN
             (SELECT id FROM subject_sessions WHERE subject = $1 ORDER BY seen DESC, id = $2 DESC LIMIT $3)",
        )
        .bind(browser.subject.as_str())
        .bind(browser.id.to_string())
        .bind(most)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))
    }

    async fn browser(&self, secret: Digest) -> Result<Option<BrowserRecord>> {
        let row = sqlx::query("SELECT * FROM subject_sessions WHERE secret = $1")
            .bind(secret.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a subject's browser"))?;
        row.as_ref().map(browser).transpose()
    }

    async fn browsers_of(&self, subject: &SubjectId) -> Result<Vec<BrowserRecord>> {
        let rows =
            sqlx::query("SELECT * FROM subject_sessions WHERE subject = $1 ORDER BY seen DESC, id")
                .bind(subject.as_str())
                .fetch_all(&self.readers)
                .await
                .map_err(failed("reading a subject's browsers"))?;
        rows.iter().map(browser).collect()
    }

    async fn touch_browser(&self, id: BrowserId, now: UnixTime) -> Result<()> {
        sqlx::query("UPDATE subject_sessions SET seen = MAX(seen, $2) WHERE id = $1")
            .bind(id.to_string())
            .bind(now.0)
            .execute(&self.writer)
            .await
            .map_err(failed("noting that a browser is used"))?;
        Ok(())
    }

    async fn prove_browser(&self, id: BrowserId, sign_in: &Jws, now: UnixTime) -> Result<bool> {
        let done =
            sqlx::query("UPDATE subject_sessions SET sign_in = $2, proven = $3 WHERE id = $1")
                .bind(id.to_string())
                .bind(sign_in.as_str())
                .bind(now.0)
                .execute(&self.writer)
                .await
                .map_err(failed("noting that a subject signed again"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn end_browser(&self, subject: &SubjectId, id: BrowserId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM subject_sessions WHERE subject = $1 AND id = $2")
            .bind(subject.as_str())
            .bind(id.to_string())
            .execute(&self.writer)
            .await
            .map_err(failed("ending a subject's session"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn forget_browsers(&self, seen_before: UnixTime, begun_before: UnixTime) -> Result<()> {
        sqlx::query("DELETE FROM subject_sessions WHERE seen <= $1 OR created <= $2")
            .bind(seen_before.0)
            .bind(begun_before.0)
            .execute(&self.writer)
            .await
            .map_err(failed("forgetting sessions that are over"))?;
        Ok(())
    }

    async fn record_page_withdrawal(
        &self,
        subject: &SubjectId,
        consent: ConsentId,
        sign_in: &Jws,
        now: UnixTime,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO page_withdrawals (subject, consent, sign_in, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (subject, consent) DO NOTHING",
        )
        .bind(subject.as_str())
        .bind(consent.to_string())
        .bind(sign_in.as_str())
        .bind(now.0)
        .execute(&self.writer)
        .await
        .map_err(failed("keeping who withdraws"))?;
        Ok(())
    }

    async fn page_withdrawal(
        &self,
        subject: &SubjectId,
        consent: ConsentId,
    ) -> Result<Option<Jws>> {
        let row =
            sqlx::query("SELECT sign_in FROM page_withdrawals WHERE subject = $1 AND consent = $2")
                .bind(subject.as_str())
                .bind(consent.to_string())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("reading who withdrew"))?;
        row.map(|row| parsed(&row, "sign_in")).transpose()
    }
}
