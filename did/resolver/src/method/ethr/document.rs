//! A did:ethr document, as the method's reference resolver builds it.

use alloy_primitives::{Address, Bytes, U256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::UnixTime;
use serde_json::{Map, Value, json};

use super::{
    Account,
    history::{Event, Recorded},
};
use crate::{Did, Document, ResolutionError};

/// What the events say, while they are followed. Keys and services are numbered through, so that
/// a revoked one's number is not used again.
#[derive(Default)]
struct State {
    owner: Option<Address>,
    keys: Vec<(Slot, Value)>,
    authentication: Vec<(Slot, String)>,
    assertion: Vec<(Slot, String)>,
    agreement: Vec<(Slot, String)>,
    services: Vec<(Slot, Value)>,
    key_count: usize,
    service_count: usize,
}

/// What an event and its revocation have in common: kind, name and value.
#[derive(Clone, PartialEq, Eq)]
struct Slot(&'static str, String, Bytes);

pub(super) fn build(
    did: &Did,
    account: &Account<'_>,
    chain: u64,
    events: &[Recorded],
    now: UnixTime,
) -> Result<Document, ResolutionError> {
    let now = U256::from(u64::try_from(now.0).unwrap_or_default());
    let mut state = State::default();
    for recorded in events {
        match &recorded.event {
            Event::Owner(owner) => {
                state.owner = Some(*owner);
                if owner.is_zero() {
                    return deactivated(did);
                }
            }
            Event::Delegate {
                purpose,
                delegate,
                valid_to,
            } => {
                state.key_count += 1;
                let slot = Slot("delegate", purpose.clone(), Bytes::from(delegate.to_vec()));
                if *valid_to >= now {
                    state.add_delegate(did, chain, &slot, *delegate);
                } else {
                    state.remove(&slot);
                }
            }
            Event::Attribute {
                name,
                value,
                valid_to,
            } => {
                let slot = Slot("attribute", name.clone(), value.clone());
                if *valid_to >= now {
                    state.add_attribute(did, &slot);
                } else {
                    state.count_expired(name);
                    state.remove(&slot);
                }
            }
        }
    }
    state.document(did, account, chain)
}

impl State {
    fn add_delegate(&mut self, did: &Did, chain: u64, slot: &Slot, delegate: Address) {
        let id = format!("{did}#delegate-{}", self.key_count);
        match slot.1.as_str() {
            "sigAuth" => put(&mut self.authentication, slot, id.clone()),
            "veriKey" => {}
            _ => return,
        }
        let key = json!({
            "id": id,
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "controller": did,
            "blockchainAccountId": format!("eip155:{chain}:{}", delegate.to_checksum(None)),
        });
        put(&mut self.keys, slot, key);
        put(&mut self.assertion, slot, id);
    }

    fn add_attribute(&mut self, did: &Did, slot: &Slot) {
        let Some(name) = AttributeName::parse(&slot.1) else {
            return;
        };
        let value = slot.2.clone();
        if name.service {
            self.service_count += 1;
            let Ok(text) = std::str::from_utf8(&value) else {
                return;
            };
            let endpoint = blindprint_did::json::object(&value).map_or_else(
                || serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
                Value::Object,
            );
            let service = json!({
                "id": format!("{did}#service-{}", self.service_count),
                "type": name.algorithm,
                "serviceEndpoint": endpoint,
            });
            put(&mut self.services, slot, service);
            return;
        }
        self.key_count += 1;
        let Some(material) = material(name.encoding, &value) else {
            return;
        };
        let id = format!("{did}#delegate-{}", self.key_count);
        let key = json!({
            "id": id,
            "type": name.method_type(),
            "controller": did,
            material.0: material.1,
        });
        put(&mut self.keys, slot, key);
        match name.purpose {
            Some("enc") => put(&mut self.agreement, slot, id),
            Some("sigAuth") => {
                put(&mut self.authentication, slot, id.clone());
                put(&mut self.assertion, slot, id);
            }
            _ => put(&mut self.assertion, slot, id),
        }
    }

    /// A key or service that is over keeps its number.
    fn count_expired(&mut self, name: &str) {
        if name.starts_with("did/pub/") {
            self.key_count += 1;
        } else if name.starts_with("did/svc/") {
            self.service_count += 1;
        }
    }

    fn remove(&mut self, slot: &Slot) {
        self.keys.retain(|(at, _)| at != slot);
        self.authentication.retain(|(at, _)| at != slot);
        self.assertion.retain(|(at, _)| at != slot);
        self.agreement.retain(|(at, _)| at != slot);
        self.services.retain(|(at, _)| at != slot);
    }

    fn document(
        self,
        did: &Did,
        account: &Account<'_>,
        chain: u64,
    ) -> Result<Document, ResolutionError> {
        let owner = self.owner.unwrap_or(account.address);
        let controller = format!("{did}#controller");
        let mut methods = vec![json!({
            "id": controller,
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "controller": did,
            "blockchainAccountId": format!("eip155:{chain}:{}", owner.to_checksum(None)),
        })];
        let mut uses = vec![controller];
        if let Some(key) = account.public_key.filter(|_| owner == account.address) {
            let id = format!("{did}#controllerKey");
            methods.push(json!({
                "id": id,
                "type": "EcdsaSecp256k1VerificationKey2019",
                "controller": did,
                "publicKeyHex": key,
            }));
            uses.push(id);
        }
        methods.extend(values(self.keys));
        let mut document = base(did);
        document.insert("verificationMethod".to_owned(), methods.into());
        let with = |more: Vec<(Slot, String)>| [uses.clone(), values(more)].concat();
        document.insert(
            "authentication".to_owned(),
            with(self.authentication).into(),
        );
        document.insert("assertionMethod".to_owned(), with(self.assertion).into());
        document.insert("keyAgreement".to_owned(), values(self.agreement).into());
        document.insert("service".to_owned(), values(self.services).into());
        Document::from_value(Value::Object(document), did)
    }
}

fn deactivated(did: &Did) -> Result<Document, ResolutionError> {
    Document::from_value(Value::Object(base(did)), did)
}

fn base(did: &Did) -> Map<String, Value> {
    let context = json!([
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
        "https://w3id.org/security/v3-unstable",
    ]);
    [
        ("@context".to_owned(), context),
        ("id".to_owned(), did.as_str().into()),
    ]
    .into_iter()
    .collect()
}

/// `did/pub/<algorithm>/<purpose>/<encoding>` or `did/svc/<type>`; the last two may be missing.
struct AttributeName<'a> {
    service: bool,
    algorithm: &'a str,
    purpose: Option<&'a str>,
    encoding: Option<&'a str>,
}

impl<'a> AttributeName<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let mut parts = name.strip_prefix("did/")?.split('/');
        let service = match parts.next()? {
            "svc" => true,
            "pub" => false,
            _ => return None,
        };
        let parsed = Self {
            service,
            algorithm: parts.next()?,
            purpose: parts.next(),
            encoding: parts.next(),
        };
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let words = [Some(parsed.algorithm), parsed.purpose, parsed.encoding];
        let valid = parts.next().is_none() && words.into_iter().flatten().all(word);
        valid.then_some(parsed)
    }

    /// The verification method's type; for combinations without one the algorithm's name.
    fn method_type(&self) -> &'a str {
        match (self.algorithm, self.purpose) {
            ("Secp256k1", Some("veriKey" | "sigAuth")) => "EcdsaSecp256k1VerificationKey2019",
            ("Ed25519", Some("veriKey" | "sigAuth")) => "Ed25519VerificationKey2018",
            ("RSA", Some("veriKey")) => "RSAVerificationKey2018",
            ("X25519", Some("enc")) => "X25519KeyAgreementKey2019",
            (algorithm, _) => algorithm,
        }
    }
}

/// Longest key in bytes. Base58 takes time that grows with the square of the length.
const MAX_KEY: usize = 4096;

/// The member that holds a key, and the key in it.
fn material(encoding: Option<&str>, value: &Bytes) -> Option<(&'static str, String)> {
    if value.len() > MAX_KEY {
        return None;
    }
    Some(match encoding {
        None | Some("hex") => ("publicKeyHex", hex::encode(value)),
        Some("base64") => ("publicKeyBase64", STANDARD.encode(value)),
        Some("base58") => ("publicKeyBase58", bs58::encode(value).into_string()),
        Some("pem") => ("publicKeyPem", String::from_utf8(value.to_vec()).ok()?),
        Some(_) => ("value", hex::encode(value)),
    })
}

/// Sets what is in a slot, where it already stands if it does.
fn put<T>(list: &mut Vec<(Slot, T)>, slot: &Slot, value: T) {
    match list.iter_mut().find(|(at, _)| at == slot) {
        Some((_, old)) => *old = value,
        None => list.push((slot.clone(), value)),
    }
}

fn values<T>(list: Vec<(Slot, T)>) -> Vec<T> {
    list.into_iter().map(|(_, value)| value).collect()
}
