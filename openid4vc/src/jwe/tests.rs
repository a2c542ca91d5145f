use blindprint_core::SystemEntropy;
use proptest::prelude::*;
use secrecy::SecretBox;

use super::*;

/// RFC 7518 appendix C.
const ALICE: &str = "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo";
const BOB: &str = "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw";

fn key(secret: &str) -> DecryptionKey {
    let bytes: [u8; 32] = decode(secret).unwrap().try_into().unwrap();
    DecryptionKey::from_secret(&SecretBox::new(Box::new(bytes))).unwrap()
}

fn header(jwe: &str) -> Value {
    serde_json::from_slice(&decode(jwe.split('.').next().unwrap()).unwrap()).unwrap()
}

/// `jwe` with another protected header.
fn with_header(jwe: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut changed = header(jwe);
    change(&mut changed);
    let rest = jwe.split_once('.').unwrap().1;
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(changed.to_string()))
}

fn reason(jwe: &str) -> &'static str {
    SealedJwe::parse(jwe, 1 << 20).err().unwrap().description()
}

#[test]
fn rfc_7518_appendix_c() {
    let parties = Parties {
        producer: Some(b"Alice"),
        recipient: Some(b"Bob"),
    };
    let alice = key(ALICE);
    let bob = key(BOB);
    assert_eq!(
        alice.public().to_jwk()["x"],
        "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"
    );
    assert_eq!(
        bob.public().to_jwk()["y"],
        "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"
    );
    for (mine, theirs) in [(&alice, &bob), (&bob, &alice)] {
        let agreed = agree(
            &mine.secret,
            &theirs.secret.public_key(),
            Encryption::A128Gcm,
            parties,
        );
        assert_eq!(URL_SAFE_NO_PAD.encode(&*agreed), "VqqN6vgjbSBcIijNcacQGg");
    }
    let jwe = encrypt_from(
        &alice,
        b"hello",
        &bob.public(),
        Encryption::A128Gcm,
        parties,
        [7; NONCE_LEN],
    );
    assert_eq!(header(&jwe)["apu"], "QWxpY2U");
    assert_eq!(header(&jwe)["apv"], "Qm9i");
    let sealed = SealedJwe::parse(&jwe, 4096).unwrap();
    assert_eq!(**sealed.open(&bob).unwrap(), *b"hello");
}

/// OID4VP 1.0 section 8.3, made by other software.
#[test]
fn the_specifications_encrypted_response() {
    const JWE: &str = "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImtpZCI6ImFjIiwiZXBrIjp7Imt0eSI6IkVDIiwieCI6Im5ubVZwbTNWM2piaGNhZlFhUkJrU1ZOSGx3Wkh3dC05ck9wSnVmeVlJdWsiLCJ5IjoicjRmakRxd0p5czlxVU9QLV9iM21SNVNaRy0tQ3dPMm1pYzVWU05UWU45ZyIsImNydiI6IlAtMjU2In19..uAYcHRUSSn2X0WPX.yVzlGSYG4qbg0bq18JcUiDRw56yVnbKR8E7S7YlEtzT00RqE3Pw5oTpUG3hdLN4taHZ9gC1kwak8JOnJgQ.1wR024_3-qtAlx1oFIUpQQ";
    let jwk = json!({
        "kty": "EC", "kid": "ac", "use": "enc", "crv": "P-256", "alg": "ECDH-ES",
        "x": "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
        "y": "Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk",
    });
    let verifier = key("Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww").named("ac");
    assert_eq!(verifier.public(), RecipientKey::from_jwk(&jwk).unwrap());
    assert_eq!(verifier.public().to_jwk(), jwk);
    let sealed = SealedJwe::parse(JWE, 4096).unwrap();
    assert_eq!(sealed.kid(), Some("ac"));
    let opened: Value = serde_json::from_slice(&sealed.open(&verifier).unwrap()).unwrap();
    assert!(
        opened["vp_token"]["example_credential_id"].is_array(),
        "{opened}"
    );
}

/// OID4VP 1.0 appendix B.2.6.1.
#[test]
fn the_specifications_thumbprint() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "use": "enc", "alg": "ECDH-ES", "kid": "1",
        "x": "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
        "y": "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc",
    });
    let thumbprint = RecipientKey::from_jwk(&jwk).unwrap().thumbprint();
    let expected = [
        0x42, 0x83, 0xec, 0x92, 0x7a, 0xe0, 0xf2, 0x08, 0xda, 0xaa, 0x2d, 0x02, 0x6a, 0x81, 0x4f,
        0x2b, 0x22, 0xdc, 0xa5, 0x2c, 0xf8, 0x5f, 0xfa, 0x8f, 0x3f, 0x86, 0x26, 0xc6, 0xbd, 0x66,
        0x90, 0x47,
    ];
    assert_eq!(decode(&thumbprint).unwrap(), expected);
}

#[test]
fn what_this_does_not_do_is_refused() {
    let bob = key(BOB);
    let jwe = encrypt(
        b"{}",
        &bob.public(),
        Encryption::A256Gcm,
        Parties::default(),
        &SystemEntropy,
    );
    assert!(SealedJwe::parse(&jwe, 4096).unwrap().open(&bob).is_ok());
    assert_eq!(
        reason(&with_header(&jwe, |h| h["zip"] = "DEF".into())),
        "compression is not supported"
    );
    for (name, value) in [
        ("alg", json!("dir")),
        ("alg", json!("ECDH-ES+A128KW")),
        ("enc", json!("A128CBC-HS256")),
        ("enc", json!(null)),
        ("crit", json!(["exp"])),
        ("kid", json!(7)),
        ("kid", json!("k".repeat(513))),
        ("apu", json!("A".repeat(4096))),
        ("apv", json!("not base64")),
        ("epk", json!(null)),
        (
            "epk",
            json!({"kty": "OKP", "crv": "X25519", "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"}),
        ),
    ] {
        let changed = with_header(&jwe, |header| header[name] = value.clone());
        assert_eq!(
            SealedJwe::parse(&changed, 1 << 20).err().map(|e| e.kind()),
            Some(Code::InvalidRequest),
            "{name} {value}"
        );
    }
    let off_curve = with_header(&jwe, |header| {
        header["epk"]["y"] = header["epk"]["x"].clone();
    });
    assert_eq!(reason(&off_curve), "the ephemeral key is not on P-256");
    let parts: Vec<&str> = jwe.split('.').collect();
    for bad in [
        String::new(),
        "....".to_owned(),
        parts[..4].join("."),
        format!("{jwe}.AAAA"),
        format!("{}.AAAA.{}", parts[0], parts[2..].join(".")),
        format!("{}..{}.{}.AAAA", parts[0], parts[2], parts[3]),
        format!("{}..AAAA.{}.{}", parts[0], parts[3], parts[4]),
        format!("{}..{}.%.{}", parts[0], parts[2], parts[4]),
        jwe.replacen("eyJ", "W3s", 1),
    ] {
        assert!(SealedJwe::parse(&bad, 1 << 20).is_err(), "{bad}");
    }
    assert_eq!(
        SealedJwe::parse(&jwe, jwe.len() - 1)
            .err()
            .unwrap()
            .description(),
        "the JWE is too long"
    );
}

#[test]
fn only_public_p256_keys_for_agreement_are_encrypted_to() {
    let good = key(BOB).public().to_jwk();
    assert!(RecipientKey::from_jwk(&good).is_ok());
    let bare = json!({"kty": "EC", "crv": "P-256", "x": good["x"], "y": good["y"], "ext": true});
    assert!(RecipientKey::from_jwk(&bare).is_ok());
    for (name, value) in [
        ("d", json!(BOB)),
        ("use", json!("sig")),
        ("alg", json!("ECDH-ES+A256KW")),
        ("key_ops", json!(["verify"])),
        ("crv", json!("P-384")),
        ("kty", json!("OKP")),
        ("x", json!("AA")),
        ("y", good["x"].clone()),
        ("kid", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        let error = RecipientKey::from_jwk(&bad).unwrap_err();
        assert_eq!(error.kind(), Code::InvalidEncryptionParameters, "{bad}");
    }
    assert!(RecipientKey::from_jwk(&json!(["EC"])).is_err());
    let others =
        json!({"kty": "OKP", "crv": "X25519", "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"});
    let jwks = Jwks {
        keys: vec![others, json!("no key"), good],
    };
    assert_eq!(jwks.recipient(), Some(key(BOB).public()));
}

#[test]
fn the_strongest_encryption_on_offer_is_taken() {
    assert_eq!(
        Encryption::best_of(["A128CBC-HS256", "A128GCM", "A256GCM"]),
        Some(Encryption::A256Gcm)
    );
    assert_eq!(Encryption::best_of(["A192GCM"]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens_for_its_key_only(
        plaintext in proptest::collection::vec(any::<u8>(), 0..2000),
        long in any::<bool>(),
        producer in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..64)),
        recipient in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..64)),
    ) {
        let enc = if long { Encryption::A256Gcm } else { Encryption::A128Gcm };
        let bob = DecryptionKey::generate(&SystemEntropy).named("bob");
        let parties = Parties { producer: producer.as_deref(), recipient: recipient.as_deref() };
        let jwe = encrypt(&plaintext, &bob.public(), enc, parties, &SystemEntropy);
        let sealed = SealedJwe::parse(&jwe, jwe.len()).unwrap();
        prop_assert_eq!(sealed.kid(), Some("bob"));
        prop_assert_eq!(sealed.encryption(), enc);
        prop_assert_eq!(&**sealed.open(&bob).unwrap(), &plaintext);
        prop_assert!(sealed.open(&DecryptionKey::generate(&SystemEntropy)).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let bob = key(BOB);
        let jwe = encrypt(b"a credential", &bob.public(), Encryption::A128Gcm, Parties::default(), &SystemEntropy);
        let mut bytes = jwe.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
        let opened = SealedJwe::parse(&changed, 4096).and_then(|sealed| sealed.open(&bob));
        prop_assert_eq!(opened.is_ok(), changed == jwe);
    }

    #[test]
    fn anything_else_is_an_error_and_no_panic(text in "[A-Za-z0-9_.{}\":-]{0,200}") {
        prop_assert!(SealedJwe::parse(&text, 4096).is_err());
    }
}
