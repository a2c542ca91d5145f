//! What a person may ask of the service, and the proof of an erasure, which needs nobody to be verified.

use std::{path::Path, time::Duration};

use blindprint_core::{
    Digest, EnrolmentId, Jws, KeyUri, Nonce, RightsRequestId, ServiceId, SubjectId, UnixTime,
    label,
    problem::ProblemCode,
    statement::{ErasureCertificate, Right, RightsRequest, SubjectErasure, SubjectErasureReceipt},
    wire::{ErasureProof, RightsRequestView, RightsState},
};
use blindprint_did::verify;
use blindprint_log::{Kind, LogVerifier, OfflineProof};
use blindprint_resolver::{Did, Document, MethodRef, Relationship, VerificationMethod};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Wallet, enrol::is_final, keyfile};

/// How often a certificate is asked for that is being made, and how long in between.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which right.
    pub right: Right,
    /// Which enrolment, for a rectification; of an erasure, which one alone.
    pub enrolment: Option<EnrolmentId>,
    /// The challenge whose verdict a person shall look at.
    pub challenge: Option<Nonce>,
    /// In the person's own words.
    pub text: Option<String>,
}

/// An erasure of everything: asked for, and then proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureRecord {
    /// The signed request.
    pub(crate) request: Jws,
    /// The signed order to the enclave.
    pub(crate) erasure: Jws,
    /// The request's name.
    pub id: RightsRequestId,
    /// Whose word counts.
    pub keys: ErasureKeys,
    /// The proof, once there is one.
    pub proof: Option<ErasureProof>,
}

/// Whose signatures prove an erasure, each verified when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureKeys {
    /// The service.
    pub service: ServiceId,
    /// Who is erased.
    pub subject: SubjectId,
    /// The attested enclave's key.
    pub enclave: KeyUri,
    /// The keys that the service's DID document lists for assertions.
    pub controller: Vec<KeyUri>,
    /// The log's key, as C2SP signed-note writes one.
    pub log: String,
}

/// A proof of erasure as it is kept, with all that is needed to verify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptProof {
    /// The proof.
    pub proof: ErasureProof,
    /// Whose word it rests on. Who gets this file from somebody else compares them.
    pub keys: ErasureKeys,
}

/// What a proof of erasure says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasureWord {
    /// When the enclave destroyed what it had.
    pub erased: UnixTime,
    /// Enrolments that were live.
    pub enrolments: Vec<EnrolmentId>,
    /// Keys without which copies in backups stay unreadable.
    pub data_keys_destroyed: u32,
    /// Where it stands in the transparency log.
    pub log_index: u64,
    /// Relying parties that are told.
    pub notified: u32,
}

/// What came of asking for erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Erasing {
    /// It is done and proved.
    Done(ErasureWord),
    /// It is accepted, for then; it can be taken back before.
    CoolingOff {
        /// The request.
        request: RightsRequestId,
        /// When.
        until: UnixTime,
    },
    /// A person has to approve it, or it takes longer.
    Waiting {
        /// The request.
        request: RightsRequestId,
        /// When it must be answered.
        due: UnixTime,
    },
}

/// Verifies, without any network, that everything about a subject was erased: the enclave says so, the
/// service says so, and it stands in the log.
pub fn verify_erasure(proof: &ErasureProof, keys: &ErasureKeys) -> Result<ErasureWord> {
    let unbelievable = |_| Error::Unbelievable("a signature does not hold");
    let certificate = verify::<ErasureCertificate>(&proof.certificate).map_err(unbelievable)?;
    if !keys.controller.contains(certificate.key()) {
        return Err(Error::Unbelievable("the certificate is not by the service"));
    }
    let certificate = certificate.into_statement();
    let receipt = verify::<SubjectErasureReceipt>(&certificate.receipt)
        .and_then(|receipt| receipt.by(&keys.enclave))
        .map_err(|_| Error::Unbelievable("the receipt is not by the attested enclave"))?
        .into_statement();
    let about_us = certificate.iss == keys.service
        && receipt.iss == keys.service
        && receipt.sub == keys.subject;
    if !about_us {
        return Err(Error::Unbelievable("it is about another erasure"));
    }
    let log: LogVerifier = keys
        .log
        .parse()
        .map_err(|_| Error::Invalid("the log's key is none".to_owned()))?;
    let logged: OfflineProof = proof
        .proof
        .parse()
        .map_err(|_| Error::Unbelievable("the proof from the log is none"))?;
    let logged = logged
        .verify(&log, &[])
        .map_err(|_| Error::Unbelievable("it is not in the log"))?;
    let head = &logged.checkpoint;
    let same = logged.index == certificate.log_index
        && head.size() == certificate.log_size
        && *head.root().as_bytes() == *certificate.log_root.as_bytes()
        && logged.entry.kind() == Kind::SubjectErased
        && logged.entry.handles().contains(&receipt.handle);
    if !same {
        return Err(Error::Unbelievable("the log's entry is another's"));
    }
    Ok(ErasureWord {
        erased: receipt.iat,
        enrolments: receipt
            .enrolments
            .iter()
            .map(|enrolment| enrolment.enrolment)
            .collect(),
        data_keys_destroyed: receipt.data_keys_destroyed,
        log_index: logged.index,
        notified: certificate.notified,
    })
}

impl Wallet {
    /// Opens a request. The same request is opened once, however often an answer is lost.
    pub async fn ask(&self, asked: Asked) -> Result<RightsRequestView> {
        if asked.right == Right::Erasure && asked.enrolment.is_none() {
            return Err(Error::Invalid(
                "everything is erased with `erase --everything`".to_owned(),
            ));
        }
        let id = RightsRequestId::random(self.entropy());
        let request = self.sign(&self.request(id, asked))?;
        self.client
            .open_rights_request(self.signer(), id, request, None)
            .await
    }

    /// The requests that the service knows, newest first.
    pub async fn rights_requests(&self) -> Result<Vec<RightsRequestView>> {
        self.client.rights_requests(self.signer()).await
    }

    /// Takes a request back, or lifts a restriction.
    pub async fn cancel_request(&self, id: RightsRequestId) -> Result<RightsRequestView> {
        self.client.cancel_rights_request(self.signer(), id).await
    }

    /// Writes everything that the service keeps about this subject to a new ZIP file: for a request that
    /// was opened before, or else for a new one. Returns how many bytes there are.
    pub async fn export_data(
        &self,
        out: &Path,
        request: Option<RightsRequestId>,
        language: &str,
    ) -> Result<usize> {
        let request = match request {
            Some(id) => id,
            None => self.ask_for_export().await?,
        };
        let archive = self.client.export(self.signer(), request, language).await?;
        keyfile::write_new(out, &archive)?;
        Ok(archive.len())
    }

    async fn ask_for_export(&self) -> Result<RightsRequestId> {
        let asked = Asked {
            right: Right::Portability,
            enrolment: None,
            challenge: None,
            text: None,
        };
        let request = self.ask(asked).await?;
        if request.exportable {
            Ok(request.id)
        } else {
            Err(Error::Invalid(format!(
                "request {} waits for a person at the service: name it with --request once it is fulfilled",
                request.id
            )))
        }
    }

    /// Has everything erased that the service keeps about this subject, and destroys every κ once that
    /// is proved. Called again, it goes on where it was cut off.
    pub async fn erase_everything(&mut self) -> Result<Erasing> {
        let known = self.state.erasure.clone();
        // What was proved before is another erasure if there is something to erase again.
        let again = !self.state.consents.is_empty();
        let record = match known {
            Some(ErasureRecord {
                proof: Some(proof),
                keys,
                ..
            }) if !again => return verify_erasure(&proof, &keys).map(Erasing::Done),
            Some(begun) if begun.proof.is_none() => begun,
            _ => self.begin_erasure().await?,
        };
        let claim = claim_of(&record.request);
        if let Some(proof) = self.client.erasure_certificate(&claim).await? {
            return self.finish_erasure(record, proof);
        }
        let opened = self
            .client
            .open_rights_request(
                self.signer(),
                record.id,
                record.request.clone(),
                Some(record.erasure.clone()),
            )
            .await;
        let opened = match opened {
            Ok(opened) => opened,
            // Whom the service does not know any more it refuses: the certificate is being made.
            Err(refused) if refused.is(ProblemCode::Unauthenticated) => {
                return self.wait_for_proof(record).await?.ok_or(refused);
            }
            Err(refused) => {
                if is_final(&refused) {
                    // The next time it is asked for anew.
                    self.state.erasure = None;
                    self.save()?;
                }
                return Err(refused);
            }
        };
        if let Some(over) = self.not_now(&opened)? {
            return Ok(over);
        }
        Ok(self
            .wait_for_proof(record)
            .await?
            .unwrap_or(Erasing::Waiting {
                request: opened.id,
                due: opened.due,
            }))
    }

    /// Asks for the certificate until it is there, for a while.
    async fn wait_for_proof(&mut self, record: ErasureRecord) -> Result<Option<Erasing>> {
        let claim = claim_of(&record.request);
        for _ in 0..TRIES {
            if let Some(proof) = self.client.erasure_certificate(&claim).await? {
                return self.finish_erasure(record, proof).map(Some);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    /// The proof of this wallet's erasure, once there is one.
    pub fn erasure_proof(&self) -> Option<KeptProof> {
        let record = self.state.erasure.as_ref()?;
        Some(KeptProof {
            proof: record.proof.clone()?,
            keys: record.keys.clone(),
        })
    }

    /// Signs, and writes down before anything is sent: what was asked for must be known to be proved.
    async fn begin_erasure(&mut self) -> Result<ErasureRecord> {
        let attested = self.attest().await?;
        let keys = ErasureKeys {
            service: self.state.service.clone(),
            subject: self.state.subject.clone(),
            enclave: attested.verdict_key,
            controller: self.controller_keys().await?,
            log: self.client.log_description().await?.key,
        };
        let id = RightsRequestId::random(self.entropy());
        let asked = Asked {
            right: Right::Erasure,
            enrolment: None,
            challenge: None,
            text: None,
        };
        let record = ErasureRecord {
            request: self.sign(&self.request(id, asked))?,
            erasure: self.sign(&SubjectErasure {
                sub: self.state.subject.clone(),
                service: self.state.service.clone(),
                iat: self.now(),
            })?,
            id,
            keys,
            proof: None,
        };
        self.state.erasure = Some(record.clone());
        self.save()?;
        Ok(record)
    }

    /// Believes the proof, keeps it, and destroys what is of no use any more.
    fn finish_erasure(&mut self, record: ErasureRecord, proof: ErasureProof) -> Result<Erasing> {
        let word = verify_erasure(&proof, &record.keys)?;
        self.state.erasure = Some(ErasureRecord {
            proof: Some(proof),
            ..record
        });
        self.state.enrolments.clear();
        self.state.consents.clear();
        self.save()?;
        Ok(Erasing::Done(word))
    }

    /// Why an erasure is not done now, if it is not.
    fn not_now(&mut self, opened: &RightsRequestView) -> Result<Option<Erasing>> {
        let request = opened.id;
        Ok(match (opened.state, opened.not_before) {
            (RightsState::Accepted, Some(until)) if until > self.now() => {
                Some(Erasing::CoolingOff { request, until })
            }
            (RightsState::Acknowledged | RightsState::RequiresAction, _) => {
                Some(Erasing::Waiting {
                    request,
                    due: opened.due,
                })
            }
            (RightsState::Rejected | RightsState::Unfulfilled, _) => {
                // The next time it is asked for anew.
                self.state.erasure = None;
                self.save()?;
                return Err(Error::Invalid(format!(
                    "request {request} is {}: ask again, or read why with `rights show`",
                    opened.state.as_str()
                )));
            }
            _ => None,
        })
    }

    fn request(&self, id: RightsRequestId, asked: Asked) -> RightsRequest {
        RightsRequest {
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            id,
            right: asked.right,
            enrolment: asked.enrolment,
            challenge: asked.challenge,
            text: asked.text,
            iat: self.now(),
        }
    }

    /// The keys that the service's own DID document lists for what it asserts.
    async fn controller_keys(&self) -> Result<Vec<KeyUri>> {
        let unreadable = || Error::ServiceFailed("its DID document cannot be read".to_owned());
        let value = self.client.did_document().await?;
        let id = value.get("id").and_then(serde_json::Value::as_str);
        let did: Did = id.and_then(|id| id.parse().ok()).ok_or_else(unreadable)?;
        let document = Document::from_value(value, &did).map_err(|_| unreadable())?;
        let methods = document.relationship(Relationship::AssertionMethod);
        let keys = methods.iter().filter_map(|entry| match entry {
            MethodRef::Reference(id) => document.method(&document.url(id)?),
            MethodRef::Embedded(method) => Some(method),
        });
        let mut keys: Vec<_> = keys
            .filter_map(VerificationMethod::key)
            .map(|key| key.uri())
            .collect();
        keys.dedup();
        Ok(keys)
    }
}

/// What opens the certificate of an erasure: it follows from the signed request.
fn claim_of(request: &Jws) -> Nonce {
    let claim = Digest::of(label::ERASURE_CLAIM, request.as_str().as_bytes());
    Nonce::from_bytes(*claim.as_bytes())
}
