//! JSON Web Encryption in compact form (RFC 7516): ECDH-ES with direct key agreement on P-256 (RFC 7518
//! section 4.6), A128GCM or A256GCM. What is compressed is refused: a few bytes would unpack to gigabytes.

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::Entropy;
use p256::ecdh::diffie_hellman;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use self::key::{coordinates, point};
use crate::{Code, Error, Result};

mod key;

pub use key::{DecryptionKey, Jwks, RecipientKey};

/// The one key management algorithm.
pub const ALG: &str = "ECDH-ES";
/// Longest name of a key, in bytes.
const MAX_KID: usize = 512;
/// Longest `apu` or `apv`, in bytes.
const MAX_PARTY: usize = 1024;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// How the content is encrypted: `enc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// AES-128 in GCM.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-256 in GCM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl Encryption {
    /// All that there are, for metadata.
    pub const NAMES: [&'static str; 2] = ["A128GCM", "A256GCM"];

    /// As it stands in `enc`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "A128GCM" => Some(Self::A128Gcm),
            "A256GCM" => Some(Self::A256Gcm),
            _ => None,
        }
    }

    /// The strongest of those that the other side names.
    pub fn best_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        names
            .into_iter()
            .filter_map(Self::from_name)
            .max_by_key(|enc| enc.key_len())
    }

    /// In bytes.
    const fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }
}

/// Names of the parties that enter the key's derivation: `apu` and `apv` (RFC 7518 section 4.6.1).
/// They are authenticated, not hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parties<'a> {
    /// Who encrypts.
    pub producer: Option<&'a [u8]>,
    /// For whom.
    pub recipient: Option<&'a [u8]>,
}

/// Encrypts `plaintext` to `key`.
///
/// # Panics
/// Never: the header is plain JSON, and AES-GCM takes far more than memory holds.
pub fn encrypt(
    plaintext: &[u8],
    key: &RecipientKey,
    enc: Encryption,
    parties: Parties<'_>,
    entropy: &dyn Entropy,
) -> String {
    let ephemeral = DecryptionKey::generate(entropy);
    encrypt_from(&ephemeral, plaintext, key, enc, parties, entropy.bytes())
}

fn encrypt_from(
    ephemeral: &DecryptionKey,
    plaintext: &[u8],
    key: &RecipientKey,
    enc: Encryption,
    parties: Parties<'_>,
    nonce: [u8; NONCE_LEN],
) -> String {
    let mut header = json!({
        "alg": ALG,
        "enc": enc.name(),
        "epk": coordinates(&ephemeral.secret.public_key()),
    });
    if let Some(kid) = &key.kid {
        header["kid"] = kid.as_str().into();
    }
    for (name, party) in [("apu", parties.producer), ("apv", parties.recipient)] {
        if let Some(party) = party {
            header[name] = URL_SAFE_NO_PAD.encode(party).into();
        }
    }
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let content_key = agree(&ephemeral.secret, &key.point, enc, parties);
    let sealed = Payload {
        msg: plaintext,
        aad: header.as_bytes(),
    };
    let sealed = match enc {
        Encryption::A128Gcm => Aes128Gcm::new_from_slice(&content_key)
            .expect("16 bytes")
            .encrypt(&nonce.into(), sealed),
        Encryption::A256Gcm => Aes256Gcm::new_from_slice(&content_key)
            .expect("32 bytes")
            .encrypt(&nonce.into(), sealed),
    }
    .expect("a message in memory is shorter than AES-GCM's limit");
    let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG_LEN);
    // Between the first two dots stands the encrypted key, of which direct agreement has none.
    format!(
        "{header}..{}.{}.{}",
        URL_SAFE_NO_PAD.encode(nonce),
        URL_SAFE_NO_PAD.encode(ciphertext),
        URL_SAFE_NO_PAD.encode(tag)
    )
}

/// A JWE that parses, and of which nothing else is known.
pub struct SealedJwe {
    protected: String,
    enc: Encryption,
    kid: Option<String>,
    ephemeral: p256::PublicKey,
    producer: Option<Vec<u8>>,
    recipient: Option<Vec<u8>>,
    nonce: [u8; NONCE_LEN],
    /// With the tag at its end.
    ciphertext: Vec<u8>,
}

impl SealedJwe {
    /// Parses a JWE of at most `longest` bytes.
    pub fn parse(jwe: &str, longest: usize) -> Result<Self> {
        if jwe.len() > longest {
            return Err(refused("the JWE is too long"));
        }
        let parts: Vec<&str> = jwe.splitn(6, '.').collect();
        let [protected, encrypted_key, nonce, ciphertext, tag] = parts[..] else {
            return Err(refused("a compact JWE has five parts"));
        };
        if !encrypted_key.is_empty() {
            return Err(refused("direct key agreement has no encrypted key"));
        }
        let header = decode(protected)
            .and_then(|json| blindprint_did::json::object(&json))
            .ok_or_else(|| refused("the JWE header is not one JSON object"))?;
        if header.contains_key("zip") {
            return Err(refused("compression is not supported"));
        }
        if header.contains_key("crit") {
            return Err(refused("the JWE asks for an extension"));
        }
        if header.get("alg").is_none_or(|alg| alg != ALG) {
            return Err(refused("the key management algorithm is not ECDH-ES"));
        }
        let text = |name: &str, longest: usize| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= longest => Ok(Some(text.as_str())),
            Some(_) => Err(refused("the JWE header has a member of another form")),
        };
        let party = |name| {
            text(name, 2 * MAX_PARTY)?
                .map(|party| {
                    decode(party).ok_or_else(|| refused("a party's name is not base64url"))
                })
                .transpose()
        };
        let nonce = decode(nonce).and_then(|nonce| nonce.try_into().ok());
        let tag = decode(tag).filter(|tag| tag.len() == TAG_LEN);
        let (Some(nonce), Some(mut ciphertext), Some(tag)) = (nonce, decode(ciphertext), tag)
        else {
            return Err(refused(
                "a part of the JWE is not base64url or of another length",
            ));
        };
        ciphertext.extend(tag);
        let ephemeral = header.get("epk").and_then(Value::as_object);
        Ok(Self {
            enc: text("enc", 16)?
                .and_then(Encryption::from_name)
                .ok_or_else(|| refused("the content encryption is neither A128GCM nor A256GCM"))?,
            kid: text("kid", MAX_KID)?.map(str::to_owned),
            // Not on the curve is no point: no key is given away through a twist.
            ephemeral: ephemeral
                .filter(|jwk| jwk.get("kty").is_some_and(|kty| kty == "EC"))
                .filter(|jwk| jwk.get("crv").is_some_and(|crv| crv == "P-256"))
                .and_then(point)
                .ok_or_else(|| refused("the ephemeral key is not on P-256"))?,
            producer: party("apu")?,
            recipient: party("apv")?,
            nonce,
            ciphertext,
            protected: protected.to_owned(),
        })
    }

    /// The key that it says it is encrypted to.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// How its content is encrypted.
    pub const fn encryption(&self) -> Encryption {
        self.enc
    }

    /// The plaintext, if it was encrypted to `key` and arrived whole.
    ///
    /// # Panics
    /// Never: the derived key has the length that the cipher takes.
    pub fn open(&self, key: &DecryptionKey) -> Result<Zeroizing<Vec<u8>>> {
        let parties = Parties {
            producer: self.producer.as_deref(),
            recipient: self.recipient.as_deref(),
        };
        let content_key = agree(&key.secret, &self.ephemeral, self.enc, parties);
        let sealed = Payload {
            msg: &self.ciphertext,
            aad: self.protected.as_bytes(),
        };
        match self.enc {
            Encryption::A128Gcm => Aes128Gcm::new_from_slice(&content_key)
                .expect("16 bytes")
                .decrypt(&self.nonce.into(), sealed),
            Encryption::A256Gcm => Aes256Gcm::new_from_slice(&content_key)
                .expect("32 bytes")
                .decrypt(&self.nonce.into(), sealed),
        }
        .map(Zeroizing::new)
        .map_err(|_| refused("the JWE is not encrypted to this key, or damaged"))
    }
}

/// The content encryption key: Concat KDF with SHA-256 over the agreed x coordinate (RFC 7518
/// section 4.6.2).
fn agree(
    mine: &p256::SecretKey,
    theirs: &p256::PublicKey,
    enc: Encryption,
    parties: Parties<'_>,
) -> Zeroizing<Vec<u8>> {
    let shared = diffie_hellman(mine.to_nonzero_scalar(), theirs.as_affine());
    let mut key = Zeroizing::new(vec![0; enc.key_len()]);
    let mut info = Vec::new();
    let length = |bytes: usize| u32::try_from(bytes).expect("names are short").to_be_bytes();
    for part in [
        enc.name().as_bytes(),
        parties.producer.unwrap_or_default(),
        parties.recipient.unwrap_or_default(),
    ] {
        info.extend(length(part.len()));
        info.extend(part);
    }
    // SuppPubInfo: the key's length in bits.
    info.extend(length(8 * enc.key_len()));
    concat_kdf::derive_key_into::<Sha256>(shared.raw_secret_bytes(), &info, &mut key)
        .expect("a key of 16 or 32 bytes from a secret of 32");
    key
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

const fn refused(reason: &'static str) -> Error {
    Error::new(Code::InvalidRequest, reason)
}

#[cfg(test)]
mod tests;
