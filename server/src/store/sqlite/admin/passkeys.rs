use sqlx::{Row as _, sqlite::SqliteRow};

use super::{
    super::{SqliteStore, corrupt, failed, parsed, time, time_option},
    COLUMNS, Tx, administrator, record_act,
};
use crate::{
    Error, Result,
    domain::{
        admin::{Act, AdministratorId, AdministratorRecord, Name, PasskeyRecord, Removal},
        ledger::Stamp,
    },
};

fn written(record: &PasskeyRecord) -> Result<String> {
    serde_json::to_string(&record.passkey)
        .map_err(|error| Error::broken("writing a passkey")(error.into()))
}

fn passkey(row: &SqliteRow) -> Result<PasskeyRecord> {
    let text: &str = row.try_get("passkey").map_err(corrupt)?;
    Ok(PasskeyRecord {
        id: row.try_get("passkey_id").map_err(corrupt)?,
        administrator: parsed(row, "administrator")?,
        name: parsed(row, "passkey_name")?,
        passkey: serde_json::from_str(text).map_err(corrupt)?,
        created: time(row, "passkey_created")?,
        used: time_option(row, "passkey_used")?,
    })
}

const OWN: &str = "p.id AS passkey_id, p.administrator, p.name AS passkey_name, p.passkey,
    p.created AS passkey_created, p.used AS passkey_used";

/// `false` if somebody has it already.
pub(super) async fn insert(tx: &mut Tx, record: &PasskeyRecord) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO admin_passkeys (id, administrator, name, passkey, created, used)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&record.id)
    .bind(record.administrator.to_string())
    .bind(record.name.as_str())
    .bind(written(record)?)
    .bind(record.created.0)
    .bind(record.used.map(|used| used.0))
    .execute(&mut **tx)
    .await
    .map_err(failed("adding a passkey"))?;
    Ok(inserted.rows_affected() == 1)
}

/// Keeps what its use changed; `false` if it is gone.
pub(super) async fn used(tx: &mut Tx, record: &PasskeyRecord) -> Result<bool> {
    let updated = sqlx::query("UPDATE admin_passkeys SET passkey = $2, used = $3 WHERE id = $1")
        .bind(&record.id)
        .bind(written(record)?)
        .bind(record.used.map(|used| used.0))
        .execute(&mut **tx)
        .await
        .map_err(failed("noting a passkey's use"))?;
    Ok(updated.rows_affected() == 1)
}

pub(super) async fn read(
    store: &SqliteStore,
    id: &str,
) -> Result<Option<(PasskeyRecord, AdministratorRecord)>> {
    let sql = format!(
        "SELECT {COLUMNS}, {OWN} FROM admin_passkeys p
         JOIN administrators a ON a.id = p.administrator
         WHERE p.id = $1 AND a.removed IS NULL"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(&store.readers)
        .await
        .map_err(failed("reading a passkey"))?;
    row.map(|row| Ok((passkey(&row)?, administrator(&row, "id")?)))
        .transpose()
}

pub(super) async fn of(store: &SqliteStore, who: AdministratorId) -> Result<Vec<PasskeyRecord>> {
    let sql = format!(
        "SELECT {OWN} FROM admin_passkeys p WHERE p.administrator = $1 ORDER BY p.created, p.id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(who.to_string())
        .fetch_all(&store.readers)
        .await
        .map_err(failed("reading an administrator's passkeys"))?;
    rows.iter().map(passkey).collect()
}

pub(super) async fn rename(
    store: &SqliteStore,
    (who, id): (AdministratorId, &str),
    name: &Name,
    (act, stamp): (&Act, Stamp<'_>),
) -> Result<bool> {
    const DOING: &str = "renaming a passkey";
    let mut tx = store.begin(DOING).await?;
    let renamed =
        sqlx::query("UPDATE admin_passkeys SET name = $3 WHERE id = $1 AND administrator = $2")
            .bind(id)
            .bind(who.to_string())
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
    if renamed.rows_affected() == 0 {
        return Ok(false);
    }
    record_act(&mut tx, act, stamp)
        .await
        .map_err(failed(DOING))?;
    tx.commit().await.map_err(failed(DOING))?;
    Ok(true)
}

pub(super) async fn remove(
    store: &SqliteStore,
    (who, id): (AdministratorId, &str),
    (act, stamp): (&Act, Stamp<'_>),
) -> Result<Removal> {
    const DOING: &str = "removing a passkey";
    let mut tx = store.begin(DOING).await?;
    let removed = sqlx::query("DELETE FROM admin_passkeys WHERE id = $1 AND administrator = $2")
        .bind(id)
        .bind(who.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
    if removed.rows_affected() == 0 {
        return Ok(Removal::Unknown);
    }
    let row = sqlx::query("SELECT COUNT(*) AS others FROM admin_passkeys WHERE administrator = $1")
        .bind(who.to_string())
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(DOING))?;
    if row.try_get::<i64, _>("others").map_err(corrupt)? == 0 {
        // The transaction ends here and nothing of it stays.
        return Ok(Removal::Last);
    }
    record_act(&mut tx, act, stamp)
        .await
        .map_err(failed(DOING))?;
    tx.commit().await.map_err(failed(DOING))?;
    Ok(Removal::Done)
}
