//! Whose credential was shown to an officer.

use blindprint_core::{Nonce, SubjectId};
use serde_json::{Map, Value};

use super::Rights;
use crate::{Result, domain::Outcome};

impl Rights {
    /// The subject about whom every credential is that was shown in answer to a request, if all of them
    /// are this service's own and about one subject.
    pub(super) async fn shown_to_officer(&self, request: Nonce) -> Result<Option<SubjectId>> {
        let Some(Outcome::Answered(shown)) = self.parts.openid.outcome(request) else {
            return Ok(None);
        };
        let mut found = None;
        for credential in shown.into_values().flatten() {
            let Some((list, position)) = self.place(&credential.claims) else {
                return Ok(None);
            };
            let whose = self.store().subject_of_entry(list, position).await?;
            if whose.is_none() || (found.is_some() && found != whose) {
                return Ok(None);
            }
            found = whose;
        }
        Ok(found)
    }

    /// Where one of this service's status lists tells the status of a credential.
    fn place(&self, claims: &Map<String, Value>) -> Option<(i64, u32)> {
        let lists = self.parts.credentials.lists();
        if let Some(entry) = claims
            .get("status")
            .and_then(|status| status.get("status_list"))
        {
            let (list, _) = lists.at(entry.get("uri")?.as_str()?, "")?;
            return Some((list.0, entry.get("idx")?.as_u64()?.try_into().ok()?));
        }
        let entry = match claims.get("credentialStatus")? {
            Value::Array(entries) => entries.first()?,
            entry => entry,
        };
        let (list, _) = lists.at(entry.get("statusListCredential")?.as_str()?, "")?;
        let position = entry.get("statusListIndex")?.as_str()?;
        Some((list.0, position.parse().ok()?))
    }
}
