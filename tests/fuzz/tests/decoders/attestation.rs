//! Attestation documents, what they attest, and the file of what is trusted.

use blindprint_core::{Digest, KeyUri, SystemEntropy, UnixTime, profile_table_digest};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_nsm::{Mode, Nsm};
use blindprint_protocol::attestation::{
    AttestationError, Claims, EnclaveClaims, MAX_DOCUMENT, MAX_TRUST, MAX_USER_DATA, MatcherClaims,
    Measurement, Root, Trust,
};

const NOW: UnixTime = UnixTime(1_790_000_000);
const NONCE: [u8; 32] = [7; 32];

fn enclave_claims() -> EnclaveClaims {
    let digest = Digest::of("fuzz", b"digest");
    EnclaveClaims {
        parameters: "parameters-v1".to_owned(),
        public_key: digest,
        crs: digest,
        evaluation_keys: digest,
        key: digest,
        profiles: profile_table_digest(),
        service: "https://example.org".parse().unwrap(),
        matchers: vec![
            Measurement::from_bytes([3; 48]),
            Measurement::from_bytes([4; 48]),
        ],
        matchers_needed: 2,
        recompute: false,
        log: None,
    }
}

fn matcher_claims() -> MatcherClaims {
    let key = Digest::of("fuzz", b"digest");
    MatcherClaims {
        parameters: "parameters-v1".to_owned(),
        key,
        profiles: profile_table_digest(),
    }
}

struct Scene {
    nsm: Nsm,
    trust: Trust,
    key: KeyUri,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nsm = Nsm::open(folder.path(), Mode::Production, &SystemEntropy).unwrap();
        let accepted = vec![nsm.measurement()];
        let trust = Trust::new(nsm.root().clone(), accepted.clone(), accepted).unwrap();
        let key = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap();
        Self { nsm, trust, key }
    }

    fn attest(&self, claims: &impl Claims) -> Vec<u8> {
        self.nsm
            .attest(&self.key, claims, &NONCE, NOW, &SystemEntropy)
            .unwrap()
    }
}

#[test]
fn altered_documents() {
    let scene = Scene::new();
    let (enclave, matcher) = (
        scene.attest(&enclave_claims()),
        scene.attest(&matcher_claims()),
    );
    let seeds = [enclave.clone(), matcher.clone()];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let as_enclave = scene.trust.verify::<EnclaveClaims>(bytes, &NONCE, NOW);
        let as_matcher = scene.trust.verify::<MatcherClaims>(bytes, &NONCE, NOW);
        assert_eq!(as_enclave.is_ok(), bytes == enclave);
        assert_eq!(as_matcher.is_ok(), bytes == matcher);
        assert!(bytes.len() <= MAX_DOCUMENT || as_enclave == Err(AttestationError::Malformed));
    });
}

/// Anything, where claims must be.
struct Anything<'a>(&'a [u8]);

impl Claims for Anything<'_> {
    fn encode(&self) -> Result<Vec<u8>, AttestationError> {
        Ok(self.0.to_vec())
    }

    fn decode(_: &[u8]) -> Result<Self, AttestationError> {
        Err(AttestationError::Claims)
    }

    fn accepted(_: &Trust) -> &[Measurement] {
        &[]
    }

    fn check(&self, _: &Trust) -> Result<(), AttestationError> {
        Ok(())
    }
}

fn canonical<C: Claims>(bytes: &[u8]) -> bool {
    let Ok(claims) = C::decode(bytes) else {
        return false;
    };
    assert_eq!(claims.encode().as_deref(), Ok(bytes));
    assert!(bytes.len() <= MAX_USER_DATA);
    true
}

/// Claims by themselves, and in a document whose signature and chain hold.
#[test]
fn claims() {
    let scene = Scene::new();
    let seeds = [
        enclave_claims().encode().unwrap(),
        matcher_claims().encode().unwrap(),
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let as_enclave = canonical::<EnclaveClaims>(bytes);
        let as_matcher = canonical::<MatcherClaims>(bytes);
        if let Ok(document) =
            scene
                .nsm
                .attest(&scene.key, &Anything(bytes), &NONCE, NOW, &SystemEntropy)
        {
            let verified = scene.trust.verify::<EnclaveClaims>(&document, &NONCE, NOW);
            assert!(as_enclave || verified.is_err());
            let verified = scene.trust.verify::<MatcherClaims>(&document, &NONCE, NOW);
            assert!(as_matcher || verified.is_err());
        }
    });
}

#[test]
fn roots() {
    let pem = Scene::new().nsm.root().to_pem();
    let der = pem_body(&pem);
    fuzz!(
        Inputs::from([pem.into_bytes(), der]),
        Budget::SMALL,
        |bytes: &[u8]| {
            let from_pem = std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| Root::from_pem(text).ok());
            for root in from_pem.into_iter().chain(Root::from_der(bytes)) {
                assert_eq!(Root::from_pem(&root.to_pem()), Ok(root));
            }
            if let Ok(root) = Root::from_der(bytes) {
                assert_eq!(pem_body(&root.to_pem()), bytes);
            }
        }
    );
}

fn pem_body(pem: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    STANDARD.decode(body).unwrap()
}

#[test]
fn trust_files() {
    let scene = Scene::new();
    let narrow = scene
        .trust
        .clone()
        .for_service("https://example.org".parse().unwrap());
    fuzz!(
        Inputs::from([scene.trust.to_json(), narrow.to_json()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            if let Ok(trust) = Trust::parse(bytes) {
                assert!(bytes.len() <= MAX_TRUST);
                assert!(
                    !trust.enclave().contains(&Measurement::DEBUG)
                        && !trust.matcher().contains(&Measurement::DEBUG)
                );
                assert_eq!(Trust::parse(trust.to_json().as_bytes()), Ok(trust));
            }
        }
    );
}

#[test]
fn measurements() {
    let seeds = [Measurement::DEBUG, Measurement::from_bytes([0xab; 48])]
        .map(|measurement| measurement.to_string());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(measurement) = text.parse::<Measurement>() {
            assert_eq!(measurement.to_string(), text);
        }
    });
}
