//! What is issued over `OpenID4VCI`: every kind of credential in every format.

use std::{fmt, str::FromStr};

use super::issued::{CredentialFormat, CredentialKind};

/// One kind of credential in one format, a credential configuration of OpenID4VCI section 12.2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// What it says.
    pub kind: CredentialKind,
    /// How it is secured.
    pub format: CredentialFormat,
}

impl Configuration {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        CredentialKind::ALL.into_iter().flat_map(|kind| {
            CredentialFormat::ALL
                .into_iter()
                .map(move |format| Self { kind, format })
        })
    }
}

const fn suffix(format: CredentialFormat) -> &'static str {
    match format {
        CredentialFormat::LdpVcJcs => "ldp_vc",
        CredentialFormat::LdpVcRdfc => "ldp_vc_rdfc",
        CredentialFormat::JwtVc => "jwt_vc_json",
        CredentialFormat::SdJwtEdDsa => "dc+sd-jwt",
        CredentialFormat::SdJwtEs256 => "dc+sd-jwt_es256",
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.kind.as_str(), suffix(self.format))
    }
}

/// A text that is no configuration's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential configuration's id")]
pub struct UnknownConfiguration;

impl FromStr for Configuration {
    type Err = UnknownConfiguration;

    fn from_str(text: &str) -> Result<Self, UnknownConfiguration> {
        Self::all()
            .find(|configuration| configuration.to_string() == text)
            .ok_or(UnknownConfiguration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found_again() {
        for configuration in Configuration::all() {
            assert_eq!(configuration.to_string().parse(), Ok(configuration));
        }
        assert_eq!(
            Configuration {
                kind: CredentialKind::ConsentReceipt,
                format: CredentialFormat::SdJwtEs256
            }
            .to_string(),
            "consent-receipt_dc+sd-jwt_es256"
        );
        assert!("enrolment_mso_mdoc".parse::<Configuration>().is_err());
    }
}
