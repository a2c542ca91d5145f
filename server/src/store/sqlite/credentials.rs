use async_trait::async_trait;
use blindprint_core::{ConsentId, EnrolmentId, Entropy, SubjectId};
use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, failed, ledger::append};
use crate::{
    Result,
    domain::{
        ClientId, IssuerMethod,
        issued::{
            Ground, Issuance, LIST_ENTRIES, ListId, ListKind, ListRecord, Standing, StatusEntry,
            Whose,
        },
        ledger::{Draft, Stamp},
    },
    store::CredentialStore,
};

type Tx = Transaction<'static, Sqlite>;

/// A list takes no more than this many, so that every second guess at a free index succeeds.
const FULLEST: u32 = LIST_ENTRIES / 2;

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn identity(&self) -> Result<Option<String>> {
        let row = sqlx::query("SELECT did FROM identity")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading who the service is"))?;
        row.map(|row| row.try_get("did").map_err(corrupt))
            .transpose()
    }

    async fn record_identity(&self, did: &str) -> Result<()> {
        sqlx::query("INSERT INTO identity (did) VALUES ($1) ON CONFLICT (only) DO NOTHING")
            .bind(did)
            .execute(&self.writer)
            .await
            .map_err(failed("remembering who the service is"))?;
        Ok(())
    }

    async fn record_issuance(
        &self,
        issuance: &Issuance,
        entropy: &dyn Entropy,
    ) -> Result<Option<Vec<StatusEntry>>> {
        const DOING: &str = "recording an issuance";
        let mut tx = self.begin(DOING).await?;
        if !insert(&mut tx, issuance).await.map_err(failed(DOING))? {
            return Ok(None);
        }
        let mut entries = Vec::new();
        if let Some((kind, copies)) = issuance.entries {
            for _ in 0..copies {
                entries.push(take_index(&mut tx, issuance, kind, entropy).await?);
            }
        }
        let stamp = Stamp {
            at: issuance.issued,
            entropy,
        };
        append(&mut tx, &[Draft::issued(issuance, &entries)], stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Some(entries))
    }

    async fn change_standing(
        &self,
        whose: &Whose,
        to: Standing,
        stamp: Stamp<'_>,
    ) -> Result<Option<Standing>> {
        const DOING: &str = "changing a credential's status";
        let mut tx = self.begin(DOING).await?;
        let issuances = find(&mut tx, whose).await?;
        let revoked = issuances
            .iter()
            .any(|(_, known)| *known == Standing::Revoked);
        if revoked && to != Standing::Revoked {
            return Ok(Some(Standing::Revoked));
        }
        let mut worst = None;
        for (issuance, known) in issuances {
            if known != Standing::Revoked && known != to {
                change(&mut tx, Of::Issuance(&issuance), to, stamp)
                    .await
                    .map_err(failed(DOING))?;
            }
            worst = worst.max(Some(match known {
                Standing::Revoked => known,
                _ => to,
            }));
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(worst)
    }

    async fn status_list(&self, id: ListId) -> Result<Option<ListRecord>> {
        let row = sqlx::query("SELECT kind, issuer, version FROM status_lists WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading about a status list"))?;
        row.map(|row| {
            Ok(ListRecord {
                kind: list_kind(&row)?,
                issuer: issuer(&row)?,
                version: version(&row)?,
            })
        })
        .transpose()
    }

    async fn marked_entries(&self, id: ListId) -> Result<(u64, Vec<(u32, Standing)>)> {
        // One statement sees one state of the database.
        let rows = sqlx::query(
            "SELECT l.version, e.position, i.state
             FROM status_lists l
             LEFT JOIN (status_entries e JOIN issuances i
                        ON i.id = e.issuance AND i.state <> 'valid') ON e.list = l.id
             WHERE l.id = $1",
        )
        .bind(id.0)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading a status list"))?;
        let version = rows.first().map(version).transpose()?.unwrap_or_default();
        let mut marked = Vec::with_capacity(rows.len());
        for row in &rows {
            let position: Option<i64> = row.try_get("position").map_err(corrupt)?;
            if let Some(position) = position {
                let state: String = row.try_get("state").map_err(corrupt)?;
                marked.push((position.try_into().map_err(corrupt)?, standing(&state)?));
            }
        }
        Ok((version, marked))
    }
}

/// Inserts an issuance, if what it stands on is there in this very transaction: an erasure comes
/// either before it and keeps it away, or after it and revokes it.
async fn insert(tx: &mut Tx, issuance: &Issuance) -> sqlx::Result<bool> {
    let id = issuance.id.to_string();
    let issued = issuance.issued.0;
    let inserted = match &issuance.ground {
        Ground::Enrolment(subject, enrolment) | Ground::Verdict(subject, enrolment) => {
            sqlx::query(
                "INSERT INTO issuances (id, kind, subject, enrolment, issued)
                 SELECT $1, $2, subject, id, $5 FROM enrolments
                 WHERE id = $4 AND subject = $3 AND state = 'live'",
            )
            .bind(id)
            .bind(issuance.ground.kind())
            .bind(subject.as_str())
            .bind(enrolment.to_string())
            .bind(issued)
            .execute(&mut **tx)
            .await?
        }
        Ground::Consent(subject, consent) => {
            sqlx::query(
                "INSERT INTO issuances (id, kind, subject, consent, issued)
                 SELECT $1, 'consent-receipt', subject, id, $4 FROM consents
                 WHERE id = $3 AND subject = $2 AND withdrawn IS NULL AND expires > $4",
            )
            .bind(id)
            .bind(subject.as_str())
            .bind(consent.to_string())
            .bind(issued)
            .execute(&mut **tx)
            .await?
        }
        Ground::Client { client, credential } => {
            sqlx::query(
                "INSERT INTO issuances (id, kind, client, credential, issued)
                 VALUES ($1, 'general', $2, $3, $4)",
            )
            .bind(id)
            .bind(client.to_string())
            .bind(credential)
            .bind(issued)
            .execute(&mut **tx)
            .await?
        }
    };
    Ok(inserted.rows_affected() == 1)
}

/// Takes an index at random among those free in the newest list of a kind, which is not yet half
/// full; who sees a credential's index learns nothing of when or to whom it was issued.
async fn take_index(
    tx: &mut Tx,
    issuance: &Issuance,
    kind: ListKind,
    entropy: &dyn Entropy,
) -> Result<StatusEntry> {
    const DOING: &str = "taking an index in a status list";
    let open = sqlx::query(
        "SELECT id FROM status_lists WHERE kind = $1 AND issuer = $2 AND entries < $3
         ORDER BY id DESC LIMIT 1",
    )
    .bind(kind.as_str())
    .bind(issuance.issuer.as_str())
    .bind(i64::from(FULLEST))
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed(DOING))?;
    let row = match open {
        Some(row) => row,
        None => sqlx::query(
            "INSERT INTO status_lists (kind, issuer, opened) VALUES ($1, $2, $3) RETURNING id",
        )
        .bind(kind.as_str())
        .bind(issuance.issuer.as_str())
        .bind(issuance.issued.0)
        .fetch_one(&mut **tx)
        .await
        .map_err(failed(DOING))?,
    };
    let list = ListId(row.try_get("id").map_err(corrupt)?);
    let index = loop {
        // The number of entries is a power of two: every index is equally likely.
        let index = u32::from_le_bytes(entropy.bytes()) % LIST_ENTRIES;
        let taken = sqlx::query(
            "INSERT INTO status_entries (list, position, issuance) VALUES ($1, $2, $3)
             ON CONFLICT (list, position) DO NOTHING",
        )
        .bind(list.0)
        .bind(i64::from(index))
        .bind(issuance.id.to_string())
        .execute(&mut **tx)
        .await
        .map_err(failed(DOING))?;
        if taken.rows_affected() == 1 {
            break index;
        }
    };
    sqlx::query("UPDATE status_lists SET entries = entries + 1 WHERE id = $1")
        .bind(list.0)
        .execute(&mut **tx)
        .await
        .map_err(failed(DOING))?;
    Ok(StatusEntry { list, index })
}

/// The issuances that are meant, and what is said of each.
async fn find(tx: &mut Tx, whose: &Whose) -> Result<Vec<(String, Standing)>> {
    const BY_PLACE: &str = "SELECT i.id, i.state FROM issuances i
         JOIN status_entries e ON e.issuance = i.id
         WHERE e.list = $1 AND e.position = $2 AND ($3 IS NULL OR i.client = $3)";
    const BY_NAME: &str = "SELECT id, state FROM issuances WHERE client = $1 AND credential = $2";
    let by_place = |entry: &StatusEntry, client: Option<&ClientId>| {
        sqlx::query(BY_PLACE)
            .bind(entry.list.0)
            .bind(i64::from(entry.index))
            .bind(client.map(ToString::to_string))
    };
    let query = match whose {
        Whose::Anybody(entry) => by_place(entry, None),
        Whose::Client(client, entry) => by_place(entry, Some(client)),
        Whose::Named(client, credential) => sqlx::query(BY_NAME)
            .bind(client.to_string())
            .bind(credential.as_str()),
    };
    let rows = query
        .fetch_all(&mut **tx)
        .await
        .map_err(failed("finding a credential by its status"))?;
    rows.iter()
        .map(|row| {
            let id = row.try_get("id").map_err(corrupt)?;
            let state: &str = row.try_get("state").map_err(corrupt)?;
            Ok((id, standing(state)?))
        })
        .collect()
}

/// Whose standing changes.
pub(super) enum Of<'a> {
    /// One issuance's.
    Issuance(&'a str),
    /// That of all that stand on an enrolment.
    Enrolment(EnrolmentId),
    /// That of all that stand on a consent.
    Consent(&'a SubjectId, ConsentId),
    /// That of all that stand on any consent of a subject.
    Consents(&'a SubjectId),
    /// That of all that stand on anything of a subject's.
    Subject(&'a SubjectId),
}

/// Changes what lists say, and that they have changed, within the caller's transaction.
pub(super) async fn change(
    tx: &mut Tx,
    of: Of<'_>,
    to: Standing,
    stamp: Stamp<'_>,
) -> sqlx::Result<()> {
    // Each names two values; a part of the condition that is not meant gets none.
    let (part, first, second) = match of {
        Of::Issuance(id) => ("id = $1 AND $2 IS NULL", id.to_owned(), None),
        Of::Enrolment(id) => ("enrolment = $1 AND $2 IS NULL", id.to_string(), None),
        Of::Consent(subject, id) => (
            "subject = $1 AND consent = $2",
            subject.to_string(),
            Some(id.to_string()),
        ),
        Of::Consents(subject) => (
            "subject = $1 AND consent IS NOT NULL AND $2 IS NULL",
            subject.to_string(),
            None,
        ),
        Of::Subject(subject) => ("subject = $1 AND $2 IS NULL", subject.to_string(), None),
    };
    let changing = format!("{part} AND state <> $3 AND state <> 'revoked'");
    let lists = format!(
        "UPDATE status_lists SET version = version + 1
         WHERE id IN (SELECT e.list FROM status_entries e
                      WHERE e.issuance IN (SELECT id FROM issuances WHERE {changing}))"
    );
    let issuances =
        format!("UPDATE issuances SET state = $3 WHERE {changing} RETURNING id, subject");
    let mut changed = Vec::new();
    for statement in [lists, issuances] {
        changed = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(&first)
            .bind(&second)
            .bind(to.as_str())
            .fetch_all(&mut **tx)
            .await?;
    }
    let drafts: sqlx::Result<Vec<Draft>> = changed
        .iter()
        .map(|row| {
            let subject = row.try_get::<Option<&str>, _>("subject")?;
            let subject = subject.and_then(|subject| subject.parse().ok());
            let id = row.try_get("id")?;
            Ok(Draft::status_changed(subject.as_ref(), id, to))
        })
        .collect();
    append(tx, &drafts?, stamp).await.map(drop)
}

pub(super) fn list_kind(row: &SqliteRow) -> Result<ListKind> {
    let kind: &str = row.try_get("kind").map_err(corrupt)?;
    [ListKind::Bitstring, ListKind::Token]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| corrupt("an unknown kind of status list"))
}

pub(super) fn issuer(row: &SqliteRow) -> Result<IssuerMethod> {
    let issuer: &str = row.try_get("issuer").map_err(corrupt)?;
    [IssuerMethod::Web, IssuerMethod::Webvh]
        .into_iter()
        .find(|known| known.as_str() == issuer)
        .ok_or_else(|| corrupt("an unknown DID of the service"))
}

fn version(row: &SqliteRow) -> Result<u64> {
    let version: i64 = row.try_get("version").map_err(corrupt)?;
    version.try_into().map_err(corrupt)
}

fn standing(text: &str) -> Result<Standing> {
    [Standing::Valid, Standing::Suspended, Standing::Revoked]
        .into_iter()
        .find(|known| known.as_str() == text)
        .ok_or_else(|| corrupt("an unknown state of a credential"))
}
