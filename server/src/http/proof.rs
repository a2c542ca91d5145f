//! Requests of wallets: authenticated before their bodies are looked at.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{FromRequest, FromRequestParts as _, Request},
    http::HeaderMap,
};
use blindprint_core::{
    Digest, Jws, label,
    problem::ProblemCode,
    wire::{PROOF_HEADER, STATEMENT_HEADER, SUBMISSION_MEDIA_TYPE},
};

use super::{
    App, Problem,
    idempotency::Keyed,
    parameters::{Payload, media_type, read_body, single},
};
use crate::domain::{Admission, Caller, Facts, Upload};

/// A body that belongs to the statement in the header beside it.
pub(super) struct Signed {
    statement: Jws,
    submission: Vec<u8>,
}

impl From<Signed> for Upload {
    fn from(signed: Signed) -> Self {
        Self {
            statement: signed.statement,
            recovery: None,
            submission: signed.submission,
        }
    }
}

/// A request signed by the subject's current key.
pub(super) struct Wallet<P> {
    pub caller: Caller,
    pub payload: P,
    pub keyed: Keyed,
}

/// A request signed by the subject's current key or recovery key.
pub(super) struct Recovering<P> {
    pub caller: Caller,
    pub payload: P,
    pub keyed: Keyed,
}

/// A request of a wallet that may need to be let in.
pub(super) struct Applicant<P> {
    pub wallet: Wallet<P>,
    pub admission: Admission,
}

impl<P: Payload> FromRequest<Arc<App>> for Applicant<P> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let admission = Admission::from_request_parts(&mut parts, app).await;
        // Who asks is settled before by what right.
        let wallet = Wallet::from_request(Request::from_parts(parts, body), app).await?;
        Ok(Self {
            wallet,
            admission: admission?,
        })
    }
}

impl<P: Payload> FromRequest<Arc<App>> for Wallet<P> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (caller, payload, keyed) = authenticate(request, app, false).await?;
        Ok(Self {
            caller,
            payload,
            keyed,
        })
    }
}

impl<P: Payload> FromRequest<Arc<App>> for Recovering<P> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (caller, payload, keyed) = authenticate(request, app, true).await?;
        Ok(Self {
            caller,
            payload,
            keyed,
        })
    }
}

impl Payload for Signed {
    /// Above the largest encoded submission, below what a frame to a matcher holds.
    const LIMIT: usize = 48 * 1024;

    fn accept(headers: &HeaderMap) -> Result<(), Problem> {
        media_type(headers, SUBMISSION_MEDIA_TYPE)
    }

    fn read(submission: Vec<u8>, statement: Option<Jws>) -> Result<Self, Problem> {
        let statement = statement.ok_or_else(|| {
            Problem::because(
                ProblemCode::MalformedRequest,
                "header blindprint-statement is missing",
            )
        })?;
        Ok(Self {
            statement,
            submission,
        })
    }
}

async fn authenticate<P: Payload>(
    request: Request,
    app: &Arc<App>,
    recovery_allowed: bool,
) -> Result<(Caller, P, Keyed), Problem> {
    let unauthenticated = || Problem::new(ProblemCode::Unauthenticated);
    let headers = request.headers();
    let proof: Jws = single(headers, PROOF_HEADER)
        .ok()
        .flatten()
        .ok_or_else(unauthenticated)?;
    P::accept(headers)?;
    let statement: Option<Jws> = single(headers, STATEMENT_HEADER)?;
    let key = Keyed::key(headers)?;
    let method = request.method().clone();
    let target = request
        .uri()
        .path_and_query()
        .map_or_else(|| "/".to_owned(), |target| target.as_str().to_owned());
    let bytes = read_body(request, P::LIMIT, app.body_seconds).await?;
    let body = Digest::of(label::BODY, &bytes);
    let facts = Facts {
        method: method.as_str(),
        target: &target,
        body,
    };
    let identified = app
        .service
        .identify(&proof, facts, recovery_allowed)
        .await?;
    let caller = app.service.admit(identified, Instant::now()).await?;
    let keyed = Keyed::new(caller.subject.as_str(), key, facts, statement.as_ref());
    Ok((caller, P::read(bytes, statement)?, keyed))
}
