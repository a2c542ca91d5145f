use async_trait::async_trait;
use blindprint_consent::Notice;
use blindprint_core::{ConsentId, Digest, EnrolmentId, Jws, SubjectId, UnixTime};
use blindprint_log::Kind;
use sqlx::Row as _;

use super::{SqliteStore, corrupt, failed, ledger::append, parsed};
use crate::{
    Result,
    domain::{
        Altered, PublishedFile,
        ledger::{Draft, Stamp},
    },
    store::NoticeStore,
};

#[async_trait]
impl NoticeStore for SqliteStore {
    async fn publish_notices(&self, files: &[PublishedFile]) -> Result<Vec<Altered>> {
        const DOING: &str = "remembering published notices";
        let mut tx = self.begin(DOING).await?;
        let rows = sqlx::query("SELECT name, digest FROM notice_files ORDER BY name")
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        let mut altered = Vec::new();
        for row in &rows {
            let name: String = row.try_get("name").map_err(corrupt)?;
            let digest: Digest = parsed(row, "digest")?;
            match files.iter().find(|file| file.name == name) {
                Some(file) if file.digest == digest => {}
                Some(_) => altered.push(Altered::Changed(name)),
                None => altered.push(Altered::Removed(name)),
            }
        }
        if altered.is_empty() {
            for file in files {
                sqlx::query(
                    "INSERT INTO notice_files (name, digest, published) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO NOTHING",
                )
                .bind(&file.name)
                .bind(file.digest.to_string())
                .bind(file.published.0)
                .execute(&mut *tx)
                .await
                .map_err(failed(DOING))?;
            }
            tx.commit().await.map_err(failed(DOING))?;
        }
        Ok(altered)
    }

    async fn keep_notice(&self, notice: &Notice) -> Result<()> {
        const DOING: &str = "keeping a notice";
        let summary = serde_json::to_string(&notice.summary).map_err(corrupt)?;
        sqlx::query(
            "INSERT INTO notices (digest, name, version, summary, text) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (digest) DO NOTHING",
        )
        .bind(notice.summary.digest.to_string())
        .bind(&notice.summary.name)
        .bind(i64::from(notice.summary.version))
        .bind(summary)
        .bind(&notice.text)
        .execute(&self.writer)
        .await
        .map_err(failed(DOING))?;
        Ok(())
    }

    async fn notice(&self, digest: Digest) -> Result<Option<Notice>> {
        let row = sqlx::query("SELECT summary, text FROM notices WHERE digest = $1")
            .bind(digest.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a notice"))?;
        row.map(|row| {
            let summary: &str = row.try_get("summary").map_err(corrupt)?;
            Ok(Notice {
                summary: serde_json::from_str(summary).map_err(corrupt)?,
                text: row.try_get("text").map_err(corrupt)?,
            })
        })
        .transpose()
    }

    async fn expire_consents(&self, most: u32, stamp: Stamp<'_>) -> Result<usize> {
        const DOING: &str = "writing down which consents are over";
        let mut tx = self.begin(DOING).await?;
        let rows = sqlx::query(
            "UPDATE consents SET state = 'expired'
             WHERE rowid IN (SELECT rowid FROM consents WHERE state = 'given' AND expires <= $1
                             ORDER BY expires LIMIT $2)
             RETURNING subject, handle, receipt",
        )
        .bind(stamp.at.0)
        .bind(i64::from(most))
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        for row in &rows {
            let subject: SubjectId = parsed(row, "subject")?;
            let receipt: Jws = parsed(row, "receipt")?;
            let handles = vec![parsed(row, "handle")?];
            let draft = Draft::end(&subject, Kind::ConsentExpired, handles, &receipt);
            append(&mut tx, &[draft], stamp)
                .await
                .map_err(failed(DOING))?;
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(rows.len())
    }

    async fn consents_under(
        &self,
        name: &str,
        version: u32,
        most: u32,
    ) -> Result<Vec<(SubjectId, ConsentId)>> {
        let rows = sqlx::query(
            "SELECT consents.subject, consents.id FROM consents
             JOIN notices ON notices.digest = consents.notice
             WHERE notices.name = $1 AND notices.version = $2 AND consents.state = 'given'
             ORDER BY consents.given LIMIT $3",
        )
        .bind(name)
        .bind(i64::from(version))
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading consents under a notice"))?;
        rows.iter()
            .map(|row| Ok((parsed(row, "subject")?, parsed(row, "id")?)))
            .collect()
    }

    async fn uncovered_enrolments(
        &self,
        since: UnixTime,
        most: u32,
    ) -> Result<Vec<(SubjectId, EnrolmentId)>> {
        let rows = sqlx::query(
            "SELECT subject, id FROM enrolments
             WHERE state = 'live' AND NOT EXISTS (
                 SELECT 1 FROM consents
                 WHERE consents.subject = enrolments.subject AND consents.purpose = enrolments.purpose
                   AND consents.state <> 'refused'
                   AND COALESCE(consents.withdrawn, consents.expires) > $1)
             LIMIT $2",
        )
        .bind(since.0)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading which templates no consent covers"))?;
        rows.iter()
            .map(|row| Ok((parsed(row, "subject")?, parsed(row, "id")?)))
            .collect()
    }
}
