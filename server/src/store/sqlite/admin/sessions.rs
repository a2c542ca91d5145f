use blindprint_core::{Digest, UnixTime};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{
    super::{SqliteStore, corrupt, failed, parsed, time},
    COLUMNS, Tx, administrator, record_act,
};
use crate::{
    Result,
    domain::{
        admin::{Act, AdministratorId, SessionId, SessionRecord, SignedIn},
        ledger::Stamp,
    },
};

const OWN: &str = "s.id AS session_id, s.secret, s.administrator, s.created AS session_created,
    s.seen AS session_seen, s.proven, s.agent";

fn session(row: &SqliteRow) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: parsed(row, "session_id")?,
        secret: parsed(row, "secret")?,
        administrator: parsed(row, "administrator")?,
        created: time(row, "session_created")?,
        seen: time(row, "session_seen")?,
        proven: time(row, "proven")?,
        agent: row.try_get("agent").map_err(corrupt)?,
    })
}

pub(super) async fn insert(tx: &mut Tx, session: &SessionRecord) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO admin_sessions (id, secret, administrator, created, seen, proven, agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(session.id.to_string())
    .bind(session.secret.to_string())
    .bind(session.administrator.to_string())
    .bind(session.created.0)
    .bind(session.seen.0)
    .bind(session.proven.0)
    .bind(&session.agent)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn end_all(tx: &mut Tx, who: AdministratorId) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM admin_sessions WHERE administrator = $1")
        .bind(who.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn prove(tx: &mut Tx, id: SessionId, at: UnixTime) -> sqlx::Result<()> {
    sqlx::query("UPDATE admin_sessions SET proven = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(at.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn read(store: &SqliteStore, secret: Digest) -> Result<Option<SignedIn>> {
    let sql = format!(
        "SELECT {COLUMNS}, {OWN} FROM admin_sessions s
         JOIN administrators a ON a.id = s.administrator
         WHERE s.secret = $1 AND a.removed IS NULL"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(secret.to_string())
        .fetch_optional(&store.readers)
        .await
        .map_err(failed("reading an administrator's session"))?;
    row.map(|row| {
        Ok(SignedIn {
            administrator: administrator(&row, "id")?,
            session: session(&row)?,
        })
    })
    .transpose()
}

pub(super) async fn touch(store: &SqliteStore, id: SessionId, now: UnixTime) -> Result<()> {
    sqlx::query("UPDATE admin_sessions SET seen = MAX(seen, $2) WHERE id = $1")
        .bind(id.to_string())
        .bind(now.0)
        .execute(&store.writer)
        .await
        .map_err(failed("noting that a session is used"))?;
    Ok(())
}

pub(super) async fn of(store: &SqliteStore, who: AdministratorId) -> Result<Vec<SessionRecord>> {
    let sql = format!(
        "SELECT {OWN} FROM admin_sessions s WHERE s.administrator = $1
         ORDER BY s.seen DESC, s.id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(who.to_string())
        .fetch_all(&store.readers)
        .await
        .map_err(failed("reading an administrator's sessions"))?;
    rows.iter().map(session).collect()
}

pub(super) async fn end(
    store: &SqliteStore,
    (who, id): (AdministratorId, SessionId),
    (act, stamp): (&Act, Stamp<'_>),
) -> Result<bool> {
    const DOING: &str = "ending an administrator's session";
    let mut tx = store.begin(DOING).await?;
    let ended = sqlx::query("DELETE FROM admin_sessions WHERE id = $1 AND administrator = $2")
        .bind(id.to_string())
        .bind(who.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    record_act(&mut tx, act, stamp)
        .await
        .map_err(failed(DOING))?;
    tx.commit().await.map_err(failed(DOING))?;
    Ok(true)
}

pub(super) async fn forget(
    store: &SqliteStore,
    seen_before: UnixTime,
    begun_before: UnixTime,
) -> Result<()> {
    sqlx::query("DELETE FROM admin_sessions WHERE seen <= $1 OR created <= $2")
        .bind(seen_before.0)
        .bind(begun_before.0)
        .execute(&store.writer)
        .await
        .map_err(failed("forgetting sessions that are over"))?;
    Ok(())
}
