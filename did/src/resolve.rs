use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{KeyUri, SubjectId};

use crate::{DidError, Jwk, PublicKey};

/// The key that a DID carries in itself: did:key and did:jwk. Other methods are
/// [`DidError::Method`].
pub fn resolve(subject: &SubjectId) -> Result<PublicKey, DidError> {
    let text = subject.as_str();
    if text.starts_with("did:key:") {
        let uri: KeyUri = text.parse().map_err(|_| DidError::Key)?;
        PublicKey::try_from(&uri)
    } else if let Some(encoded) = text.strip_prefix("did:jwk:") {
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| DidError::Key)?;
        // serde would also take a JSON array for a struct.
        if json.first() != Some(&b'{') {
            return Err(DidError::Key);
        }
        let jwk: Jwk = serde_json::from_slice(&json).map_err(|_| DidError::Key)?;
        PublicKey::try_from(&jwk)
    } else {
        Err(DidError::Method)
    }
}

impl PublicKey {
    /// The did:jwk subject that this key controls, over its canonical JWK (RFC 8785).
    ///
    /// # Panics
    /// Never: a JWK of either type takes far fewer bytes than a DID may.
    pub fn subject_jwk(&self) -> SubjectId {
        let json = serde_json::to_vec(&Jwk::from(self)).expect("text members always serialize");
        format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(json))
            .parse()
            .expect("base64url after a method is a DID")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The P-256 example of the did:jwk specification.
    const P256: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";
    /// Its X25519 example, a key that cannot sign.
    const X25519: &str = "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5yZngtRkctSUswOCJ9";

    fn jwk(json: &str) -> Result<PublicKey, DidError> {
        resolve(
            &format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(json))
                .parse()
                .unwrap(),
        )
    }

    #[test]
    fn the_specifications_examples() {
        let subject: SubjectId = P256.parse().unwrap();
        let key = resolve(&subject).unwrap();
        assert_eq!(key.subject_jwk(), subject);
        assert_eq!(resolve(&key.subject()).unwrap(), key);
        assert_eq!(resolve(&X25519.parse().unwrap()), Err(DidError::Key));
    }

    #[test]
    fn rfc_8037_appendix_a() {
        let key = jwk(
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        )
        .unwrap();
        assert_eq!(resolve(&key.subject_jwk()).unwrap(), key);
        assert!(key.subject_jwk().as_str().starts_with("did:jwk:eyJjcnYi"));
    }

    #[test]
    fn a_jwk_that_is_not_a_public_signing_key_is_refused() {
        const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert!(
            jwk(&format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","use":"sig","alg":"EdDSA","kid":"a"}}"#
            ))
            .is_ok()
        );
        for bad in [
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","d":"{X}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","x":"{X}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","y":"{X}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","use":"enc"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","alg":"ES256"}}"#),
            format!(r#"{{"kty":"EC","crv":"Ed25519","x":"{X}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{X}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}="}}"#),
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"}"#
                .to_owned(),
            format!(r#"[null,"Ed25519",null,"OKP",null,"{X}",null]"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"}} "x""#),
            "not json".to_owned(),
        ] {
            assert_eq!(jwk(&bad), Err(DidError::Key), "{bad}");
        }
    }

    #[test]
    fn methods_that_need_a_network_are_left_alone() {
        for did in ["did:web:example.org", "did:keys:z6Mk", "did:example:1"] {
            assert_eq!(
                resolve(&did.parse().unwrap()),
                Err(DidError::Method),
                "{did}"
            );
        }
    }
}
