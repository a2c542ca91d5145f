//! A lying host: it owns the machine, so it speaks to enclave and matcher directly, past the
//! server and all its checks.

use std::{path::PathBuf, time::Duration};

use blindprint_protocol::{
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{EnclaveRequest, EnclaveResponse, MatcherRequest, MatcherResponse, Refusal},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use crate::{Error, Result, service::RunningService};

pub(crate) struct Host {
    enclave: PathBuf,
    matcher: PathBuf,
}

impl Host {
    pub(crate) fn of(service: &RunningService) -> Self {
        let sockets = service.data().join("run");
        Self {
            enclave: sockets.join("enclave.sock"),
            matcher: sockets.join("matcher-0.sock"),
        }
    }

    pub(crate) async fn enclave(&self, request: &EnclaveRequest) -> Result<EnclaveResponse> {
        ask(&self.enclave, request).await
    }

    pub(crate) async fn matcher(&self, request: &MatcherRequest) -> Result<MatcherResponse> {
        ask(&self.matcher, request).await
    }

    /// Sends what the enclave must refuse with `wanted`; gives its reason.
    pub(crate) async fn refused(
        &self,
        request: &EnclaveRequest,
        wanted: Refusal,
    ) -> Result<String> {
        match self.enclave(request).await? {
            EnclaveResponse::Refused(refusal) if refusal == wanted => {
                Ok(format!("the enclave: {refusal}"))
            }
            EnclaveResponse::Refused(other) => Err(Error::Broken(format!(
                "refused, but for another reason: {other}"
            ))),
            _ => Err(Error::Broken("the enclave accepted it".to_owned())),
        }
    }
}

async fn ask<Q: Serialize, A: Serialize + DeserializeOwned>(
    socket: &PathBuf,
    request: &Q,
) -> Result<A> {
    let broken =
        |what: &dyn std::fmt::Display| Error::Broken(format!("{}: {what}", socket.display()));
    let exchange = async {
        let request = frame::encode(request, MAX_REQUEST).map_err(|e| broken(&e))?;
        let mut stream = UnixStream::connect(socket).await.map_err(|e| broken(&e))?;
        stream.write_all(&request).await.map_err(|e| broken(&e))?;
        let mut prefix = [0; 4];
        stream
            .read_exact(&mut prefix)
            .await
            .map_err(|e| broken(&e))?;
        let mut body = vec![0; frame::length(prefix, MAX_RESPONSE).map_err(|e| broken(&e))?];
        stream.read_exact(&mut body).await.map_err(|e| broken(&e))?;
        frame::decode(&body).map_err(|e| broken(&e))
    };
    tokio::time::timeout(Duration::from_mins(1), exchange)
        .await
        .map_err(|_| broken(&"no answer"))?
}
