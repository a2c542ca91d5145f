//! Documents that are signed properly, but by a chain or with contents that must not be accepted.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, str::FromStr as _, time::Duration};

use blindprint_core::{Digest, SystemEntropy, UnixTime, profile_table_digest};
use blindprint_did::{KeyType, SigningKey as StatementKey};
use blindprint_protocol::attestation::{
    AttestationError, Claims as _, Document, MatcherClaims, Measurement, Root, Trust,
};
use coset::{CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _, iana};
use p384::ecdsa::{DerSignature, Signature, SigningKey, signature::Signer as _};
use serde_bytes::ByteBuf;
use x509_cert::{
    TbsCertificate,
    builder::{Builder as _, CertificateBuilder, profile::BuilderProfile},
    der::{
        Encode as _,
        asn1::{GeneralizedTime, OctetString},
        oid::ObjectIdentifier,
    },
    ext::{
        Extension, ToExtension as _,
        pkix::{BasicConstraints, KeyUsage, KeyUsages},
    },
    name::Name,
    serial_number::SerialNumber,
    spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef},
    time::{Time, Validity},
};

const NOW: UnixTime = UnixTime(1_790_000_000);
const NONCE: [u8; 32] = [7; 32];
const PCR0: [u8; 48] = [3; 48];

/// One certificate to make. Each test spoils one member.
#[derive(Clone)]
struct Certificate {
    key: u8,
    signed_with: u8,
    subject: &'static str,
    issuer: &'static str,
    constraints: Option<(bool, Option<u8>)>,
    usage: Option<KeyUsages>,
    valid: (i64, i64),
    extensions: Vec<Extension>,
}

/// A P-384 key that is the same for the same `seed`.
fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 48]).unwrap()
}

fn authority(subject: &'static str, key: u8, issuer: &'static str, signed_with: u8) -> Certificate {
    Certificate {
        key,
        signed_with,
        subject,
        issuer,
        constraints: Some((true, None)),
        usage: Some(KeyUsages::KeyCertSign),
        valid: (NOW.0 - 1000, NOW.0 + 1000),
        extensions: Vec::new(),
    }
}

impl BuilderProfile for Certificate {
    fn get_issuer(&self, _subject: &Name) -> Name {
        Name::from_str(self.issuer).unwrap()
    }

    fn get_subject(&self) -> Name {
        Name::from_str(self.subject).unwrap()
    }

    fn build_extensions(
        &self,
        _subject_key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let mut extensions = self.extensions.clone();
        if let Some((ca, path_len_constraint)) = self.constraints {
            let constraints = BasicConstraints {
                ca,
                path_len_constraint,
            };
            extensions.push(constraints.to_extension(tbs.subject(), &[])?);
        }
        if let Some(usage) = self.usage {
            extensions.push(KeyUsage(usage.into()).to_extension(tbs.subject(), &[])?);
        }
        Ok(extensions)
    }
}

impl Certificate {
    fn der(&self) -> Vec<u8> {
        let time = |seconds: i64| {
            let since_epoch = Duration::from_secs(seconds.try_into().unwrap());
            Time::GeneralTime(GeneralizedTime::from_unix_duration(since_epoch).unwrap())
        };
        let validity = Validity::new(time(self.valid.0), time(self.valid.1));
        let spki = SubjectPublicKeyInfo::from_key(key(self.key).verifying_key()).unwrap();
        CertificateBuilder::new(self.clone(), SerialNumber::from(1_u8), validity, spki)
            .unwrap()
            .build::<_, DerSignature>(&key(self.signed_with))
            .unwrap()
            .to_der()
            .unwrap()
    }
}

/// Everything that goes into a document.
struct Forgery {
    bundle: Vec<Certificate>,
    leaf: Certificate,
    signed_with: u8,
    document: Document,
    algorithm: iana::Algorithm,
    unprotected: coset::Header,
}

impl Forgery {
    /// One that is accepted, with two authorities between root and leaf.
    fn new() -> Self {
        let claims = MatcherClaims {
            parameters: "parameters-v1".to_owned(),
            key: Digest::of("test", b"key"),
            profiles: profile_table_digest(),
        };
        let statement_key = StatementKey::generate(KeyType::Ed25519, &SystemEntropy);
        let leaf = Certificate {
            constraints: Some((false, None)),
            usage: Some(KeyUsages::DigitalSignature),
            ..authority("CN=leaf", 4, "CN=second", 3)
        };
        Self {
            bundle: vec![
                authority("CN=root", 1, "CN=root", 1),
                authority("CN=first", 2, "CN=root", 1),
                authority("CN=second", 3, "CN=first", 2),
            ],
            leaf,
            signed_with: 4,
            document: Document {
                module_id: "forged".to_owned(),
                digest: "SHA384".to_owned(),
                timestamp: 1000 * u64::try_from(NOW.0).unwrap(),
                pcrs: [(0, ByteBuf::from(PCR0))].into(),
                certificate: ByteBuf::new(),
                cabundle: Vec::new(),
                public_key: ByteBuf::from(statement_key.public().uri().as_str()),
                user_data: ByteBuf::from(claims.encode().unwrap()),
                nonce: ByteBuf::from(NONCE),
            },
            algorithm: iana::Algorithm::ES384,
            unprotected: coset::Header::default(),
        }
    }

    fn verify(mut self) -> Result<(), AttestationError> {
        self.document.cabundle = self
            .bundle
            .iter()
            .map(|certificate| ByteBuf::from(certificate.der()))
            .collect();
        if self.document.certificate.is_empty() {
            self.document.certificate = ByteBuf::from(self.leaf.der());
        }
        let document = CoseSign1Builder::new()
            .protected(HeaderBuilder::new().algorithm(self.algorithm).build())
            .unprotected(self.unprotected)
            .payload(self.document.encode().unwrap())
            .create_signature(b"", |signed| {
                let signature: Signature = key(self.signed_with).sign(signed);
                signature.to_vec()
            })
            .build()
            .to_tagged_vec()
            .unwrap();
        let root = Root::from_der(&authority("CN=root", 1, "CN=root", 1).der()).unwrap();
        let trust = Trust::new(root, vec![], vec![Measurement::from_bytes(PCR0)]).unwrap();
        trust
            .verify::<MatcherClaims>(&document, &NONCE, NOW)
            .map(|_| ())
    }
}

fn spoil(change: impl FnOnce(&mut Forgery)) -> Result<(), AttestationError> {
    let mut forgery = Forgery::new();
    change(&mut forgery);
    forgery.verify()
}

fn extension(oid: &str, critical: bool) -> Extension {
    Extension {
        extn_id: ObjectIdentifier::new(oid).unwrap(),
        critical,
        extn_value: OctetString::new([0x05, 0x00]).unwrap(),
    }
}

#[test]
fn what_the_tests_start_from_is_accepted() {
    assert_eq!(spoil(|_| ()), Ok(()));
    assert_eq!(
        spoil(|it| it.bundle[0].constraints = Some((true, None))),
        Ok(())
    );
    assert_eq!(
        spoil(|it| it.bundle[1].constraints = Some((true, Some(1)))),
        Ok(())
    );
    assert_eq!(
        spoil(|it| it.bundle[2].constraints = Some((true, Some(0)))),
        Ok(())
    );
    assert_eq!(spoil(|it| it.leaf.constraints = None), Ok(()));
    assert_eq!(
        spoil(|it| it.leaf.extensions.push(extension("1.2.3.4", false))),
        Ok(())
    );
}

#[test]
fn authorities_must_be_authorities() {
    type Change = fn(&mut Certificate);
    let changes: [(&str, Change); 8] = [
        ("no basic constraints", |it| it.constraints = None),
        ("not an authority", |it| {
            it.constraints = Some((false, None));
        }),
        ("no key usage", |it| it.usage = None),
        ("may not sign certificates", |it| {
            it.usage = Some(KeyUsages::DigitalSignature);
        }),
        ("signed with another key", |it| it.signed_with = 9),
        ("of another issuer", |it| it.issuer = "CN=nobody"),
        ("a critical extension nobody knows", |it| {
            it.extensions.push(extension("1.2.3.4", true));
        }),
        ("an extension twice", |it| {
            it.extensions
                .extend([extension("1.2.3.4", false), extension("1.2.3.4", false)]);
        }),
    ];
    for (what, change) in changes {
        for place in [1, 2] {
            assert_eq!(
                spoil(|it| change(&mut it.bundle[place])),
                Err(AttestationError::Chain),
                "{what}"
            );
        }
    }
    for place in [1, 2] {
        assert_eq!(
            spoil(|it| it.bundle[place].constraints = Some((true, Some(0)))).is_err(),
            place == 1
        );
    }
}

#[test]
fn leaves_must_be_leaves() {
    let changes: [fn(&mut Certificate); 8] = [
        |it| it.constraints = Some((true, None)),
        |it| it.usage = Some(KeyUsages::KeyCertSign),
        |it| it.usage = Some(KeyUsages::KeyAgreement),
        |it| it.usage = None,
        |it| it.signed_with = 9,
        |it| it.issuer = "CN=first",
        |it| it.issuer = "CN=Second",
        |it| it.extensions.push(extension("1.2.3.4", true)),
    ];
    for change in changes {
        assert_eq!(
            spoil(|it| change(&mut it.leaf)),
            Err(AttestationError::Chain)
        );
    }
}

#[test]
fn certificates_are_valid_now() {
    for valid in [
        (NOW.0 - 1000, NOW.0 - 1),
        (NOW.0 + 1, NOW.0 + 1000),
        (NOW.0 + 1, NOW.0 - 1),
    ] {
        assert_eq!(
            spoil(|it| it.leaf.valid = valid),
            Err(AttestationError::Expired)
        );
        assert_eq!(
            spoil(|it| it.bundle[1].valid = valid),
            Err(AttestationError::Expired)
        );
        assert_eq!(
            spoil(|it| it.bundle[2].valid = valid),
            Err(AttestationError::Expired)
        );
    }
    assert_eq!(spoil(|it| it.leaf.valid = (NOW.0, NOW.0)), Ok(()));
}

#[test]
fn chains_begin_at_the_root_and_leave_nothing_out() {
    // The root's name and key, but not its certificate.
    assert_eq!(
        spoil(|it| it.bundle[0].valid.1 += 1),
        Err(AttestationError::Root)
    );
    assert_eq!(
        spoil(|it| it.bundle[0].key = 9),
        Err(AttestationError::Root)
    );
    assert_eq!(
        spoil(|it| drop(it.bundle.remove(0))),
        Err(AttestationError::Root)
    );
    assert_eq!(
        spoil(|it| drop(it.bundle.remove(1))),
        Err(AttestationError::Chain)
    );
    assert_eq!(
        spoil(|it| it.bundle.swap(1, 2)),
        Err(AttestationError::Chain)
    );
    assert_eq!(spoil(|it| it.bundle.clear()), Err(AttestationError::Chain));
    let root = authority("CN=root", 1, "CN=root", 1);
    assert_eq!(
        spoil(|it| it.bundle.splice(0..0, vec![root.clone(); 4]).for_each(drop)),
        Err(AttestationError::Chain)
    );
    // An authority of the platform cannot stand in for a leaf, nor a leaf for an authority.
    assert_eq!(
        spoil(|it| {
            it.leaf = it.bundle.pop().unwrap();
            it.signed_with = 3;
        }),
        Err(AttestationError::Chain)
    );
    assert_eq!(
        spoil(|it| {
            let below = Certificate {
                issuer: "CN=leaf",
                signed_with: 4,
                subject: "CN=below",
                key: 5,
                ..it.leaf.clone()
            };
            it.bundle.push(std::mem::replace(&mut it.leaf, below));
            it.signed_with = 5;
        }),
        Err(AttestationError::Chain)
    );
}

#[test]
fn roots_sign_themselves() {
    let good = authority("CN=root", 1, "CN=root", 1);
    assert!(Root::from_der(&good.der()).is_ok());
    for bad in [
        authority("CN=root", 1, "CN=root", 2),
        authority("CN=root", 1, "CN=other", 1),
        Certificate {
            constraints: Some((false, None)),
            ..good.clone()
        },
        Certificate {
            usage: None,
            ..good.clone()
        },
    ] {
        assert_eq!(Root::from_der(&bad.der()), Err(AttestationError::Chain));
    }
    let mut long = good.der();
    long.push(0);
    assert_eq!(Root::from_der(&long), Err(AttestationError::Chain));
}

#[test]
fn the_leaf_signs_the_document_and_nothing_else_does() {
    for key in [1, 2, 3, 9] {
        assert_eq!(
            spoil(|it| it.signed_with = key),
            Err(AttestationError::Signature),
            "key {key}"
        );
    }
    assert_eq!(
        spoil(|it| it.algorithm = iana::Algorithm::ES256),
        Err(AttestationError::Malformed)
    );
    assert_eq!(
        spoil(|it| it.unprotected.key_id = vec![1]),
        Err(AttestationError::Malformed)
    );
}

#[test]
fn the_payload_keeps_its_limits() {
    let pcrs = |entries: &[(u8, &[u8])]| -> BTreeMap<u8, ByteBuf> {
        entries
            .iter()
            .map(|(index, pcr)| (*index, ByteBuf::from(*pcr)))
            .collect()
    };
    type Change = Box<dyn FnOnce(&mut Document)>;
    let changes: [(Change, AttestationError); 16] = [
        (
            Box::new(|it| it.digest = "SHA256".to_owned()),
            AttestationError::Malformed,
        ),
        (
            Box::new(|it| it.module_id.clear()),
            AttestationError::Malformed,
        ),
        (
            Box::new(|it| it.module_id = "m".repeat(1025)),
            AttestationError::Malformed,
        ),
        (Box::new(|it| it.pcrs.clear()), AttestationError::Malformed),
        (
            Box::new(move |it| it.pcrs = pcrs(&[(0, &[3; 32])])),
            AttestationError::Malformed,
        ),
        (
            Box::new(move |it| it.pcrs = pcrs(&[(0, &PCR0), (32, &PCR0)])),
            AttestationError::Malformed,
        ),
        (
            Box::new(move |it| it.pcrs = pcrs(&[(1, &PCR0)])),
            AttestationError::Measurement,
        ),
        (
            Box::new(move |it| it.pcrs = pcrs(&[(0, &[4; 48]), (1, &PCR0)])),
            AttestationError::Measurement,
        ),
        (
            Box::new(move |it| it.pcrs = pcrs(&[(0, &[0; 48])])),
            AttestationError::Debug,
        ),
        (
            Box::new(|it| it.certificate = ByteBuf::from(vec![0x30; 1025])),
            AttestationError::Malformed,
        ),
        (
            Box::new(|it| it.certificate = ByteBuf::from(vec![0x30; 500])),
            AttestationError::Chain,
        ),
        (
            Box::new(|it| it.public_key = ByteBuf::from("did:key:z6Mk")),
            AttestationError::Claims,
        ),
        (
            Box::new(|it| it.public_key = ByteBuf::from([0xff; 8])),
            AttestationError::Claims,
        ),
        (
            Box::new(|it| it.user_data = ByteBuf::from([0xa0])),
            AttestationError::Claims,
        ),
        (
            Box::new(|it| it.user_data = ByteBuf::from(vec![0; 513])),
            AttestationError::Malformed,
        ),
        (
            Box::new(|it| it.timestamp = u64::MAX),
            AttestationError::Stale,
        ),
    ];
    for (at, (change, error)) in changes.into_iter().enumerate() {
        assert_eq!(
            spoil(|it| change(&mut it.document)),
            Err(error),
            "change {at}"
        );
    }
}
