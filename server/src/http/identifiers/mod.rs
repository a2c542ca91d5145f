//! The resolver for anybody (DID Resolution, HTTP binding): errors are in that specification's form.

mod answer;
pub(super) mod resolve;
pub(super) mod resolve_with;

use std::{sync::Arc, time::Instant};

use axum::{http::Uri, response::Response};
use blindprint_core::problem::ProblemCode;
use blindprint_resolver::{DidUrl, Options, ResolutionError};
use percent_encoding::percent_decode_str;

use super::{Address, App, Problem};
use crate::Error;
use answer::Wish;

const PREFIX: &str = "/1.0/identifiers/";

/// Resolves or dereferences what the path names.
///
/// Whoever asks makes this service fetch what they choose: so many may ask at once, and one address
/// so often.
async fn answer(
    app: &Arc<App>,
    address: Address,
    uri: &Uri,
    options: Result<Options, ResolutionError>,
    accept: &str,
) -> Result<Response, Problem> {
    let Some(wish) = Wish::of(accept) else {
        let error = ResolutionError::RepresentationNotSupported;
        return Ok(answer::failed(Wish::Result, &error));
    };
    if let Err(seconds) = app.resolution_rate.take(&address, Instant::now()) {
        metrics::counter!("blindprint_rate_limited_total", "by" => "resolution").increment(1);
        return Err(Error::RetryAfter {
            code: ProblemCode::RateLimited,
            seconds,
        }
        .into());
    }
    let _place = app.resolutions.take(Some(address)).ok_or_else(|| {
        metrics::counter!("blindprint_overload_total", "where" => "resolutions").increment(1);
        Problem::from(Error::unavailable(1))
    })?;
    let read = options.and_then(|options| Ok((named(uri.path())?, options)));
    let (url, options) = match read {
        Ok(read) => read,
        Err(error) => return Ok(answer::failed(wish, &error)),
    };
    let plain = url.path().is_empty() && url.query().is_none() && url.fragment().is_none();
    let resolver = &app.public.resolver;
    Ok(if plain {
        match resolver.resolve(url.did(), &options).await {
            Ok(resolution) => answer::resolved(wish, &resolution),
            Err(error) => answer::failed(wish, &error),
        }
    } else {
        match resolver.dereference(&url, &options).await {
            Ok(found) => answer::dereferenced(wish, &found),
            Err(error) => answer::failed(wish.of_url(), &error),
        }
    })
}

/// The DID or DID URL in a path. Many clients escape it as a whole, some not at all, and escapes
/// are part of some DIDs (`did:web:localhost%3A8443`): what begins with `did:` is not escaped.
fn named(path: &str) -> Result<DidUrl, ResolutionError> {
    let text = path.strip_prefix(PREFIX).unwrap_or_default();
    let text = if text.starts_with("did:") {
        text.into()
    } else {
        percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| ResolutionError::InvalidDid)?
    };
    let plain = !text.contains(['/', '?', '#']);
    text.parse().map_err(|error| match error {
        ResolutionError::InvalidDidUrl if plain => ResolutionError::InvalidDid,
        error => error,
    })
}

#[cfg(test)]
mod tests;
