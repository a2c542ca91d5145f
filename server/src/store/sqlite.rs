//! The store on SQLite: one writer, so that no transaction waits on a lock that it half holds,
//! and a few readers beside it (WAL).

mod admin;
mod credentials;
mod forgetting;
mod hosting;
mod invitations;
mod ledger;
mod notices;
mod openid;
mod operations;
mod reports;
mod requests;
mod rights;
mod sign_in;
mod subjects;
mod verdicts;

use std::{path::Path, str::FromStr, time::Duration};

use async_trait::async_trait;
use blindprint_core::{Digest, UnixTime, statement::Purpose};
use sqlx::{
    Connection as _, Row as _, Sqlite, SqlitePool, Transaction,
    migrate::Migrator,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

use super::Store;
use crate::{Error, Result, domain::admin::Carried};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// How often a purge tries to get the log to itself before it gives up, and how long it waits.
const PURGE_ATTEMPTS: u32 = 50;
const PURGE_PAUSE: Duration = Duration::from_millis(20);

/// A store in one file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it if there is none, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Commits reach the disk before they return: an acknowledged write survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            // Freed pages are overwritten with zeros.
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            // SQLite ends a transaction by itself when the disk is full, and the driver then believes
            // for ever that one is open. Such a connection is replaced. The ping waits until a
            // rollback that was queued has run.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(failed("opening the database"))?;
        MIGRATIONS.run(&writer).await.map_err(|error| {
            Error::Setup(format!(
                "the database {} cannot be migrated: {error}",
                path.display()
            ))
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(failed("opening the database"))?;
        Ok(Self { writer, readers })
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Makes the disk seem full once the file has this many pages.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, pages: u32) {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        sqlx::query(sqlx::AssertSqlSafe(pragma))
            .execute(&self.writer)
            .await
            .unwrap();
    }

    /// Makes every status list seem to have this many entries.
    #[cfg(test)]
    pub(super) async fn seem_filled(&self, entries: u32) {
        sqlx::query("UPDATE status_lists SET entries = $1")
            .bind(i64::from(entries))
            .execute(&self.writer)
            .await
            .unwrap();
    }

    async fn begin(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        let mut tx = begun.map_err(failed(doing))?;
        if let Some(carried) = Carried::current() {
            admin::carry(&mut tx, &carried)
                .await
                .map_err(failed(doing))?;
        }
        Ok(tx)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<()> {
        let doing = "asking the database for a sign of life";
        sqlx::query("SELECT 1")
            .execute(&self.readers)
            .await
            .map_err(failed(doing))?;
        Ok(())
    }

    async fn purge(&self) -> Result<()> {
        const DOING: &str = "clearing the database's log";
        for _ in 0..PURGE_ATTEMPTS {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&self.writer)
                .await
                .map_err(failed(DOING))?;
            // Its first column is 1 while a reader still needs the log.
            if row.try_get::<i64, _>(0).map_err(failed(DOING))? == 0 {
                return Ok(());
            }
            tokio::time::sleep(PURGE_PAUSE).await;
        }
        Err(Error::broken(DOING)("a reader kept it open".into()))
    }

    async fn material_digest(&self, key: Digest, part: &str) -> Result<Option<Digest>> {
        let row = sqlx::query("SELECT digest FROM materials WHERE key = $1 AND part = $2")
            .bind(key.to_string())
            .bind(part)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading about public material"))?;
        row.map(|row| parsed(&row, "digest")).transpose()
    }

    async fn record_material(&self, key: Digest, part: &str, digest: Digest) -> Result<()> {
        sqlx::query(
            "INSERT INTO materials (key, part, digest) VALUES ($1, $2, $3)
             ON CONFLICT (key, part) DO UPDATE SET digest = excluded.digest",
        )
        .bind(key.to_string())
        .bind(part)
        .bind(digest.to_string())
        .execute(&self.writer)
        .await
        .map_err(failed("remembering public material"))?;
        Ok(())
    }

    async fn forget_expired(&self, now: UnixTime, answers_before: UnixTime) -> Result<()> {
        const DOING: &str = "forgetting what is over";
        let mut tx = self.begin(DOING).await?;
        sqlx::query("DELETE FROM spent_proofs WHERE until < $1")
            .bind(now.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        sqlx::query("DELETE FROM challenges WHERE expires < $1")
            .bind(now.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        sqlx::query("DELETE FROM idempotency WHERE begun < $1")
            .bind(answers_before.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        sqlx::query("DELETE FROM access_tokens WHERE expires < $1")
            .bind(now.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        // A repeated request must not make a used offer anew.
        sqlx::query("DELETE FROM offers WHERE expires < $1 AND made < $2")
            .bind(now.0)
            .bind(answers_before.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))
    }
}

/// `SQLITE_FULL`, and the same met while the shared-memory index grows.
const FULL: [&str; 2] = ["13", "4874"];

/// Tells a full disk from every other failure.
fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| FULL.contains(&code.as_ref())) {
            return Error::Full;
        }
        Error::Broken {
            doing,
            source: Box::new(error),
        }
    }
}

fn corrupt(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::broken("reading the database: a value does not fit its column")(error.into())
}

fn parsed<T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>>(
    row: &SqliteRow,
    column: &str,
) -> Result<T> {
    let text: &str = row.try_get(column).map_err(corrupt)?;
    text.parse().map_err(corrupt)
}

fn parsed_option<T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>>(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<T>> {
    let text: Option<&str> = row.try_get(column).map_err(corrupt)?;
    text.map(str::parse).transpose().map_err(corrupt)
}

fn time(row: &SqliteRow, column: &str) -> Result<UnixTime> {
    row.try_get(column).map(UnixTime).map_err(corrupt)
}

fn time_option(row: &SqliteRow, column: &str) -> Result<Option<UnixTime>> {
    let seconds: Option<i64> = row.try_get(column).map_err(corrupt)?;
    Ok(seconds.map(UnixTime))
}

fn count(row: &SqliteRow, column: &str) -> Result<u32> {
    let number: i64 = row.try_get(column).map_err(corrupt)?;
    number.try_into().map_err(corrupt)
}

fn purpose(row: &SqliteRow) -> Result<Purpose> {
    let text: &str = row.try_get("purpose").map_err(corrupt)?;
    Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.as_str() == text)
        .ok_or_else(|| corrupt("an unknown purpose"))
}
