//! HTTPS out of the box: a certificate authority of this installation's own, whose certificate
//! clients trust once, and a short-lived certificate that it issues for the service's names.

use std::{fs, net::IpAddr, path::Path, sync::Arc};

use blindprint_core::{Clock, Entropy, UnixTime};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SerialNumber,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    Error, Result,
    config::TlsSection,
    folder::{DataFolder, private_folder, secret_or_else, write_atomically},
};

const DAY: i64 = 86_400;
/// The authority outlives every certificate that clients will see from it.
const AUTHORITY_DAYS: i64 = 3650;
/// Short enough for every browser's limit on leaf certificates.
const LEAF_DAYS: i64 = 90;
/// A leaf with less than this left is replaced.
const RENEW_DAYS: i64 = 30;

/// What a stored leaf certificate is for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LeafNotes {
    names: Vec<String>,
    expires: UnixTime,
}

/// The TLS settings: the operator's certificate if there is one, else one of the local
/// authority, renewed if it is near its end or lacks a name.
pub fn server_config(
    section: &TlsSection,
    folder: &DataFolder,
    public_host: Option<&str>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Arc<ServerConfig>> {
    let (chain, key) = match (&section.certificate_file, &section.key_file) {
        (Some(certificate), Some(key)) => (read(certificate)?, read(key)?),
        _ => local_leaf(folder, &names(section, public_host), clock, entropy)?,
    };
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::Setup(format!("TLS certificate: {error}")))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| Error::Setup(format!("TLS key: {error}")))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Error::Setup(format!("TLS: {error}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A PEM file, wiped when dropped: it may hold a key.
fn read(path: &Path) -> Result<Zeroizing<String>> {
    fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Error::Setup(format!("{}: {error}", path.display())))
}

fn names(section: &TlsSection, public_host: Option<&str>) -> Vec<String> {
    let fixed = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<String> = fixed.into();
    let wanted = public_host
        .map(str::to_owned)
        .into_iter()
        .chain(section.names.iter().cloned());
    for name in wanted {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Chain and key, in PEM.
fn local_leaf(
    folder: &DataFolder,
    names: &[String],
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(Zeroizing<String>, Zeroizing<String>)> {
    let files = folder.tls();
    private_folder(&files)?;
    let mut params = CertificateParams::new(names)
        .map_err(|error| Error::Setup(format!("tls.names: not a DNS name or address: {error}")))?;
    let authority = authority(folder, names, clock, entropy)?;
    let notes_file = files.join("leaf.json");
    let leaf_file = files.join("leaf.pem");
    let key_file = files.join("leaf-key.pem");
    let notes: Option<LeafNotes> = fs::read(&notes_file)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let fresh = notes.is_some_and(|notes| {
        notes.names == names && notes.expires.since(clock.now()) > RENEW_DAYS * DAY
    });
    if fresh && let (Ok(leaf), Ok(key)) = (read(&leaf_file), read(&key_file)) {
        return Ok((leaf, key));
    }
    let key = KeyPair::generate().map_err(certificate_failed)?;
    let now = clock.now();
    let expires = now.plus(LEAF_DAYS * DAY);
    params.distinguished_name = distinguished_name("Blindprint service");
    params.serial_number = Some(serial(entropy));
    // An hour in the past, for clients whose clocks are behind.
    params.not_before = date(now.plus(-3600))?;
    params.not_after = date(expires)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params
        .signed_by(&key, &authority)
        .map_err(certificate_failed)?
        .pem();
    let key = Zeroizing::new(key.serialize_pem());
    // The notes go last: after a crash in between, the next start issues a new pair.
    write_atomically(&notes_file, b"{}", 0o600)?;
    write_atomically(&key_file, key.as_bytes(), 0o600)?;
    write_atomically(&leaf_file, leaf.as_bytes(), 0o600)?;
    let notes = serde_json::to_vec(&LeafNotes {
        names: names.to_vec(),
        expires,
    })
    .map_err(|error| Error::broken("describing a certificate")(error.into()))?;
    write_atomically(&notes_file, &notes, 0o600)?;
    Ok((leaf.into(), key))
}

fn authority(
    folder: &DataFolder,
    names: &[String],
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Issuer<'static, KeyPair>> {
    let key_file = folder.tls().join("ca-key.pem");
    let fresh = KeyPair::generate().map_err(certificate_failed)?;
    let key = secret_or_else(&key_file, || fresh.serialize_pem())?;
    let key = KeyPair::from_pem(&key).map_err(certificate_failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name("Blindprint local authority");
    params.serial_number = Some(serial(entropy));
    // An hour in the past, for clients whose clocks are behind.
    params.not_before = date(clock.now().plus(-3600))?;
    params.not_after = date(clock.now().plus(AUTHORITY_DAYS * DAY))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Who trusts it trusts it for these names alone, even if its key is stolen. RFC 5280 section 4.2.1.10.
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
    let names_file = folder.tls().join("ca.json");
    let known: Vec<String> = fs::read(&names_file)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    if !folder.ca_certificate().is_file() || !names.iter().all(|name| known.contains(name)) {
        let certificate = params.self_signed(&key).map_err(certificate_failed)?.pem();
        write_atomically(&folder.ca_certificate(), certificate.as_bytes(), 0o644)?;
        let names = serde_json::to_vec(names)
            .map_err(|error| Error::broken("describing a certificate")(error.into()))?;
        write_atomically(&names_file, &names, 0o600)?;
    }
    // What a leaf takes from its issuer (name, key, usages) is the same in every run.
    Ok(Issuer::new(params, key))
}

fn subtree(name: &str) -> GeneralSubtree {
    match name.parse::<IpAddr>() {
        Ok(address) => {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, whole))
        }
        Err(_) => GeneralSubtree::DnsName(name.to_owned()),
    }
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn serial(entropy: &dyn Entropy) -> SerialNumber {
    // A leading zero bit keeps it positive, RFC 5280 section 4.1.2.2.
    let mut bytes: [u8; 16] = entropy.bytes();
    bytes[0] &= 0x7f;
    SerialNumber::from_slice(&bytes)
}

fn date(at: UnixTime) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.0)
        .map_err(|error| Error::broken("dating a certificate")(error.into()))
}

fn certificate_failed(error: rcgen::Error) -> Error {
    Error::broken("issuing a certificate")(error.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use blindprint_core::{ManualClock, SystemEntropy};
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        pki_types::{ServerName, UnixTime as PkiTime},
    };

    use super::*;

    #[test]
    fn the_authority_speaks_for_its_names_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let clock = ManualClock::at(UnixTime(1_800_000_000));
        let section = TlsSection::default();
        let host = Some("id.example.org");
        server_config(&section, &folder, host, &clock, &SystemEntropy).unwrap();
        let mut roots = RootCertStore::empty();
        let trusted = CertificateDer::from_pem_file(folder.ca_certificate()).unwrap();
        roots.add(trusted).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let verifier = verifier.build().unwrap();
        let now = PkiTime::since_unix_epoch(Duration::from_hours(500_000));
        let verify = |leaf: &CertificateDer<'_>, name: &'static str| {
            let name = ServerName::try_from(name).unwrap();
            verifier.verify_server_cert(leaf, &[], &name, &[], now)
        };
        let leaf = CertificateDer::from_pem_file(folder.tls().join("leaf.pem")).unwrap();
        for name in ["localhost", "127.0.0.1", "::1", "id.example.org"] {
            assert!(verify(&leaf, name).is_ok(), "{name}");
        }
        let issuer = authority(&folder, &names(&section, host), &clock, &SystemEntropy).unwrap();
        for name in ["evil.example", "192.0.2.1"] {
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            let key = KeyPair::generate().unwrap();
            let stray = params.signed_by(&key, &issuer).unwrap();
            assert!(verify(stray.der(), name).is_err(), "{name}");
        }
    }

    #[test]
    fn certificates_are_renewed_when_they_must_be() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let clock = ManualClock::at(UnixTime(1_800_000_000));
        let leaf = |names: &[&str]| {
            let section = TlsSection {
                names: names.iter().map(|name| (*name).to_owned()).collect(),
                ..TlsSection::default()
            };
            server_config(
                &section,
                &folder,
                Some("id.example.org"),
                &clock,
                &SystemEntropy,
            )
            .unwrap();
            fs::read(folder.tls().join("leaf.pem")).unwrap()
        };
        let first = leaf(&[]);
        let ca = || fs::read(folder.ca_certificate()).unwrap();
        let authority = ca();
        assert_eq!(leaf(&[]), first);
        assert_eq!(ca(), authority);
        let renamed = leaf(&["other.example.org"]);
        assert_ne!(renamed, first);
        assert_ne!(ca(), authority, "it does not speak for the new name");
        let authority = ca();
        clock.advance((LEAF_DAYS - RENEW_DAYS - 1) * DAY);
        assert_eq!(leaf(&["other.example.org"]), renamed);
        clock.advance(2 * DAY);
        assert_ne!(leaf(&["other.example.org"]), renamed);
        assert_eq!(ca(), authority);
    }

    #[test]
    fn a_bad_name_is_the_operators_to_correct() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let section = TlsSection {
            names: vec!["höst.example".to_owned()],
            ..TlsSection::default()
        };
        let clock = ManualClock::at(UnixTime(1_800_000_000));
        let refused = server_config(&section, &folder, None, &clock, &SystemEntropy);
        assert!(matches!(refused, Err(Error::Setup(_))));
    }
}
