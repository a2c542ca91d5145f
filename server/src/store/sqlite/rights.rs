mod forgetting;
mod jobs;
mod retention;

use async_trait::async_trait;
use blindprint_core::{Digest, Nonce, RightsRequestId, SubjectId, UnixTime, statement::Right};
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use super::{
    SqliteStore, corrupt, count, failed, ledger::append, parsed, parsed_option, time, time_option,
};
use crate::{
    Result,
    domain::{
        ledger::{Draft, Stamp},
        notifying::Job,
        record::VerdictRecord,
        rights::{Case, RightsState, SealedCertificate},
    },
    store::{CaseFilter, IssuanceRecord, NotOpened, RightsStore},
};

pub(super) use forgetting::retired;
pub(super) use jobs::queue_withdrawn;

type Tx = Transaction<'static, Sqlite>;

const COLUMNS: &str = "id, subject, kind, state, opened, due, closed, version, body";

#[async_trait]
impl RightsStore for SqliteStore {
    async fn open_case(
        &self,
        case: &Case,
        most: u32,
        drafts: &[Draft],
        stamp: Stamp<'_>,
    ) -> Result<Result<(), NotOpened>> {
        const DOING: &str = "opening a rights request";
        let mut tx = self.begin(DOING).await?;
        let row = sqlx::query(
            "SELECT COUNT(*) AS open FROM rights_requests WHERE subject = $1 AND closed IS NULL",
        )
        .bind(case.subject.as_ref().map(SubjectId::as_str))
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if count(&row, "open")? >= most {
            return Ok(Err(NotOpened::TooMany));
        }
        let inserted = sqlx::query(
            "INSERT INTO rights_requests (id, subject, kind, state, opened, due, closed, restricts,
                                          version, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(case.id.to_string())
        .bind(case.subject.as_ref().map(SubjectId::as_str))
        .bind(case.right.as_str())
        .bind(case.state().as_str())
        .bind(case.opened.0)
        .bind(case.due().0)
        .bind(case.closed().map(|at| at.0))
        .bind(case.restricts())
        .bind(body(case)?)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if inserted.rows_affected() == 0 {
            return Ok(Err(NotOpened::Taken));
        }
        append(&mut tx, drafts, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Ok(()))
    }

    async fn case(&self, id: RightsRequestId) -> Result<Option<Case>> {
        let row = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {COLUMNS} FROM rights_requests WHERE id = "
        ))
        .push_bind(id.to_string())
        .build()
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading a rights request"))?;
        row.as_ref().map(read).transpose()
    }

    async fn cases_of(&self, subject: &SubjectId) -> Result<Vec<Case>> {
        let rows = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {COLUMNS} FROM rights_requests WHERE subject = "
        ))
        .push_bind(subject.as_str())
        .push(" ORDER BY opened DESC, id")
        .build()
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading a subject's rights requests"))?;
        rows.iter().map(read).collect()
    }

    async fn open_cases(&self) -> Result<Vec<Case>> {
        let rows = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {COLUMNS} FROM rights_requests WHERE closed IS NULL ORDER BY due, id"
        ))
        .build()
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading the open rights requests"))?;
        rows.iter().map(read).collect()
    }

    async fn cases(&self, filter: &CaseFilter, skip: u32, most: u32) -> Result<(Vec<Case>, u64)> {
        const DOING: &str = "searching rights requests";
        let matching = |select: &str| {
            let mut query = QueryBuilder::<Sqlite>::new(select.to_owned());
            query.push(" FROM rights_requests WHERE TRUE");
            if let Some(open) = filter.open {
                query.push(if open {
                    " AND closed IS NULL"
                } else {
                    " AND closed IS NOT NULL"
                });
            }
            if let Some(state) = filter.state {
                query.push(" AND state = ").push_bind(state.as_str());
            }
            if let Some(right) = filter.right {
                query.push(" AND kind = ").push_bind(right.as_str());
            }
            if let Some(subject) = &filter.subject {
                query.push(" AND subject = ").push_bind(subject.to_string());
            }
            if let Some(before) = filter.due_before {
                query.push(" AND due < ").push_bind(before.0);
            }
            query
        };
        let row = matching("SELECT COUNT(*) AS cases")
            .build()
            .fetch_one(&self.readers)
            .await
            .map_err(failed(DOING))?;
        let cases: i64 = row.try_get("cases").map_err(corrupt)?;
        let rows = matching(&format!("SELECT {COLUMNS}"))
            .push(" ORDER BY opened DESC, id LIMIT ")
            .push_bind(i64::from(most))
            .push(" OFFSET ")
            .push_bind(i64::from(skip))
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(failed(DOING))?;
        let page = rows.iter().map(read).collect::<Result<_>>()?;
        Ok((page, cases.try_into().map_err(corrupt)?))
    }

    async fn move_case(&self, case: &Case, drafts: &[Draft], stamp: Stamp<'_>) -> Result<bool> {
        const DOING: &str = "moving a rights request";
        let mut tx = self.begin(DOING).await?;
        if !update(&mut tx, case).await? {
            return Ok(false);
        }
        append(&mut tx, drafts, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn is_restricted(&self, subject: &SubjectId) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM rights_requests WHERE subject = $1 AND restricts")
            .bind(subject.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading whether a subject is restricted"))?;
        Ok(row.is_some())
    }

    async fn verdicts_of(
        &self,
        subject: &SubjectId,
        after: Option<(UnixTime, Nonce)>,
        most: u32,
    ) -> Result<Vec<VerdictRecord>> {
        let (at, challenge) = after.map_or((i64::MIN, String::new()), |(at, challenge)| {
            (at.0, challenge.to_string())
        });
        let rows = sqlx::query(
            "SELECT challenge, subject, enrolment, probe, audience, matched, jws, given
             FROM verdicts WHERE subject = $1 AND (given > $2 OR (given = $2 AND challenge > $3))
             ORDER BY given, challenge LIMIT $4",
        )
        .bind(subject.as_str())
        .bind(at)
        .bind(challenge)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading a subject's verdicts"))?;
        rows.iter()
            .map(|row| {
                Ok(VerdictRecord {
                    challenge: parsed(row, "challenge")?,
                    subject: parsed(row, "subject")?,
                    enrolment: parsed(row, "enrolment")?,
                    probe: parsed(row, "probe")?,
                    audience: parsed(row, "audience")?,
                    matched: row.try_get("matched").map_err(corrupt)?,
                    jws: parsed(row, "jws")?,
                    given: time(row, "given")?,
                })
            })
            .collect()
    }

    async fn issuances_of(&self, subject: &SubjectId) -> Result<Vec<IssuanceRecord>> {
        let rows = sqlx::query(
            "SELECT id, kind, enrolment, consent, state, issued,
                    (SELECT COUNT(*) FROM status_entries e WHERE e.issuance = issuances.id) AS copies
             FROM issuances WHERE subject = $1 ORDER BY issued, id",
        )
        .bind(subject.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading a subject's credentials"))?;
        rows.iter()
            .map(|row| {
                Ok(IssuanceRecord {
                    id: row.try_get("id").map_err(corrupt)?,
                    kind: row.try_get("kind").map_err(corrupt)?,
                    enrolment: parsed_option(row, "enrolment")?,
                    consent: row.try_get("consent").map_err(corrupt)?,
                    state: row.try_get("state").map_err(corrupt)?,
                    copies: count(row, "copies")?,
                    issued: time(row, "issued")?,
                })
            })
            .collect()
    }

    async fn subject_of_entry(&self, list: i64, position: u32) -> Result<Option<SubjectId>> {
        let row = sqlx::query(
            "SELECT i.subject FROM status_entries e JOIN issuances i ON i.id = e.issuance
             WHERE e.list = $1 AND e.position = $2 AND i.state = 'valid' AND i.subject IS NOT NULL",
        )
        .bind(list)
        .bind(i64::from(position))
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("finding whose a credential is"))?;
        row.map(|row| parsed(&row, "subject")).transpose()
    }

    async fn forget_subject(&self, case: &Case, jobs: &[Job], stamp: Stamp<'_>) -> Result<bool> {
        const DOING: &str = "forgetting a subject";
        let Some(subject) = &case.subject else {
            return Ok(false);
        };
        let mut tx = self.begin(DOING).await?;
        if !update(&mut tx, case).await? {
            return Ok(false);
        }
        jobs::insert(&mut tx, jobs).await.map_err(failed(DOING))?;
        forgetting::forget(&mut tx, case.id, subject, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn keep_certificate(
        &self,
        case: &Case,
        certificate: &SealedCertificate,
        drafts: &[Draft],
        stamp: Stamp<'_>,
    ) -> Result<bool> {
        const DOING: &str = "keeping the certificate of an erasure";
        let mut tx = self.begin(DOING).await?;
        if !update(&mut tx, case).await? {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO erasure_certificates (name, sealed, expires) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(certificate.name.to_string())
        .bind(certificate.sealed.as_slice())
        .bind(certificate.expires.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        append(&mut tx, drafts, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn certificate(&self, name: Digest) -> Result<Option<SealedCertificate>> {
        let row =
            sqlx::query("SELECT name, sealed, expires FROM erasure_certificates WHERE name = $1")
                .bind(name.to_string())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed("reading the certificate of an erasure"))?;
        row.map(|row| {
            Ok(SealedCertificate {
                name: parsed(&row, "name")?,
                sealed: row.try_get("sealed").map_err(corrupt)?,
                expires: time(&row, "expires")?,
            })
        })
        .transpose()
    }
}

/// Writes a request as it stands now over the version that it was moved from.
async fn update(tx: &mut Tx, case: &Case) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE rights_requests
         SET subject = $3, state = $4, due = $5, closed = $6, restricts = $7, body = $8,
             version = version + 1
         WHERE id = $1 AND version = $2",
    )
    .bind(case.id.to_string())
    .bind(case.version)
    .bind(case.subject.as_ref().map(SubjectId::as_str))
    .bind(case.state().as_str())
    .bind(case.due().0)
    .bind(case.closed().map(|at| at.0))
    .bind(case.restricts())
    .bind(body(case)?)
    .execute(&mut **tx)
    .await
    .map_err(failed("moving a rights request"))?;
    Ok(done.rows_affected() == 1)
}

fn body(case: &Case) -> Result<String> {
    serde_json::to_string(case.body()).map_err(corrupt)
}

fn read(row: &SqliteRow) -> Result<Case> {
    let kind: &str = row.try_get("kind").map_err(corrupt)?;
    let right = Right::ALL
        .into_iter()
        .find(|right| right.as_str() == kind)
        .ok_or_else(|| corrupt("an unknown right"))?;
    let body: &str = row.try_get("body").map_err(corrupt)?;
    Ok(Case::kept(
        (parsed(row, "id")?, parsed_option(row, "subject")?, right),
        state(row)?,
        (
            time(row, "opened")?,
            time(row, "due")?,
            time_option(row, "closed")?,
        ),
        row.try_get("version").map_err(corrupt)?,
        serde_json::from_str(body).map_err(corrupt)?,
    ))
}

fn state(row: &SqliteRow) -> Result<RightsState> {
    let name: &str = row.try_get("state").map_err(corrupt)?;
    RightsState::ALL
        .into_iter()
        .find(|state| state.as_str() == name)
        .ok_or_else(|| corrupt("an unknown state of a rights request"))
}
