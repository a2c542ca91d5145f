use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteExecutor, sqlite::SqliteRow};

use super::{
    super::{SqliteStore, corrupt, failed, ledger, parsed, parsed_option, time},
    Tx,
};
use crate::{
    Result,
    domain::{
        admin::{Act, ActKind, ActOutcome, ActQuery, ActRecord, Actor, Carried, Role},
        ledger::Stamp,
    },
};

/// Records an act, with its entry in the transparency log, within the caller's transaction.
pub(in crate::store::sqlite) async fn record_act(
    tx: &mut Tx,
    act: &Act,
    stamp: Stamp<'_>,
) -> sqlx::Result<u64> {
    let entries = ledger::append(tx, &[act.draft(stamp.at)], stamp).await?;
    let entry = entries.first().copied().unwrap_or_default();
    sqlx::query(
        "INSERT INTO admin_acts (at, administrator, name, role, act, target, outcome, details, digest, entry)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(stamp.at.0)
    .bind(act.by.id.map(|id| id.to_string()))
    .bind(&act.by.name)
    .bind(act.by.role.map(Role::as_str))
    .bind(act.kind.as_str())
    .bind(&act.target)
    .bind(act.outcome.as_str())
    .bind(act.details.to_string())
    .bind(act.digest().to_string())
    .bind(i64::try_from(entry).unwrap_or(i64::MAX))
    .execute(&mut **tx)
    .await?;
    Ok(entry)
}

/// Writes the act that the caller's task carries, unless an earlier transaction of it did and committed.
pub(in crate::store::sqlite) async fn carry(tx: &mut Tx, carried: &Carried) -> sqlx::Result<()> {
    if let Some(entry) = carried.entry()
        && is_recorded(&mut **tx, entry, carried.act()).await?
    {
        return Ok(());
    }
    let entry = record_act(tx, carried.act(), carried.stamp()).await?;
    carried.written(entry);
    Ok(())
}

pub(super) async fn is_recorded(
    executor: impl SqliteExecutor<'_>,
    entry: u64,
    act: &Act,
) -> sqlx::Result<bool> {
    let row = sqlx::query(
        "SELECT 1 FROM admin_acts WHERE entry = $1 AND act = $2 AND target = $3 AND digest = $4",
    )
    .bind(i64::try_from(entry).unwrap_or(i64::MAX))
    .bind(act.kind.as_str())
    .bind(&act.target)
    .bind(act.digest().to_string())
    .fetch_optional(executor)
    .await?;
    Ok(row.is_some())
}

pub(super) async fn acts(store: &SqliteStore, query: &ActQuery) -> Result<(Vec<ActRecord>, u64)> {
    const DOING: &str = "reading the audit trail";
    let mut counting = QueryBuilder::new("SELECT COUNT(*) AS acts FROM admin_acts");
    restrict(&mut counting, query);
    let row = counting
        .build()
        .fetch_one(&store.readers)
        .await
        .map_err(failed(DOING))?;
    let total: i64 = row.try_get("acts").map_err(corrupt)?;
    let mut reading = QueryBuilder::new("SELECT * FROM admin_acts");
    restrict(&mut reading, query);
    reading.push(if query.oldest_first {
        " ORDER BY sequence ASC"
    } else {
        " ORDER BY sequence DESC"
    });
    reading.push(" LIMIT ").push_bind(i64::from(query.most));
    reading
        .push(" OFFSET ")
        .push_bind(i64::try_from(query.skip).unwrap_or(i64::MAX));
    let rows = reading
        .build()
        .fetch_all(&store.readers)
        .await
        .map_err(failed(DOING))?;
    let acts = rows.iter().map(act).collect::<Result<_>>()?;
    Ok((acts, total.unsigned_abs()))
}

fn restrict(sql: &mut QueryBuilder<Sqlite>, query: &ActQuery) {
    sql.push(" WHERE TRUE");
    if let Some(by) = query.by {
        sql.push(" AND administrator = ").push_bind(by.to_string());
    }
    if let Some(kind) = query.kind {
        sql.push(" AND act = ").push_bind(kind.as_str());
    }
    if let Some(outcome) = query.outcome {
        sql.push(" AND outcome = ").push_bind(outcome.as_str());
    }
    if let Some(from) = query.from {
        sql.push(" AND at >= ").push_bind(from.0);
    }
    if let Some(until) = query.until {
        sql.push(" AND at < ").push_bind(until.0);
    }
    if let Some(words) = &query.words {
        for column in [
            " AND (instr(lower(name), ",
            " OR instr(lower(target), ",
            " OR instr(lower(details), ",
        ] {
            sql.push(column)
                .push_bind(words.to_lowercase())
                .push(") > 0");
        }
        sql.push(")");
    }
}

fn act(row: &SqliteRow) -> Result<ActRecord> {
    let text = |column: &str| -> Result<&str> { row.try_get(column).map_err(corrupt) };
    let kind = ActKind::named(text("act")?).ok_or_else(|| corrupt("an unknown act"))?;
    let outcome =
        ActOutcome::named(text("outcome")?).ok_or_else(|| corrupt("an unknown outcome"))?;
    let entry: i64 = row.try_get("entry").map_err(corrupt)?;
    Ok(ActRecord {
        sequence: row.try_get("sequence").map_err(corrupt)?,
        at: time(row, "at")?,
        act: Act {
            by: Actor {
                id: parsed_option(row, "administrator")?,
                name: text("name")?.to_owned(),
                role: parsed_option(row, "role")?,
            },
            kind,
            target: text("target")?.to_owned(),
            outcome,
            details: serde_json::from_str(text("details")?).map_err(corrupt)?,
        },
        digest: parsed(row, "digest")?,
        entry: entry.unsigned_abs(),
    })
}
