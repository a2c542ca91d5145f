use async_trait::async_trait;
use blindprint_core::SubjectId;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, count, failed, parsed, rights::retired, time};
use crate::{
    Result,
    domain::{Addition, DidName, HostedDid, NotHosted},
    store::HostingStore,
};

#[async_trait]
impl HostingStore for SqliteStore {
    async fn host(
        &self,
        hosted: &HostedDid,
        entry: &str,
        most: u32,
    ) -> Result<Result<(), NotHosted>> {
        const DOING: &str = "beginning a DID log";
        let mut tx = self.begin(DOING).await?;
        let row = sqlx::query("SELECT COUNT(*) AS logs FROM hosted_dids WHERE subject = $1")
            .bind(hosted.subject.as_str())
            .fetch_one(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        if count(&row, "logs")? >= most {
            return Ok(Err(NotHosted::TooMany));
        }
        let retired = sqlx::query("SELECT 1 FROM retired_names WHERE name = $1")
            .bind(retired(hosted.name.as_str()).to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        if retired.is_some() {
            return Ok(Err(NotHosted::Taken));
        }
        let inserted = sqlx::query(
            "INSERT INTO hosted_dids (name, did, subject, entries, document, created)
             VALUES ($1, $2, $3, 1, $4, $5)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(hosted.name.as_str())
        .bind(&hosted.did)
        .bind(hosted.subject.as_str())
        .bind(hosted.document.as_deref())
        .bind(hosted.created.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if inserted.rows_affected() == 0 {
            return Ok(Err(NotHosted::Taken));
        }
        sqlx::query(
            "INSERT INTO hosted_entries (name, number, entry, added) VALUES ($1, 1, $2, $3)",
        )
        .bind(hosted.name.as_str())
        .bind(entry)
        .bind(hosted.created.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Ok(()))
    }

    async fn append_entry(
        &self,
        name: &DidName,
        after: u32,
        addition: &Addition<'_>,
    ) -> Result<bool> {
        const DOING: &str = "appending to a DID log";
        let mut tx = self.begin(DOING).await?;
        let appended = sqlx::query(
            "UPDATE hosted_dids SET entries = entries + 1, document = $3
             WHERE name = $1 AND entries = $2",
        )
        .bind(name.as_str())
        .bind(i64::from(after))
        .bind(addition.document)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if appended.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO hosted_entries (name, number, entry, added) VALUES ($1, $2, $3, $4)",
        )
        .bind(name.as_str())
        .bind(i64::from(after) + 1)
        .bind(addition.entry)
        .bind(addition.at.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn hosted(&self, name: &DidName) -> Result<Option<HostedDid>> {
        let row = sqlx::query(
            "SELECT name, did, subject, entries, document, created FROM hosted_dids
             WHERE name = $1",
        )
        .bind(name.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading about a DID log"))?;
        row.as_ref().map(hosted).transpose()
    }

    async fn hosted_of(&self, subject: &SubjectId) -> Result<Vec<HostedDid>> {
        let rows = sqlx::query(
            "SELECT name, did, subject, entries, document, created FROM hosted_dids
             WHERE subject = $1 ORDER BY created, name",
        )
        .bind(subject.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading about a subject's DID logs"))?;
        rows.iter().map(hosted).collect()
    }

    async fn log(&self, name: &DidName) -> Result<Vec<String>> {
        let rows = sqlx::query("SELECT entry FROM hosted_entries WHERE name = $1 ORDER BY number")
            .bind(name.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading a DID log"))?;
        rows.iter()
            .map(|row| row.try_get("entry").map_err(corrupt))
            .collect()
    }
}

fn hosted(row: &SqliteRow) -> Result<HostedDid> {
    Ok(HostedDid {
        name: parsed(row, "name")?,
        did: row.try_get("did").map_err(corrupt)?,
        subject: parsed(row, "subject")?,
        entries: count(row, "entries")?,
        document: row.try_get("document").map_err(corrupt)?,
        created: time(row, "created")?,
    })
}
