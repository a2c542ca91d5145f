use async_trait::async_trait;
use blindprint_core::{InvitationId, UnixTime};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, count, failed, parsed, time, time_option};
use crate::{Result, domain::record::InvitationRecord, store::InvitationStore};

#[async_trait]
impl InvitationStore for SqliteStore {
    async fn record_invitation(&self, invitation: &InvitationRecord) -> Result<()> {
        sqlx::query(
            "INSERT INTO invitations (id, uses, used, expires, note, created)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(invitation.id.to_string())
        .bind(i64::from(invitation.uses))
        .bind(i64::from(invitation.used))
        .bind(invitation.expires.0)
        .bind(invitation.note.as_deref())
        .bind(invitation.created.0)
        .execute(&self.writer)
        .await
        .map_err(failed("remembering an invitation"))?;
        Ok(())
    }

    async fn invitation(&self, id: InvitationId) -> Result<Option<InvitationRecord>> {
        let row = sqlx::query(
            "SELECT id, uses, used, expires, note, created, revoked FROM invitations
             WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading an invitation"))?;
        row.as_ref().map(invitation).transpose()
    }

    async fn invitations(&self) -> Result<Vec<InvitationRecord>> {
        let rows = sqlx::query(
            "SELECT id, uses, used, expires, note, created, revoked FROM invitations
             ORDER BY created DESC, id",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading the invitations"))?;
        rows.iter().map(invitation).collect()
    }

    async fn revoke_invitation(&self, id: InvitationId, now: UnixTime) -> Result<bool> {
        let revoked =
            sqlx::query("UPDATE invitations SET revoked = COALESCE(revoked, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(now.0)
                .execute(&self.writer)
                .await
                .map_err(failed("revoking an invitation"))?;
        Ok(revoked.rows_affected() == 1)
    }
}

fn invitation(row: &SqliteRow) -> Result<InvitationRecord> {
    Ok(InvitationRecord {
        id: parsed(row, "id")?,
        uses: count(row, "uses")?,
        used: count(row, "used")?,
        expires: time(row, "expires")?,
        note: row.try_get("note").map_err(corrupt)?,
        created: time(row, "created")?,
        revoked: time_option(row, "revoked")?,
    })
}
