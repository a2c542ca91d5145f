//! Requests for presentations, and what came of them. They live for minutes and in memory only: neither the keys
//! that answers are encrypted to nor what people showed ever reaches the disk.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use blindprint_core::{Nonce, UnixTime};
use blindprint_openid4vc::{jwe::DecryptionKey, vp::AuthorizationRequest};
use serde_json::{Map, Value};

use super::clients::ClientId;

/// How long the outcome of a request is kept, in seconds.
pub(super) const KEPT_SECONDS: i64 = 300;
/// Answers that are looked at, of which all but the last found something unavailable.
const MOST_ATTEMPTS: u32 = 5;
/// Requests that one client has at once, and all clients together.
const EACH: usize = 256;
const MOST: usize = 2048;

/// A request for a presentation as it is kept.
pub(super) struct Kept {
    /// Whose.
    pub client: ClientId,
    /// The question.
    pub request: AuthorizationRequest,
    /// Opens the answer, if it has to come encrypted.
    pub key: Option<DecryptionKey>,
    /// Whose credentials count.
    pub issuers: Vec<String>,
    /// Where the wallet sends the person back to, and what then proves that it is the one who asked.
    pub return_to: Option<ReturnTo>,
    /// When it ends unanswered.
    pub expires: UnixTime,
    /// What has come of it.
    pub state: State,
    /// Answers looked at.
    pub attempts: u32,
}

/// The way back to the client's page (OID4VP section 14.2).
#[derive(Debug, Clone)]
pub(super) struct ReturnTo {
    /// The page.
    pub uri: String,
    /// What stands in its fragment.
    pub response_code: String,
}

/// How far a request has come.
pub(super) enum State {
    /// Nobody has answered.
    Waiting,
    /// An answer is being verified.
    Checking,
    /// It is over.
    Done(Outcome, UnixTime),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Verified credentials, by the id of the query that they answer.
    Answered(BTreeMap<String, Vec<Shown>>),
    /// The answer does not hold.
    Failed(Failure),
    /// The wallet or its owner said no, with this code.
    Refused(String),
}

/// A verified credential that was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// How it was secured.
    pub format: String,
    /// Who issued it.
    pub issuer: String,
    /// Its types.
    pub types: Vec<String>,
    /// Who showed it: a DID, or for an SD-JWT the did:key of the holder's key.
    pub holder: Option<String>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// Until when it holds.
    pub valid_until: Option<UnixTime>,
}

/// Why an answer does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The query, if it is about one.
    pub query: Option<String>,
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

/// Where a request stands, for its client.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Waiting for an answer.
    Waiting,
    /// It ended unanswered.
    Expired,
    /// It is over.
    Done(Outcome),
}

/// Why a request is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotKept {
    /// The client, or all of them together, have as many as there may be.
    Full,
    /// One of this name is there; it is another client's.
    Taken,
}

/// All requests.
#[derive(Default)]
pub(super) struct PresentationRequests(Mutex<HashMap<Nonce, Kept>>);

impl PresentationRequests {
    /// Keeps a request. One that is known under the name stays as it is.
    pub fn keep(&self, id: Nonce, request: Kept, now: UnixTime) -> Result<(), NotKept> {
        let mut known = self.lock();
        if let Some(before) = known.get(&id) {
            return if before.client == request.client {
                Ok(())
            } else {
                Err(NotKept::Taken)
            };
        }
        forget(&mut known, now);
        let each = known
            .values()
            .filter(|known| known.client == request.client)
            .count();
        if known.len() >= MOST || each >= EACH {
            return Err(NotKept::Full);
        }
        known.insert(id, request);
        Ok(())
    }

    /// Looks at a request that is remembered.
    pub fn look<T>(&self, id: Nonce, now: UnixTime, look: impl FnOnce(&Kept) -> T) -> Option<T> {
        let known = self.lock();
        known
            .get(&id)
            .filter(|request| now < request.forgotten())
            .map(look)
    }

    /// Looks at a request that can still be answered.
    pub fn open<T>(&self, id: Nonce, now: UnixTime, look: impl FnOnce(&Kept) -> T) -> Option<T> {
        self.look(id, now, |request| {
            request.is_open(now).then(|| look(request))
        })
        .flatten()
    }

    /// Takes a request for its answer to be looked at, so that no second one is beside it.
    pub fn begin(&self, id: Nonce, now: UnixTime) -> bool {
        let mut known = self.lock();
        match known.get_mut(&id) {
            Some(request) if request.is_open(now) => {
                request.state = State::Checking;
                request.attempts += 1;
                true
            }
            _ => false,
        }
    }

    /// Ends a request. The key that opened its answer is wiped.
    pub fn end(&self, id: Nonce, outcome: Outcome, now: UnixTime) {
        if let Some(request) = self.lock().get_mut(&id) {
            request.state = State::Done(outcome, now.plus(KEPT_SECONDS));
            request.key = None;
        }
    }

    /// Gives a request back unanswered, if it may be tried again; `false` if it was the last time.
    pub fn retry(&self, id: Nonce) -> bool {
        let mut known = self.lock();
        match known.get_mut(&id) {
            Some(request) if request.attempts < MOST_ATTEMPTS => {
                request.state = State::Waiting;
                true
            }
            _ => false,
        }
    }

    /// Forgets what is over: what was shown leaves memory, and keys that opened nothing are wiped.
    pub fn forget(&self, now: UnixTime) {
        forget(&mut self.lock(), now);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Nonce, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(known: &mut HashMap<Nonce, Kept>, now: UnixTime) {
    known.retain(|_, request| now < request.forgotten());
    for request in known.values_mut() {
        if matches!(request.state, State::Waiting) && now >= request.expires {
            request.key = None;
        }
    }
}

impl Kept {
    fn is_open(&self, now: UnixTime) -> bool {
        matches!(self.state, State::Waiting) && now < self.expires
    }

    /// When nothing is known of it any more.
    fn forgotten(&self) -> UnixTime {
        match self.state {
            State::Done(_, until) => until,
            State::Waiting | State::Checking => self.expires.plus(KEPT_SECONDS),
        }
    }

    /// Where it stands.
    pub fn standing(&self, now: UnixTime) -> Standing {
        match &self.state {
            State::Done(outcome, _) => Standing::Done(outcome.clone()),
            State::Waiting | State::Checking if now >= self.expires => Standing::Expired,
            State::Waiting | State::Checking => Standing::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;
    use blindprint_openid4vc::{
        Format,
        vp::{
            ClientId as Asker, ResponseMode,
            dcql::{CredentialQuery, Query},
        },
    };

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn kept() -> Kept {
        let uri = "https://id.example.org/r".to_owned();
        let query = CredentialQuery::new("a", Format::SdJwtVc);
        Kept {
            client: "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51".parse().unwrap(),
            request: AuthorizationRequest {
                client_id: Asker::RedirectUri(uri.clone()),
                response_uri: uri,
                response_mode: ResponseMode::DirectPost,
                nonce: "n".to_owned(),
                state: None,
                query: Query::new(vec![query], Vec::new()).unwrap(),
                client_metadata: None,
            },
            key: Some(DecryptionKey::generate(&SystemEntropy)),
            issuers: Vec::new(),
            return_to: None,
            expires: NOW.plus(100),
            state: State::Waiting,
            attempts: 0,
        }
    }

    #[test]
    fn a_request_is_tried_five_times_one_after_the_other() {
        let (requests, id) = (
            PresentationRequests::default(),
            Nonce::random(&SystemEntropy),
        );
        requests.keep(id, kept(), NOW).unwrap();
        for attempt in 1..=5 {
            assert!(requests.begin(id, NOW));
            assert!(!requests.begin(id, NOW), "one at a time");
            assert_eq!(requests.retry(id), attempt < 5);
        }
        assert!(!requests.begin(id, NOW));
        let standing = |at| requests.look(id, at, |kept| kept.standing(at));
        assert_eq!(standing(NOW), Some(Standing::Waiting));
        assert_eq!(standing(NOW.plus(100)), Some(Standing::Expired));
        assert_eq!(standing(NOW.plus(400)), None);
    }

    #[test]
    fn what_is_over_leaves_memory_and_its_key_before() {
        let (requests, id) = (
            PresentationRequests::default(),
            Nonce::random(&SystemEntropy),
        );
        requests.keep(id, kept(), NOW).unwrap();
        let has_key = |at| requests.look(id, at, |kept| kept.key.is_some());
        requests.forget(NOW.plus(99));
        assert_eq!(has_key(NOW.plus(99)), Some(true));
        requests.forget(NOW.plus(100));
        assert_eq!(has_key(NOW.plus(100)), Some(false));
        requests.forget(NOW.plus(400));
        assert!(requests.lock().is_empty());
        requests.keep(id, kept(), NOW).unwrap();
        assert!(requests.begin(id, NOW));
        requests.end(id, Outcome::Refused("access_denied".to_owned()), NOW);
        assert_eq!(has_key(NOW), Some(false));
        requests.forget(NOW.plus(300));
        assert!(requests.lock().is_empty(), "five minutes after the answer");
    }

    #[test]
    fn a_name_is_one_clients() {
        let (requests, id) = (
            PresentationRequests::default(),
            Nonce::random(&SystemEntropy),
        );
        requests.keep(id, kept(), NOW).unwrap();
        assert_eq!(requests.keep(id, kept(), NOW), Ok(()));
        let other = Kept {
            client: "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a52".parse().unwrap(),
            ..kept()
        };
        assert_eq!(requests.keep(id, other, NOW), Err(NotKept::Taken));
    }
}
