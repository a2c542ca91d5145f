//! Signing in on the subject's own page.

use serde::{Deserialize, Serialize};

use crate::Jws;

wire! {
    /// `POST /v1/sign-ins`.
    struct SignInBrowser {
        /// A [`crate::statement::SignIn`].
        sign_in: Jws,
    }
}
