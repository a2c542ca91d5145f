use super::*;
use crate::{DidUrl, Relationship};

fn of(jwk: &Value) -> Result<Document, ResolutionError> {
    resolve(&format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk.to_string())).parse()?)
}

/// The examples of the did:jwk specification.
#[test]
fn the_specifications_examples() {
    const P256: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";
    const X25519: &str = "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5yZngtRkctSUswOCJ9";
    let document = resolve(&P256.parse().unwrap()).unwrap();
    let name: DidUrl = format!("{P256}#0").parse().unwrap();
    let method = document.method(&name).unwrap();
    assert_eq!(method.kind, "JsonWebKey2020");
    assert_eq!(
        method.jwk().unwrap()["x"],
        "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"
    );
    assert!(method.key().is_some());
    for relationship in Relationship::ALL {
        assert!(document.permits(&name, relationship));
    }
    let document = resolve(&X25519.parse().unwrap()).unwrap();
    let name: DidUrl = format!("{X25519}#0").parse().unwrap();
    assert_eq!(document.method(&name).unwrap().key(), None);
    for relationship in Relationship::ALL {
        let expected = relationship == Relationship::KeyAgreement;
        assert_eq!(document.permits(&name, relationship), expected);
    }
}

#[test]
fn a_key_for_signing_is_for_nothing_else() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let document = of(&json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig"})).unwrap();
    assert!(document.key_agreement.is_empty() && document.authentication.len() == 1);
    for bad in [
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": x}),
        json!({"kty": "oct", "k": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "other"}),
        json!({"crv": "Ed25519", "x": x}),
        json!([]),
        json!("x"),
    ] {
        assert_eq!(of(&bad), Err(ResolutionError::InvalidDid), "{bad}");
    }
    for bad in ["did:jwk:e30", "did:jwk:e", "did:jwk:%20", "did:jwk:eyJh"] {
        assert_eq!(
            resolve(&bad.parse().unwrap()),
            Err(ResolutionError::InvalidDid),
            "{bad}"
        );
    }
}
