use std::{future::Future, sync::Arc, time::Duration};

use blindprint_core::problem::ProblemCode;
use blindprint_credentials::{
    CredentialChecks, PresentationChecks, UnverifiedCredential, UnverifiedPresentation,
    VerifiedCredential, VerifiedPresentation, Verifier, VerifyError,
};
use tokio::{runtime::Handle, sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{Error, Result};

/// Verifications at once, over all callers.
const AT_ONCE: usize = 8;
/// Longest wait for a turn.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Longest verification, with all that it fetches.
const LONGEST: Duration = Duration::from_secs(30);

/// Verifies what others show, beside the threads that serve requests: canonicalising a hostile graph
/// keeps a core busy for a good part of a second.
pub struct Verifications {
    verifier: Verifier,
    room: Arc<Semaphore>,
}

impl Verifications {
    /// With this verifier.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Verifies a credential. An error of the service is one of having no time for it.
    pub async fn credential(
        &self,
        credential: UnverifiedCredential,
        checks: CredentialChecks,
    ) -> Result<Result<VerifiedCredential, VerifyError>> {
        self.run(move |verifier| async move { verifier.credential(credential, &checks).await })
            .await
    }

    /// Verifies a presentation. An error of the service is one of having no time for it.
    pub async fn presentation(
        &self,
        presentation: UnverifiedPresentation,
        checks: PresentationChecks,
    ) -> Result<Result<VerifiedPresentation, VerifyError>> {
        self.run(move |verifier| async move { verifier.presentation(presentation, &checks).await })
            .await
    }

    async fn run<T, F>(&self, verify: impl FnOnce(Verifier) -> F + Send + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let busy = || {
            metrics::counter!("blindprint_overload_total", "where" => "verifications").increment(1);
            Error::unavailable(1)
        };
        let turn = timeout(LONGEST_WAIT, Arc::clone(&self.room).acquire_owned());
        let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let (verifier, runtime) = (self.verifier.clone(), Handle::current());
        let work = spawn_blocking(move || {
            let _turn = turn;
            runtime.block_on(async { timeout(LONGEST, verify(verifier)).await })
        });
        work.await
            .map_err(|error| Error::broken("verifying")(error.into()))?
            .map_err(|_| Error::RetryAfter {
                code: ProblemCode::Unavailable,
                seconds: 10,
            })
    }
}
