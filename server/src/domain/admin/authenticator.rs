//! An authenticator in software, for tests: what a browser and its passkey do together.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Entropy, SystemEntropy};
use ciborium::value::Value as Cbor;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;

/// One passkey and the browser that it is used in.
pub(crate) struct Authenticator {
    key: SigningKey,
    id: [u8; 32],
    /// Whose the passkey is, as the site named them.
    pub user: Vec<u8>,
    /// The address that the browser shows.
    pub origin: String,
    /// How often it was used.
    pub counter: u32,
    /// Whether it asks for finger or PIN.
    pub verifies: bool,
}

impl Authenticator {
    pub(crate) fn new(origin: &str) -> Self {
        let entropy: &dyn Entropy = &SystemEntropy;
        Self {
            key: SigningKey::from_slice(&entropy.bytes::<32>()).unwrap(),
            id: entropy.bytes(),
            user: Vec::new(),
            origin: origin.to_owned(),
            counter: 0,
            verifies: true,
        }
    }

    /// `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let rp = options["rp"]["id"].as_str().unwrap();
        self.user = decode(&options["user"]["id"]);
        let client = self.client("webauthn.create", options);
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap(), point.y().unwrap());
        let key = Cbor::Map(vec![
            (1.into(), 2.into()),
            (3.into(), (-7).into()),
            ((-1).into(), 1.into()),
            ((-2).into(), Cbor::Bytes(x.to_vec())),
            ((-3).into(), Cbor::Bytes(y.to_vec())),
        ]);
        let mut data = self.data(rp, HAS_KEY);
        data.extend([0; 16]);
        data.extend(32_u16.to_be_bytes());
        data.extend(self.id);
        ciborium::into_writer(&key, &mut data).unwrap();
        let attestation = Cbor::Map(vec![
            (Cbor::Text("fmt".into()), Cbor::Text("none".into())),
            (Cbor::Text("attStmt".into()), Cbor::Map(Vec::new())),
            (Cbor::Text("authData".into()), Cbor::Bytes(data)),
        ]);
        let mut object = Vec::new();
        ciborium::into_writer(&attestation, &mut object).unwrap();
        json!({
            "id": encode(self.id),
            "rawId": encode(self.id),
            "type": "public-key",
            "extensions": {},
            "response": {
                "attestationObject": encode(object),
                "clientDataJSON": encode(client),
                "transports": ["internal"],
            },
        })
    }

    /// `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let rp = options["rpId"].as_str().unwrap();
        self.counter += 1;
        let client = self.client("webauthn.get", options);
        let data = self.data(rp, 0);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(client.as_bytes()));
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": encode(self.id),
            "rawId": encode(self.id),
            "type": "public-key",
            "extensions": {},
            "response": {
                "authenticatorData": encode(data),
                "clientDataJSON": encode(client),
                "signature": encode(signature.to_der().as_bytes()),
                "userHandle": encode(&self.user),
            },
        })
    }

    fn client(&self, kind: &str, options: &Value) -> String {
        json!({
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
    }

    fn data(&self, rp: &str, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = Sha256::digest(rp.as_bytes()).to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}
