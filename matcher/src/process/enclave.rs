//! The enclave, as the matcher talks to it: attested before anything of it is believed.

use std::{
    io,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use blindprint_core::{Clock, Digest, Entropy, KeyUri, Nonce, profile_table_digest};
use blindprint_nsm::Nsm;
use blindprint_protocol::{
    attestation::{EnclaveClaims, MatcherClaims, Trust},
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{EnclaveRequest, EnclaveResponse, MATERIAL_CHUNK, MaterialPart},
    stream::{self, Received},
};
use blindprint_template::{Crs, MaterialDigests, PARAMETERS, PublicKey};
use serde_bytes::ByteBuf;

use super::ProcessError;
use crate::{EvaluationKeysParts, Matcher};

/// How long the enclave may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The enclave behind a socket.
pub(super) struct Enclave {
    socket: PathBuf,
    nsm: Nsm,
    trust: Trust,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Kept between requests; gone after one failed.
    connection: Mutex<Option<UnixStream>>,
}

/// By which boot of which enclave this matcher was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Admission {
    boot: Nonce,
    key: Digest,
}

impl Enclave {
    pub(super) const fn new(
        socket: PathBuf,
        nsm: Nsm,
        trust: Trust,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            socket,
            nsm,
            trust,
            clock,
            entropy,
            connection: Mutex::new(None),
        }
    }

    /// Fetches the public material that the enclave attests to, and makes it ready for use.
    pub(super) fn take_material(&self) -> Result<Matcher, ProcessError> {
        let claims = self.attested()?;
        let public_key = self.part(MaterialPart::PublicKey, PublicKey::ENCODED_LEN)?;
        let crs = self.part(MaterialPart::Crs, Crs::MAX_LEN)?;
        let keys = self.part(
            MaterialPart::EvaluationKeys,
            EvaluationKeysParts::ENCODED_LEN,
        )?;
        let digests = MaterialDigests::of(&public_key, &crs, &keys);
        let attested = claims.parameters == PARAMETERS.name
            && claims.public_key == digests.public_key
            && claims.crs == digests.crs
            && claims.evaluation_keys == digests.evaluation_keys
            && claims.key == digests.key();
        if !attested {
            return Err(ProcessError::Material);
        }
        Ok(Matcher::new(&public_key, &crs, &keys)?)
    }

    /// Has the enclave attest to `key` still being its public material, and admit whoever signs
    /// with `evaluation_key`.
    pub(super) fn admit(
        &self,
        evaluation_key: &KeyUri,
        key: Digest,
    ) -> Result<Admission, ProcessError> {
        // Asked first: if the enclave restarts in between, the next look at its boot shows it.
        let admission = self.boot()?;
        if self.attested()?.key != key {
            return Err(ProcessError::KeyChanged);
        }
        let nonce = match self.ask(&EnclaveRequest::MatcherNonce)? {
            EnclaveResponse::Nonce { nonce, .. } => nonce,
            other => return Err(unexpected(&other)),
        };
        let claims = MatcherClaims {
            parameters: PARAMETERS.name.to_owned(),
            key,
            profiles: profile_table_digest(),
        };
        let now = self.clock.now();
        let document = self.nsm.attest(
            evaluation_key,
            &claims,
            nonce.as_bytes(),
            now,
            &*self.entropy,
        )?;
        let request = EnclaveRequest::AdmitMatcher {
            nonce,
            document: ByteBuf::from(document),
        };
        match self.ask(&request)? {
            EnclaveResponse::MatcherAdmitted => Ok(admission),
            other => Err(unexpected(&other)),
        }
    }

    /// Whether this is still the boot and the key that admitted this matcher.
    pub(super) fn still_admits(&self, admission: &Admission) -> Result<bool, ProcessError> {
        Ok(self.boot()? == *admission)
    }

    fn boot(&self) -> Result<Admission, ProcessError> {
        match self.ask(&EnclaveRequest::Health)? {
            EnclaveResponse::Healthy { boot, key, .. } => Ok(Admission { boot, key }),
            other => Err(unexpected(&other)),
        }
    }

    fn attested(&self) -> Result<EnclaveClaims, ProcessError> {
        let nonce = Nonce::random(&*self.entropy);
        let request = EnclaveRequest::Attest {
            nonce: ByteBuf::from(nonce.as_bytes()),
        };
        let document = match self.ask(&request)? {
            EnclaveResponse::Attested { document } => document,
            other => return Err(unexpected(&other)),
        };
        let now = self.clock.now();
        let verified = self
            .trust
            .verify::<EnclaveClaims>(&document, nonce.as_bytes(), now)?;
        Ok(verified.claims().clone())
    }

    /// A whole part of the public material, of at most `limit` bytes.
    fn part(&self, part: MaterialPart, limit: usize) -> Result<Vec<u8>, ProcessError> {
        let mut bytes = Vec::new();
        loop {
            let offset = u64::try_from(bytes.len()).map_err(|_| ProcessError::Material)?;
            let (total, chunk) = match self.ask(&EnclaveRequest::Material { part, offset })? {
                EnclaveResponse::Material { total, chunk } => (total, chunk),
                other => return Err(unexpected(&other)),
            };
            let total = usize::try_from(total).unwrap_or(usize::MAX);
            let fits = total <= limit && bytes.len().saturating_add(chunk.len()) <= total;
            if !fits || chunk.is_empty() || chunk.len() > MATERIAL_CHUNK {
                return Err(ProcessError::Material);
            }
            bytes.extend_from_slice(&chunk);
            if bytes.len() == total {
                return Ok(bytes);
            }
        }
    }

    fn ask(&self, request: &EnclaveRequest) -> Result<EnclaveResponse, ProcessError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Taken out, so that a connection on which anything failed is not used again.
        let exchanged = connection.take().map_or_else(
            || UnixStream::connect(&self.socket).and_then(|fresh| exchange(fresh, request)),
            |kept| exchange(kept, request),
        );
        let (kept, response) = exchanged.map_err(ProcessError::Unanswered)?;
        *connection = Some(kept);
        Ok(response)
    }
}

fn exchange(
    mut connection: UnixStream,
    request: &EnclaveRequest,
) -> io::Result<(UnixStream, EnclaveResponse)> {
    stream::send(&mut connection, request, MAX_REQUEST)?;
    match stream::receive(&mut connection, MAX_RESPONSE, PATIENCE)? {
        Received::Body(body) => {
            let response = frame::decode(&body).map_err(io::Error::other)?;
            Ok((connection, response))
        }
        Received::TooLong => Err(io::ErrorKind::InvalidData.into()),
        Received::End => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn unexpected(response: &EnclaveResponse) -> ProcessError {
    match response {
        EnclaveResponse::Refused(refusal) => ProcessError::NotAdmitted(*refusal),
        _ => ProcessError::Unanswered(io::ErrorKind::InvalidData.into()),
    }
}
