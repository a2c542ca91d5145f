use blindprint_core::{SubjectId, problem::ProblemCode};

use crate::{Error, Result, domain::Service};

impl Service {
    /// That the subject has not restricted what is done with their template (GDPR articles 18 and 21),
    /// and has not asked for its erasure.
    pub(in crate::domain) async fn unrestricted(&self, subject: &SubjectId) -> Result<()> {
        if self.store().is_restricted(subject).await? {
            Err(Error::Refused(ProblemCode::ProcessingRestricted))
        } else {
            Ok(())
        }
    }
}
