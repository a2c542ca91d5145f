use async_trait::async_trait;
use blindprint_core::{Digest, Nonce, UnixTime};
use sqlx::Row as _;

use super::{SqliteStore, corrupt, failed, parsed};
use crate::{
    Result,
    domain::record::{Recalled, StoredAnswer},
    store::RequestStore,
};

#[async_trait]
impl RequestStore for SqliteStore {
    async fn spend_proof(&self, jti: Nonce, until: UnixTime) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO spent_proofs (jti, until) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING",
        )
        .bind(jti.to_string())
        .bind(until.0)
        .execute(&self.writer)
        .await
        .map_err(failed("spending a request proof"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn claim_key(
        &self,
        caller: &str,
        key: &str,
        request: Digest,
        now: UnixTime,
    ) -> Result<Recalled> {
        const DOING: &str = "claiming an idempotency key";
        let mut tx = self.begin(DOING).await?;
        sqlx::query(
            "INSERT INTO idempotency (caller, key, request, begun) VALUES ($1, $2, $3, $4)
             ON CONFLICT (caller, key) DO NOTHING",
        )
        .bind(caller)
        .bind(key)
        .bind(request.to_string())
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        let row = sqlx::query(
            "SELECT request, status, body FROM idempotency WHERE caller = $1 AND key = $2",
        )
        .bind(caller)
        .bind(key)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        if parsed::<Digest>(&row, "request")? != request {
            return Ok(Recalled::Different);
        }
        let status: Option<i64> = row.try_get("status").map_err(corrupt)?;
        let Some(status) = status else {
            return Ok(Recalled::New);
        };
        let status = status.try_into().map_err(corrupt)?;
        let body = row.try_get("body").map_err(corrupt)?;
        Ok(Recalled::Answered(StoredAnswer { status, body }))
    }

    async fn keep_answer(&self, caller: &str, key: &str, answer: &StoredAnswer) -> Result<()> {
        sqlx::query("UPDATE idempotency SET status = $3, body = $4 WHERE caller = $1 AND key = $2")
            .bind(caller)
            .bind(key)
            .bind(i64::from(answer.status))
            .bind(answer.body.as_slice())
            .execute(&self.writer)
            .await
            .map_err(failed("keeping an answer"))?;
        Ok(())
    }

    async fn release_key(&self, caller: &str, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM idempotency WHERE caller = $1 AND key = $2 AND status IS NULL")
            .bind(caller)
            .bind(key)
            .execute(&self.writer)
            .await
            .map_err(failed("releasing an idempotency key"))?;
        Ok(())
    }
}
