//! What is in an export.

use blindprint_core::{
    Jws, KeyUri, ServiceId, SubjectId, UnixTime,
    wire::{ConsentSummary, RightsRequestView},
};
use serde::Serialize;
use serde_json::json;

use super::{
    PAGE,
    archive::{Cursor, History, Part},
};
use crate::{
    Result,
    domain::{
        record::{ConsentRecord, EnrolmentRecord, EnrolmentState},
        rights::{Case, Rights},
    },
};

/// The form of `export.json`.
const FORM: &str = "blindprint-export/v1";

/// `export.json`: all that is kept, but for what has files of its own. `schema.json` describes it.
#[derive(Debug, Serialize)]
pub struct Export {
    /// The form.
    form: &'static str,
    /// Whose word this is.
    pub service: ServiceId,
    /// When this was.
    pub made: UnixTime,
    /// Who.
    pub subject: SubjectId,
    /// The key that signs for them.
    pinned_key: Option<KeyUri>,
    /// The key that recovers them.
    recovery_key: Option<KeyUri>,
    /// Newest first.
    pub consents: Vec<ExportedConsent>,
    /// Newest first.
    pub enrolments: Vec<ExportedEnrolment>,
    /// Verdicts given; each is a line of `verdicts.jsonl`.
    pub verdicts: u64,
    /// Oldest first.
    pub credentials: Vec<ExportedCredential>,
    /// Oldest first.
    pub hosted_dids: Vec<ExportedDid>,
    /// Newest first.
    pub rights_requests: Vec<RightsRequestView>,
}

/// A consent.
#[derive(Debug, Serialize)]
pub struct ExportedConsent {
    /// As the service sees it.
    #[serde(flatten)]
    pub summary: ConsentSummary,
    /// Where in the archive what was signed lies, without its ending.
    pub files: String,
}

/// An enrolment. The template itself is a ciphertext that only the enclave can compare; it is of no use
/// elsewhere and stays where it is.
#[derive(Debug, Serialize)]
pub struct ExportedEnrolment {
    /// Which.
    pub id: blindprint_core::EnrolmentId,
    /// How its codes are made.
    pub profile: String,
    /// What it may be compared for.
    pub purpose: String,
    /// Digest of the stored bytes.
    pub template: blindprint_core::Digest,
    /// `pending`, `live` or `erased`.
    pub state: &'static str,
    /// When it was registered.
    pub enrolled: Option<UnixTime>,
    /// The enclave's word on that.
    pub receipt: Option<Jws>,
    /// The enclave's word on its end.
    pub erasure_receipt: Option<Jws>,
}

/// A credential that was issued: what it says, the service has not kept.
#[derive(Debug, Serialize)]
pub struct ExportedCredential {
    /// The issuance.
    pub id: String,
    /// `enrolment`, `authentication` or `consent-receipt`.
    pub kind: String,
    /// On which enrolment it stands.
    pub enrolment: Option<blindprint_core::EnrolmentId>,
    /// On which consent it stands.
    pub consent: Option<String>,
    /// What the status lists say of it.
    pub state: String,
    /// Copies.
    pub copies: u32,
    /// When.
    pub issued: UnixTime,
}

/// A DID that the service hosts.
#[derive(Debug, Serialize)]
pub struct ExportedDid {
    /// The DID.
    pub did: String,
    /// Where in the archive its log lies.
    pub file: String,
    /// Since when.
    pub created: UnixTime,
}

/// All that is gathered before the first byte is written.
pub struct Content {
    /// `export.json`.
    pub export: Export,
    /// Files by their names in the archive.
    pub files: Vec<(String, Vec<u8>)>,
    /// Whether processing is restricted at this moment.
    pub restricted: bool,
}

impl Rights {
    /// Reads what is kept about a subject, but for the long histories.
    pub(super) async fn gather(&self, subject: &SubjectId) -> Result<Content> {
        let (store, now) = (self.store(), self.now());
        let keys = store.keys_of(subject).await?;
        let mut files = Vec::new();
        let consents = store.consents_of(subject).await?;
        let numbers = (1..=consents.len()).rev();
        let consents = numbers.zip(consents).map(|(number, consent)| {
            let stem = format!("consents/{number:04}-{}", consent.id);
            consent_files(&consent, &stem, &mut files);
            ExportedConsent {
                summary: consent.summary(now),
                files: stem,
            }
        });
        let consents = consents.collect();
        let enrolments = store.enrolments_of(subject).await?;
        let credentials = store.issuances_of(subject).await?;
        let credentials = credentials.into_iter().map(|it| ExportedCredential {
            id: it.id,
            kind: it.kind,
            enrolment: it.enrolment,
            consent: it.consent,
            state: it.state,
            copies: it.copies,
            issued: it.issued,
        });
        let mut hosted_dids = Vec::new();
        for hosted in store.hosted_of(subject).await? {
            let file = format!("dids/{}.jsonl", hosted.name);
            let log = store.log(&hosted.name).await?;
            files.push((file.clone(), log.join("\n").into_bytes()));
            hosted_dids.push(ExportedDid {
                did: hosted.did,
                file,
                created: hosted.created,
            });
        }
        let export = Export {
            form: FORM,
            service: self.id().clone(),
            made: now,
            subject: subject.clone(),
            pinned_key: keys.as_ref().map(|keys| keys.pinned.clone()),
            recovery_key: keys.and_then(|keys| keys.recovery),
            consents,
            enrolments: enrolments.into_iter().map(enrolment).collect(),
            verdicts: store.count_verdicts(subject).await?,
            credentials: credentials.collect(),
            hosted_dids,
            rights_requests: self.all_of(subject).await?.iter().map(Case::view).collect(),
        };
        Ok(Content {
            export,
            files,
            restricted: store.is_restricted(subject).await?,
        })
    }

    /// Reads the next page of a history.
    pub(super) async fn append_history(
        &self,
        subject: &SubjectId,
        history: &mut History,
    ) -> Result<()> {
        let Some(cursor) = history.next.take() else {
            return Ok(());
        };
        match history.part {
            Part::Verdicts => {
                let after = match cursor {
                    Cursor::Verdict(at, challenge) => Some((at, challenge)),
                    _ => None,
                };
                for verdict in self.store().verdicts_of(subject, after, PAGE).await? {
                    history.next = Some(Cursor::Verdict(verdict.given, verdict.challenge));
                    history.lines.push(json!({
                        "challenge": verdict.challenge,
                        "given": verdict.given,
                        "audience": verdict.audience,
                        "enrolment": verdict.enrolment,
                        "matched": verdict.matched,
                        "verdict": verdict.jws,
                    }));
                }
            }
            Part::LogEntries => {
                let first = match cursor {
                    Cursor::Entry(first) => first,
                    _ => 0,
                };
                let ledger = self.ledger();
                for own in ledger.own_entries(subject, first).await? {
                    history.next = Some(Cursor::Entry(own.index + 1));
                    let proof = ledger.proof(own.index).await?;
                    history.lines.push(json!({
                        "index": own.index,
                        "entry": String::from_utf8_lossy(&own.entry),
                        "salt": blindprint_core::Nonce::from_bytes(*own.salt.expose()),
                        "event": own.event,
                        "proof": proof.to_string(),
                    }));
                }
            }
        }
        Ok(())
    }
}

/// What was signed about a consent, each statement as it is.
fn consent_files(consent: &ConsentRecord, stem: &str, files: &mut Vec<(String, Vec<u8>)>) {
    let mut add = |name: &str, text: Option<String>| {
        files.extend(text.map(|text| (format!("{stem}.{name}"), text.into_bytes())));
    };
    let text = |jws: &Jws| jws.as_str().to_owned();
    add("consent.jws", Some(text(&consent.jws)));
    add("record.jsonld", Some(consent.document.clone()));
    add("receipt.jws", Some(text(&consent.receipt)));
    add("withdrawal.jws", consent.withdrawal.as_ref().map(text));
    add(
        "end-receipt.jws",
        consent.withdrawal_receipt.as_ref().map(text),
    );
}

fn enrolment(record: EnrolmentRecord) -> ExportedEnrolment {
    ExportedEnrolment {
        id: record.id,
        profile: record.profile.as_str().to_owned(),
        purpose: record.purpose.as_str().to_owned(),
        template: record.template,
        state: match record.state {
            EnrolmentState::Pending => "pending",
            EnrolmentState::Live => "live",
            EnrolmentState::Erased => "erased",
        },
        enrolled: record.enrolled,
        receipt: record.receipt,
        erasure_receipt: record.erasure_receipt,
    }
}
