use async_trait::async_trait;
use blindprint_core::{Digest, UnixTime};
use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, count, failed, parsed, parsed_option, time, time_option};
use crate::{
    Result,
    domain::{
        Attempt, ClientId, ClientRecord, Configuration, NotRedeemed, OfferRecord, Redemption,
        TokenHolder, TokenRecord,
    },
    store::OpenIdStore,
};

const OFFER: &str = "SELECT offer, subject, configurations, basis, tx_code, client, wrong, made,
                            expires, redeemed
                     FROM offers WHERE offer = $1";

#[async_trait]
impl OpenIdStore for SqliteStore {
    async fn record_client(&self, client: &ClientRecord) -> Result<()> {
        sqlx::query(
            "INSERT INTO clients (id, name, scopes, secret, created) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(client.id.to_string())
        .bind(client.name.as_str())
        .bind(client.scopes.to_string())
        .bind(client.secret.to_string())
        .bind(client.created.0)
        .execute(&self.writer)
        .await
        .map_err(failed("remembering a client"))?;
        Ok(())
    }

    async fn client(&self, id: ClientId) -> Result<Option<ClientRecord>> {
        let row = sqlx::query(
            "SELECT id, name, scopes, secret, created, revoked FROM clients WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading a client"))?;
        row.as_ref().map(client).transpose()
    }

    async fn clients(&self) -> Result<Vec<ClientRecord>> {
        let rows = sqlx::query(
            "SELECT id, name, scopes, secret, created, revoked FROM clients
             ORDER BY created DESC, id",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading the clients"))?;
        rows.iter().map(client).collect()
    }

    async fn revoke_client(&self, id: ClientId, now: UnixTime) -> Result<bool> {
        const DOING: &str = "revoking a client";
        let mut tx = self.begin(DOING).await?;
        let revoked =
            sqlx::query("UPDATE clients SET revoked = COALESCE(revoked, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(now.0)
                .execute(&mut *tx)
                .await
                .map_err(failed(DOING))?;
        sqlx::query("DELETE FROM access_tokens WHERE client = $1")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        tx.commit().await.map_err(failed(DOING))?;
        Ok(revoked.rows_affected() == 1)
    }

    async fn record_token(&self, token: &TokenRecord) -> Result<()> {
        const DOING: &str = "remembering an access token";
        let mut tx = self.begin(DOING).await?;
        insert_token(&mut tx, token).await?;
        tx.commit().await.map_err(failed(DOING))
    }

    async fn token(&self, token: Digest) -> Result<Option<TokenRecord>> {
        // A token may have been asked for just before its client was revoked.
        let row = sqlx::query(
            "SELECT token, client, offer, wallet, scopes, jkt, expires FROM access_tokens
             WHERE token = $1
               AND (client IS NULL
                    OR client IN (SELECT id FROM clients WHERE revoked IS NULL))",
        )
        .bind(token.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading an access token"))?;
        row.map(|row| {
            let client: Option<ClientId> = parsed_option(&row, "client")?;
            let offer: Option<Digest> = parsed_option(&row, "offer")?;
            Ok(TokenRecord {
                token: parsed(&row, "token")?,
                holder: match (client, offer) {
                    (Some(client), None) => TokenHolder::Client(client, parsed(&row, "scopes")?),
                    (None, Some(offer)) => TokenHolder::Wallet {
                        offer,
                        client: row.try_get("wallet").map_err(corrupt)?,
                    },
                    _ => return Err(corrupt("a token has one holder")),
                },
                jkt: row.try_get("jkt").map_err(corrupt)?,
                expires: time(&row, "expires")?,
            })
        })
        .transpose()
    }

    async fn record_offer(&self, offer: &OfferRecord, most: u32) -> Result<bool> {
        const DOING: &str = "remembering an offer";
        let done = sqlx::query(
            "INSERT INTO offers (offer, subject, configurations, basis, tx_code, client, made,
                                 expires)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT COUNT(*) FROM offers WHERE subject = $2) < $9
             ON CONFLICT (offer) DO NOTHING",
        )
        .bind(offer.offer.to_string())
        .bind(offer.subject.as_str())
        .bind(joined(&offer.configurations))
        .bind(serde_json::to_string(&offer.basis).map_err(corrupt)?)
        .bind(offer.tx_code.map(|code| code.to_string()))
        .bind(offer.client.as_deref())
        .bind(offer.made.0)
        .bind(offer.expires.0)
        .bind(i64::from(most))
        .execute(&self.writer)
        .await
        .map_err(failed(DOING))?;
        Ok(done.rows_affected() == 1 || self.offer(offer.offer).await?.is_some())
    }

    async fn offer(&self, offer: Digest) -> Result<Option<OfferRecord>> {
        let row = sqlx::query(OFFER)
            .bind(offer.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("reading an offer"))?;
        row.as_ref().map(offer_record).transpose()
    }

    async fn redeem_offer(
        &self,
        attempt: &Attempt,
        token: &TokenRecord,
        now: UnixTime,
    ) -> Result<Result<OfferRecord, NotRedeemed>> {
        const DOING: &str = "redeeming an offer";
        let mut tx = self.begin(DOING).await?;
        let id = attempt.offer.to_string();
        let row = sqlx::query(OFFER)
            .bind(&id)
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed(DOING))?;
        let Some(mut offer) = row.as_ref().map(offer_record).transpose()? else {
            return Ok(Err(NotRedeemed::Gone));
        };
        let judged = offer.judge(attempt, now);
        match judged {
            Ok(()) => {
                sqlx::query("UPDATE offers SET redeemed = $2 WHERE offer = $1")
                    .bind(&id)
                    .bind(now.0)
                    .execute(&mut *tx)
                    .await
                    .map_err(failed(DOING))?;
                insert_token(&mut tx, token).await?;
                offer.redeemed = Some(now);
            }
            Err(NotRedeemed::TxCodeWrong) => {
                sqlx::query("UPDATE offers SET wrong = wrong + 1 WHERE offer = $1")
                    .bind(&id)
                    .execute(&mut *tx)
                    .await
                    .map_err(failed(DOING))?;
            }
            Err(NotRedeemed::Twice) => {
                sqlx::query("DELETE FROM access_tokens WHERE offer = $1")
                    .bind(&id)
                    .execute(&mut *tx)
                    .await
                    .map_err(failed(DOING))?;
            }
            Err(refused) => return Ok(Err(refused)),
        }
        tx.commit().await.map_err(failed(DOING))?;
        Ok(judged.map(|()| offer))
    }

    async fn redemptions(&self, offer: Digest) -> Result<Vec<Redemption>> {
        let rows = sqlx::query(
            "SELECT offer, configuration, notification, issuance, at FROM redemptions
             WHERE offer = $1 ORDER BY at, configuration",
        )
        .bind(offer.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed("reading what an offer was redeemed for"))?;
        rows.iter()
            .map(|row| {
                Ok(Redemption {
                    offer: parsed(row, "offer")?,
                    configuration: parsed(row, "configuration")?,
                    notification: row.try_get("notification").map_err(corrupt)?,
                    issuance: parsed(row, "issuance")?,
                    at: time(row, "at")?,
                })
            })
            .collect()
    }

    async fn record_redemption(&self, redemption: &Redemption) -> Result<()> {
        sqlx::query(
            "INSERT INTO redemptions (offer, configuration, notification, issuance, at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(redemption.offer.to_string())
        .bind(redemption.configuration.to_string())
        .bind(redemption.notification.as_str())
        .bind(redemption.issuance.to_string())
        .bind(redemption.at.0)
        .execute(&self.writer)
        .await
        .map_err(failed("remembering what an offer was redeemed for"))?;
        Ok(())
    }

    async fn notify(&self, offer: Digest, notification: &str, event: &str) -> Result<bool> {
        let known =
            sqlx::query("UPDATE redemptions SET event = $3 WHERE offer = $1 AND notification = $2")
                .bind(offer.to_string())
                .bind(notification)
                .bind(event)
                .execute(&self.writer)
                .await
                .map_err(failed("remembering what became of a credential"))?;
        Ok(known.rows_affected() == 1)
    }
}

async fn insert_token(tx: &mut Transaction<'static, Sqlite>, token: &TokenRecord) -> Result<()> {
    let (client, offer, wallet, scopes) = match &token.holder {
        TokenHolder::Client(client, scopes) => {
            (Some(client.to_string()), None, None, scopes.to_string())
        }
        TokenHolder::Wallet { offer, client } => (
            None,
            Some(offer.to_string()),
            client.as_deref(),
            String::new(),
        ),
    };
    sqlx::query(
        "INSERT INTO access_tokens (token, client, offer, wallet, scopes, jkt, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(token.token.to_string())
    .bind(client)
    .bind(offer)
    .bind(wallet)
    .bind(scopes)
    .bind(token.jkt.as_deref())
    .bind(token.expires.0)
    .execute(&mut **tx)
    .await
    .map_err(failed("remembering an access token"))?;
    Ok(())
}

pub(super) fn client(row: &SqliteRow) -> Result<ClientRecord> {
    Ok(ClientRecord {
        id: parsed(row, "id")?,
        name: row.try_get("name").map_err(corrupt)?,
        scopes: parsed(row, "scopes")?,
        secret: parsed(row, "secret")?,
        created: time(row, "created")?,
        revoked: time_option(row, "revoked")?,
    })
}

fn joined(configurations: &[Configuration]) -> String {
    let ids: Vec<_> = configurations.iter().map(ToString::to_string).collect();
    ids.join(" ")
}

fn offer_record(row: &SqliteRow) -> Result<OfferRecord> {
    let configurations: &str = row.try_get("configurations").map_err(corrupt)?;
    let basis: &str = row.try_get("basis").map_err(corrupt)?;
    Ok(OfferRecord {
        offer: parsed(row, "offer")?,
        subject: parsed(row, "subject")?,
        configurations: configurations
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(corrupt)?,
        basis: serde_json::from_str(basis).map_err(corrupt)?,
        tx_code: parsed_option(row, "tx_code")?,
        client: row.try_get("client").map_err(corrupt)?,
        wrong: count(row, "wrong")?,
        made: time(row, "made")?,
        expires: time(row, "expires")?,
        redeemed: time_option(row, "redeemed")?,
    })
}
