//! The record of processing activities (GDPR article 30), generated from what the service is configured
//! to do.

use blindprint_core::{
    Profile, ServiceId, UnixTime,
    statement::Purpose,
    wire::{Controller, Recipient},
};
use serde_json::{Value, json};
use std::fmt::Write as _;

use crate::{Language, Library, Result, Source, context, controller, record};

/// How long something is kept, as the operator has set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Of what, in words.
    pub of: String,
    /// Days.
    pub days: u32,
}

/// What the record is made of.
pub struct Sources<'a> {
    /// The service.
    pub service: &'a ServiceId,
    /// Who is responsible.
    pub controller: &'a Controller,
    /// What people are told.
    pub library: &'a Library,
    /// How biometrics become codes.
    pub profiles: &'a [Profile],
    /// Relying parties that are registered.
    pub recipients: &'a [Recipient],
    /// How long things are kept.
    pub retention: &'a [Retention],
    /// When.
    pub now: UnixTime,
}

impl Sources<'_> {
    /// One text of each notice in force, in `language`.
    fn notices(&self, language: Language) -> impl Iterator<Item = &Source> {
        self.library
            .in_force(self.now)
            .filter(move |source| source.language() == language)
    }
}

/// In DPV terms, as JSON-LD.
pub fn render(sources: &Sources<'_>) -> Result<Value> {
    let Sources {
        service,
        controller,
        ..
    } = sources;
    let processes: Vec<Value> = sources
        .notices(Language::En)
        .map(|notice| process(sources, notice))
        .collect();
    Ok(json!({
        "@context": context(),
        "@id": format!("{service}/v1/processing-record"),
        "@type": "dpv:DataProcessingRecord",
        "dct:modified": record::moment(sources.now)?,
        "dpv:hasDataController": controller::render(service, controller),
        "dpv:hasJurisdiction": controller::term(&controller.jurisdiction),
        "dpv:hasApplicableLaw": "legal-eu:law-GDPR",
        "dpv:hasProcess": processes,
    }))
}

fn process(sources: &Sources<'_>, notice: &Source) -> Value {
    let purpose = notice.purpose();
    let locations: Vec<String> = sources
        .controller
        .storage_locations
        .iter()
        .map(|place| controller::term(place))
        .collect();
    let profiles: Vec<Value> = sources
        .profiles
        .iter()
        .map(|profile| {
            json!({
                "@type": "dpv:Technology",
                "dct:identifier": profile.id,
                "dct:description": format!("{}, model {}", profile.modality, profile.model),
            })
        })
        .collect();
    let recipients: Vec<Value> = match purpose {
        Purpose::Sharing => sources
            .recipients
            .iter()
            .map(|Recipient { audience, name }| {
                json!({ "@type": "dpv:ThirdParty", "dpv:hasIdentifier": audience, "dpv:hasName": name })
            })
            .collect(),
        Purpose::Authentication | Purpose::Uniqueness => Vec::new(),
    };
    let status = if notice.offered() {
        "dpv:ActivityOngoing"
    } else {
        "dpv:ActivityProposed"
    };
    let mut storage = vec![
        json!({ "@type": "dpv:StorageLocation", "dpv:hasLocation": locations }),
        duration(
            "consents, and templates under them, at most",
            notice.validity_days(),
        ),
    ];
    storage.extend(
        sources
            .retention
            .iter()
            .map(|kept| duration(&kept.of, kept.days)),
    );
    let mut process = json!({
        "@type": "dpv:Process",
        "dct:identifier": format!("{}-{}", notice.id(), notice.version()),
        "dct:description": purpose.as_str(),
        "dpv:hasStatus": status,
        "dpv:hasPurpose": record::purposes(purpose),
        "dpv:hasDataSubject": { "@type": "dpv:DataSubject", "dct:description": "people who enrol" },
        "dpv:hasPersonalData": record::personal_data(purpose),
        "dpv:hasProcessing": record::processing(purpose),
        "dpv:hasLegalBasis": ["dpv:ExplicitlyExpressedConsent", "eu-gdpr:A9-2-a"],
        "dpv:hasRecipient": recipients,
        "dpv:hasStorageCondition": storage,
        "dpv:hasTechnicalMeasure": record::MEASURES,
        "dpv:isImplementedUsingTechnology": profiles,
    });
    if let Some(dpia) = &sources.controller.dpia {
        process["dpv:hasAssessment"] = json!({ "@type": "dpv:DPIA", "dct:identifier": dpia });
    }
    process
}

fn duration(of: &str, days: u32) -> Value {
    json!({
        "@type": "dpv:StorageDuration",
        "dct:description": of,
        "dpv:hasDuration": { "@type": "dpv:TemporalDuration", "schema:duration": format!("P{days}D") },
    })
}

/// For people, as Markdown.
pub fn markdown(sources: &Sources<'_>) -> Result<String> {
    let Controller {
        name,
        address,
        contact,
        officer,
        authority,
        dpia,
        storage_locations,
        jurisdiction,
    } = sources.controller;
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "not given".to_owned());
    let mut text = format!(
        "# Record of processing activities (GDPR article 30)\n\n\
         Generated on {} by {} from its configuration, its notices and its profiles.\n\n\
         ## Controller\n\n\
         - Name: {name}\n- Address: {}\n- Contact: {}\n- Data protection officer: {}\n\
         - Supervisory authority: {}\n- Jurisdiction: {jurisdiction}\n\
         - Impact assessment (article 35): {}\n",
        record::date(sources.now)?,
        sources.service,
        or_none(address),
        or_none(contact),
        or_none(officer),
        or_none(authority),
        or_none(dpia),
    );
    for notice in sources.notices(Language::En) {
        activity(&mut text, sources, notice);
    }
    text.push_str("\n## Data\n\n");
    text.push_str(
        "Biometric templates and probes, encrypted, never opened on the service's host; identifiers \
         (DIDs); answers to notices; times, audiences and results of checks; requests about rights.\n\
         The people concerned are those who enrol.\n",
    );
    text.push_str("\n## Profiles\n\n");
    for profile in sources.profiles {
        let _ = writeln!(
            text,
            "- {}: {}, model {}, {}",
            profile.id,
            profile.modality,
            profile.model,
            profile.operating_point.map_or_else(
                || "not rated".to_owned(),
                |point| format!("FMR {}, FNMR {}", point.fmr, point.fnmr)
            )
        );
    }
    let _ = write!(
        text,
        "\n## Storage and erasure\n\nStored in: {}. Transfers elsewhere: none by the service.\n\n",
        storage_locations.join(", ")
    );
    for kept in sources.retention {
        let _ = writeln!(text, "- {}: {} days", kept.of, kept.days);
    }
    text.push_str(
        "\n## Security (article 32)\n\nComparison under homomorphic encryption; decryption of single \
         result bits in an attested enclave and under a live consent only; encryption in transfer and \
         at rest; signed statements and receipts; a public append-only log of commitments.\n",
    );
    Ok(text)
}

fn activity(text: &mut String, sources: &Sources<'_>, notice: &Source) {
    let (heading, purpose) = match notice.purpose() {
        Purpose::Authentication => (
            "Authentication",
            "checking, when a person asks for it, that they are who enrolled",
        ),
        Purpose::Uniqueness => ("Uniqueness", "making sure that nobody enrols twice"),
        Purpose::Sharing => (
            "Sharing",
            "telling a relying party that the person named the outcome of a check",
        ),
    };
    let offered = if notice.offered() { "yes" } else { "no" };
    let recipients = match notice.purpose() {
        Purpose::Sharing if sources.recipients.is_empty() => {
            "those whom the person named; none is registered".to_owned()
        }
        Purpose::Sharing => {
            let names = sources.recipients.iter();
            let names: Vec<String> = names
                .map(|it| format!("{} ({})", it.name, it.audience))
                .collect();
            format!(
                "those whom the person named; registered: {}",
                names.join(", ")
            )
        }
        Purpose::Authentication | Purpose::Uniqueness => "none".to_owned(),
    };
    let _ = write!(
        text,
        "\n## {heading}\n\n- Purpose: {purpose}\n- Offered: {offered}\n\
         - Legal basis: explicit consent, articles 6(1)(a) and 9(2)(a)\n\
         - Notice: {} version {}, in English, German, French and Spanish\n\
         - Recipients: {recipients}\n\
         - Kept: consents, and templates under them, for {} days at most\n",
        notice.id(),
        notice.version(),
        notice.validity_days(),
    );
}

#[cfg(test)]
mod tests;
