use blindprint_core::wire::Subject;

use super::{Caller, Service, record::EnrolmentRecord};
use crate::Result;

impl Service {
    /// What the service knows of the caller. For somebody it has never met: the same form, empty.
    pub async fn overview(&self, caller: &Caller) -> Result<Subject> {
        let consents = self.store.consents_of(&caller.subject).await?;
        let enrolments = self.store.enrolments_of(&caller.subject).await?;
        Ok(Subject {
            subject: caller.subject.clone(),
            pinned_key: caller.keys.as_ref().map(|keys| keys.pinned.clone()),
            head: self.store.consent_head(&caller.subject).await?,
            consents: self.summaries(&consents).await?,
            enrolments: enrolments
                .iter()
                .filter_map(EnrolmentRecord::summary)
                .collect(),
            verdicts: self.store.count_verdicts(&caller.subject).await?,
        })
    }
}
