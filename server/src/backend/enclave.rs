use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use blindprint_core::{Digest, KeyUri};
use blindprint_protocol::message::{
    EnclaveRequest, EnclaveResponse, LogSeen, MATERIAL_CHUNK, MaterialPart,
};

use super::{Unanswered, connection::Peer};
use crate::{Error, Result};

/// Long enough for an enclave that recomputes.
const PATIENCE: Duration = Duration::from_secs(30);
/// No part of the public material is larger, in bytes.
const MOST_MATERIAL: u64 = 64 << 20;

/// What the enclave says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnclaveHealth {
    /// The parameter set.
    pub parameters: String,
    /// The public material in force.
    pub key: Digest,
    /// Its verdict key.
    pub verdict_key: KeyUri,
    /// Matchers that it admits and that have shown themselves lately.
    pub matchers: u32,
    /// Matchers needed for a verdict.
    pub matchers_needed: u32,
    /// Whether it wants the ciphertexts with each probe.
    pub recompute: bool,
    /// False evaluations that it has found.
    pub incidents: u32,
    /// What it has seen of the transparency log, if it reads one.
    pub log: Option<LogSeen>,
}

/// The enclave process.
#[derive(Debug)]
pub struct Enclave {
    peer: Peer,
    last_health: Mutex<Option<Arc<EnclaveHealth>>>,
}

impl Enclave {
    /// The enclave behind this socket.
    pub const fn at(socket: PathBuf) -> Self {
        Self {
            peer: Peer::new(socket, PATIENCE),
            last_health: Mutex::new(None),
        }
    }

    /// Asks it, and passes its refusals on.
    pub async fn ask(&self, request: &EnclaveRequest) -> Result<EnclaveResponse, Unanswered> {
        let answer = self.peer.ask(request).await;
        if answer.is_err() {
            self.remember(None);
        }
        answer
    }

    /// Its health at this moment.
    pub async fn health(&self) -> Result<Arc<EnclaveHealth>> {
        let answer = self.ask(&EnclaveRequest::Health).await;
        let Ok(EnclaveResponse::Healthy {
            parameters,
            key,
            verdict_key,
            matchers,
            matchers_needed,
            recompute,
            incidents,
            log,
            ..
        }) = answer
        else {
            self.remember(None);
            return Err(Error::unavailable(2));
        };
        let health = Arc::new(EnclaveHealth {
            parameters,
            key,
            verdict_key,
            matchers,
            matchers_needed,
            recompute,
            incidents,
            log,
        });
        self.remember(Some(Arc::clone(&health)));
        Ok(health)
    }

    /// Parameters and keys in force, which change only when the enclave restarts: asked once for
    /// as long as it answers.
    pub async fn terms(&self) -> Result<Arc<EnclaveHealth>> {
        let known = self
            .last_health
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        match known {
            Some(health) => Ok(health),
            None => self.health().await,
        }
    }

    /// As if it had just said this of itself.
    #[cfg(test)]
    pub(crate) fn said(&self, health: EnclaveHealth) {
        self.remember(Some(Arc::new(health)));
    }

    /// A whole part of the public material.
    pub async fn material(&self, part: MaterialPart) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let offset = bytes.len() as u64;
            let answer = self.ask(&EnclaveRequest::Material { part, offset }).await;
            let Ok(EnclaveResponse::Material { total, chunk }) = answer else {
                return Err(Error::unavailable(2));
            };
            let after = offset + chunk.len() as u64;
            let sane = total <= MOST_MATERIAL && chunk.len() <= MATERIAL_CHUNK && after <= total;
            if !sane || (chunk.is_empty() && after < total) {
                return Err(Error::broken("fetching public material")(
                    "the enclave's chunks do not add up".into(),
                ));
            }
            bytes.extend_from_slice(&chunk);
            if after == total {
                return Ok(bytes);
            }
        }
    }

    fn remember(&self, health: Option<Arc<EnclaveHealth>>) {
        *self
            .last_health
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = health;
    }
}
