//! The cheapest checks, before anything is read or verified: how large a body is announced to be
//! and how often its sender's address has asked.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use blindprint_core::problem::ProblemCode;

use super::{Address, App, Problem};
use crate::Error;

/// No endpoint takes more, in bytes.
pub(super) const LARGEST_BODY: usize = 64 * 1024;

pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Signs of life cost nothing and must not fail because somebody else behind the same proxy
    // asks too much.
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    if announced(request.headers()).is_some_and(|length| length > LARGEST_BODY as u64) {
        return Problem::new(ProblemCode::TooLarge).into_response();
    }
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip()
        });
    let address = Address::from(caller(peer, request.headers(), &app.trusted_proxies));
    if let Err(seconds) = app.address_rate.take(&address, Instant::now()) {
        metrics::counter!("blindprint_rate_limited_total", "by" => "address").increment(1);
        return Error::RetryAfter {
            code: ProblemCode::RateLimited,
            seconds,
        }
        .into_response();
    }
    request.extensions_mut().insert(address);
    next.run(request).await
}

/// The length that the headers announce.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The last address on the way that is not a trusted proxy's. Whatever stands left of it in
/// `X-Forwarded-For` may be made up.
fn caller(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.contains(&address.to_canonical());
    if !is_trusted(&peer) {
        return peer;
    }
    let mut forwarded: Vec<IpAddr> = Vec::new();
    for value in headers.get_all("x-forwarded-for") {
        let Ok(value) = value.to_str() else {
            return peer;
        };
        for hop in value.split(',') {
            let Ok(hop) = hop.trim().parse() else {
                return peer;
            };
            forwarded.push(hop);
        }
    }
    forwarded
        .into_iter()
        .rev()
        .find(|hop| !is_trusted(hop))
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from(peer: &str, forwarded: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        caller(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_name_the_caller() {
        assert_eq!(from("192.0.2.9", "198.51.100.1"), "192.0.2.9");
        assert_eq!(from("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(
            from("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2"),
            "198.51.100.1"
        );
        assert_eq!(from("10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(from("10.0.0.1", "10.0.0.2"), "10.0.0.1");
    }
}
