use serde::{Deserialize, Serialize};

/// A Credential Format Identifier: OID4VCI appendix A, OID4VP appendix B.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Format {
    /// `ldp_vc`: VCDM with a Data Integrity proof.
    LdpVc,
    /// `jwt_vc_json`: VCDM signed as a JWT.
    JwtVcJson,
    /// `dc+sd-jwt`: SD-JWT VC.
    SdJwtVc,
    /// One that Blindprint neither issues nor presents.
    Other(String),
}

impl Format {
    /// As it stands in `format`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::LdpVc => "ldp_vc",
            Self::JwtVcJson => "jwt_vc_json",
            Self::SdJwtVc => "dc+sd-jwt",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for Format {
    fn from(text: String) -> Self {
        match text.as_str() {
            "ldp_vc" => Self::LdpVc,
            "jwt_vc_json" => Self::JwtVcJson,
            "dc+sd-jwt" => Self::SdJwtVc,
            _ => Self::Other(text),
        }
    }
}

impl From<Format> for String {
    fn from(format: Format) -> Self {
        match format {
            Format::Other(text) => text,
            known => known.as_str().to_owned(),
        }
    }
}
