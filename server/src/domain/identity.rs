use std::time::Instant;

use blindprint_core::{
    Digest, Jws, KeyUri, Nonce, SubjectId, UnixTime, problem::ProblemCode, statement::RequestProof,
};

use super::{Service, record::SubjectKeys};
use crate::{Error, Result};

/// Seconds that a request proof's time may lie before or after the present.
pub const MAX_SKEW: i64 = 60;

/// What a request proof must speak of.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// Digest of the body.
    pub body: Digest,
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// On whose behalf.
    pub subject: SubjectId,
    /// The key that signed.
    pub key: KeyUri,
    /// The keys on record; `None` for a subject without any consent yet.
    pub keys: Option<SubjectKeys>,
}

/// A caller whose signature holds, and whose proof is not spent yet.
#[derive(Debug)]
pub struct Identified {
    caller: Caller,
    jti: Nonce,
    until: UnixTime,
}

impl Service {
    /// Finds out who sent a request. The signature is verified before anything is looked up, and
    /// every failure gives the same answer after the same work, whether the subject exists or not.
    pub async fn identify(
        &self,
        proof: &Jws,
        facts: Facts<'_>,
        recovery_allowed: bool,
    ) -> Result<Identified> {
        let refused = || Error::Refused(ProblemCode::Unauthenticated);
        let verified = blindprint_did::verify::<RequestProof>(proof).map_err(|_| refused())?;
        let now = self.clock.now();
        let statement = verified.statement();
        let fits = statement.aud == self.terms.service
            && statement.htm == facts.method
            && statement.htu == facts.target
            && statement.body == facts.body
            && (-MAX_SKEW..=MAX_SKEW).contains(&now.since(statement.iat));
        if !fits {
            return Err(refused());
        }
        let keys = self.store.keys_of(&statement.sub).await?;
        let inherent = blindprint_did::resolve(&statement.sub)
            .ok()
            .map(|key| key.uri());
        let key = verified.key();
        let accepted = match &keys {
            Some(keys) => {
                keys.pinned == *key || (recovery_allowed && keys.recovery.as_ref() == Some(key))
            }
            None => inherent.as_ref() == Some(key),
        };
        if !accepted {
            return Err(refused());
        }
        Ok(Identified {
            jti: statement.jti,
            // One more than the last second in which it would be accepted.
            until: statement.iat.plus(MAX_SKEW + 1),
            caller: Caller {
                subject: statement.sub.clone(),
                key: key.clone(),
                keys,
            },
        })
    }

    /// Lets a caller in: within their limit, and each proof once.
    pub async fn admit(&self, identified: Identified, now: Instant) -> Result<Caller> {
        let Identified { caller, jti, until } = identified;
        self.subject_rate
            .take(&caller.subject, now)
            .map_err(|seconds| {
                metrics::counter!("blindprint_rate_limited_total", "by" => "subject").increment(1);
                Error::RetryAfter {
                    code: ProblemCode::RateLimited,
                    seconds,
                }
            })?;
        if !self.store.spend_proof(jti, until).await? {
            return Err(Error::Refused(ProblemCode::Unauthenticated));
        }
        Ok(caller)
    }
}
