//! Keys in DIDs and JWKs, and signed statements.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Jws, KeyUri, Nonce, RightsRequestId, SubjectId, SystemEntropy,
    UnixTime,
    statement::{
        Consent, ConsentReceipt, Decision, Enrolment, EnrolmentReceipt, ErasedConsent,
        ErasedEnrolment, Erasure, ErasureCertificate, ErasureReceipt, Evaluation, KeyReceipt,
        KeyRotation, Probe, Purpose, Recovery, RecoveryAction, RequestProof, Right, RightsRequest,
        SignIn, StateMark, Statement, SubjectErasure, SubjectErasureReceipt, TemplateCheck,
        Verdict, Withdrawal,
    },
};
use blindprint_did::{Jwk, KeyType, PublicKey, SigningKey, resolve, sign, verify};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use ed25519_dalek::Signer as _;
use secrecy::{ExposeSecret as _, SecretBox};
use serde_json::{Value, json};

pub fn key(key_type: KeyType, seed: u8) -> SigningKey {
    SigningKey::from_secret(key_type, &SecretBox::new(Box::new([seed; 32]))).unwrap()
}

pub const KEY_TYPES: [KeyType; 2] = [KeyType::Ed25519, KeyType::P256];

#[test]
fn dids() {
    let keys = KEY_TYPES.map(|key_type| key(key_type, 1).public());
    let mut seeds: Vec<String> = keys.iter().map(|key| key.subject().to_string()).collect();
    seeds.extend(keys.iter().map(|key| key.subject_jwk().to_string()));
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(uri) = text.parse::<KeyUri>()
            && let Ok(key) = PublicKey::try_from(&uri)
        {
            assert_eq!(key.uri(), uri, "one name for one key");
        }
        if let Ok(subject) = text.parse::<SubjectId>()
            && let Ok(key) = resolve(&subject)
        {
            assert_eq!(resolve(&key.subject()), Ok(key));
            assert_eq!(resolve(&key.subject_jwk()), Ok(key));
        }
    });
}

#[test]
fn jwks() {
    let seeds = KEY_TYPES.map(|key_type| {
        let mut jwk = Jwk::from(&key(key_type, 1).public());
        jwk.kid = Some("a".to_owned());
        jwk.public_key_use = Some("sig".to_owned());
        serde_json::to_vec(&jwk).unwrap()
    });
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        super::json::<Jwk>(bytes);
        if let Ok(jwk) = serde_json::from_slice::<Jwk>(bytes)
            && let Ok(key) = PublicKey::try_from(&jwk)
        {
            let canonical = Jwk::from(&key);
            assert_eq!((&canonical.x, &canonical.y), (&jwk.x, &jwk.y));
            assert_eq!(PublicKey::try_from(&canonical), Ok(key));
        }
        // The same behind a did:jwk, where most faults of a DID only break its base64.
        let did = format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(bytes));
        if let Ok(subject) = did.parse::<SubjectId>()
            && let Ok(key) = resolve(&subject)
        {
            let jwk: Jwk = serde_json::from_slice(bytes).unwrap();
            assert_eq!(PublicKey::try_from(&jwk), Ok(key));
        }
    });
}

/// Applies one macro to every type of statement.
macro_rules! every_statement {
    ($apply:ident) => {
        $apply!(
            RequestProof,
            Consent,
            Withdrawal,
            Enrolment,
            Probe,
            Erasure,
            SubjectErasure,
            SubjectErasureReceipt,
            RightsRequest,
            SignIn,
            ErasureCertificate,
            StateMark,
            KeyRotation,
            Recovery,
            TemplateCheck,
            Evaluation,
            ConsentReceipt,
            EnrolmentReceipt,
            Verdict,
            ErasureReceipt,
            KeyReceipt
        )
    };
}

/// One statement of each kind that a wallet signs.
fn statements(signer: &SigningKey) -> Vec<Jws> {
    let sub = signer.public().subject();
    let service: blindprint_core::ServiceId = "https://example.org".parse().unwrap();
    let uri = signer.public().uri();
    let digest = Digest::of("fuzz", b"digest");
    let nonce = Nonce::from_bytes([3; 32]);
    let profile = blindprint_core::profiles()[0].id();
    let enrolment = EnrolmentId::random(&SystemEntropy);
    let purpose = Purpose::Authentication;
    let iat = UnixTime(1_790_000_000);
    let (new_key, new_recovery_key) = (uri.clone(), uri.clone());
    let request = RequestProof {
        sub: sub.clone(),
        aud: service.clone(),
        htm: "POST".to_owned(),
        htu: "/v1/consents?a=b".to_owned(),
        body: digest,
        jti: nonce,
        iat,
    };
    let consent = Consent {
        id: ConsentId::random(&SystemEntropy),
        sub: sub.clone(),
        service: service.clone(),
        decision: Decision::Given,
        purpose,
        recipient: None,
        record: digest,
        previous: Some(digest),
        notice: digest,
        given: iat,
        expires: iat,
    };
    let enrol = Enrolment {
        sub: sub.clone(),
        service: service.clone(),
        enrolment,
        replaces: Some(enrolment),
        consent: digest,
        purpose,
        profile,
        key: digest,
        submission: digest,
        nonce,
        recovery_key: uri.clone(),
        iat,
    };
    let action = RecoveryAction::ReplaceDevice {
        new_key,
        new_recovery_key,
    };
    let recovery = Recovery {
        sub: sub.clone(),
        service: service.clone(),
        action,
        nonce,
        iat,
    };
    let receipt = KeyReceipt {
        iss: service.clone(),
        sub: sub.clone(),
        pinned_key: uri.clone(),
        recovery_key: uri,
        erased: vec![enrolment],
        iat,
    };
    let request_of_rights = RightsRequest {
        sub: sub.clone(),
        service: service.clone(),
        id: RightsRequestId::random(&SystemEntropy),
        right: Right::Review,
        enrolment: Some(enrolment),
        challenge: Some(nonce),
        text: Some("It was me.".to_owned()),
        iat,
    };
    let sign_in = SignIn {
        sub: sub.clone(),
        aud: service.clone(),
        session: nonce,
        code: "1234".to_owned(),
        iat,
    };
    let forgotten = SubjectErasureReceipt {
        iss: service.clone(),
        sub,
        handle: nonce,
        enrolments: vec![ErasedEnrolment {
            enrolment,
            template: digest,
            handle: nonce,
        }],
        consents: vec![ErasedConsent {
            consent: consent.id,
            handle: nonce,
        }],
        data_keys_destroyed: 1,
        ordered: false,
        iat,
    };
    let certificate = ErasureCertificate {
        iss: service.clone(),
        receipt: sign(signer, &forgotten).unwrap(),
        log_index: 6,
        log_size: 7,
        log_root: digest,
        notified: 1,
        iat,
    };
    let mark = StateMark {
        iss: service,
        boot: nonce,
        nonce,
        count: 5,
        iat,
    };
    vec![
        sign(signer, &request).unwrap(),
        sign(signer, &consent).unwrap(),
        sign(signer, &enrol).unwrap(),
        sign(signer, &recovery).unwrap(),
        sign(signer, &receipt).unwrap(),
        sign(signer, &request_of_rights).unwrap(),
        sign(signer, &sign_in).unwrap(),
        sign(signer, &forgotten).unwrap(),
        sign(signer, &certificate).unwrap(),
        sign(signer, &mark).unwrap(),
    ]
}

#[test]
fn altered_statements() {
    let keys = [
        key(KeyType::Ed25519, 1),
        key(KeyType::P256, 1),
        key(KeyType::Ed25519, 2),
    ];
    let inputs = Inputs::from(keys.iter().flat_map(statements).map(|jws| jws.to_string()));
    let genuine = inputs.clone();
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let Ok(jws) = String::from_utf8_lossy(bytes).parse::<Jws>() else {
            return;
        };
        let mut verified = 0;
        macro_rules! count {
            ($($statement:ty),*) => { $(verified += usize::from(verify::<$statement>(&jws).is_ok());)* };
        }
        every_statement!(count);
        assert_eq!(
            verified,
            usize::from(genuine.genuine(bytes)),
            "one type for what was signed, none for what was not"
        );
    });
}

/// What follows the signature: header and payload are anything, and the signature holds.
#[test]
fn signed_statements() {
    let signer = key(KeyType::Ed25519, 1);
    let dalek = ed25519_dalek::SigningKey::from_bytes(signer.to_secret().expose_secret());
    let seeds = statements(&signer).into_iter().map(|jws| {
        let parts = jws
            .as_str()
            .split('.')
            .take(2)
            .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        parts.collect::<Vec<_>>().join(&b'\n')
    });
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let mut parts = bytes
            .splitn(2, |byte| *byte == b'\n')
            .map(|part| URL_SAFE_NO_PAD.encode(part));
        let (Some(header), Some(payload)) = (parts.next(), parts.next()) else {
            return;
        };
        let text = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(dalek.sign(text.as_bytes()).to_bytes());
        let Ok(jws) = format!("{text}.{signature}").parse::<Jws>() else {
            return;
        };
        macro_rules! check {
            ($($statement:ty),*) => { $(check::<$statement>(&signer, &jws);)* };
        }
        every_statement!(check);
    });
}

/// That what verifies is its header's type, says its key, and can be signed again.
fn check<T: Statement + PartialEq + std::fmt::Debug>(signer: &SigningKey, jws: &Jws) {
    let Ok(verified) = verify::<T>(jws) else {
        return;
    };
    assert_eq!(verified.key(), &signer.public().uri());
    let header = jws.as_str().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!(
        header,
        json!({ "alg": "EdDSA", "typ": T::TYP, "kid": verified.key() })
    );
    if let Ok(again) = sign(signer, verified.statement()) {
        assert_eq!(
            verify::<T>(&again).unwrap().into_statement(),
            verified.into_statement()
        );
    }
}
