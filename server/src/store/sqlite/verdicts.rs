use async_trait::async_trait;
use blindprint_core::{Digest, Entropy, Nonce, SubjectId};
use sqlx::Row as _;

use super::{SqliteStore, corrupt, failed, ledger::append, parsed, parsed_option, purpose, time};
use crate::{
    Result,
    domain::{
        ledger::{Draft, Stamp},
        record::{ChallengeRecord, VerdictRecord},
    },
    store::VerdictStore,
};

#[async_trait]
impl VerdictStore for SqliteStore {
    async fn record_challenge(&self, challenge: &ChallengeRecord) -> Result<()> {
        sqlx::query(
            "INSERT INTO challenges (challenge, subject, enrolment, audience, purpose, template,
                                     profile, key, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(challenge.challenge.to_string())
        .bind(challenge.subject.as_str())
        .bind(challenge.enrolment.to_string())
        .bind(challenge.audience.as_str())
        .bind(challenge.purpose.as_str())
        .bind(challenge.template.to_string())
        .bind(challenge.profile.as_str())
        .bind(challenge.key.to_string())
        .bind(challenge.expires.0)
        .execute(&self.writer)
        .await
        .map_err(failed("remembering a challenge"))?;
        Ok(())
    }

    async fn challenge(&self, challenge: Nonce) -> Result<Option<ChallengeRecord>> {
        let row = sqlx::query(
            "SELECT challenge, subject, enrolment, audience, purpose, template, profile, key,
                    expires, probe
             FROM challenges WHERE challenge = $1",
        )
        .bind(challenge.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading a challenge"))?;
        row.map(|row| {
            Ok(ChallengeRecord {
                challenge: parsed(&row, "challenge")?,
                subject: parsed(&row, "subject")?,
                enrolment: parsed(&row, "enrolment")?,
                audience: parsed(&row, "audience")?,
                purpose: purpose(&row)?,
                template: parsed(&row, "template")?,
                profile: parsed(&row, "profile")?,
                key: parsed(&row, "key")?,
                expires: time(&row, "expires")?,
                probe: parsed_option(&row, "probe")?,
            })
        })
        .transpose()
    }

    async fn claim_challenge(&self, challenge: Nonce, probe: Digest) -> Result<bool> {
        let claimed = sqlx::query(
            "UPDATE challenges SET probe = $2
             WHERE challenge = $1 AND (probe IS NULL OR probe = $2)",
        )
        .bind(challenge.to_string())
        .bind(probe.to_string())
        .execute(&self.writer)
        .await
        .map_err(failed("reserving a challenge"))?;
        Ok(claimed.rows_affected() == 1)
    }

    async fn record_verdict(&self, verdict: &VerdictRecord, entropy: &dyn Entropy) -> Result<()> {
        const DOING: &str = "recording a verdict";
        let mut tx = self.begin(DOING).await?;
        let recorded = sqlx::query(
            "INSERT INTO verdicts (challenge, subject, enrolment, probe, audience, matched, jws,
                                   given)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (challenge) DO NOTHING",
        )
        .bind(verdict.challenge.to_string())
        .bind(verdict.subject.as_str())
        .bind(verdict.enrolment.to_string())
        .bind(verdict.probe.to_string())
        .bind(verdict.audience.as_str())
        .bind(verdict.matched)
        .bind(verdict.jws.as_str())
        .bind(verdict.given.0)
        .execute(&mut *tx)
        .await
        .map_err(failed(DOING))?;
        if recorded.rows_affected() == 1 {
            let stamp = Stamp {
                at: verdict.given,
                entropy,
            };
            append(&mut tx, &[Draft::verdict(verdict)], stamp)
                .await
                .map_err(failed(DOING))?;
        }
        tx.commit().await.map_err(failed(DOING))
    }

    async fn measure_verdict(&self, challenge: Nonce, milliseconds: u32) -> Result<()> {
        sqlx::query("UPDATE verdicts SET milliseconds = $2 WHERE challenge = $1")
            .bind(challenge.to_string())
            .bind(i64::from(milliseconds))
            .execute(&self.writer)
            .await
            .map_err(failed("noting how long a verdict took"))?;
        Ok(())
    }

    async fn verdict(&self, challenge: Nonce) -> Result<Option<VerdictRecord>> {
        let row = sqlx::query(
            "SELECT challenge, subject, enrolment, probe, audience, matched, jws, given
             FROM verdicts WHERE challenge = $1",
        )
        .bind(challenge.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("reading a verdict"))?;
        row.map(|row| {
            Ok(VerdictRecord {
                challenge: parsed(&row, "challenge")?,
                subject: parsed(&row, "subject")?,
                enrolment: parsed(&row, "enrolment")?,
                probe: parsed(&row, "probe")?,
                audience: parsed(&row, "audience")?,
                matched: row.try_get("matched").map_err(corrupt)?,
                jws: parsed(&row, "jws")?,
                given: time(&row, "given")?,
            })
        })
        .transpose()
    }

    async fn count_verdicts(&self, subject: &SubjectId) -> Result<u64> {
        let row = sqlx::query("SELECT COUNT(*) AS verdicts FROM verdicts WHERE subject = $1")
            .bind(subject.as_str())
            .fetch_one(&self.readers)
            .await
            .map_err(failed("counting verdicts"))?;
        let verdicts: i64 = row.try_get("verdicts").map_err(corrupt)?;
        verdicts.try_into().map_err(corrupt)
    }
}
