//! `application/x-www-form-urlencoded` from outside.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::json::NotThis;

/// More parameters than any message here has.
const MAX_PARAMETERS: usize = 64;

/// Parameters by name. An empty one counts as left out, and none may come twice (RFC 6749 section 3.2).
pub(crate) fn parse(body: &[u8], max: usize) -> Result<BTreeMap<String, String>, NotThis> {
    if body.len() > max {
        return Err(NotThis::TooLong);
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body).take(MAX_PARAMETERS + 1) {
        if parameters
            .insert(name.into_owned(), value.into_owned())
            .is_some()
            || parameters.len() > MAX_PARAMETERS
        {
            return Err(NotThis::Malformed);
        }
    }
    parameters.retain(|_, value| !value.is_empty());
    Ok(parameters)
}

/// The parameters that are there.
pub(crate) fn encode<'a>(
    parameters: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            body.append_pair(name, value);
        }
    }
    body.finish()
}
