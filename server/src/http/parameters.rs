//! Parts of a request, refused in our form.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use blindprint_core::{Jws, problem::ProblemCode};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::{App, Problem, guard};

/// One path segment of a given type.
pub(super) struct Segment<T>(pub T);

impl<T, S> FromRequestParts<S> for Segment<T>
where
    T: FromStr,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(ProblemCode::NotFound))?;
        // A name that cannot exist names nothing.
        text.parse()
            .map(Self)
            .map_err(|_| Problem::new(ProblemCode::NotFound))
    }
}

/// The query string.
pub(super) struct Parameters<T>(pub T);

impl<T, S> FromRequestParts<S> for Parameters<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(parameters) = Query::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::because(ProblemCode::MalformedRequest, "the query string"))?;
        Ok(Self(parameters))
    }
}

/// What a request's body is.
pub(super) trait Payload: Sized + Send {
    /// Longest accepted body, in bytes.
    const LIMIT: usize;

    /// Refuses a media type that is not this payload's.
    fn accept(headers: &HeaderMap) -> Result<(), Problem>;

    /// Reads it, with the statement in the header beside it.
    fn read(bytes: Vec<u8>, statement: Option<Jws>) -> Result<Self, Problem>;
}

/// No body.
pub(super) struct Nothing;

impl Payload for Nothing {
    const LIMIT: usize = 0;

    fn accept(_: &HeaderMap) -> Result<(), Problem> {
        Ok(())
    }

    fn read(_: Vec<u8>, _: Option<Jws>) -> Result<Self, Problem> {
        Ok(Self)
    }
}

impl<T: DeserializeOwned + Send> Payload for Json<T> {
    /// Two of the longest JWS and what is around them.
    const LIMIT: usize = 20 * 1024;

    fn accept(headers: &HeaderMap) -> Result<(), Problem> {
        media_type(headers, "application/json")
    }

    fn read(bytes: Vec<u8>, _: Option<Jws>) -> Result<Self, Problem> {
        // serde takes a list for an object with its members in order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::because(
                ProblemCode::MalformedRequest,
                "the body is not a JSON object",
            ));
        }
        serde_json::from_slice(&bytes)
            .map(Json)
            .map_err(|error| Problem::because(ProblemCode::MalformedRequest, describe(&error)))
    }
}

/// A JSON body that holds a document: as large as any body may be.
pub(super) struct Large<T>(pub T);

impl<T: DeserializeOwned + Send> Payload for Large<T> {
    const LIMIT: usize = guard::LARGEST_BODY;

    fn accept(headers: &HeaderMap) -> Result<(), Problem> {
        <Json<T> as Payload>::accept(headers)
    }

    fn read(bytes: Vec<u8>, statement: Option<Jws>) -> Result<Self, Problem> {
        let Json(value) = <Json<T> as Payload>::read(bytes, statement)?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned + Send> FromRequest<Arc<App>> for Large<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        <Self as Payload>::accept(request.headers())?;
        let bytes = read_body(request, <Self as Payload>::LIMIT, app.body_seconds).await?;
        <Self as Payload>::read(bytes, None)
    }
}

/// Where and what kind of mistake, without repeating what was sent.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Data => {
            format!("the JSON does not fit the schema at line {line} column {column}")
        }
        _ => format!("the body is not JSON at line {line} column {column}"),
    }
}

/// That the content type is `expected`, whatever its parameters.
pub(super) fn media_type(headers: &HeaderMap, expected: &str) -> Result<(), Problem> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = given
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case(expected)) {
        Ok(())
    } else {
        Err(Problem::because(
            ProblemCode::UnsupportedMediaType,
            format!("expected {expected}"),
        ))
    }
}

/// Reads a body of at most `limit` bytes, within `seconds`.
pub(super) async fn read_body(
    request: Request,
    limit: usize,
    seconds: u32,
) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::new(ProblemCode::TooLarge);
    let announced = guard::announced(request.headers());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut chunks = request.into_body().into_data_stream();
    let mut body = Vec::new();
    let reading = async {
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Problem::new(ProblemCode::MalformedRequest))?;
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(u64::from(seconds)), reading)
        .await
        .map_err(|_| Problem::because(ProblemCode::MalformedRequest, "the body took too long"))??;
    Ok(body)
}

/// A JSON body that needs no request proof: an operator's.
pub(super) struct Plain<T> {
    /// What it says.
    pub value: T,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl<T: DeserializeOwned + Send> FromRequest<Arc<App>> for Plain<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        <Json<T> as Payload>::accept(request.headers())?;
        let bytes = read_body(request, <Json<T> as Payload>::LIMIT, app.body_seconds).await?;
        let Json(value) = <Json<T> as Payload>::read(bytes.clone(), None)?;
        Ok(Self { value, bytes })
    }
}

/// A header with exactly one value, parsed.
pub(super) fn single<T: FromStr>(headers: &HeaderMap, name: &str) -> Result<Option<T>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok());
    match (parsed, values.next()) {
        (Some(parsed), None) => Ok(Some(parsed)),
        _ => Err(Problem::because(
            ProblemCode::MalformedRequest,
            format!("header {name}"),
        )),
    }
}
