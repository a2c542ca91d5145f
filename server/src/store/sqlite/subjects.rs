use async_trait::async_trait;
use blindprint_core::{
    ConsentId, Digest, EnrolmentId, SubjectId,
    consent::{ConsentState, Lifecycle, Scope},
};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, failed, parsed, parsed_option, purpose, time, time_option};
use crate::{
    Result,
    domain::record::{ConsentRecord, EnrolmentRecord, EnrolmentState, SubjectKeys},
    store::SubjectStore,
};

#[async_trait]
impl SubjectStore for SqliteStore {
    async fn keys_of(&self, subject: &SubjectId) -> Result<Option<SubjectKeys>> {
        let row = sqlx::query("SELECT pinned_key, recovery_key FROM subjects WHERE subject = $1")
            .bind(subject.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a subject's keys"))?;
        row.map(|row| {
            Ok(SubjectKeys {
                pinned: parsed(&row, "pinned_key")?,
                recovery: parsed_option(&row, "recovery_key")?,
            })
        })
        .transpose()
    }

    async fn consent_head(&self, subject: &SubjectId) -> Result<Option<Digest>> {
        let row = sqlx::query("SELECT head FROM subjects WHERE subject = $1")
            .bind(subject.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading the head of a subject's consents"))?;
        row.map_or(Ok(None), |row| parsed_option(&row, "head"))
    }

    async fn consent(&self, subject: &SubjectId, id: ConsentId) -> Result<Option<ConsentRecord>> {
        let row = sqlx::query(
            "SELECT id, subject, purpose, recipient, notice, state, given, expires, jws, record,
                    document, handle, receipt, withdrawn, withdrawal, withdrawal_receipt
             FROM consents WHERE subject = $1 AND id = $2",
        )
        .bind(subject.as_str())
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading a consent"))?;
        row.as_ref().map(consent).transpose()
    }

    async fn consents_of(&self, subject: &SubjectId) -> Result<Vec<ConsentRecord>> {
        let rows = sqlx::query(
            "SELECT id, subject, purpose, recipient, notice, state, given, expires, jws, record,
                    document, handle, receipt, withdrawn, withdrawal, withdrawal_receipt
             FROM consents WHERE subject = $1 ORDER BY given DESC, id",
        )
        .bind(subject.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading a subject's consents"))?;
        rows.iter().map(consent).collect()
    }

    async fn enrolment(&self, id: EnrolmentId) -> Result<Option<EnrolmentRecord>> {
        let row = sqlx::query(
            "SELECT id, subject, statement, profile, purpose, template, key, state, receipt,
                    enrolled, erasure_receipt
             FROM enrolments WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading an enrolment"))?;
        row.as_ref().map(enrolment).transpose()
    }

    async fn enrolments_of(&self, subject: &SubjectId) -> Result<Vec<EnrolmentRecord>> {
        let rows = sqlx::query(
            "SELECT id, subject, statement, profile, purpose, template, key, state, receipt,
                    enrolled, erasure_receipt
             FROM enrolments WHERE subject = $1 ORDER BY begun DESC, id",
        )
        .bind(subject.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading a subject's enrolments"))?;
        rows.iter().map(enrolment).collect()
    }

    async fn template(&self, enrolment: EnrolmentId) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT ciphertext FROM enrolments WHERE id = $1 AND state = 'live'")
            .bind(enrolment.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a template"))?;
        row.map(|row| row.try_get("ciphertext").map_err(corrupt))
            .transpose()
    }
}

fn consent(row: &SqliteRow) -> Result<ConsentRecord> {
    Ok(ConsentRecord {
        id: parsed(row, "id")?,
        subject: parsed(row, "subject")?,
        lifecycle: lifecycle(row)?,
        notice: parsed(row, "notice")?,
        jws: parsed(row, "jws")?,
        record: parsed(row, "record")?,
        document: row.try_get("document").map_err(corrupt)?,
        handle: parsed(row, "handle")?,
        receipt: parsed(row, "receipt")?,
        withdrawal: parsed_option(row, "withdrawal")?,
        withdrawal_receipt: parsed_option(row, "withdrawal_receipt")?,
    })
}

fn lifecycle(row: &SqliteRow) -> Result<Lifecycle> {
    let scope = Scope::new(purpose(row)?, parsed_option(row, "recipient")?).map_err(corrupt)?;
    let state: &str = row.try_get("state").map_err(corrupt)?;
    let state = ConsentState::ALL
        .into_iter()
        .find(|known| known.as_str() == state)
        .ok_or_else(|| corrupt("an unknown state of a consent"))?;
    let times = (time(row, "given")?, time(row, "expires")?);
    let ended = time_option(row, "withdrawn")?;
    Lifecycle::restore(scope, state, times, ended).map_err(corrupt)
}

fn enrolment(row: &SqliteRow) -> Result<EnrolmentRecord> {
    let state: &str = row.try_get("state").map_err(corrupt)?;
    let state = match state {
        "pending" => EnrolmentState::Pending,
        "live" => EnrolmentState::Live,
        "erased" => EnrolmentState::Erased,
        _ => return Err(corrupt("an unknown state of an enrolment")),
    };
    Ok(EnrolmentRecord {
        id: parsed(row, "id")?,
        subject: parsed(row, "subject")?,
        statement: parsed(row, "statement")?,
        profile: parsed(row, "profile")?,
        purpose: purpose(row)?,
        template: parsed(row, "template")?,
        key: parsed(row, "key")?,
        state,
        receipt: parsed_option(row, "receipt")?,
        enrolled: time_option(row, "enrolled")?,
        erasure_receipt: parsed_option(row, "erasure_receipt")?,
    })
}
