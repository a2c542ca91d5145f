use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::SystemEntropy;

use super::*;
use crate::Jwk;

fn secret(bytes: &[u8]) -> SecretBox<[u8; 32]> {
    SecretBox::new(Box::new(bytes.try_into().unwrap()))
}

fn parse(uri: &str) -> Result<PublicKey, DidError> {
    PublicKey::try_from(&uri.parse::<KeyUri>().unwrap())
}

/// `did:key:z…` of arbitrary bytes.
fn did_key(bytes: &[u8]) -> String {
    format!("did:key:z{}", bs58::encode(bytes).into_string())
}

/// RFC 8032 section 7.1, test 1, which RFC 8037 appendix A uses as well.
fn rfc_8032() -> SigningKey {
    let seed =
        hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    SigningKey::from_secret(KeyType::Ed25519, &secret(&seed)).unwrap()
}

#[test]
fn rfc_8032_signature() {
    let key = rfc_8032();
    let signature = key.signature(b"");
    assert_eq!(
        hex::encode(signature),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    );
    assert!(key.public().verifies(b"", &signature));
}

#[test]
fn rfc_8037_appendix_a_4() {
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    assert_eq!(
        URL_SAFE_NO_PAD.encode(rfc_8032().signature(message)),
        signature
    );
}

#[test]
fn rfc_6979_signature_with_s_in_the_lower_half() {
    let scalar =
        hex::decode("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721").unwrap();
    let key = SigningKey::from_secret(KeyType::P256, &secret(&scalar)).unwrap();
    let rfc: [u8; 64] = hex::decode(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    )
    .unwrap()
    .try_into()
    .unwrap();
    let ours = key.signature(b"sample");
    assert_eq!(ours[..32], rfc[..32]);
    assert!(key.public().verifies(b"sample", &ours));
    // The RFC's own s lies in the upper half: the same signature, in the form that is refused.
    let lowered = p256::ecdsa::Signature::from_slice(&rfc)
        .unwrap()
        .normalize_s();
    assert_eq!(lowered.to_bytes().as_slice(), ours);
    assert!(!key.public().verifies(b"sample", &rfc));
}

#[test]
fn did_key_vectors() {
    let zero = SigningKey::from_secret(KeyType::Ed25519, &secret(&[0; 32])).unwrap();
    assert_eq!(
        zero.public().uri().as_str(),
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
    );

    let scalar = URL_SAFE_NO_PAD
        .decode("gPh-VvVS8MbvKQ9LSVVmfnxnKjHn4Tqj0bmbpehRlpc")
        .unwrap();
    let p256 = SigningKey::from_secret(KeyType::P256, &secret(&scalar)).unwrap();
    assert_eq!(
        p256.public().uri().as_str(),
        "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"
    );
    let jwk = Jwk::from(&p256.public());
    assert_eq!(jwk.x, "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns");
    assert_eq!(
        jwk.y.as_deref(),
        Some("efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM")
    );

    for uri in [
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    ] {
        assert_eq!(parse(uri).unwrap().uri().as_str(), uri);
    }
}

#[test]
fn keys_round_trip() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let key = SigningKey::generate(key_type, &SystemEntropy);
        assert_eq!(key.key_type(), key_type);
        assert_eq!(PublicKey::try_from(&key.public().uri()), Ok(key.public()));
        assert_eq!(
            PublicKey::try_from(&Jwk::from(&key.public())),
            Ok(key.public())
        );
        let again = SigningKey::from_secret(key_type, &key.to_secret()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_ne!(
            SigningKey::generate(key_type, &SystemEntropy).public(),
            key.public()
        );
    }
}

#[test]
fn a_p256_scalar_is_between_one_and_the_order() {
    for bytes in [[0; 32], [0xff; 32]] {
        assert!(SigningKey::from_secret(KeyType::P256, &secret(&bytes)).is_err());
    }
}

#[test]
fn what_is_not_the_canonical_form_of_a_key_is_refused() {
    let key = rfc_8032().public();
    let Point::Ed25519(point) = key.0 else {
        panic!("an Ed25519 key")
    };
    let ed25519 = |point: &[u8]| did_key(&[&ED25519_CODEC, point].concat());
    assert_eq!(parse(&ed25519(point.as_bytes())), Ok(key));

    // The eight points of small order, and an encoding of a y that is not reduced modulo 2^255 - 19.
    let mut weak: Vec<String> = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
    .map(|point| ed25519(&hex::decode(point).unwrap()))
    .into();

    let p256 = SigningKey::generate(KeyType::P256, &SystemEntropy).public();
    let Point::P256(point) = p256.0 else {
        panic!("a P-256 key")
    };
    let compressed = point.to_sec1_point(true);
    let mut not_on_the_curve = compressed.as_bytes().to_vec();
    not_on_the_curve[1..].fill(0xff);
    weak.extend([
        did_key(&[&P256_CODEC, point.to_sec1_point(false).as_bytes()].concat()),
        did_key(&[&P256_CODEC, not_on_the_curve.as_slice()].concat()),
        did_key(&[&P256_CODEC, &compressed.as_bytes()[..32]].concat()),
        did_key(&[&[0xed, 0x81, 0x00], compressed.as_bytes()].concat()),
        did_key(&[&[0xec, 0x01], compressed.as_bytes()].concat()),
        ed25519(&key.coordinates().0[..31]),
        ed25519(&[key.coordinates().0.as_slice(), &[0]].concat()),
        key.uri().as_str().replace(":z", ":z1"),
        key.uri().as_str().replace(":z6", ":z0"),
        "did:key:z".to_owned() + &"1".repeat(100),
        "did:key:z6".to_owned(),
    ]);
    for uri in weak {
        assert_eq!(parse(&uri), Err(DidError::Key), "{uri}");
    }
}

#[test]
fn a_signature_is_over_one_message_under_one_key() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let key = SigningKey::generate(key_type, &SystemEntropy);
        let signature = key.signature(b"message");
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"massage", &signature));
        assert!(
            !SigningKey::generate(key_type, &SystemEntropy)
                .public()
                .verifies(b"message", &signature)
        );
        for bit in 0..8 * SIGNATURE_LEN {
            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.public().verifies(b"message", &flipped), "bit {bit}");
        }
        assert!(!key.public().verifies(b"message", &[0; SIGNATURE_LEN]));
    }
}

/// Project Wycheproof's signatures, whose edge cases have broken implementations. What it calls
/// acceptable may be refused; what it calls invalid must be.
mod vectors {
    use wycheproof::{TestResult, ecdsa, eddsa};

    use super::PublicKey;

    fn fixed(signature: &[u8]) -> Option<[u8; 64]> {
        signature.try_into().ok()
    }

    #[test]
    fn ed25519() {
        let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
        let mut tried = 0;
        for group in set.test_groups {
            let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
            let key = PublicKey::ed25519(&key).unwrap();
            for test in group.tests {
                let verifies =
                    fixed(&test.sig).is_some_and(|signature| key.verifies(&test.msg, &signature));
                assert_eq!(verifies, test.result == TestResult::Valid, "{test:?}");
                tried += 1;
            }
        }
        assert!(tried > 140, "{tried}");
    }

    #[test]
    fn p256() {
        let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
        let mut tried = 0;
        for group in set.test_groups {
            let key = PublicKey::p256(&group.key.key).unwrap();
            for test in group.tests {
                let signature = fixed(&test.sig);
                let verifies =
                    signature.is_some_and(|signature| key.verifies_either(&test.msg, &signature));
                assert_eq!(verifies, test.result == TestResult::Valid, "{test:?}");
                let strictly =
                    signature.is_some_and(|signature| key.verifies(&test.msg, &signature));
                assert!(verifies || !strictly, "{test:?}");
                tried += 1;
            }
        }
        assert!(tried > 250, "{tried}");
    }
}
