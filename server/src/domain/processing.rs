//! The record of processing activities (GDPR article 30): what the service is configured to do with people's
//! data.

use blindprint_consent::processing::{self, Sources};
use blindprint_core::{profiles, wire::Recipient};
use serde_json::Value;

use super::Service;
use crate::{Error, Result};

const DOING: &str = "writing the record of processing";

impl Service {
    /// As JSON-LD, in the terms of the Data Privacy Vocabulary.
    pub async fn processing_record(&self) -> Result<Value> {
        let recipients = self.known_recipients().await?;
        processing::render(&self.sources(&recipients))
            .map_err(|error| Error::broken(DOING)(error.into()))
    }

    /// For people, as Markdown.
    pub async fn processing_record_text(&self) -> Result<String> {
        let recipients = self.known_recipients().await?;
        processing::markdown(&self.sources(&recipients))
            .map_err(|error| Error::broken(DOING)(error.into()))
    }

    fn sources<'a>(&'a self, recipients: &'a [Recipient]) -> Sources<'a> {
        Sources {
            service: self.id(),
            controller: self.notices.controller(),
            library: self.notices.library(),
            profiles: profiles(),
            recipients,
            retention: self.notices.retention(),
            now: self.clock.now(),
        }
    }

    async fn known_recipients(&self) -> Result<Vec<Recipient>> {
        let parties = self.store.relying_parties().await?;
        Ok(parties
            .into_iter()
            .map(|party| Recipient {
                audience: party.known.audience,
                name: party.known.name,
            })
            .collect())
    }
}
