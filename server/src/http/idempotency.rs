//! `Idempotency-Key`: the same request under the same key is carried out once and answered alike,
//! however often it comes, at whatever moment this process was killed in between.

use std::{future::Future, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::{Digest, Jws, problem::ProblemCode};
use serde::Serialize;
use tracing::Instrument as _;

use super::{App, Problem, parameters::single};
use crate::{
    Error, Result,
    domain::{
        Facts,
        record::{Recalled, StoredAnswer},
    },
};

const NAME: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const LONGEST_KEY: usize = 128;

/// A request as far as idempotency goes.
#[derive(Debug, Clone)]
pub(super) struct Keyed {
    caller: String,
    key: Option<String>,
    request: Digest,
}

/// Whether an answer may lie in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is replayed from there.
    Answer,
    /// It holds a secret: repeating the work gives the same answer.
    Nothing,
}

impl Keyed {
    /// The key that the headers carry.
    pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
        let key: Option<String> = single(headers, NAME)?;
        let fits = |key: &String| {
            (1..=LONGEST_KEY).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if key.as_ref().is_none_or(fits) {
            Ok(key)
        } else {
            Err(Problem::because(
                ProblemCode::MalformedRequest,
                "Idempotency-Key: 1 to 128 printable ASCII characters",
            ))
        }
    }

    /// A request of `caller`. The request proof is not part of it: it is fresh on every attempt.
    pub(super) fn new(
        caller: &str,
        key: Option<String>,
        facts: Facts<'_>,
        statement: Option<&Jws>,
    ) -> Self {
        let part =
            |text: &str| *Digest::of("blindprint/request-part/v1", text.as_bytes()).as_bytes();
        let parts = [
            part(facts.method),
            part(facts.target),
            part(statement.map_or("", Jws::as_str)),
            *facts.body.as_bytes(),
        ];
        let request = Digest::of_parts(
            "blindprint/request/v1",
            &parts.each_ref().map(<[u8; 32]>::as_slice),
        );
        Self {
            caller: caller.to_owned(),
            key,
            request,
        }
    }

    /// 16 bytes that stand for this key and request, if there is a key.
    pub(super) fn name(&self) -> Option<[u8; 16]> {
        let key = self.key.as_ref()?;
        let key = Digest::of("blindprint/idempotency-key/v1", key.as_bytes());
        let parts: [&[u8]; 2] = [key.as_bytes(), self.request.as_bytes()];
        let digest = Digest::of_parts("blindprint/idempotent-name/v1", &parts);
        let (name, _) = digest.as_bytes().split_first_chunk()?;
        Some(*name)
    }
}

impl App {
    /// Carries `work` out, once for its key, and answers with `status`. The work goes on to its
    /// end even if the caller hangs up or runs out of time.
    pub(super) async fn once<T, F>(
        self: &Arc<Self>,
        keyed: Keyed,
        keep: Keep,
        status: StatusCode,
        work: F,
    ) -> Result<Response>
    where
        T: Serialize + Send,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let app = Arc::clone(self);
        let task = async move {
            let Some(key) = &keyed.key else {
                return Ok((answer(status, &work.await?)?, false));
            };
            let name = (keyed.caller.clone(), key.clone());
            let _held = app.keys_in_use.hold(&name).await;
            let store = app.service.store();
            let now = app.service.clock().now();
            match store
                .claim_key(&keyed.caller, key, keyed.request, now)
                .await?
            {
                Recalled::Different => Err(Error::Refused(ProblemCode::IdempotencyMismatch)),
                Recalled::Answered(answer) => Ok((answer, true)),
                Recalled::New => match work.await {
                    Ok(value) => {
                        let answer = answer(status, &value)?;
                        if keep == Keep::Answer
                            && let Err(error) = store.keep_answer(&keyed.caller, key, &answer).await
                        {
                            // The work is done and on record: repeating it gives the same answer.
                            tracing::warn!(
                                error = &error as &dyn std::error::Error,
                                "an answer could not be kept"
                            );
                        }
                        Ok((answer, false))
                    }
                    Err(error) => {
                        store.release_key(&keyed.caller, key).await?;
                        Err(error)
                    }
                },
            }
        };
        let (answer, replayed) = match tokio::spawn(task.in_current_span()).await {
            Ok(done) => done?,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_cancelled) => return Err(Error::unavailable(1)),
            },
        };
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        let json = [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )];
        let mut response = (status, json, answer.body).into_response();
        if replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

fn answer<T: Serialize>(status: StatusCode, value: &T) -> Result<StoredAnswer> {
    let body = serde_json::to_vec(value)
        .map_err(|error| Error::broken("writing an answer")(error.into()))?;
    Ok(StoredAnswer {
        status: status.as_u16(),
        body,
    })
}

#[cfg(test)]
mod tests;
