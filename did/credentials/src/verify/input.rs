//! The forms in which credentials and presentations arrive.

use serde_json::{Value, json};

use crate::{Document, VerifyError, credential::BASE_CONTEXT, sd_jwt::SdJwt};

const ENVELOPED_CREDENTIAL: &str = "EnvelopedVerifiableCredential";

/// A credential in one of the forms that are understood. Nothing else is known of it.
#[derive(Debug, Clone, PartialEq)]
pub enum UnverifiedCredential {
    /// VCDM 2.0 with a Data Integrity proof.
    DataIntegrity(Document),
    /// VCDM 2.0 as `vc+jwt`.
    Jwt(String),
    /// SD-JWT VC.
    SdJwt(SdJwt),
}

impl UnverifiedCredential {
    /// From JSON: a credential with its proof, an `EnvelopedVerifiableCredential`, or a string as
    /// in [`Self::from_text`].
    pub fn from_value(value: Value) -> Result<Self, VerifyError> {
        Ok(match Form::of_value(value, &CREDENTIAL)? {
            Form::Json(document) => Self::DataIntegrity(document),
            Form::Jwt(token) => Self::Jwt(token),
            Form::SdJwt(token) => Self::SdJwt(token),
        })
    }

    /// From a compact JWS, an SD-JWT, or JSON text.
    pub fn from_text(text: &str) -> Result<Self, VerifyError> {
        Self::from_value(Value::String(text.to_owned()))
    }

    /// As a member of a presentation's `verifiableCredential`.
    pub(crate) fn to_member(&self) -> Value {
        match self {
            Self::DataIntegrity(document) => document.clone().into_value(),
            Self::Jwt(token) => envelope("application/vc+jwt", token),
            Self::SdJwt(token) => envelope("application/dc+sd-jwt", &token.to_text()),
        }
    }
}

/// A presentation in one of the forms that are understood. Nothing else is known of it.
#[derive(Debug, Clone, PartialEq)]
pub enum UnverifiedPresentation {
    /// VCDM 2.0 as JSON, with a Data Integrity proof or without any.
    Json(Document),
    /// VCDM 2.0 as `vp+jwt`.
    Jwt(String),
    /// SD-JWT VC with key binding.
    SdJwt(SdJwt),
}

impl UnverifiedPresentation {
    /// From JSON: a presentation, an `EnvelopedVerifiablePresentation`, or a string as in
    /// [`Self::from_text`].
    pub fn from_value(value: Value) -> Result<Self, VerifyError> {
        Ok(match Form::of_value(value, &PRESENTATION)? {
            Form::Json(document) => Self::Json(document),
            Form::Jwt(token) => Self::Jwt(token),
            Form::SdJwt(token) => Self::SdJwt(token),
        })
    }

    /// From a compact JWS, an SD-JWT, or JSON text.
    pub fn from_text(text: &str) -> Result<Self, VerifyError> {
        Self::from_value(Value::String(text.to_owned()))
    }
}

/// What credentials and presentations come in.
enum Form {
    Json(Document),
    Jwt(String),
    SdJwt(SdJwt),
}

/// How one of the two is wrapped in JSON.
struct Envelope {
    kind: &'static str,
    jwt: &'static str,
}

const CREDENTIAL: Envelope = Envelope {
    kind: ENVELOPED_CREDENTIAL,
    jwt: "application/vc+jwt",
};
const PRESENTATION: Envelope = Envelope {
    kind: "EnvelopedVerifiablePresentation",
    jwt: "application/vp+jwt",
};

impl Form {
    fn of_value(value: Value, envelope: &Envelope) -> Result<Self, VerifyError> {
        let document = match value {
            Value::String(text) => {
                let text = text.trim();
                if !text.starts_with('{') {
                    return Ok(if text.contains('~') {
                        Self::SdJwt(SdJwt::parse(text)?)
                    } else {
                        Self::Jwt(text.to_owned())
                    });
                }
                Document::parse(text.as_bytes())?
            }
            value => Document::try_from(value)?,
        };
        match enveloped(&document, envelope.kind)? {
            None => Ok(Self::Json(document)),
            Some((media_type, token)) if media_type == envelope.jwt => {
                Ok(Self::Jwt(token.to_owned()))
            }
            Some(("application/dc+sd-jwt", token)) => Ok(Self::SdJwt(SdJwt::parse(token)?)),
            Some((other, _)) => Err(VerifyError::UnknownSuite(other.to_owned())),
        }
    }
}

/// A credential of another kind as a member of a presentation (VCDM 2.0 section 4.13.1).
fn envelope(media_type: &str, text: &str) -> Value {
    json!({
        "@context": [BASE_CONTEXT],
        "id": format!("data:{media_type},{text}"),
        "type": ENVELOPED_CREDENTIAL,
    })
}

/// The media type and content of an envelope, if `document` is one.
fn enveloped<'a>(
    document: &'a Document,
    kind: &str,
) -> Result<Option<(&'a str, &'a str)>, VerifyError> {
    let members = document.members();
    let is_envelope = match members.get("type") {
        Some(Value::Array(types)) => types.iter().any(|name| name == kind),
        Some(name) => name == kind,
        None => false,
    };
    if !is_envelope {
        return Ok(None);
    }
    // Nobody signs the envelope, so it may say nothing of its own.
    let is = |name: &str, wanted: &str| {
        members
            .get(name)
            .is_some_and(|value| *value == wanted || *value == json!([wanted]))
    };
    if !(is("@context", BASE_CONTEXT) && is("type", kind) && members.len() == 3) {
        return Err(VerifyError::Malformed(
            "an envelope with more than its content",
        ));
    }
    members
        .get("id")
        .and_then(Value::as_str)
        .and_then(|id| id.strip_prefix("data:")?.split_once(','))
        .map(Some)
        .ok_or(VerifyError::Malformed("an envelope without content"))
}
