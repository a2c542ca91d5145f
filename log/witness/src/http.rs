//! C2SP tlog-witness over HTTP.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_server::Handle;
use blindprint_log::AddCheckpoint;
use hyper_util::rt::TokioTimer;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinError, spawn_blocking},
};
use tower_http::timeout::TimeoutLayer;

use crate::witness::{Refusal, Witness};

/// Longest wait for a request's headers, and for its body and answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest request line with all headers, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// Serves until it is told to stop, and finishes what it has begun.
pub(crate) async fn serve(witness: Arc<Witness>, listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let handle = Handle::new();
    let stopping = handle.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        stopping.graceful_shutdown(Some(PATIENCE));
    });
    let mut server = axum_server::from_tcp(listener)?.handle(handle);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LARGEST_HEAD);
    server.serve(router(witness).into_make_service()).await
}

/// `POST /add-checkpoint`, and `GET /healthz` for whoever restarts it.
pub(crate) fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/healthz", get(async || "ok\n"))
        .layer(DefaultBodyLimit::max(AddCheckpoint::MAX_LEN))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            PATIENCE,
        ))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let request = str::from_utf8(&body)
        .ok()
        .and_then(|text| text.parse::<AddCheckpoint>().ok());
    let Some(request) = request else {
        return (StatusCode::BAD_REQUEST, "not a request to cosign\n").into_response();
    };
    match spawn_blocking(move || witness.add(request)).await {
        Ok(Ok(lines)) => lines.into_response(),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &JoinError) -> Response {
    tracing::error!(%error, "a request came to no end");
    Refusal::Forgetful.into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::UnknownLog => (StatusCode::NOT_FOUND, "not a log of this witness\n"),
            Self::Unsigned => (StatusCode::FORBIDDEN, "not signed by the log\n"),
            Self::Shrunk => (StatusCode::BAD_REQUEST, "the old size is the larger one\n"),
            Self::OtherSize(size) => {
                let size_line = format!("{size}\n");
                let header = [(CONTENT_TYPE, "text/x.tlog.size")];
                return (StatusCode::CONFLICT, header, size_line).into_response();
            }
            Self::Forked => (StatusCode::CONFLICT, "cosigned with another root\n"),
            Self::Unproven => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "the consistency proof does not verify\n",
            ),
            Self::Forgetful => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the witness cannot remember\n",
            ),
        }
        .into_response()
    }
}

#[cfg(test)]
mod tests;
