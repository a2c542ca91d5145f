use blindprint_core::SystemEntropy;

use super::*;

const ISSUER: &str = "https://id.example.org";
const NOW: UnixTime = UnixTime(1_790_000_000);
const BOTH: &[KeyType] = &[KeyType::Ed25519, KeyType::P256];

fn rules() -> ProofRules<'static> {
    ProofRules {
        issuer: ISSUER,
        key_types: BOTH,
        client: Client::Anonymous,
        batch_size: 4,
        now: NOW,
    }
}

fn key(key_type: KeyType) -> SigningKey {
    SigningKey::generate(key_type, &SystemEntropy)
}

/// A proof by `key` with these claims and this header; `null` takes one away.
fn proof(key: &SigningKey, claims: &Value, header: &Value) -> String {
    let mut all = json!({"aud": ISSUER, "iat": NOW, "nonce": "n"});
    all.as_object_mut()
        .unwrap()
        .extend(claims.as_object().unwrap().clone());
    all.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let mut whole = json!({"typ": TYP, "jwk": Jwk::from(&key.public())});
    whole
        .as_object_mut()
        .unwrap()
        .extend(header.as_object().unwrap().clone());
    let mut whole = whole.as_object().unwrap().clone();
    whole.retain(|_, value| !value.is_null());
    jwt::sign(key, whole, &all).unwrap()
}

fn one(proof: String, rules: &ProofRules<'_>) -> Result<ProvenKeys> {
    verify_proofs(&[proof], rules)
}

/// OID4VCI 1.0 appendix F.1, made by other software.
#[test]
fn the_specifications_proof() {
    const PROOF: &str = "eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiblVXQW9BdjNYWml0aDhFN2kxOU9kYXhPTFlGT3dNLVoyRXVNMDJUaXJUNCIsInkiOiJIc2tIVThCalVpMVU5WHFpN1N3bWo4Z3dBS18weGtjRGpFV183MVNvc0VZIn19.eyJhdWQiOiJodHRwczovL2NyZWRlbnRpYWwtaXNzdWVyLmV4YW1wbGUuY29tIiwiaWF0IjoxNzAxOTYwNDQ0LCJub25jZSI6IkxhclJHU2JtVVBZdFJZTzZCUTR5bjgifQ.-a3EDsxClUB4O3LeDD5DVGEnNMT01FCQW4P6-2-BNBqc_Zxf0Qw4CWayLEpqkAomlkLb9zioZoipdP-jvh1WlA";
    let rules = ProofRules {
        issuer: "https://credential-issuer.example.com",
        now: UnixTime(1_701_960_444),
        ..rules()
    };
    let proven = one(PROOF.to_owned(), &rules).unwrap();
    assert_eq!(
        proven.nonces().iter().collect::<Vec<_>>(),
        ["LarRGSbmUPYtRYO6BQ4yn8"]
    );
    let keys = proven.accept(true).unwrap();
    assert_eq!(
        keys[0].jwk().x,
        "nUWAoAv3XZith8E7i19OdaxOLYFOwM-Z2EuM02TirT4"
    );
}

#[test]
fn a_wallets_proofs_bind_to_its_keys_in_order() {
    let keys = [
        key(KeyType::Ed25519),
        key(KeyType::P256),
        key(KeyType::Ed25519),
    ];
    let proofs: Vec<String> = keys
        .iter()
        .map(|key| prove_key(key, ISSUER, Some("n"), None, NOW).unwrap())
        .collect();
    let proven = verify_proofs(&proofs, &rules()).unwrap();
    assert_eq!(proven.nonces().len(), 1);
    let holders = proven.accept(true).unwrap();
    for (key, holder) in keys.iter().zip(&holders) {
        assert_eq!(*holder.public(), key.public());
        assert_eq!(holder.did(), key.public().subject());
        assert_eq!(holder.kid(), None);
    }
    let stale = verify_proofs(&proofs, &rules()).unwrap().accept(false);
    assert_eq!(stale.unwrap_err().code(), "invalid_nonce");
}

#[test]
fn keys_are_named_by_did_as_well() {
    for key_type in BOTH {
        let key = key(*key_type);
        let did_key = key.public().subject();
        let did_jwk = key.public().subject_jwk();
        let fragment = did_key.as_str().strip_prefix("did:key:").unwrap();
        for (kid, did) in [
            (format!("{did_key}#{fragment}"), &did_key),
            (did_key.to_string(), &did_key),
            (format!("{did_jwk}#0"), &did_jwk),
        ] {
            let made = proof(&key, &json!({}), &json!({"jwk": null, "kid": kid}));
            let holders = one(made, &rules()).unwrap().accept(true).unwrap();
            assert_eq!(holders[0].did(), *did);
            assert_eq!(holders[0].kid(), Some(kid.as_str()));
            assert_eq!(*holders[0].public(), key.public());
        }
        for kid in [
            format!("{did_key}#0"),
            format!("{did_jwk}#1"),
            "did:web:example.org#key".to_owned(),
            "1".to_owned(),
        ] {
            let made = proof(&key, &json!({}), &json!({"jwk": null, "kid": kid}));
            assert_eq!(
                one(made, &rules()).unwrap_err().code(),
                "invalid_proof",
                "{kid}"
            );
        }
    }
}

#[test]
fn a_proof_names_its_key_once() {
    let key = key(KeyType::P256);
    let kid = key.public().subject().to_string();
    let x5c = json!(["MIIB"]);
    for header in [
        json!({"kid": kid}),
        json!({"x5c": x5c}),
        json!({"jwk": null}),
        json!({"jwk": null, "kid": kid, "x5c": x5c}),
        json!({"jwk": null, "kid": 1}),
    ] {
        let error = one(proof(&key, &json!({}), &header), &rules()).unwrap_err();
        assert_eq!(error.code(), "invalid_proof", "{header}");
    }
    let error = one(
        proof(&key, &json!({}), &json!({"jwk": null, "x5c": x5c})),
        &rules(),
    );
    assert_eq!(
        error.unwrap_err().description(),
        "x5c is not supported: name the key by jwk or kid"
    );
}

#[test]
fn a_proof_is_for_this_issuer_now() {
    let key = key(KeyType::Ed25519);
    for claims in [
        json!({"aud": "https://id.example.org/"}),
        json!({"aud": [ISSUER]}),
        json!({"aud": null}),
        json!({"iat": null}),
        json!({"iat": "1790000000"}),
        json!({"iat": NOW.plus(-MAX_AGE - 1)}),
        json!({"iat": NOW.plus(SKEW + 1)}),
        json!({"nonce": null}),
        json!({"nonce": ""}),
        json!({"nonce": 5}),
        json!({"nonce": "n".repeat(MAX_NONCE + 1)}),
        json!({"iss": "wallet"}),
    ] {
        let error = one(proof(&key, &claims, &json!({})), &rules()).unwrap_err();
        assert_eq!(error.code(), "invalid_proof", "{claims}");
    }
    let other = Jwk::from(&self::key(KeyType::Ed25519).public());
    for header in [
        json!({"typ": "JWT"}),
        json!({"typ": "dpop+jwt"}),
        json!({"jwk": other}),
        json!({"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}),
    ] {
        let error = one(proof(&key, &json!({}), &header), &rules()).unwrap_err();
        assert_eq!(error.code(), "invalid_proof", "{header}");
    }
    assert!(
        one(
            proof(&key, &json!({"exp": 0, "extra": {}}), &json!({"extra": 1})),
            &rules()
        )
        .is_ok()
    );
}

#[test]
fn the_client_of_the_token_is_the_one_of_the_proof() {
    let key = key(KeyType::Ed25519);
    let named = ProofRules {
        client: Client::Named("wallet"),
        ..rules()
    };
    let by = |client: Option<&str>| prove_key(&key, ISSUER, Some("n"), client, NOW).unwrap();
    assert!(one(by(Some("wallet")), &named).is_ok());
    assert!(one(by(None), &named).is_ok());
    assert_eq!(
        one(by(Some("another")), &named).unwrap_err().description(),
        "the key proof is of another client"
    );
    assert!(one(by(Some("wallet")), &rules()).is_err());
}

#[test]
fn a_batch_is_of_so_many_different_keys() {
    let proofs: Vec<String> = (0..5)
        .map(|_| prove_key(&key(KeyType::P256), ISSUER, Some("n"), None, NOW).unwrap())
        .collect();
    assert!(verify_proofs(&proofs[..4], &rules()).is_ok());
    assert_eq!(
        verify_proofs(&proofs, &rules()).unwrap_err().code(),
        "invalid_credential_request"
    );
    assert_eq!(
        verify_proofs(&[], &rules()).unwrap_err().code(),
        "invalid_proof"
    );
    let key = key(KeyType::P256);
    let by_jwk = proof(&key, &json!({}), &json!({}));
    let by_kid = proof(
        &key,
        &json!({}),
        &json!({"jwk": null, "kid": key.public().subject().to_string()}),
    );
    assert_eq!(
        verify_proofs(&[by_jwk, by_kid], &rules())
            .unwrap_err()
            .description(),
        "two key proofs are of one key"
    );
    let only_es256 = ProofRules {
        key_types: &[KeyType::P256],
        ..rules()
    };
    let eddsa = prove_key(&self::key(KeyType::Ed25519), ISSUER, Some("n"), None, NOW).unwrap();
    assert_eq!(one(eddsa, &only_es256).unwrap_err().code(), "invalid_proof");
    for bad in ["", "a.b", "a.b.c", &"a".repeat(MAX_LEN + 1)] {
        assert_eq!(
            one(bad.to_owned(), &rules()).unwrap_err().code(),
            "invalid_proof"
        );
    }
}
