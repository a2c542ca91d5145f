//! What the key file holds. Anything that a crash must not lose is written here *before* the
//! request that makes it matter is sent; see [`EnrolmentState`].

use std::path::Path;

use blindprint_core::{
    Audience, ConsentId, Digest, EnrolmentId, Jws, KeyUri, ProfileId, ServiceId, SubjectId,
    UnixTime,
    statement::{Decision, Purpose},
};
use blindprint_protocol::attestation::Trust;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Address, Error, Result, credential::CredentialRecord, did::DidRecord, log::SeenLog,
    rights::ErasureRecord, secret::Secret,
};

#[derive(Serialize, Deserialize)]
enum Format {
    #[serde(rename = "blindprint-wallet/v1")]
    V1,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    format: Format,
    pub(crate) address: Address,
    pub(crate) service: ServiceId,
    #[serde(with = "trust_file")]
    pub(crate) trust: Trust,
    pub(crate) subject: SubjectId,
    /// Seed of the key that the service has pinned, or will at the first consent.
    pub(crate) identity: Secret,
    /// The key that takes over; the enclave may or may not know it yet.
    pub(crate) next_identity: Option<Secret>,
    pub(crate) recovery: RecoveryKey,
    /// A takeover of a subject whose answer has not come yet.
    pub(crate) takeover: Option<Takeover>,
    pub(crate) consents: Vec<ConsentRecord>,
    pub(crate) enrolments: Vec<EnrolmentRecord>,
    /// An erasure of everything, asked for or done.
    #[serde(default)]
    pub(crate) erasure: Option<ErasureRecord>,
    #[serde(default)]
    pub(crate) dids: Vec<DidRecord>,
    #[serde(default)]
    pub(crate) credentials: Vec<CredentialRecord>,
    /// What is known of the service's transparency log.
    #[serde(default)]
    pub(crate) log: Option<SeenLog>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoveryKey {
    pub(crate) public: KeyUri,
    /// Kept until it is on paper, no longer.
    pub(crate) secret: Option<Secret>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Takeover {
    pub(crate) subject: SubjectId,
    pub(crate) recovery: RecoveryKey,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentRecord {
    pub(crate) id: ConsentId,
    pub(crate) purpose: Purpose,
    /// Who may learn of verdicts, where the purpose is sharing.
    pub(crate) recipient: Option<Audience>,
    /// Yes or no.
    pub(crate) decision: Decision,
    pub(crate) notice: Digest,
    pub(crate) expires: UnixTime,
    /// What was signed.
    pub(crate) consent: Jws,
    /// The consent record that it names.
    pub(crate) record: serde_json::Value,
    /// What lets in a subject whom the service does not know.
    pub(crate) invitation: Option<String>,
    /// The enclave's word that it took note; without it the record may not have arrived.
    pub(crate) given: Option<Jws>,
    /// What was signed to take it back.
    pub(crate) withdrawal: Option<Jws>,
    /// The enclave's word that it was taken back.
    pub(crate) withdrawn: Option<Jws>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolmentRecord {
    pub(crate) id: EnrolmentId,
    pub(crate) profile: ProfileId,
    /// κ: with it gone, the template is noise for ever.
    pub(crate) encoding_key: Secret,
    pub(crate) state: EnrolmentState,
}

/// Where an enrolment stands. The only ways are `Sent → Registered → Erasing → (gone)` and
/// `Sent → (gone)`; κ goes with the record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum EnrolmentState {
    /// The request may or may not have arrived. It is kept whole, so that it can be sent again.
    Sent {
        statement: Jws,
        /// The same signed by the recovery key.
        recovery: Option<Jws>,
        #[serde(with = "submission")]
        submission: Vec<u8>,
        invitation: Option<String>,
        replaces: Option<EnrolmentId>,
    },
    /// The enclave has it.
    Registered {
        template: Digest,
        enrolled: UnixTime,
        /// Lost if the answer was, and the service no longer remembers the request.
        receipt: Option<Jws>,
    },
    /// The wallet wants it gone; the enclave may or may not know yet.
    Erasing { template: Digest },
}

/// Trust in the text form of its file, which its own parser checks.
mod trust_file {
    use blindprint_protocol::attestation::Trust;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        trust: &Trust,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&trust.to_json())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Trust, D::Error> {
        Trust::parse(String::deserialize(deserializer)?.as_bytes()).map_err(D::Error::custom)
    }
}

mod submission {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        STANDARD
            .decode(<&str>::deserialize(deserializer)?)
            .map_err(D::Error::custom)
    }
}

impl State {
    /// A wallet that has told nobody of itself yet.
    pub(crate) fn new(
        address: Address,
        service: ServiceId,
        trust: Trust,
        identity: Secret,
        recovery: Secret,
    ) -> Self {
        Self {
            format: Format::V1,
            address,
            service,
            trust,
            subject: identity.signing_key().public().subject(),
            identity,
            next_identity: None,
            recovery: RecoveryKey {
                public: recovery.signing_key().public().uri(),
                secret: Some(recovery),
            },
            takeover: None,
            consents: Vec::new(),
            enrolments: Vec::new(),
            erasure: None,
            dids: Vec::new(),
            credentials: Vec::new(),
            log: None,
        }
    }

    /// The JSON, in a buffer that is overwritten and never moved while it grows.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut length = Counter(0);
        serde_json::to_writer(&mut length, self).expect("a wallet's state serializes");
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *bytes, self).expect("a wallet's state serializes");
        bytes
    }

    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|_| Error::Damaged {
            path: path.to_owned(),
            reason: "its contents are not those of a wallet of this version",
        })
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
