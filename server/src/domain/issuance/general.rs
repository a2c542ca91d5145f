//! Credentials that machine clients have issued under the service's DID, on their own word. None can
//! pass for one of Blindprint's own, which stand on what the service has seen itself.

use blindprint_core::problem::ProblemCode;
use blindprint_credentials::{
    Contexts, Credential, CredentialType, Document, IssueError, Signer, Suite,
};
use blindprint_did::KeyType;
use serde_json::Value;

use super::Credentials;
use crate::{
    Error, Result,
    domain::{
        ClientId,
        issued::{Ground, Issuance, IssuanceId, ListKind, Standing, Whose},
        ledger::Stamp,
    },
};

const LONGEST_NAME: usize = 512;
/// Types of credentials and subjects that tell the status of others: the service's own lists alone do that
/// under its DID.
const LISTS: [&str; 4] = [
    "BitstringStatusListCredential",
    "BitstringStatusList",
    "StatusList2021Credential",
    "StatusList2021",
];

/// How such a credential is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Securing {
    /// With a Data Integrity proof.
    Proof(Suite),
    /// As `vc+jwt`.
    Jwt,
}

/// A credential that a machine client wants issued.
#[derive(Debug, Clone)]
pub struct General {
    /// Who wants it.
    pub client: ClientId,
    /// The credential; its issuer is set.
    pub credential: Value,
    /// What the client calls it, if not by its `id`.
    pub name: Option<String>,
    /// How it is secured.
    pub securing: Securing,
    /// Whether it can be suspended and revoked.
    pub status: bool,
}

/// A change of status that is asked for.
#[derive(Debug, Clone)]
pub struct Change {
    /// Of what.
    pub whose: Whose,
    /// To what.
    pub to: Standing,
}

impl Credentials {
    /// Issues a credential on a client's word.
    pub async fn issue_general(&self, wanted: General) -> Result<Value> {
        let issuer = self.parts.issuer.now();
        let credential = ordinary(wanted.credential, self.terms.service.as_str())?
            .issued_by(issuer.did().as_str())
            .map_err(refused)?;
        let now = self.parts.clock.now();
        let id = credential.document().members().get("id");
        let name = wanted.name.or_else(|| id?.as_str().map(str::to_owned));
        if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
            return Err(malformed("the credential's id has more than 512 bytes"));
        }
        // What cannot be signed must not take an index.
        let (contexts, key) = (
            Contexts::standard(),
            issuer.credential_key(KeyType::Ed25519),
        );
        let sign = |credential: Credential| -> Result<Value, IssueError> {
            Ok(match wanted.securing {
                Securing::Proof(suite) => {
                    let method = issuer.multikey_method(key);
                    Signer::new(key, &method, &contexts)?.credential(credential, suite, now)?
                }
                Securing::Jwt => {
                    let method = issuer.jose_method(key);
                    let signer = Signer::new(key, &method, &contexts)?;
                    signer.credential_jwt(&credential)?.into()
                }
            })
        };
        let signed = sign(credential.clone()).map_err(refused)?;
        let issuance = Issuance {
            id: IssuanceId::random(&*self.parts.entropy),
            ground: Ground::Client {
                client: wanted.client,
                credential: name,
            },
            issuer: issuer.method(),
            entries: wanted.status.then_some((ListKind::Bitstring, 1)),
            issued: now,
        };
        let entries = self
            .parts
            .store
            .record_issuance(&issuance, &*self.parts.entropy)
            .await?
            .ok_or(Error::Refused(ProblemCode::NoBasis))?;
        metrics::counter!("blindprint_credentials_issued_total", "kind" => "general").increment(1);
        match entries.first() {
            None => Ok(signed),
            Some(entry) => {
                let entries = self.parts.lists.bitstring_entries(*entry);
                credential
                    .with_status(&entries)
                    .and_then(sign)
                    .map_err(refused)
            }
        }
    }

    /// Changes what the lists say. Returns what they say then.
    pub async fn change_status(&self, change: &Change) -> Result<Standing> {
        let store = &self.parts.store;
        let stamp = Stamp {
            at: self.parts.clock.now(),
            entropy: &*self.parts.entropy,
        };
        let standing = store
            .change_standing(&change.whose, change.to, stamp)
            .await?;
        match standing {
            None => Err(Error::Refused(ProblemCode::NotFound)),
            Some(Standing::Revoked) if change.to != Standing::Revoked => Err(Error::because(
                ProblemCode::Conflict,
                "what is revoked stays revoked",
            )),
            Some(standing) => Ok(standing),
        }
    }
}

/// A credential that claims nothing that is Blindprint's own to say.
fn ordinary(credential: Value, service: &str) -> Result<Credential> {
    let Value::Object(mut members) = credential else {
        return Err(malformed("credential: an object"));
    };
    for (member, why) in [
        ("proof", "credential: it has a proof already"),
        (
            "credentialStatus",
            "credential: the service sets credentialStatus; ask for it in the options",
        ),
    ] {
        if members.contains_key(member) {
            return Err(malformed(why));
        }
    }
    // The service's DID replaces whatever stands there.
    members
        .entry("issuer")
        .or_insert_with(|| Value::from("did:web:replaced.invalid"));
    if types(&Value::Object(members.clone())).any(|name| is_ours(&name, service)) {
        return Err(Error::because(
            ProblemCode::CredentialRefused,
            "credentials of Blindprint's own types stand on an enrolment, a verdict or a consent",
        ));
    }
    if types(&Value::Object(members.clone())).any(|name| is_list(&name)) {
        return Err(Error::because(
            ProblemCode::CredentialRefused,
            "a status list is signed by the service alone",
        ));
    }
    let id = members.get("id").and_then(Value::as_str);
    if id.is_some_and(|id| is_below(id, service)) {
        return Err(Error::because(
            ProblemCode::CredentialRefused,
            "id: an address of the service's own, where something else is",
        ));
    }
    let document = Document::try_from(members).map_err(|error| refused(error.into()))?;
    Credential::parse(document).map_err(|error| refused(error.into()))
}

/// Every type that is named anywhere, whatever a context may make of it.
fn types(value: &Value) -> Box<dyn Iterator<Item = String> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter().flat_map(types)),
        Value::Object(members) => Box::new(members.iter().flat_map(|(name, member)| {
            let named: Vec<String> = match (name.as_str(), member) {
                ("type" | "@type", Value::String(text)) => vec![text.clone()],
                ("type" | "@type", Value::Array(texts)) => texts
                    .iter()
                    .filter_map(|text| text.as_str().map(str::to_owned))
                    .collect(),
                _ => Vec::new(),
            };
            named.into_iter().chain(types(member))
        })),
        _ => Box::new(std::iter::empty()),
    }
}

/// Whether a type is one of ours, by its name or by an address below the service's own.
fn is_ours(name: &str, service: &str) -> bool {
    let own = CredentialType::ALL
        .into_iter()
        .any(|known| name.ends_with(known.name()));
    own || is_below(name, service)
}

/// Whether a type is one of status lists, by its name or its IRI.
fn is_list(name: &str) -> bool {
    LISTS
        .into_iter()
        .any(|known| name.rsplit(['#', '/', ':']).next() == Some(known))
}

/// Whether an address is the service's own. Scheme and host have no case.
fn is_below(address: &str, service: &str) -> bool {
    address
        .get(..service.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(service))
}

fn malformed(detail: &str) -> Error {
    Error::because(ProblemCode::MalformedRequest, detail)
}

fn refused(error: IssueError) -> Error {
    match error {
        IssueError::Invalid(why) => Error::because(ProblemCode::CredentialRefused, why.to_string()),
        other => Error::broken("signing a credential")(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SERVICE: &str = "https://id.example.org";

    fn credential(more: &Value) -> Value {
        let mut credential = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "credentialSubject": { "id": "did:example:alice" },
        });
        for (name, member) in more.as_object().unwrap() {
            credential[name] = member.clone();
        }
        credential
    }

    #[test]
    fn nobody_but_the_service_signs_what_revokes() {
        assert!(ordinary(credential(&json!({})), SERVICE).is_ok());
        let elsewhere = json!({ "id": "https://shop.example/credentials/1" });
        assert!(ordinary(credential(&elsewhere), SERVICE).is_ok());
        for forged in [
            json!({ "type": ["VerifiableCredential", "BitstringStatusListCredential"] }),
            json!({ "type": ["VerifiableCredential", "StatusList2021Credential"] }),
            json!({ "type": [
                "VerifiableCredential",
                "https://www.w3.org/ns/credentials/status#BitstringStatusListCredential",
            ] }),
            json!({ "credentialSubject": {
                "id": "did:example:list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": "u",
            } }),
            json!({ "id": "https://id.example.org/status-lists/1/revocation" }),
            json!({ "id": "HTTPS://ID.example.org/status-lists/1/revocation" }),
        ] {
            let refused = ordinary(credential(&forged), SERVICE);
            let code = refused.map(|_| ()).map_err(|error| error.code());
            assert_eq!(code, Err(ProblemCode::CredentialRefused), "{forged}");
        }
    }
}
