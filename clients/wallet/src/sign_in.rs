//! Signing a browser in on the subject's own page.

use blindprint_core::{SignInLink, statement::SignIn};

use crate::{Error, Result, Wallet};

impl Wallet {
    /// Signs the browser in that shows `link`. Whoever calls this has asked the person whether it is their
    /// own browser, and whether it shows the link's code.
    pub async fn sign_in(&self, link: &SignInLink) -> Result<()> {
        if link.service != *self.service() {
            return Err(Error::Invalid(format!(
                "the link is of {}, this wallet belongs to {}",
                link.service,
                self.service()
            )));
        }
        let word = SignIn {
            sub: self.subject().clone(),
            aud: link.service.clone(),
            session: link.session,
            code: link.code.to_string(),
            iat: self.now(),
        };
        let sign_in = self.sign(&word)?;
        self.client.sign_in(self.signer(), sign_in).await
    }
}
