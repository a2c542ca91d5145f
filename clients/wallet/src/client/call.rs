use std::time::Duration;

use blindprint_core::wire::INVITATION_HEADER;
use reqwest::Method;
use serde::Serialize;
use uuid::Uuid;

use super::Signer;

/// Largest ordinary answer, in bytes: a subject with a long history fits.
const JSON_LIMIT: usize = 1 << 20;

/// One request, ready to be signed and sent.
pub(crate) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) signer: Option<Signer<'a>>,
    pub(super) limit: usize,
    pub(super) timeout: Duration,
    idempotent: bool,
}

impl<'a> Call<'a> {
    /// Reads; may be repeated.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            idempotent: true,
            ..Self::new(Method::GET, path.into())
        }
    }

    /// Writes; repeated only with [`Self::idempotent`].
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into())
    }

    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            signer: None,
            limit: JSON_LIMIT,
            timeout: Duration::from_mins(2),
            idempotent: false,
        }
    }

    /// Signs each try.
    pub(crate) fn signed(mut self, signer: Signer<'a>) -> Self {
        self.signer = Some(signer);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Shows what lets the caller in, where there is something.
    pub(crate) fn invited(self, invitation: Option<&str>) -> Self {
        match invitation {
            Some(invitation) => self.header(INVITATION_HEADER, invitation),
            None => self,
        }
    }

    pub(crate) fn json<T: Serialize>(mut self, body: &T) -> Self {
        self.body = serde_json::to_vec(body).expect("wire types serialize");
        self.header("content-type", "application/json")
    }

    pub(crate) fn binary(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", media_type)
    }

    /// The service does a request with this key once, however often it comes.
    pub(crate) fn idempotent(mut self, key: Uuid) -> Self {
        self.idempotent = true;
        self.header("idempotency-key", key.to_string())
    }

    /// For large answers.
    pub(crate) fn up_to(mut self, limit: usize, timeout: Duration) -> Self {
        self.limit = limit;
        self.timeout = timeout;
        self
    }

    pub(super) fn repeatable(&self) -> bool {
        self.idempotent
    }
}
