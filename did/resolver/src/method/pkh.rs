//! did:pkh (<https://github.com/w3c-ccg/did-pkh>): the document is a blockchain account (CAIP-10).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{Did, Document, ResolutionError};

/// The document: the account itself, and for Solana, whose addresses are keys, the key.
pub(crate) fn resolve(did: &Did) -> Result<Document, ResolutionError> {
    let account = did.method_specific_id();
    let mut parts = account.split(':');
    let (Some(namespace), Some(chain), Some(address), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ResolutionError::InvalidDid);
    };
    // CAIP-2 and CAIP-10.
    let text = |text: &str, longest: usize, more: &[u8]| {
        (1..=longest).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    if !(text(chain, 32, b"-_") && text(address, 128, b"-.")) {
        return Err(ResolutionError::InvalidDid);
    }
    match namespace {
        "eip155" => {
            let number = chain.parse::<u64>().is_ok() && !chain.starts_with(['0', '+']);
            if !number || super::ethr::address(address).is_none() {
                return Err(ResolutionError::InvalidDid);
            }
            document(did, &[recovery(did, account)], &recovery_context())
        }
        // Legacy addresses are base58check of 25 bytes; later ones are bech32.
        "bip122" if is_base58check(address) || is_bech32(address) => {
            document(did, &[recovery(did, account)], &recovery_context())
        }
        "solana" => {
            let mut key = [0; 33];
            let length = bs58::decode(address).onto(&mut key).unwrap_or_default();
            let key = key.get(..length).filter(|key| key.len() == 32);
            solana(
                did,
                account,
                address,
                key.ok_or(ResolutionError::InvalidDid)?,
            )
        }
        "bip122" => Err(ResolutionError::InvalidDid),
        _ => Err(ResolutionError::FeatureNotSupported(
            "did:pkh of other chains than eip155, bip122 and solana",
        )),
    }
}

fn recovery(did: &Did, account: &str) -> Value {
    json!({
        "id": format!("{did}#blockchainAccountId"),
        "type": "EcdsaSecp256k1RecoveryMethod2020",
        "controller": did,
        "blockchainAccountId": account,
    })
}

fn recovery_context() -> Value {
    json!({
        "blockchainAccountId": "https://w3id.org/security#blockchainAccountId",
        "EcdsaSecp256k1RecoveryMethod2020":
            "https://identity.foundation/EcdsaSecp256k1RecoverySignature2020#EcdsaSecp256k1RecoveryMethod2020",
    })
}

fn solana(
    did: &Did,
    account: &str,
    address: &str,
    key: &[u8],
) -> Result<Document, ResolutionError> {
    let methods = [
        json!({
            "id": format!("{did}#controller"),
            "type": "Ed25519VerificationKey2018",
            "controller": did,
            "blockchainAccountId": account,
            "publicKeyBase58": address,
        }),
        json!({
            "id": format!("{did}#SolanaMethod2021"),
            "type": "SolanaMethod2021",
            "controller": did,
            "blockchainAccountId": account,
            "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key)},
        }),
    ];
    let context = json!({
        "blockchainAccountId": "https://w3id.org/security#blockchainAccountId",
        "publicKeyBase58": "https://w3id.org/security#publicKeyBase58",
        "publicKeyJwk": {"@id": "https://w3id.org/security#publicKeyJwk", "@type": "@json"},
        "Ed25519VerificationKey2018": "https://w3id.org/security#Ed25519VerificationKey2018",
        "SolanaMethod2021": "https://w3id.org/security#SolanaMethod2021",
    });
    document(did, &methods, &context)
}

fn document(did: &Did, methods: &[Value], context: &Value) -> Result<Document, ResolutionError> {
    let names: Vec<&Value> = methods.iter().map(|method| &method["id"]).collect();
    let document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", context],
        "id": did,
        "verificationMethod": methods,
        "authentication": names,
        "assertionMethod": names,
    });
    Document::from_value(document, did)
}

fn is_base58check(address: &str) -> bool {
    use sha2::{Digest as _, Sha256};
    let mut bytes = [0; 26];
    let length = bs58::decode(address).onto(&mut bytes).unwrap_or_default();
    let Some((payload, checksum)) = bytes[..length].split_last_chunk::<4>() else {
        return false;
    };
    payload.len() == 21 && Sha256::digest(Sha256::digest(payload))[..4] == *checksum
}

/// The shape of a segwit address (BIP 173), in lower case. The checksum is left to the wallet: no
/// key comes of the address.
fn is_bech32(address: &str) -> bool {
    const CHARSET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    address.rsplit_once('1').is_some_and(|(prefix, data)| {
        (2..=4).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_lowercase())
            && (14..=74).contains(&data.len())
            && data.bytes().all(|b| CHARSET.contains(&b))
    })
}

#[cfg(test)]
mod tests;
