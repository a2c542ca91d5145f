use blindprint_core::SubjectId;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{
    credentials::{Of, change},
    rights::retired,
};
use crate::domain::{issued::Standing, ledger::Stamp};

type Tx = Transaction<'static, Sqlite>;

/// Destroys the rows of a subject within the caller's transaction. What stays names nobody: revoked
/// credentials' places in status lists, the names of DIDs that nobody gets again, and uses of
/// invitations.
pub(super) async fn forget(tx: &mut Tx, subject: &SubjectId, stamp: Stamp<'_>) -> sqlx::Result<()> {
    change(tx, Of::Subject(subject), Standing::Revoked, stamp).await?;
    retire_names(tx, subject).await?;
    // An invitation brings in no more people because one of them left.
    sqlx::query("UPDATE invited SET subject = $2 WHERE subject = $1")
        .bind(subject.as_str())
        .bind(format!("forgotten:{}", stamp.entropy.uuid()))
        .execute(&mut **tx)
        .await?;
    // In the order in which rows refer to one another. Tokens and redemptions go with their offers,
    // uses of invitations with their enrolments, withdrawals on the page with their consents.
    for statement in [
        // What opens the log's commitments to what was about them.
        "DELETE FROM log_salts WHERE subject = $1",
        "UPDATE issuances SET kind = 'forgotten', subject = NULL, enrolment = NULL, consent = NULL
         WHERE subject = $1",
        "DELETE FROM idempotency WHERE caller = $1",
        "DELETE FROM offers WHERE subject = $1",
        "DELETE FROM subject_sessions WHERE subject = $1",
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
