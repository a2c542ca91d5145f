use async_trait::async_trait;
use blindprint_core::{
    Audience, ConsentId, Digest, EnrolmentId, InvitationId, Jws, KeyUri, SubjectId, UnixTime,
    consent::Decision,
};
use sqlx::{Row as _, Sqlite, Transaction};

use super::{
    SqliteStore, corrupt,
    credentials::{Of, change},
    failed,
    forgetting::forget,
    ledger::{append, log_consents_ended, log_replaced},
    parsed,
    rights::queue_withdrawn,
    time,
};
use crate::{
    Result,
    domain::{
        issued::Standing,
        ledger::{Draft, Stamp},
        record::{Effect, NotBegun, Operation, PendingEnrolment, SubjectKeys},
    },
    store::OperationStore,
};

type Tx = Transaction<'static, Sqlite>;

#[async_trait]
impl OperationStore for SqliteStore {
    async fn begin_operation(
        &self,
        subject: &SubjectId,
        request: &[u8],
        now: UnixTime,
    ) -> Result<i64> {
        const DOING: &str = "noting what the enclave will be asked";
        let mut tx = self.begin(DOING).await?;
        let sequence = insert_operation(&mut tx, subject, (request, None), now).await?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(sequence)
    }

    async fn begin_consent(
        &self,
        subject: &SubjectId,
        invitation: Option<InvitationId>,
        (request, document): (&[u8], &str),
        now: UnixTime,
    ) -> Result<Result<i64, NotBegun>> {
        const DOING: &str = "noting a consent";
        let mut tx = self.begin(DOING).await?;
        if let Some(invitation) = invitation {
            let invited = invite(&mut tx, subject, invitation, now).await;
            if !invited.map_err(failed(DOING))? {
                return Ok(Err(NotBegun::Uninvited));
            }
        }
        let asked = (request, Some(document));
        let sequence = insert_operation(&mut tx, subject, asked, now).await?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Ok(sequence))
    }

    async fn begin_enrolment(
        &self,
        pending: &PendingEnrolment,
        request: &[u8],
        now: UnixTime,
    ) -> Result<Result<i64, NotBegun>> {
        const DOING: &str = "storing a template";
        let mut tx = self.begin(DOING).await?;
        let enrolment = &pending.enrolment;
        let inserted = sqlx::query(
            "INSERT INTO enrolments (id, subject, statement, profile, purpose, template, key,
                                     submission, consent, recovery_key, state, ciphertext, begun)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(enrolment.enrolment.to_string())
        .bind(enrolment.sub.as_str())
        .bind(pending.statement.to_string())
        .bind(enrolment.profile.as_str())
        .bind(enrolment.purpose.as_str())
        .bind(pending.template.to_string())
        .bind(enrolment.key.to_string())
        .bind(enrolment.submission.to_string())
        .bind(enrolment.consent.to_string())
        .bind(enrolment.recovery_key.as_str())
        .bind(pending.ciphertext.as_slice())
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if inserted.rows_affected() == 0 {
            return Ok(Err(NotBegun::Taken));
        }
        if let Some(invitation) = pending.invitation {
            let used = sqlx::query(
                "UPDATE invitations SET used = used + 1
                 WHERE id = $1 AND used < uses AND expires > $2 AND revoked IS NULL",
            )
            .bind(invitation.to_string())
            .bind(now.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
            if used.rows_affected() == 0 {
                return Ok(Err(NotBegun::Uninvited));
            }
            sqlx::query("INSERT INTO invitation_uses (enrolment, invitation) VALUES ($1, $2)")
                .bind(enrolment.enrolment.to_string())
                .bind(invitation.to_string())
                .execute(&mut *tx)
                .await
                .map_err(failed(DOING))?;
        }
        let sequence = insert_operation(&mut tx, &enrolment.sub, (request, None), now).await?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Ok(sequence))
    }

    async fn unfinished_operations(&self, subject: Option<&SubjectId>) -> Result<Vec<Operation>> {
        let rows = sqlx::query(
            "SELECT sequence, subject, request, document, begun FROM operations
             WHERE $1 IS NULL OR subject = $1 ORDER BY sequence",
        )
        .bind(subject.map(SubjectId::as_str))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading what the enclave was asked"))?;
        rows.iter()
            .map(|row| {
                Ok(Operation {
                    sequence: row.try_get("sequence").map_err(corrupt)?,
                    subject: parsed(row, "subject")?,
                    request: row.try_get("request").map_err(corrupt)?,
                    document: row.try_get("document").map_err(corrupt)?,
                    begun: time(row, "begun")?,
                })
            })
            .collect()
    }

    async fn finish_operation(
        &self,
        sequence: i64,
        effects: &[Effect],
        drafts: &[Draft],
        stamp: Stamp<'_>,
    ) -> Result<()> {
        const DOING: &str = "recording what the enclave did";
        let mut tx = self.begin(DOING).await?;
        let known = sqlx::query("DELETE FROM operations WHERE sequence = $1")
            .bind(sequence)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        if known.rows_affected() == 1 {
            for effect in effects {
                apply(&mut tx, effect, stamp).await.map_err(failed(DOING))?;
                if let Effect::ConsentWithdrawn {
                    subject,
                    consent,
                    at,
                    receipt,
                    ..
                } = effect
                {
                    queue_withdrawn(&mut tx, subject, *consent, receipt, *at).await?;
                }
            }
            append(&mut tx, drafts, stamp)
                .await
                .map_err(failed(DOING))?;
        }
        tx.commit().await.map_err(failed(DOING))
    }
}

async fn insert_operation(
    tx: &mut Tx,
    subject: &SubjectId,
    (request, document): (&[u8], Option<&str>),
    now: UnixTime,
) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO operations (subject, request, document, begun) VALUES ($1, $2, $3, $4)
         RETURNING sequence",
    )
    .bind(subject.as_str())
    .bind(request)
    .bind(document)
    .bind(now.0)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed("noting what the enclave will be asked"))?;
    row.try_get("sequence").map_err(corrupt)
}

async fn apply(tx: &mut Tx, effect: &Effect, stamp: Stamp<'_>) -> sqlx::Result<()> {
    match effect {
        Effect::ConsentGiven {
            consent, key, head, ..
        } => {
            meet(tx, &consent.sub, key, consent.given).await?;
            if give_consent(tx, effect).await? {
                move_head(tx, &consent.sub, *head).await?;
            }
            Ok(())
        }
        Effect::ConsentWithdrawn {
            subject,
            consent,
            at,
            withdrawal,
            head,
            receipt,
        } => {
            let words = (withdrawal.as_ref(), receipt);
            if end_consent(tx, (subject, *consent), ("withdrawn", *at), words).await? {
                move_head(tx, subject, *head).await?;
            }
            change(tx, Of::Consent(subject, *consent), Standing::Revoked, stamp).await
        }
        Effect::ConsentInvalidated {
            subject,
            consent,
            at,
            receipt,
        } => {
            let words = (None, receipt);
            end_consent(tx, (subject, *consent), ("invalidated", *at), words).await?;
            change(tx, Of::Consent(subject, *consent), Standing::Revoked, stamp).await
        }
        Effect::Enrolled {
            enrolment,
            receipt,
            replaced,
            at,
        } => {
            enrol(tx, *enrolment, receipt, *at).await?;
            match replaced {
                Some(replaced) => {
                    log_replaced(tx, *replaced, stamp).await?;
                    erase(tx, *replaced, None, *at, stamp).await
                }
                None => Ok(()),
            }
        }
        Effect::EnrolmentRefused { enrolment } => forget_enrolment(tx, *enrolment).await,
        Effect::Erased {
            enrolment,
            receipt,
            at,
        } => erase(tx, *enrolment, receipt.as_ref(), *at, stamp).await,
        Effect::ConsentsEnded { subject, at } => end_consents(tx, subject, *at, stamp).await,
        Effect::KeysChanged { subject, keys } => change_keys(tx, subject, keys).await,
        Effect::SubjectErased { subject } => forget(tx, subject, stamp).await,
    }
}

async fn meet(tx: &mut Tx, subject: &SubjectId, key: &KeyUri, at: UnixTime) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO subjects (subject, pinned_key, since) VALUES ($1, $2, $3)
         ON CONFLICT (subject) DO NOTHING",
    )
    .bind(subject.as_str())
    .bind(key.as_str())
    .bind(at.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whom an invitation brings in, if it still may.
async fn invite(
    tx: &mut Tx,
    subject: &SubjectId,
    invitation: InvitationId,
    now: UnixTime,
) -> sqlx::Result<bool> {
    sqlx::query(
        "INSERT INTO invited (subject, invitation)
         SELECT $1, id FROM invitations
         WHERE id = $2 AND used < uses AND expires > $3 AND revoked IS NULL
           AND (SELECT COUNT(*) FROM invited WHERE invitation = $2) < uses
         ON CONFLICT (subject) DO NOTHING",
    )
    .bind(subject.as_str())
    .bind(invitation.to_string())
    .bind(now.0)
    .execute(&mut **tx)
    .await?;
    let invited = sqlx::query("SELECT 1 FROM invited WHERE subject = $1")
        .bind(subject.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(invited.is_some())
}

/// `false` if it is known already.
async fn give_consent(tx: &mut Tx, effect: &Effect) -> sqlx::Result<bool> {
    let Effect::ConsentGiven {
        consent,
        jws,
        record,
        document,
        handle,
        receipt,
        ..
    } = effect
    else {
        return Ok(false);
    };
    let inserted = sqlx::query(
        "INSERT INTO consents (id, subject, purpose, recipient, notice, state, record, document,
                               handle, jws, receipt, given, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (subject, id) DO NOTHING",
    )
    .bind(consent.id.to_string())
    .bind(consent.sub.as_str())
    .bind(consent.purpose.as_str())
    .bind(consent.recipient.as_ref().map(Audience::as_str))
    .bind(consent.notice.to_string())
    .bind(match consent.decision {
        Decision::Given => "given",
        Decision::Refused => "refused",
    })
    .bind(record.to_string())
    .bind(document)
    .bind(handle.to_string())
    .bind(jws.as_str())
    .bind(receipt.as_str())
    .bind(consent.given.0)
    .bind(consent.expires.0)
    .execute(&mut **tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn move_head(tx: &mut Tx, subject: &SubjectId, head: Digest) -> sqlx::Result<()> {
    sqlx::query("UPDATE subjects SET head = $2 WHERE subject = $1")
        .bind(subject.as_str())
        .bind(head.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends a consent, and keeps the words about it; `false` if it had ended before.
async fn end_consent(
    tx: &mut Tx,
    (subject, consent): (&SubjectId, ConsentId),
    (state, at): (&str, UnixTime),
    (withdrawal, receipt): (Option<&Jws>, &Jws),
) -> sqlx::Result<bool> {
    let ended = sqlx::query(
        "UPDATE consents SET state = $3, withdrawn = $4
         WHERE subject = $1 AND id = $2 AND withdrawn IS NULL",
    )
    .bind(subject.as_str())
    .bind(consent.to_string())
    .bind(state)
    .bind(at.0)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE consents SET withdrawal = $3, withdrawal_receipt = $4
         WHERE subject = $1 AND id = $2 AND withdrawal_receipt IS NULL",
    )
    .bind(subject.as_str())
    .bind(consent.to_string())
    .bind(withdrawal.map(Jws::as_str))
    .bind(receipt.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(ended.rows_affected() == 1)
}

async fn end_consents(
    tx: &mut Tx,
    subject: &SubjectId,
    at: UnixTime,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    log_consents_ended(tx, subject, stamp).await?;
    sqlx::query(
        "UPDATE consents SET state = 'withdrawn', withdrawn = $2
         WHERE subject = $1 AND withdrawn IS NULL AND state <> 'refused'",
    )
    .bind(subject.as_str())
    .bind(at.0)
    .execute(&mut **tx)
    .await?;
    change(tx, Of::Consents(subject), Standing::Revoked, stamp).await
}

async fn enrol(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    receipt: &Jws,
    at: UnixTime,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE enrolments SET state = 'live', receipt = $2, enrolled = $3
         WHERE id = $1 AND state = 'pending'",
    )
    .bind(enrolment.to_string())
    .bind(receipt.as_str())
    .bind(at.0)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE subjects
         SET recovery_key = (SELECT recovery_key FROM enrolments WHERE id = $1)
         WHERE subject = (SELECT subject FROM enrolments WHERE id = $1)",
    )
    .bind(enrolment.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A template that was never registered leaves nothing, and its invitation is as before.
async fn forget_enrolment(tx: &mut Tx, enrolment: EnrolmentId) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE invitations SET used = used - 1
         WHERE id = (SELECT invitation FROM invitation_uses WHERE enrolment = $1)
           AND EXISTS (SELECT 1 FROM enrolments WHERE id = $1 AND state = 'pending')",
    )
    .bind(enrolment.to_string())
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM enrolments WHERE id = $1 AND state = 'pending'")
        .bind(enrolment.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn change_keys(tx: &mut Tx, subject: &SubjectId, keys: &SubjectKeys) -> sqlx::Result<()> {
    sqlx::query("UPDATE subjects SET pinned_key = $2, recovery_key = $3 WHERE subject = $1")
        .bind(subject.as_str())
        .bind(keys.pinned.as_str())
        .bind(keys.recovery.as_ref().map(KeyUri::as_str))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The ciphertext goes, and what was said of the enrolment is revoked; digests and receipts stay as
/// evidence of what was destroyed.
async fn erase(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    receipt: Option<&Jws>,
    at: UnixTime,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE enrolments
         SET state = 'erased', ciphertext = NULL, erased = COALESCE(erased, $2),
             erasure_receipt = COALESCE(erasure_receipt, $3)
         WHERE id = $1 AND state <> 'pending'",
    )
    .bind(enrolment.to_string())
    .bind(at.0)
    .bind(receipt.map(Jws::as_str))
    .execute(&mut **tx)
    .await?;
    change(tx, Of::Enrolment(enrolment), Standing::Revoked, stamp).await
}
