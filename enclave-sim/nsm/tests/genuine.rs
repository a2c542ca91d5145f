//! Documents of the simulated module, as a verifier meets them: genuine, altered in transit,
//! replayed, or of a process that it does not know.
#![allow(clippy::unwrap_used, reason = "tests")]

use blindprint_core::{Digest, KeyUri, ServiceId, SystemEntropy, UnixTime, profile_table_digest};
use blindprint_did::{KeyType, SigningKey};
use blindprint_nsm::{Mode, Nsm};
use blindprint_protocol::attestation::{
    AttestationError, Claims as _, EnclaveClaims, MAX_DOCUMENT, MAX_NONCE, MAX_USER_DATA,
    MatcherClaims, Measurement, TOLERANCE, Trust, VerifiedAttestation,
};

const NOW: UnixTime = UnixTime(1_790_000_000);
const NONCE: [u8; 32] = [7; 32];

fn claims() -> EnclaveClaims {
    EnclaveClaims {
        parameters: "bp-tfhe-2048-v2".to_owned(),
        public_key: Digest::of("test", b"public key"),
        crs: Digest::of("test", b"crs"),
        evaluation_keys: Digest::of("test", b"evaluation keys"),
        key: Digest::of("test", b"key"),
        profiles: profile_table_digest(),
        service: "https://example.org".parse().unwrap(),
        matchers: vec![Measurement::from_bytes([3; 48])],
        matchers_needed: 2,
        recompute: false,
        log: None,
    }
}

fn matcher_claims() -> MatcherClaims {
    MatcherClaims {
        parameters: "bp-tfhe-2048-v2".to_owned(),
        key: Digest::of("test", b"key"),
        profiles: profile_table_digest(),
    }
}

struct Scene {
    _directory: tempfile::TempDir,
    nsm: Nsm,
    key: KeyUri,
    trust: Trust,
}

impl Scene {
    fn new(mode: Mode) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let nsm = Nsm::open(directory.path(), mode, &SystemEntropy).unwrap();
        let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
            .public()
            .uri();
        let accepted = match mode {
            Mode::Production => nsm.measurement(),
            Mode::Debug => Measurement::from_bytes([1; 48]),
        };
        let trust = Trust::new(nsm.root().clone(), vec![accepted], vec![accepted]).unwrap();
        Self {
            _directory: directory,
            nsm,
            key,
            trust,
        }
    }

    fn document(&self) -> Vec<u8> {
        self.nsm
            .attest(&self.key, &claims(), &NONCE, NOW, &SystemEntropy)
            .unwrap()
    }

    fn verify(
        &self,
        document: &[u8],
    ) -> Result<VerifiedAttestation<EnclaveClaims>, AttestationError> {
        self.trust.verify(document, &NONCE, NOW)
    }
}

#[test]
fn a_genuine_document_says_what_was_attested() {
    let scene = Scene::new(Mode::Production);
    let document = scene.document();
    let verified = scene.verify(&document).unwrap();
    assert_eq!(verified.key(), &scene.key);
    assert_eq!(verified.claims(), &claims());
    assert_eq!(verified.measurement(), scene.nsm.measurement());
    assert_eq!(
        verified.measurement(),
        blindprint_nsm::measure_executable().unwrap()
    );
    assert_eq!(verified.made(), NOW);
    assert!(
        document.len() < MAX_DOCUMENT / 4,
        "{} bytes",
        document.len()
    );
    // A tagged COSE_Sign1 of four, protected {1: -35}, nothing unprotected.
    assert_eq!(
        document[..8],
        [0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0]
    );
}

#[test]
fn a_matcher_is_not_an_enclave() {
    let scene = Scene::new(Mode::Production);
    let attest = |nonce: &[u8]| {
        scene
            .nsm
            .attest(&scene.key, &matcher_claims(), nonce, NOW, &SystemEntropy)
    };
    let document = attest(&NONCE).unwrap();
    let verified = scene
        .trust
        .verify::<MatcherClaims>(&document, &NONCE, NOW)
        .unwrap();
    assert_eq!(verified.claims(), &matcher_claims());
    assert_eq!(scene.verify(&document), Err(AttestationError::Claims));
    assert!(attest(&[]).is_err());
    assert!(attest(&[0; MAX_NONCE + 1]).is_err());
    assert!(attest(&[0; MAX_NONCE]).is_ok());
}

#[test]
fn every_flipped_bit_is_noticed() {
    let scene = Scene::new(Mode::Production);
    let document = scene.document();
    assert!(scene.verify(&document).is_ok());
    for at in 0..document.len() {
        let mut flipped = document.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(scene.verify(&flipped).is_err(), "byte {at}");
    }
}

#[test]
fn every_truncation_and_extension_is_noticed() {
    let scene = Scene::new(Mode::Production);
    let document = scene.document();
    for length in 0..document.len() {
        assert_eq!(
            scene.verify(&document[..length]),
            Err(AttestationError::Malformed),
            "{length} bytes"
        );
    }
    let mut longer = document.clone();
    longer.push(0);
    assert_eq!(scene.verify(&longer), Err(AttestationError::Malformed));
    longer.resize(MAX_DOCUMENT + 1, 0);
    assert_eq!(scene.verify(&longer), Err(AttestationError::Malformed));
    assert_eq!(
        scene.verify(&document[1..]),
        Err(AttestationError::Malformed),
        "without its tag"
    );
}

#[test]
fn a_document_answers_one_nonce_at_one_time() {
    let scene = Scene::new(Mode::Production);
    let document = scene.document();
    let verify = |nonce: &[u8], now| {
        scene
            .trust
            .verify::<EnclaveClaims>(&document, nonce, now)
            .map(|_| ())
    };
    assert_eq!(verify(&[8; 32], NOW), Err(AttestationError::Nonce));
    assert_eq!(verify(&NONCE[..31], NOW), Err(AttestationError::Nonce));
    assert_eq!(verify(&[], NOW), Err(AttestationError::Nonce));
    for seconds in [-TOLERANCE, TOLERANCE] {
        assert_eq!(verify(&NONCE, NOW.plus(seconds)), Ok(()));
    }
    assert_eq!(
        verify(&NONCE, NOW.plus(TOLERANCE + 1)),
        Err(AttestationError::Stale)
    );
    assert_eq!(
        verify(&NONCE, NOW.plus(-TOLERANCE - 1)),
        Err(AttestationError::Expired)
    );
    for far in [i64::MIN, 0, i64::MAX] {
        assert_eq!(
            verify(&NONCE, UnixTime(far)),
            Err(AttestationError::Expired)
        );
    }
}

#[test]
fn debug_mode_is_refused_and_cannot_be_accepted() {
    let scene = Scene::new(Mode::Debug);
    assert_eq!(
        scene.verify(&scene.document()),
        Err(AttestationError::Debug)
    );
    let root = scene.nsm.root().clone();
    assert_eq!(
        Trust::new(root, vec![Measurement::DEBUG], vec![]),
        Err(AttestationError::Trust)
    );
    let listed = scene
        .trust
        .to_json()
        .replace(&"01".repeat(48), &"00".repeat(48));
    assert_eq!(
        Trust::parse(listed.as_bytes()),
        Err(AttestationError::Trust)
    );
}

#[test]
fn another_root_measurement_service_or_profile_table_is_refused() {
    let scene = Scene::new(Mode::Production);
    let document = scene.document();
    let accepted = vec![scene.nsm.measurement()];
    let verify = |trust: &Trust| {
        trust
            .verify::<EnclaveClaims>(&document, &NONCE, NOW)
            .map(|_| ())
    };

    let stranger = Scene::new(Mode::Production);
    assert_eq!(verify(&stranger.trust), Err(AttestationError::Root));

    let root = || scene.nsm.root().clone();
    let other = Trust::new(
        root(),
        vec![Measurement::from_bytes([1; 48])],
        accepted.clone(),
    )
    .unwrap();
    assert_eq!(verify(&other), Err(AttestationError::Measurement));
    assert_eq!(
        verify(&Trust::new(root(), vec![], accepted).unwrap()),
        Err(AttestationError::Measurement)
    );

    assert_eq!(
        verify(
            &scene
                .trust
                .clone()
                .for_service("https://example.org".parse().unwrap())
        ),
        Ok(())
    );
    assert_eq!(
        verify(
            &scene
                .trust
                .clone()
                .for_service("https://example.com".parse().unwrap())
        ),
        Err(AttestationError::Service)
    );

    let claims = EnclaveClaims {
        profiles: Digest::of("test", b"others"),
        ..claims()
    };
    let document = scene
        .nsm
        .attest(&scene.key, &claims, &NONCE, NOW, &SystemEntropy)
        .unwrap();
    assert_eq!(scene.verify(&document), Err(AttestationError::Profiles));
}

#[test]
fn a_trust_file_round_trips() {
    let scene = Scene::new(Mode::Production);
    let trust = scene
        .trust
        .clone()
        .for_service("https://example.org".parse().unwrap());
    let json = trust.to_json();
    assert_eq!(Trust::parse(json.as_bytes()), Ok(trust));
    assert_eq!(
        Trust::parse(scene.trust.to_json().as_bytes()),
        Ok(scene.trust)
    );
    for bad in [
        json.replacen('{', r#"{"debug": true,"#, 1),
        json.replace("\"enclave\"", "\"enclaves\""),
        json.replace("CERTIFICATE-----\\n", "CERTIFICATE-----\\nAAAA"),
        json.replace("https:", "ftp:"),
        format!("{json}{json}"),
        format!("[{json}]"),
    ] {
        assert_eq!(
            Trust::parse(bad.as_bytes()),
            Err(AttestationError::Trust),
            "{bad}"
        );
    }
}

#[test]
fn claims_fit_and_are_read_strictly() {
    let encoded = claims().encode().unwrap();
    assert_eq!(EnclaveClaims::decode(&encoded), Ok(claims()));
    assert!(encoded.len() < MAX_USER_DATA, "{} bytes", encoded.len());
    let long = EnclaveClaims {
        parameters: "p".repeat(MAX_USER_DATA),
        ..claims()
    };
    assert_eq!(long.encode(), Err(AttestationError::Claims));
    for length in 0..encoded.len() {
        assert_eq!(
            EnclaveClaims::decode(&encoded[..length]),
            Err(AttestationError::Claims)
        );
    }
    let mut extended = encoded.clone();
    extended.push(0xf6);
    assert_eq!(
        EnclaveClaims::decode(&extended),
        Err(AttestationError::Claims)
    );
    // The longest origin fits beside the name of the parameter set in force.
    let longest = EnclaveClaims {
        service: format!("https://{}", "a".repeat(ServiceId::MAX_LEN - 8))
            .parse()
            .unwrap(),
        ..claims()
    };
    assert!(longest.encode().is_ok());
}
