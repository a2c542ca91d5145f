//! Certificate paths (RFC 5280 section 6), narrowed to what attestation needs: every key is P-384,
//! every signature ECDSA with SHA-384, every certificate version 3 in canonical DER, no critical
//! extensions but basic constraints and key usage, and no choice of path: the document gives it.

use blindprint_core::UnixTime;
use p384::ecdsa::{DerSignature, VerifyingKey, signature::Verifier as _};
use serde_bytes::ByteBuf;
use x509_cert::{
    Certificate, Version,
    der::{
        Decode as _, DecodePem as _, Encode as _, EncodePem as _,
        oid::{AssociatedOid as _, ObjectIdentifier},
        pem::LineEnding,
    },
    ext::pkix::{BasicConstraints, KeyUsage},
    spki::DecodePublicKey as _,
    time::Time,
};

use super::AttestationError;

/// ecdsa-with-SHA384, RFC 5758 section 3.2.
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// Most certificates above the leaf.
const MAX_BUNDLE: usize = 6;

/// A certificate that documents may chain to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(Certificate);

impl Root {
    /// A self-signed P-384 certification authority, from PEM (RFC 7468) with nothing around it.
    pub fn from_pem(pem: &str) -> Result<Self, AttestationError> {
        let certificate = Certificate::from_pem(pem).map_err(|_| AttestationError::Chain)?;
        let der = certificate.to_der().map_err(|_| AttestationError::Chain)?;
        Self::from_der(&der)
    }

    /// The same from DER.
    pub fn from_der(der: &[u8]) -> Result<Self, AttestationError> {
        let certificate = parse(der)?;
        check_authority(&certificate, usize::MAX)?;
        check_signed_by(&certificate, &certificate)?;
        Ok(Self(certificate))
    }

    /// The certificate in PEM, as [`Self::from_pem`] takes it.
    ///
    /// # Panics
    /// Never: what was decoded encodes.
    pub fn to_pem(&self) -> String {
        self.0
            .to_pem(LineEnding::LF)
            .expect("a certificate that was decoded encodes")
    }
}

/// The key of `leaf`, if the path of `bundle` (root first) down to it holds at `now` under one of
/// `roots`.
pub(super) fn leaf_key(
    roots: &[Root],
    bundle: &[ByteBuf],
    leaf: &[u8],
    now: UnixTime,
) -> Result<VerifyingKey, AttestationError> {
    if bundle.is_empty() || bundle.len() > MAX_BUNDLE {
        return Err(AttestationError::Chain);
    }
    let authorities = bundle
        .iter()
        .map(|der| parse(der))
        .collect::<Result<Vec<_>, AttestationError>>()?;
    let leaf = parse(leaf)?;
    if !roots.iter().any(|root| root.0 == authorities[0]) {
        return Err(AttestationError::Root);
    }
    let path: Vec<&Certificate> = authorities.iter().chain([&leaf]).collect();
    for link in path.windows(2) {
        check_signed_by(link[1], link[0])?;
    }
    for (depth, authority) in authorities.iter().enumerate() {
        // Certification authorities that follow below this one.
        check_authority(authority, authorities.len() - 1 - depth)?;
    }
    check_leaf(&leaf)?;
    for certificate in path {
        check_validity(certificate, now)?;
    }
    public_key(&leaf)
}

/// One certificate in canonical DER, of the only kind there is here.
fn parse(der: &[u8]) -> Result<Certificate, AttestationError> {
    let certificate = Certificate::from_der(der).map_err(|_| AttestationError::Chain)?;
    let tbs = certificate.tbs_certificate();
    let algorithm = certificate.signature_algorithm();
    let canonical = certificate.to_der().is_ok_and(|encoded| encoded == der);
    if canonical
        && tbs.version() == Version::V3
        && algorithm == tbs.signature()
        && algorithm.oid == ECDSA_WITH_SHA384
        && algorithm.parameters.is_none()
        && extensions_known(&certificate)
    {
        Ok(certificate)
    } else {
        Err(AttestationError::Chain)
    }
}

/// No extension twice, and none critical that [`check_authority`] and [`check_leaf`] do not read.
fn extensions_known(certificate: &Certificate) -> bool {
    let extensions = certificate
        .tbs_certificate()
        .extensions()
        .map_or(&[][..], Vec::as_slice);
    extensions.iter().enumerate().all(|(index, extension)| {
        let known = [BasicConstraints::OID, KeyUsage::OID].contains(&extension.extn_id);
        (known || !extension.critical)
            && extensions[..index]
                .iter()
                .all(|earlier| earlier.extn_id != extension.extn_id)
    })
}

fn check_authority(certificate: &Certificate, below: usize) -> Result<(), AttestationError> {
    let (constraints, usage) = constraints(certificate)?;
    let constraints = constraints.ok_or(AttestationError::Chain)?;
    // A root is checked on its own before any path is known, hence without a length.
    let long_enough = below == usize::MAX
        || constraints
            .path_len_constraint
            .is_none_or(|most| below <= usize::from(most));
    if constraints.ca && usage.key_cert_sign() && long_enough {
        Ok(())
    } else {
        Err(AttestationError::Chain)
    }
}

fn check_leaf(certificate: &Certificate) -> Result<(), AttestationError> {
    let (constraints, usage) = constraints(certificate)?;
    let authority = constraints.is_some_and(|constraints| constraints.ca) || usage.key_cert_sign();
    if usage.digital_signature() && !authority {
        Ok(())
    } else {
        Err(AttestationError::Chain)
    }
}

/// Basic constraints, if any, and key usage, which every certificate must state.
fn constraints(
    certificate: &Certificate,
) -> Result<(Option<BasicConstraints>, KeyUsage), AttestationError> {
    let tbs = certificate.tbs_certificate();
    let constraints = tbs
        .get_extension::<BasicConstraints>()
        .map_err(|_| AttestationError::Chain)?;
    let usage = tbs
        .get_extension::<KeyUsage>()
        .ok()
        .flatten()
        .ok_or(AttestationError::Chain)?;
    Ok((constraints.map(|(_, constraints)| constraints), usage.1))
}

fn check_signed_by(child: &Certificate, parent: &Certificate) -> Result<(), AttestationError> {
    let issuer = parent.tbs_certificate().subject();
    if issuer.is_empty() || child.tbs_certificate().issuer() != issuer {
        return Err(AttestationError::Chain);
    }
    let signed = child
        .tbs_certificate()
        .to_der()
        .map_err(|_| AttestationError::Chain)?;
    let signature = child
        .signature()
        .as_bytes()
        .ok_or(AttestationError::Chain)?;
    let signature = DerSignature::from_bytes(signature).map_err(|_| AttestationError::Chain)?;
    public_key(parent)?
        .verify(&signed, &signature)
        .map_err(|_| AttestationError::Chain)
}

fn check_validity(certificate: &Certificate, now: UnixTime) -> Result<(), AttestationError> {
    let validity = certificate.tbs_certificate().validity();
    let seconds = |time: Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    if (seconds(validity.not_before)..=seconds(validity.not_after)).contains(&now.0) {
        Ok(())
    } else {
        Err(AttestationError::Expired)
    }
}

fn public_key(certificate: &Certificate) -> Result<VerifyingKey, AttestationError> {
    let spki = certificate.tbs_certificate().subject_public_key_info();
    let der = spki.to_der().map_err(|_| AttestationError::Chain)?;
    VerifyingKey::from_public_key_der(&der).map_err(|_| AttestationError::Chain)
}
