use std::{str::FromStr as _, time::Duration};

use blindprint_core::{Entropy, UnixTime};
use p384::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use x509_cert::{
    Certificate, TbsCertificate,
    builder::{Builder as _, CertificateBuilder, profile::BuilderProfile},
    der::{Encode as _, asn1::GeneralizedTime, flagset::FlagSet},
    ext::{
        Extension, ToExtension as _,
        pkix::{BasicConstraints, KeyUsage, KeyUsages},
    },
    name::Name,
    serial_number::SerialNumber,
    spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef},
    time::Time,
};
use zeroize::Zeroizing;

use crate::NsmError;

/// 2020-01-01T00:00:00Z to 2049-12-31T23:59:59Z: a simulation's authorities have no reason to
/// expire, and a test may set the clock to any time in between.
const AUTHORITY_VALIDITY: Validity = Validity {
    from: UnixTime(1_577_836_800),
    to: UnixTime(2_524_607_999),
};

/// From when to when a certificate is valid, both inclusive.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: UnixTime,
    pub(crate) to: UnixTime,
}

/// A certification authority: a P-384 key, wiped when dropped, and its certificate.
pub(crate) struct Authority {
    key: Box<SigningKey>,
    name: Name,
    der: Vec<u8>,
}

impl Authority {
    /// A fresh self-signed root.
    pub(crate) fn root(entropy: &dyn Entropy) -> Result<Self, NsmError> {
        let key = generate(entropy);
        let name = name("Blindprint simulated root")?;
        let kind = Kind::Authority { below: 1 };
        let request = Request {
            subject: name,
            kind,
            validity: AUTHORITY_VALIDITY,
        };
        let certificate = issue(
            &request,
            key.verifying_key(),
            &request.subject,
            &key,
            entropy,
        )?;
        Self::new(key, &certificate)
    }

    /// The authority with this key and certificate.
    pub(crate) fn new(key: Box<SigningKey>, certificate: &Certificate) -> Result<Self, NsmError> {
        let der = certificate.to_der().map_err(|_| NsmError::Certificate)?;
        let name = certificate.tbs_certificate().subject().clone();
        Ok(Self { key, name, der })
    }

    /// The certificate.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its key.
    pub(crate) const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// An authority below this one, with nothing but leaves below it.
    pub(crate) fn intermediate(
        &self,
        module_id: &str,
        entropy: &dyn Entropy,
    ) -> Result<Self, NsmError> {
        let key = generate(entropy);
        let subject = name(&format!("{module_id} authority"))?;
        let kind = Kind::Authority { below: 0 };
        let request = Request {
            subject,
            kind,
            validity: AUTHORITY_VALIDITY,
        };
        let certificate = issue(
            &request,
            key.verifying_key(),
            &self.name,
            &self.key,
            entropy,
        )?;
        Self::new(key, &certificate)
    }

    /// A key that signs documents, and its certificate in DER.
    pub(crate) fn leaf(
        &self,
        module_id: &str,
        validity: Validity,
        entropy: &dyn Entropy,
    ) -> Result<(Box<SigningKey>, Vec<u8>), NsmError> {
        let key = generate(entropy);
        let request = Request {
            subject: name(module_id)?,
            kind: Kind::Leaf,
            validity,
        };
        let certificate = issue(
            &request,
            key.verifying_key(),
            &self.name,
            &self.key,
            entropy,
        )?;
        let der = certificate.to_der().map_err(|_| NsmError::Certificate)?;
        Ok((key, der))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    /// With so many authorities below at most.
    Authority {
        below: u8,
    },
    Leaf,
}

struct Request {
    subject: Name,
    kind: Kind,
    validity: Validity,
}

fn name(common_name: &str) -> Result<Name, NsmError> {
    Name::from_str(&format!("CN={common_name},O=Blindprint")).map_err(|_| NsmError::Certificate)
}

/// A fresh P-384 key.
fn generate(entropy: &dyn Entropy) -> Box<SigningKey> {
    let mut scalar = Zeroizing::new([0; 48]);
    loop {
        entropy.fill(&mut *scalar);
        // Fails with probability 2^-190, for zero or a scalar beyond the group's order.
        if let Ok(key) = SigningKey::from_slice(&*scalar) {
            return Box::new(key);
        }
    }
}

fn issue(
    request: &Request,
    subject_key: &VerifyingKey,
    issuer: &Name,
    issuer_key: &SigningKey,
    entropy: &dyn Entropy,
) -> Result<Certificate, NsmError> {
    let failed = |_| NsmError::Certificate;
    // Positive, 127 bits at random, never zero (RFC 5280 section 4.1.2.2).
    let mut serial: [u8; 16] = entropy.bytes();
    serial[0] = serial[0] & 0x7f | 0x40;
    let validity =
        x509_cert::time::Validity::new(time(request.validity.from)?, time(request.validity.to)?);
    let spki = SubjectPublicKeyInfo::from_key(subject_key).map_err(|_| NsmError::Certificate)?;
    let profile = Profile { request, issuer };
    let serial = SerialNumber::new(&serial).map_err(|_| NsmError::Certificate)?;
    CertificateBuilder::new(profile, serial, validity, spki)
        .and_then(|builder| builder.build::<_, DerSignature>(issuer_key))
        .map_err(failed)
}

fn time(at: UnixTime) -> Result<Time, NsmError> {
    let since_epoch = Duration::from_secs(u64::try_from(at.0).map_err(|_| NsmError::Certificate)?);
    GeneralizedTime::from_unix_duration(since_epoch)
        .map(Time::GeneralTime)
        .map_err(|_| NsmError::Certificate)
}

struct Profile<'a> {
    request: &'a Request,
    issuer: &'a Name,
}

impl BuilderProfile for Profile<'_> {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.request.subject.clone()
    }

    fn build_extensions(
        &self,
        _subject_key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let (constraints, usage): (_, FlagSet<KeyUsages>) = match self.request.kind {
            Kind::Authority { below } => (
                BasicConstraints {
                    ca: true,
                    path_len_constraint: Some(below),
                },
                KeyUsages::KeyCertSign.into(),
            ),
            Kind::Leaf => (
                BasicConstraints {
                    ca: false,
                    path_len_constraint: None,
                },
                KeyUsages::DigitalSignature.into(),
            ),
        };
        Ok(vec![
            constraints.to_extension(tbs.subject(), &[])?,
            KeyUsage(usage).to_extension(tbs.subject(), &[])?,
        ])
    }
}
