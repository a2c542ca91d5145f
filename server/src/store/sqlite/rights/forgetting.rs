use blindprint_core::{Digest, RightsRequestId, SubjectId};
use sqlx::Row as _;

use super::Tx;
use crate::{
    domain::{issued::Standing, ledger::Stamp},
    store::sqlite::credentials::{Of, change},
};

/// Destroys the rows of a subject. What is said of their credentials stays: revoked, and nobody's.
/// Other requests of theirs go; the one that is being fulfilled the caller keeps.
pub(super) async fn forget(
    tx: &mut Tx,
    case: RightsRequestId,
    subject: &SubjectId,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    revoke(tx, subject, stamp).await?;
    retire_names(tx, subject).await?;
    // An invitation brings in no more people because one of them left.
    sqlx::query("UPDATE invited SET subject = $2 WHERE subject = $1")
        .bind(subject.as_str())
        .bind(format!("forgotten:{case}"))
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM idempotency WHERE caller = $1")
        .bind(subject.as_str())
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM rights_requests WHERE subject = $1 AND id <> $2")
        .bind(subject.as_str())
        .bind(case.to_string())
        .execute(&mut **tx)
        .await?;
    // In the order in which rows refer to one another. Tokens and redemptions go with their offers, uses
    // of invitations with their enrolments.
    for statement in [
        // What opens the log's commitments to what was about them, the latest included.
        "DELETE FROM log_salts WHERE subject = $1",
        "DELETE FROM offers WHERE subject = $1",
        "DELETE FROM challenges WHERE subject = $1",
        "DELETE FROM verdicts WHERE subject = $1",
        "DELETE FROM operations WHERE subject = $1",
        "DELETE FROM enrolments WHERE subject = $1",
        "DELETE FROM consents WHERE subject = $1",
        "DELETE FROM subjects WHERE subject = $1",
    ] {
        sqlx::query(statement)
            .bind(subject.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn revoke(tx: &mut Tx, subject: &SubjectId, stamp: Stamp<'_>) -> sqlx::Result<()> {
    let rows = sqlx::query("SELECT id FROM issuances WHERE subject = $1")
        .bind(subject.as_str())
        .fetch_all(&mut **tx)
        .await?;
    for row in rows {
        let id: String = row.try_get("id")?;
        change(tx, Of::Issuance(&id), Standing::Revoked, stamp).await?;
    }
    sqlx::query(
        "UPDATE issuances SET subject = NULL, enrolment = NULL, consent = NULL WHERE subject = $1",
    )
    .bind(subject.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The name of a hosted DID may not become somebody else's.
async fn retire_names(tx: &mut Tx, subject: &SubjectId) -> sqlx::Result<()> {
    let rows = sqlx::query("SELECT name FROM hosted_dids WHERE subject = $1")
        .bind(subject.as_str())
        .fetch_all(&mut **tx)
        .await?;
    for row in rows {
        let name: String = row.try_get("name")?;
        sqlx::query("INSERT INTO retired_names (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
            .bind(retired(&name).to_string())
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM hosted_entries WHERE name = $1")
            .bind(name)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query("DELETE FROM hosted_dids WHERE subject = $1")
        .bind(subject.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What is kept of a name that nobody gets again.
pub(in crate::store::sqlite) fn retired(name: &str) -> Digest {
    Digest::of("blindprint/retired-name/v1", name.as_bytes())
}
