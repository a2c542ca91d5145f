//! What relying parties are told: Security Event Tokens (RFC 8417), pushed (RFC 8935) and signed with the
//! service's identity. An event is noted in the transaction that records what it is about, and sent until
//! the other side has taken it or it is too old.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use blindprint_core::{Digest, Invalid, Jws, ServiceId, SubjectId, UnixTime};
use blindprint_did::{KeyType, jwt};
use blindprint_egress::{Egress, EgressError, Request};
use serde_json::{Map, Value, json};

use super::{
    Credentials, Service,
    relying_parties::{RelyingParty, RelyingPartyId},
};
use crate::{Error, Result, store::Store};

/// The media type of an event on its way (RFC 8935 section 2.1).
const MEDIA_TYPE: &str = "application/secevent+jwt";
/// How long one try may take; nobody else takes the job up in the meantime.
const LEASE_SECONDS: i64 = 60;
/// The wait after a first failure, in seconds. It doubles with each further one.
const FIRST_WAIT: i64 = 10;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 6 * 3600;
/// Longest answer that is read, in bytes: nothing in it is needed.
const LONGEST_ANSWER: usize = 16 * 1024;

/// The name of a job, and the event's `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobId(Digest);

impl JobId {
    /// The same for the same cause and recipient, so that one cause is told once.
    pub fn of(cause: &Jws, recipient: RelyingPartyId) -> Self {
        let parts: [&[u8]; 2] = [recipient.as_bytes(), cause.as_str().as_bytes()];
        Self(Digest::of_parts("blindprint/event/v1", &parts))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self)
    }
}

/// What a relying party is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Nothing is kept about the subject any more.
    AccountPurged,
    /// The subject took a consent back: verdicts are no longer given, or no longer to this recipient.
    ConsentWithdrawn,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::AccountPurged, Self::ConsentWithdrawn];

    /// Its URI (RFC 8417 section 2.2).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::AccountPurged => {
                "https://schemas.openid.net/secevent/risc/event-type/account-purged"
            }
            Self::ConsentWithdrawn => "urn:blindprint:event:consent-withdrawn",
        }
    }
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It is tried again.
    Waiting,
    /// It arrived.
    Delivered,
    /// It was given up; an officer can revive it.
    Dead,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// An event on its way to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// To whom.
    pub recipient: RelyingPartyId,
    /// What.
    pub event: Event,
    /// The members `sub_id` and `events` of the token. They go once it has arrived.
    pub payload: Option<String>,
    /// When it was noted.
    pub made: UnixTime,
    /// How far it has come.
    pub state: JobState,
    /// Tries so far.
    pub attempts: u32,
    /// When it is tried next.
    pub next: UnixTime,
    /// When it arrived or was given up.
    pub ended: Option<UnixTime>,
    /// Why the last try failed.
    pub error: Option<String>,
}

impl Job {
    /// Something to tell about `subject`, because of `cause`.
    pub fn new(
        cause: &Jws,
        recipient: RelyingPartyId,
        event: Event,
        subject: &SubjectId,
        now: UnixTime,
    ) -> Self {
        let said = match event {
            Event::AccountPurged => json!({}),
            Event::ConsentWithdrawn => json!({ "event_timestamp": now.0 }),
        };
        let payload = json!({
            // RFC 9493 section 3.2.6.
            "sub_id": { "format": "did", "url": subject },
            "events": { event.uri(): said },
        });
        Self {
            id: JobId::of(cause, recipient),
            recipient,
            event,
            payload: Some(payload.to_string()),
            made: now,
            state: JobState::Waiting,
            attempts: 0,
            next: now,
            ended: None,
            error: None,
        }
    }

    /// When it is tried again after failing at `now`; `None` if it is given up.
    fn again(&self, final_no: bool, most_age: i64, now: UnixTime) -> Option<UnixTime> {
        let wait = FIRST_WAIT
            .saturating_mul(1 << self.attempts.min(20))
            .min(LONGEST_WAIT);
        let next = now.plus(wait);
        (!final_no && next.since(self.made) <= most_age).then_some(next)
    }
}

/// Sends what is noted.
pub struct Notifier {
    service: Arc<Service>,
    credentials: Arc<Credentials>,
    egress: Egress,
    most_age: i64,
}

impl Notifier {
    /// Gives up on what is older than `most_age` seconds.
    pub const fn new(
        service: Arc<Service>,
        credentials: Arc<Credentials>,
        egress: Egress,
        most_age: i64,
    ) -> Self {
        Self {
            service,
            credentials,
            egress,
            most_age,
        }
    }

    /// Sends what is due, and returns how many jobs were tried.
    pub async fn deliver(&self) -> Result<usize> {
        let mut tried = 0;
        loop {
            let now = self.service.clock().now();
            let leased = self.store().lease_job(now, now.plus(LEASE_SECONDS)).await?;
            let Some(job) = leased else {
                return Ok(tried);
            };
            tried += 1;
            self.attempt(&job).await?;
        }
    }

    async fn attempt(&self, job: &Job) -> Result<()> {
        let party = self.store().relying_party(job.recipient).await?;
        let sent = match party {
            Some(party) => self.send(job, &party).await,
            None => Err(Undelivered::never("the relying party is gone")),
        };
        let now = self.service.clock().now();
        let Err(failed) = sent else {
            metrics::counter!("blindprint_events_total", "outcome" => "delivered").increment(1);
            self.store().job_done(job.id, now).await?;
            // The last thing that named somebody who is erased.
            return match job.event {
                Event::AccountPurged => self.store().purge().await,
                Event::ConsentWithdrawn => Ok(()),
            };
        };
        let next = job.again(failed.final_no, self.most_age, now);
        let outcome = if next.is_some() { "failed" } else { "dead" };
        metrics::counter!("blindprint_events_total", "outcome" => outcome).increment(1);
        tracing::warn!(job = %job.id, recipient = %job.recipient, error = failed.why, outcome, "an event did not arrive");
        self.store()
            .job_failed(job.id, &failed.why, next, now)
            .await
    }

    async fn send(&self, job: &Job, party: &RelyingParty) -> Result<(), Undelivered> {
        let webhook = party.known.webhook.as_deref();
        let webhook = webhook.ok_or_else(|| Undelivered::never("it has no webhook any more"))?;
        let token = self
            .token(job, party)
            .map_err(|_| Undelivered::later("it could not be signed"))?;
        let request = Request::post(webhook, MEDIA_TYPE, token)
            .accept("application/json")
            .limit(LONGEST_ANSWER);
        match self.egress.fetch(&request).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            // RFC 8935 section 2.4: the recipient understood and does not want it.
            Ok(answer) if answer.status == 400 => {
                Err(Undelivered::never("the recipient refuses it"))
            }
            Ok(answer) => Err(Undelivered::later(format!(
                "the recipient answered {}",
                answer.status
            ))),
            Err(error @ (EgressError::Refused(_) | EgressError::Redirects)) => {
                // The operator may allow the address yet: as long as it is not too old it is tried again.
                Err(Undelivered::later(error.to_string()))
            }
            Err(error) => Err(Undelivered::later(error.to_string())),
        }
    }

    /// The Security Event Token, signed anew for each try: keys rotate.
    fn token(&self, job: &Job, party: &RelyingParty) -> Result<String> {
        let broken = |why: &str| Error::broken("writing an event")(why.into());
        let payload = job
            .payload
            .as_deref()
            .ok_or_else(|| broken("it has arrived"))?;
        let mut claims: Map<String, Value> =
            serde_json::from_str(payload).map_err(|_| broken("its payload is not JSON"))?;
        let issuer = self.credentials.issuer().now();
        let key = issuer.credential_key(KeyType::Ed25519);
        claims.extend([
            ("iss".to_owned(), issuer.did().to_string().into()),
            ("aud".to_owned(), party.known.audience.as_str().into()),
            ("jti".to_owned(), job.id.to_string().into()),
            ("iat".to_owned(), self.service.clock().now().0.into()),
            ("toe".to_owned(), job.made.0.into()),
        ]);
        let header = json!({ "typ": "secevent+jwt", "kid": issuer.jose_method(key) });
        let header = header.as_object().cloned().unwrap_or_default();
        jwt::sign(key, header, &claims).map_err(|_| broken("it cannot be signed"))
    }

    fn store(&self) -> &dyn Store {
        self.service.store()
    }

    /// The service that speaks.
    pub fn id(&self) -> &ServiceId {
        self.service.id()
    }
}

/// How often jobs that are due are looked for.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a try failed.
struct Undelivered {
    why: String,
    final_no: bool,
}

impl Undelivered {
    fn later(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            final_no: false,
        }
    }

    fn never(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            final_no: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    fn job() -> Job {
        let cause: Jws = "a.b.c".parse().unwrap();
        let recipient = RelyingPartyId::random(&SystemEntropy);
        let subject = "did:key:zAlice".parse().unwrap();
        Job::new(
            &cause,
            recipient,
            Event::AccountPurged,
            &subject,
            UnixTime(0),
        )
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_a_day_until_the_event_is_too_old() {
        let mut job = job();
        let (mut now, mut waits, week) = (UnixTime(0), Vec::new(), 7 * 86_400);
        while let Some(next) = job.again(false, week, now) {
            waits.push(next.since(now));
            now = next;
            job.attempts += 1;
        }
        assert_eq!(waits[..4], [10, 20, 40, 80]);
        assert_eq!(waits.last(), Some(&LONGEST_WAIT));
        assert!(now.since(UnixTime(0)) > week - LONGEST_WAIT);
        assert_eq!(job.again(true, week, UnixTime(0)), None, "no is no");
    }

    #[test]
    fn one_cause_is_told_once_to_each() {
        let (one, other) = (job(), job());
        assert_ne!(one.id, other.id);
        let cause: Jws = "a.b.c".parse().unwrap();
        assert_eq!(one.id, JobId::of(&cause, one.recipient));
    }
}
