//! Stored credentials as a query sees them.

use std::{collections::BTreeMap, sync::LazyLock};

use blindprint_credentials::{Contexts, sd_jwt::SdJwt};
use blindprint_did::jwt::UnverifiedJwt;
use blindprint_openid4vc::Format;
use serde_json::{Map, Value};

use super::exchange::unverified;
use crate::{Error, Result};

/// Longest JWT that is read, in bytes.
const MAX_JWT: usize = 256 << 10;

/// What a credential says: the VCDM credential, or the SD-JWT's claims with everything that can be
/// disclosed.
pub(super) fn claims(format: &Format, credential: &Value) -> Result<Map<String, Value>> {
    let unread = || Error::Unusable("a credential in the wallet cannot be read".to_owned());
    match (format, credential) {
        (Format::LdpVc, Value::Object(members)) => Ok(members.clone()),
        (Format::JwtVcJson, Value::String(token)) => UnverifiedJwt::parse(token, MAX_JWT)
            .map(|token| token.claims().clone())
            .map_err(|_| unread()),
        (Format::SdJwtVc, Value::String(text)) => {
            let token = SdJwt::parse(text).map_err(|error| unverified(&error))?;
            token.claims().map_err(|error| unverified(&error))
        }
        _ => Err(unread()),
    }
}

/// Types as queries name them: as they stand in the credential, and expanded (OID4VP appendix B.1.1).
pub(super) fn expanded(types: &[String]) -> Vec<String> {
    let iris = types.iter().filter_map(|name| TYPE_IRIS.get(name).cloned());
    types.iter().cloned().chain(iris).collect()
}

/// The types that the embedded contexts define. Credentials of others are matched by their own words.
static TYPE_IRIS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let context: Value = serde_json::from_str(Contexts::BLINDPRINT).unwrap_or_default();
    let iri = |definition: &Value| {
        let text = definition
            .as_str()
            .or_else(|| definition.get("@id")?.as_str());
        text.map(str::to_owned)
    };
    let own = context["@context"].as_object().into_iter().flatten();
    let own = own.filter_map(|(name, definition)| Some((name.clone(), iri(definition)?)));
    let base = (
        "VerifiableCredential".to_owned(),
        "https://www.w3.org/2018/credentials#VerifiableCredential".to_owned(),
    );
    own.chain([base]).collect()
});
