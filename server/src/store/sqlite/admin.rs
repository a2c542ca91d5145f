//! Administrators. Every change is recorded with its act: [`audit`] holds how.

mod audit;
mod passkeys;
mod sessions;

use async_trait::async_trait;
use blindprint_core::{Digest, UnixTime};
use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

pub(super) use audit::{carry, record_act};

use super::{SqliteStore, count, failed, parsed, parsed_option, time, time_option};
use crate::{
    Result,
    domain::{
        admin::{
            Act, ActQuery, ActRecord, AdministratorId, AdministratorRecord, LinkId, LinkRecord,
            Name, PasskeyRecord, Removal, Role, SessionId, SessionRecord, SignedIn,
        },
        ledger::Stamp,
    },
    store::AdminStore,
};

type Tx = Transaction<'static, Sqlite>;

/// What is read of an administrator `a`.
const COLUMNS: &str = "a.id, a.name, a.role, a.created, a.removed,
    (SELECT COUNT(*) FROM admin_passkeys WHERE administrator = a.id) AS passkeys,
    COALESCE((SELECT MAX(seen) FROM admin_sessions WHERE administrator = a.id),
             (SELECT MAX(used) FROM admin_passkeys WHERE administrator = a.id)) AS last_seen";

fn administrator(row: &SqliteRow, id: &str) -> Result<AdministratorRecord> {
    Ok(AdministratorRecord {
        id: parsed(row, id)?,
        name: parsed(row, "name")?,
        role: parsed(row, "role")?,
        created: time(row, "created")?,
        removed: time_option(row, "removed")?,
        passkeys: count(row, "passkeys")?,
        seen: time_option(row, "last_seen")?,
    })
}

fn link(row: &SqliteRow) -> Result<LinkRecord> {
    Ok(LinkRecord {
        id: parsed(row, "id")?,
        secret: parsed(row, "secret")?,
        role: parsed(row, "role")?,
        name: parsed(row, "name")?,
        maker: parsed_option(row, "maker")?,
        created: time(row, "created")?,
        expires: time(row, "expires")?,
        used: time_option(row, "used")?,
        revoked: time_option(row, "revoked")?,
    })
}

/// Whether this administrator is an operator and the only one.
async fn is_last_operator(tx: &mut Tx, id: AdministratorId) -> sqlx::Result<bool> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS all_of_them, COALESCE(SUM(id = $1), 0) AS this_one FROM administrators
         WHERE role = 'operator' AND removed IS NULL",
    )
    .bind(id.to_string())
    .fetch_one(&mut **tx)
    .await?;
    let (all, this): (i64, i64) = (row.try_get("all_of_them")?, row.try_get("this_one")?);
    Ok(all == 1 && this == 1)
}

#[async_trait]
impl AdminStore for SqliteStore {
    async fn administrators(&self) -> Result<Vec<AdministratorRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM administrators a ORDER BY removed IS NOT NULL, a.created, a.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the administrators"))?;
        rows.iter().map(|row| administrator(row, "id")).collect()
    }

    async fn change_role(
        &self,
        id: AdministratorId,
        role: Role,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<Removal> {
        const DOING: &str = "changing an administrator's role";
        let mut tx = self.begin(DOING).await?;
        let last = is_last_operator(&mut tx, id).await;
        if role != Role::Operator && last.map_err(failed(DOING))? {
            return Ok(Removal::Last);
        }
        let changed =
            sqlx::query("UPDATE administrators SET role = $2 WHERE id = $1 AND removed IS NULL")
                .bind(id.to_string())
                .bind(role.as_str())
                .execute(&mut *tx)
                .await
                .map_err(failed(DOING))?;
        if changed.rows_affected() == 0 {
            return Ok(Removal::Unknown);
        }
        sessions::end_all(&mut tx, id)
            .await
            .map_err(failed(DOING))?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Removal::Done)
    }

    async fn remove_administrator(
        &self,
        id: AdministratorId,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<Removal> {
        const DOING: &str = "removing an administrator";
        let mut tx = self.begin(DOING).await?;
        let last = is_last_operator(&mut tx, id).await;
        if last.map_err(failed(DOING))? {
            return Ok(Removal::Last);
        }
        let removed =
            sqlx::query("UPDATE administrators SET removed = $2 WHERE id = $1 AND removed IS NULL")
                .bind(id.to_string())
                .bind(stamp.at.0)
                .execute(&mut *tx)
                .await
                .map_err(failed(DOING))?;
        if removed.rows_affected() == 0 {
            return Ok(Removal::Unknown);
        }
        sessions::end_all(&mut tx, id)
            .await
            .map_err(failed(DOING))?;
        sqlx::query("DELETE FROM admin_passkeys WHERE administrator = $1")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        // Whom they wanted to let in does not come in any more.
        sqlx::query(
            "UPDATE admin_links SET revoked = $2
             WHERE maker = $1 AND used IS NULL AND revoked IS NULL",
        )
        .bind(id.to_string())
        .bind(stamp.at.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(Removal::Done)
    }

    async fn record_link(&self, link: &LinkRecord, act: &Act, stamp: Stamp<'_>) -> Result<()> {
        const DOING: &str = "remembering a link for an administrator";
        let mut tx = self.begin(DOING).await?;
        sqlx::query(
            "INSERT INTO admin_links (id, secret, role, name, maker, created, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(link.id.to_string())
        .bind(link.secret.to_string())
        .bind(link.role.as_str())
        .bind(link.name.as_str())
        .bind(link.maker.map(|maker| maker.to_string()))
        .bind(link.created.0)
        .bind(link.expires.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))
    }

    async fn links(&self) -> Result<Vec<LinkRecord>> {
        let rows = sqlx::query("SELECT * FROM admin_links ORDER BY created DESC, id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the links for administrators"))?;
        rows.iter().map(link).collect()
    }

    async fn link(&self, secret: Digest) -> Result<Option<LinkRecord>> {
        let row = sqlx::query("SELECT * FROM admin_links WHERE secret = $1")
            .bind(secret.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading a link for an administrator"))?;
        row.as_ref().map(link).transpose()
    }

    async fn revoke_link(&self, id: LinkId, act: &Act, stamp: Stamp<'_>) -> Result<bool> {
        const DOING: &str = "revoking a link for an administrator";
        let mut tx = self.begin(DOING).await?;
        let revoked = sqlx::query(
            "UPDATE admin_links SET revoked = $2
             WHERE id = $1 AND used IS NULL AND revoked IS NULL",
        )
        .bind(id.to_string())
        .bind(stamp.at.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn join(
        &self,
        link: &LinkRecord,
        (who, passkey, session): (&AdministratorRecord, &PasskeyRecord, &SessionRecord),
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool> {
        const DOING: &str = "letting an administrator in";
        let mut tx = self.begin(DOING).await?;
        let used = sqlx::query(
            "UPDATE admin_links SET used = $2
             WHERE id = $1 AND used IS NULL AND revoked IS NULL AND expires > $2",
        )
        .bind(link.id.to_string())
        .bind(stamp.at.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO administrators (id, name, role, created) VALUES ($1, $2, $3, $4)")
            .bind(who.id.to_string())
            .bind(who.name.as_str())
            .bind(who.role.as_str())
            .bind(who.created.0)
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        if !passkeys::insert(&mut tx, passkey).await? {
            return Ok(false);
        }
        sessions::insert(&mut tx, session)
            .await
            .map_err(failed(DOING))?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn passkey(&self, id: &str) -> Result<Option<(PasskeyRecord, AdministratorRecord)>> {
        passkeys::read(self, id).await
    }

    async fn passkeys_of(&self, who: AdministratorId) -> Result<Vec<PasskeyRecord>> {
        passkeys::of(self, who).await
    }

    async fn add_passkey(
        &self,
        passkey: &PasskeyRecord,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool> {
        const DOING: &str = "adding a passkey";
        let mut tx = self.begin(DOING).await?;
        if !passkeys::insert(&mut tx, passkey).await? {
            return Ok(false);
        }
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn rename_passkey(
        &self,
        own: (AdministratorId, &str),
        name: &Name,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool> {
        passkeys::rename(self, own, name, (act, stamp)).await
    }

    async fn remove_passkey(
        &self,
        own: (AdministratorId, &str),
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<Removal> {
        passkeys::remove(self, own, (act, stamp)).await
    }

    async fn begin_session(
        &self,
        passkey: &PasskeyRecord,
        session: &SessionRecord,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool> {
        const DOING: &str = "beginning an administrator's session";
        let mut tx = self.begin(DOING).await?;
        if !passkeys::used(&mut tx, passkey).await? {
            return Ok(false);
        }
        sessions::insert(&mut tx, session)
            .await
            .map_err(failed(DOING))?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(true)
    }

    async fn session(&self, secret: Digest) -> Result<Option<SignedIn>> {
        sessions::read(self, secret).await
    }

    async fn touch_session(&self, id: SessionId, now: UnixTime) -> Result<()> {
        sessions::touch(self, id, now).await
    }

    async fn prove_session(
        &self,
        passkey: &PasskeyRecord,
        session: SessionId,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<()> {
        const DOING: &str = "noting that an administrator proved who they are";
        let mut tx = self.begin(DOING).await?;
        if !passkeys::used(&mut tx, passkey).await? {
            return Ok(());
        }
        sessions::prove(&mut tx, session, stamp.at)
            .await
            .map_err(failed(DOING))?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))
    }

    async fn end_session(
        &self,
        own: (AdministratorId, SessionId),
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool> {
        sessions::end(self, own, (act, stamp)).await
    }

    async fn sessions_of(&self, who: AdministratorId) -> Result<Vec<SessionRecord>> {
        sessions::of(self, who).await
    }

    async fn record_act(&self, act: &Act, stamp: Stamp<'_>) -> Result<()> {
        const DOING: &str = "recording an administrator's act";
        let mut tx = self.begin(DOING).await?;
        record_act(&mut tx, act, stamp)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))
    }

    async fn has_act(&self, entry: u64, act: &Act) -> Result<bool> {
        audit::is_recorded(&self.readers, entry, act)
            .await
            .map_err(failed("looking for an administrator's act"))
    }

    async fn acts(&self, query: &ActQuery) -> Result<(Vec<ActRecord>, u64)> {
        audit::acts(self, query).await
    }

    async fn forget_admin(&self, seen_before: UnixTime, begun_before: UnixTime) -> Result<()> {
        sessions::forget(self, seen_before, begun_before).await
    }
}
