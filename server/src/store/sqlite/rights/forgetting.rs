use blindprint_core::{Digest, RightsRequestId, SubjectId};

use super::Tx;
use crate::{domain::ledger::Stamp, store::sqlite::forgetting};

/// Destroys whatever rows of a subject are left once the enclave has destroyed what it had: the one
/// request that is being fulfilled the caller keeps.
pub(super) async fn forget(
    tx: &mut Tx,
    case: RightsRequestId,
    subject: &SubjectId,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    forgetting::forget(tx, subject, stamp).await?;
    sqlx::query("DELETE FROM rights_requests WHERE subject = $1 AND id <> $2")
        .bind(subject.as_str())
        .bind(case.to_string())
        .execute(&mut **tx)
        .await?;
    // What opens the log's commitments to what was about them, their end included.
    sqlx::query("DELETE FROM log_salts WHERE subject = $1")
        .bind(subject.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What is kept of a name that nobody gets again.
pub(in crate::store::sqlite) fn retired(name: &str) -> Digest {
    Digest::of("blindprint/retired-name/v1", name.as_bytes())
}
