//! Consent records and receipts: ISO/IEC TS 27560 as DPV's profile `dpv-27560` writes it. Terms are
//! DPV's own; `tests/interop` holds each against the vocabulary.
//!
//! A record is a pure function of a signed statement's members, the notice and the controller
//! ([`render`]). [`parse`] takes nothing that [`render`] would not have written, to the letter, so that
//! nobody can say in a record what the person did not see.

use blindprint_core::{
    Audience, ConsentId, Digest, ServiceId, SubjectId, UnixTime,
    consent::{ConsentState, Decision},
    label,
    statement::{Consent, Purpose},
    wire::{Controller, NoticeSummary, Recipient},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use crate::{Error, Result, context, controller};

/// Largest record, in bytes of canonical JSON.
pub const LARGEST: usize = 32 << 10;
const RECORD_PROFILES: [&str; 2] = [
    "https://w3id.org/dpv/schema/dpv-27560#record",
    "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr",
];
const RECEIPT_PROFILES: [&str; 2] = [
    "https://w3id.org/dpv/schema/dpv-27560#receipt",
    "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr",
];
/// How the person said yes or no.
const INDICATION: &str = "a statement signed with the person's key: blindprint-consent+jwt";
/// GDPR: access, rectification, erasure, restriction, portability, objection, human review.
const RIGHTS: [&str; 7] = ["A15", "A16", "A17", "A18", "A20", "A21", "A22"];
pub(crate) const MEASURES: [&str; 5] = [
    "dpv:HomomorphicEncryption",
    "dpv:EncryptionInUse",
    "dpv:EncryptionInTransfer",
    "dpv:EncryptionAtRest",
    "dpv:DigitalSignatures",
];

/// The members of a signed statement that a record repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Which.
    pub id: ConsentId,
    /// Who answers.
    pub subject: SubjectId,
    /// Whom.
    pub service: ServiceId,
    /// Yes or no.
    pub decision: Decision,
    /// When.
    pub given: UnixTime,
    /// When it ends by itself.
    pub expires: UnixTime,
}

/// What a record says of the notice that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Digest of its text.
    pub digest: Digest,
    /// Its stable name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its language.
    pub language: String,
    /// Its heading.
    pub title: String,
    /// The day of its publication.
    pub published: UnixTime,
    /// What it informs about.
    pub purpose: Purpose,
    /// Who may learn of verdicts.
    pub recipient: Option<Recipient>,
    /// Where the impact assessment is found.
    pub dpia: Option<String>,
}

/// A record that says what records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Of the statement.
    pub fields: Fields,
    /// Of the notice.
    pub notice: Shown,
    /// Of the controller.
    pub controller: Controller,
}

/// Something that happened to a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What it made of the consent.
    pub state: ConsentState,
    /// When.
    pub at: UnixTime,
}

impl From<&Consent> for Fields {
    fn from(consent: &Consent) -> Self {
        Self {
            id: consent.id,
            subject: consent.sub.clone(),
            service: consent.service.clone(),
            decision: consent.decision,
            given: consent.given,
            expires: consent.expires,
        }
    }
}

impl From<&NoticeSummary> for Shown {
    fn from(notice: &NoticeSummary) -> Self {
        Self {
            digest: notice.digest,
            name: notice.name.clone(),
            version: notice.version,
            language: notice.language.clone(),
            title: notice.title.clone(),
            published: notice.published,
            purpose: notice.purpose,
            recipient: notice.recipient.clone(),
            dpia: notice.dpia.clone(),
        }
    }
}

/// The record of an answer to `notice`, whose controller is `controller`.
pub fn render(fields: &Fields, notice: &NoticeSummary, controller: &Controller) -> Result<Value> {
    controller::check(controller)?;
    written(fields, &Shown::from(notice), controller)
}

/// The digest that the statement names.
pub fn digest(record: &Value) -> Result<Digest> {
    let canonical = serde_json_canonicalizer::to_vec(record)
        .map_err(|_| Error::Record("has no canonical form"))?;
    if canonical.len() > LARGEST {
        return Err(Error::Record("is larger than 32 KiB"));
    }
    Ok(Digest::of(label::CONSENT_RECORD, &canonical))
}

/// Takes a record apart. It must be, member for member, what [`render`] makes of these parts.
pub fn parse(record: &Value) -> Result<Record> {
    let at = |pointer: &'static str| At { record, pointer };
    let service: ServiceId = at("/dpv:hasDataController/dpv:hasIdentifier").parsed()?;
    let fields = Fields {
        id: at("/dct:identifier").parsed()?,
        subject: at("/dpv:hasDataSubject/@id").parsed()?,
        service,
        decision: match at("/dpv:hasConsentStatus/@type/0").text()? {
            "dpv:ConsentGiven" => Decision::Given,
            "dpv:ConsentRefused" => Decision::Refused,
            _ => return Err(Error::Record("is about neither consent nor refusal")),
        },
        given: at("/dpv:hasConsentStatus/dpv:isIndicatedAtTime").time()?,
        expires: at("/dpv:hasConsentStatus/dpv:hasDuration/rdf:value").time()?,
    };
    let recipient = match at("/dpv:hasProcess/dpv:hasRecipient/@type").text()? {
        "dpv:ThirdParty" => Some(Recipient {
            audience: at("/dpv:hasProcess/dpv:hasRecipient/dpv:hasIdentifier").parsed()?,
            name: at("/dpv:hasProcess/dpv:hasRecipient/dpv:hasName").owned()?,
        }),
        _ => None,
    };
    let version = at("/dpv:hasNotice/schema:version").text()?;
    let notice = Shown {
        digest: at("/dpv:hasNotice/dct:identifier").parsed()?,
        name: at("/dpv:hasNotice/schema:name").owned()?,
        version: version
            .parse()
            .map_err(|_| Error::Record("has a notice without a version"))?,
        language: at("/dpv:hasNotice/dct:language").owned()?,
        title: at("/dpv:hasNotice/dct:title").owned()?,
        published: at("/dpv:hasNotice/dct:issued").day()?,
        purpose: at("/dpv:hasProcess/dct:description").purpose()?,
        recipient,
        dpia: at("/dpv:hasProcess/dpv:hasAssessment/dct:identifier").optional(),
    };
    let controller = Controller {
        name: at("/dpv:hasDataController/dpv:hasName").owned()?,
        address: at("/dpv:hasDataController/dpv:hasAddress").optional(),
        contact: at("/dpv:hasDataController/dpv:hasContact").optional(),
        officer: at("/dpv:hasDataController/dpv:hasDataProtectionOfficer/dpv:hasName").optional(),
        authority: at("/dpv:hasDataController/dpv:hasAuthority/dpv:hasName").optional(),
        // The notice says it for both.
        dpia: notice.dpia.clone(),
        storage_locations: at("/dpv:hasProcess/dpv:hasStorageCondition/0/dpv:hasLocation")
            .places()?,
        jurisdiction: at("/dpv:hasJurisdiction").place()?,
    };
    controller::check(&controller)?;
    if written(&fields, &notice, &controller)? != *record {
        return Err(Error::Record(
            "says more, less or other than such a record says",
        ));
    }
    Ok(Record {
        fields,
        notice,
        controller,
    })
}

/// The person's receipt: the record, and what has become of it since.
pub fn receipt(record: &Value, events: &[Event]) -> Result<Value> {
    let Record { fields, .. } = parse(record)?;
    let mut original = record.clone();
    if let Some(members) = original.as_object_mut() {
        members.remove("@context");
    }
    let events = events
        .iter()
        .map(|event| {
            let by = match event.state {
                ConsentState::Requested | ConsentState::Expired | ConsentState::Invalidated => {
                    fields.service.as_str()
                }
                ConsentState::Given | ConsentState::Refused | ConsentState::Withdrawn => {
                    fields.subject.as_str()
                }
            };
            Ok(json!({
                "@type": state_term(event.state),
                "dpv:isIndicatedAtTime": moment(event.at)?,
                "dpv:isIndicatedBy": by,
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "@context": context(),
        "@id": format!("urn:uuid:{}#receipt", fields.id),
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": RECEIPT_PROFILES,
        "dct:source": original,
        "dpv:hasConsentStatus": events,
    }))
}

/// The term of a state.
pub const fn state_term(state: ConsentState) -> &'static str {
    match state {
        ConsentState::Requested => "dpv:ConsentRequested",
        ConsentState::Given => "dpv:ConsentGiven",
        ConsentState::Refused => "dpv:ConsentRefused",
        ConsentState::Withdrawn => "dpv:ConsentWithdrawn",
        ConsentState::Expired => "dpv:ConsentExpired",
        ConsentState::Invalidated => "dpv:ConsentInvalidated",
    }
}

fn written(fields: &Fields, notice: &Shown, controller: &Controller) -> Result<Value> {
    if (notice.purpose == Purpose::Sharing) != notice.recipient.is_some() {
        return Err(Error::Record(
            "names a recipient exactly where something is shared",
        ));
    }
    let Fields {
        id,
        subject,
        service,
        ..
    } = fields;
    let status = match fields.decision {
        Decision::Given => json!(["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"]),
        Decision::Refused => json!(["dpv:ConsentRefused"]),
    };
    Ok(json!({
        "@context": context(),
        "@id": format!("urn:uuid:{id}"),
        "@type": "dpv:ConsentRecord",
        "dct:identifier": id,
        "dct:conformsTo": RECORD_PROFILES,
        "dpv:hasDataSubject": { "@id": subject, "@type": "dpv:DataSubject" },
        "dpv:hasDataController": controller::render(service, controller),
        "dpv:hasJurisdiction": controller::term(&controller.jurisdiction),
        "dpv:hasApplicableLaw": "legal-eu:law-GDPR",
        "dpv:hasNotice": {
            "@id": format!("{service}/v1/notices/{}", notice.digest),
            "@type": "dpv:ConsentNotice",
            "dct:identifier": notice.digest,
            "dct:title": notice.title,
            "dct:language": notice.language,
            "dct:issued": date(notice.published)?,
            "schema:name": notice.name,
            "schema:version": notice.version.to_string(),
        },
        "dpv:hasProcess": process(fields, notice, controller)?,
        "dpv:hasConsentStatus": {
            "@type": status,
            "dpv:isIndicatedAtTime": moment(fields.given)?,
            "dpv:isIndicatedBy": subject,
            "dpv:hasIndicationMethod": INDICATION,
            "dpv:hasDuration": until(fields.expires)?,
        },
    }))
}

fn process(fields: &Fields, notice: &Shown, controller: &Controller) -> Result<Value> {
    let Fields { id, service, .. } = fields;
    let locations: Vec<String> = controller
        .storage_locations
        .iter()
        .map(|place| controller::term(place))
        .collect();
    let mut processed = vec!["dpv:WithinDevice".to_owned()];
    processed.extend_from_slice(&locations);
    let mut rights: Vec<Value> = RIGHTS
        .iter()
        .map(|article| right(article, &format!("{service}/v1/rights-requests")))
        .collect();
    let withdrawal = format!("{service}/v1/consents/{id}/withdrawal");
    rights.push(right("A7-3", &withdrawal));
    let recipient = match &notice.recipient {
        None => json!({ "@id": service, "@type": "dpv:DataController" }),
        Some(Recipient { audience, name }) => json!({
            "@type": "dpv:ThirdParty",
            "dpv:hasIdentifier": audience,
            "dpv:hasName": name,
        }),
    };
    let mut process = json!({
        "@type": "dpv:Process",
        "dct:description": notice.purpose.as_str(),
        "dpv:hasPurpose": purposes(notice.purpose),
        "dpv:hasService": { "@id": service, "@type": "dpv:Service" },
        "dpv:hasPersonalData": personal_data(notice.purpose),
        "dpv:hasDataSource": "dpv:DataSubjectDataSource",
        "dpv:hasProcessing": processing(notice.purpose),
        "dpv:hasProcessingCondition": {
            "@type": "dpv:ProcessingLocation",
            "dpv:hasLocation": processed,
        },
        "dpv:hasStorageCondition": [
            { "@type": "dpv:StorageLocation", "dpv:hasLocation": locations },
            { "@type": "dpv:StorageDuration", "dpv:hasDuration": until(fields.expires)? },
        ],
        "dpv:hasLegalBasis": ["dpv:ExplicitlyExpressedConsent", "eu-gdpr:A9-2-a"],
        "dpv:hasRecipient": recipient,
        "dpv:hasTechnicalMeasure": MEASURES,
        "dpv:hasConsentControl": { "@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": withdrawal },
        "dpv:hasRight": rights,
    });
    if let Some(dpia) = &notice.dpia {
        process["dpv:hasAssessment"] = json!({ "@type": "dpv:DPIA", "dct:identifier": dpia });
    }
    Ok(process)
}

fn right(article: &str, at: &str) -> Value {
    json!({
        "@type": ["dpv:DataSubjectRight", format!("eu-gdpr:{article}")],
        "dpv:isExercisedAt": at,
    })
}

pub(crate) const fn purposes(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Authentication => &["dpv:IdentityAuthentication"],
        Purpose::Uniqueness => &[
            "dpv:IdentityVerification",
            "dpv:FraudPreventionAndDetection",
        ],
        Purpose::Sharing => &["dpv:IdentityVerification"],
    }
}

pub(crate) const fn processing(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Authentication | Purpose::Uniqueness => {
            &["dpv:Collect", "dpv:Store", "dpv:Match", "dpv:Erase"]
        }
        Purpose::Sharing => &["dpv:MakeAvailable"],
    }
}

pub(crate) fn personal_data(purpose: Purpose) -> Vec<Value> {
    let template = json!({
        "@type": "dpv:SpecialCategoryPersonalData",
        "skos:broader": "pd:Biometric",
    });
    let other = |term: &str| json!({ "@type": "dpv:PersonalData", "skos:broader": term });
    let checks = other("pd:AuthenticationHistory");
    let identifier = other("pd:Identifying");
    match purpose {
        Purpose::Authentication | Purpose::Uniqueness => vec![template, checks, identifier],
        Purpose::Sharing => vec![checks, identifier],
    }
}

fn until(end: UnixTime) -> Result<Value> {
    Ok(json!({ "@type": "dpv:UntilTimeDuration", "rdf:value": moment(end)? }))
}

/// `xsd:dateTime` in UTC.
pub(crate) fn moment(at: UnixTime) -> Result<String> {
    written_as(at, &Rfc3339)
}

/// `xsd:date` in UTC.
pub(crate) fn date(at: UnixTime) -> Result<String> {
    written_as(at, &format_description!("[year]-[month]-[day]"))
}

fn written_as(
    at: UnixTime,
    form: &(impl time::formatting::Formattable + ?Sized),
) -> Result<String> {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()
        .and_then(|moment| moment.format(form).ok())
        .ok_or(Error::Record("has a time outside the years 0 to 9999"))
}

/// One place in a record.
struct At<'a> {
    record: &'a Value,
    pointer: &'static str,
}

impl<'a> At<'a> {
    fn text(&self) -> Result<&'a str> {
        let found = self.record.pointer(self.pointer).and_then(Value::as_str);
        found.ok_or(Error::Record("lacks a member"))
    }

    fn owned(&self) -> Result<String> {
        self.text().map(str::to_owned)
    }

    /// What is not a text here makes the record another than its parts, which the caller sees.
    fn optional(&self) -> Option<String> {
        self.owned().ok()
    }

    fn parsed<T: std::str::FromStr>(&self) -> Result<T> {
        self.text()?
            .parse()
            .map_err(|_| Error::Record("has a member of another form"))
    }

    fn time(&self) -> Result<UnixTime> {
        let moment = OffsetDateTime::parse(self.text()?, &Rfc3339)
            .map_err(|_| Error::Record("has a time of another form"))?;
        Ok(UnixTime(moment.unix_timestamp()))
    }

    fn day(&self) -> Result<UnixTime> {
        time::Date::parse(self.text()?, format_description!("[year]-[month]-[day]"))
            .map(|day| UnixTime(day.midnight().assume_utc().unix_timestamp()))
            .map_err(|_| Error::Record("has a day of another form"))
    }

    fn purpose(&self) -> Result<Purpose> {
        let text = self.text()?;
        Purpose::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or(Error::Record("is for another purpose"))
    }

    fn place(&self) -> Result<String> {
        let place = self.text()?.strip_prefix("loc:");
        place
            .map(str::to_owned)
            .ok_or(Error::Record("names a place otherwise"))
    }

    fn places(&self) -> Result<Vec<String>> {
        let found = self.record.pointer(self.pointer).and_then(Value::as_array);
        found
            .ok_or(Error::Record("lacks a member"))?
            .iter()
            .map(|place| {
                let place = place.as_str().and_then(|place| place.strip_prefix("loc:"));
                place
                    .map(str::to_owned)
                    .ok_or(Error::Record("names a place otherwise"))
            })
            .collect()
    }
}

/// Who learns of verdicts under a consent, as its statement says it.
pub fn recipient_of(notice: &NoticeSummary) -> Option<&Audience> {
    notice
        .recipient
        .as_ref()
        .map(|recipient| &recipient.audience)
}

#[cfg(test)]
mod tests;
