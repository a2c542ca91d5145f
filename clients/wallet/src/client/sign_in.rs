//! The subject's own page.

use blindprint_core::{Jws, wire::SignInBrowser};

use super::{Call, Client, Signer};
use crate::Result;

impl Client {
    /// `POST /v1/sign-ins`. Repeating it changes nothing.
    pub async fn sign_in(&self, signer: Signer<'_>, sign_in: Jws) -> Result<()> {
        let call = Call::post("/v1/sign-ins")
            .json(&SignInBrowser { sign_in })
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await.map(|_| ())
    }
}
