//! Credentials issued and verified per second, status lists, and what the resolver's cache saves.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use blindprint_core::{Clock as _, ProfileId, SystemClock, SystemEntropy, UnixTime};
use blindprint_credentials::{
    Claims, Contexts, Credential, CredentialChecks, Date, Deployment, EnrolmentClaims, FetchError,
    FetchedList, KeyError, Keys, Relationship, ResolvedKey, Signer, StatusLists, Suite,
    UnverifiedCredential, Verifier,
    sd_jwt::SdJwtClaims,
    status::{BitstringStatusList, TokenStatus, TokenStatusList},
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_egress::Egress;
use blindprint_resolver::{Config, Did, Options, Resolver};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    error::{Error, Result},
    print::Printer,
    random::Random,
    timing::Timing,
};

const SHORT: Duration = Duration::from_secs(3);
const ISSUER: &str = "did:web:issuer.example";
const METHOD: &str = "did:web:issuer.example#key";
/// Entries of the large list, and how many of them are set.
const ENTRIES: u64 = 1 << 20;
const SET: u64 = ENTRIES / 100;

/// Issuing and verifying in one form.
#[derive(Debug, Serialize)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// Signing, with the checks that come before it.
    pub issue: Timing,
    /// Strict verification with the key at hand; without status.
    pub verify: Timing,
}

/// All of it, on one core.
#[derive(Debug, Serialize)]
pub struct Credentials {
    /// By form.
    pub forms: Vec<Form>,
    /// A DID in the resolver's cache.
    pub cached: Timing,
    /// A did:web fetched over HTTPS from this machine.
    pub fetched: Timing,
    /// A Bitstring Status List of 2^20 entries, one in a hundred of them set: building and encoding.
    pub bitstring_encode: Timing,
    /// Decoding it and reading one entry.
    pub bitstring_read: Timing,
    /// Bytes of its encoded form.
    pub bitstring_bytes: usize,
    /// The same as a Token Status List with two bits an entry.
    pub token_encode: Timing,
    /// Decoding it and reading one entry.
    pub token_read: Timing,
    /// Bytes of its encoded form.
    pub token_bytes: usize,
}

/// The issuer's one key, at hand.
struct AtHand(ResolvedKey);

#[async_trait]
impl Keys for AtHand {
    async fn key_for(
        &self,
        _: &str,
        _: Relationship,
    ) -> std::result::Result<ResolvedKey, KeyError> {
        Ok(self.0.clone())
    }
}

#[async_trait]
impl StatusLists for AtHand {
    async fn fetch(&self, _: &str, _: &str) -> std::result::Result<FetchedList, FetchError> {
        Err(FetchError::Unavailable)
    }
}

/// Measures it.
pub fn measure(profile: ProfileId) -> Result<Credentials> {
    let runtime = Runtime::new()?;
    let (cached, fetched) = resolution(&runtime)?;
    let mut random = Random::for_label("status lists");
    let set: Vec<u64> = (0..SET).map(|_| random.next() % ENTRIES).collect();
    let bits = || BitstringStatusList::of(ENTRIES, set.iter().copied());
    let tokens = || {
        let set = set.iter().map(|entry| (*entry, TokenStatus::Invalid));
        TokenStatusList::of(2, ENTRIES, set)
    };
    let (bitstring, token) = (bits()?.encode(), tokens()?.encode());
    Ok(Credentials {
        forms: forms(&runtime, profile)?,
        cached,
        fetched,
        bitstring_encode: Timing::of(SHORT, || bits().map(|list| list.encode())),
        bitstring_read: Timing::of(SHORT, || {
            BitstringStatusList::decode(&bitstring)?.is_set(ENTRIES / 2)
        }),
        bitstring_bytes: bitstring.len(),
        token_encode: Timing::of(SHORT, || tokens().map(|list| list.encode())),
        token_read: Timing::of(SHORT, || {
            TokenStatusList::decode(2, &token)?.status(ENTRIES / 2)
        }),
        token_bytes: token.len(),
    })
}

fn forms(runtime: &Runtime, profile: ProfileId) -> Result<Vec<Form>> {
    let now = SystemClock.now();
    let deployment = Deployment::new(&"https://issuer.example".parse()?);
    let contexts = Contexts::standard().with(&deployment);
    let [ed25519, p256] =
        [KeyType::Ed25519, KeyType::P256].map(|kind| SigningKey::generate(kind, &SystemEntropy));
    let holder = SigningKey::generate(KeyType::Ed25519, &SystemEntropy).public();
    let claims = Claims::Enrolment(EnrolmentClaims {
        modality: profile.profile().modality,
        profile,
        parameter_set: blindprint_template::PARAMETERS.name.to_owned(),
        enrolled_since: Date::of(now),
    });
    let until = UnixTime(now.0 + 3600);
    let credential = || {
        Credential::builder(&deployment, ISSUER, &claims)
            .held_by(holder.uri().as_str())
            .valid_from(now)
            .valid_until(until)
            .build()
    };
    let data_integrity = |suite| -> Result<Value> {
        Ok(Signer::new(&ed25519, METHOD, &contexts)?.credential(credential()?, suite, now)?)
    };
    let sd_jwt = |key| -> Result<Value> {
        let claims = SdJwtClaims {
            expires: Some(until),
            holder: Some(&holder),
            ..SdJwtClaims::of(&deployment, ISSUER, &claims, now)?
        };
        let token = Signer::new(key, METHOD, &contexts)?.sd_jwt(&claims, &SystemEntropy)?;
        Ok(token.to_text().into())
    };
    let form = |name, key: &SigningKey, issue: &dyn Fn() -> Result<Value>| -> Result<Form> {
        let issued = issue()?;
        let at_hand = Arc::new(AtHand(ResolvedKey {
            controller: ISSUER.to_owned(),
            key: key.public(),
        }));
        let verifier = Verifier::new(
            Arc::clone(&at_hand) as Arc<dyn Keys>,
            at_hand,
            Arc::new(SystemClock),
            contexts.clone(),
        );
        let verify = || -> Result<_> {
            let unverified = UnverifiedCredential::from_value(issued.clone())?;
            let checks = CredentialChecks { status: false };
            Ok(runtime.block_on(verifier.credential(unverified, &checks))?)
        };
        verify()?;
        Ok(Form {
            name,
            issue: Timing::of(SHORT, issue),
            verify: Timing::of(SHORT, verify),
        })
    };
    let jwt = || -> Result<Value> {
        let signer = Signer::new(&ed25519, METHOD, &contexts)?;
        Ok(signer.credential_jwt(&credential()?)?.into())
    };
    Ok(vec![
        form("eddsa-jcs-2022", &ed25519, &|| {
            data_integrity(Suite::EddsaJcs2022)
        })?,
        form("eddsa-rdfc-2022", &ed25519, &|| {
            data_integrity(Suite::EddsaRdfc2022)
        })?,
        form("vc+jwt, EdDSA", &ed25519, &jwt)?,
        form("dc+sd-jwt, EdDSA", &ed25519, &|| sd_jwt(&ed25519))?,
        form("dc+sd-jwt, ES256", &p256, &|| sd_jwt(&p256))?,
    ])
}

/// A did:web from the cache, and from a host on this machine.
fn resolution(runtime: &Runtime) -> Result<(Timing, Timing)> {
    let (port, certificate) = runtime.block_on(host())?;
    let egress = Egress::new(&blindprint_egress::Config {
        allow: vec![format!("localhost:{port}").parse()?],
        ca_bundle: Some(certificate),
        ..Default::default()
    })?;
    let resolver = Resolver::new(Config::default(), egress, Arc::new(SystemClock));
    let did: Did = format!("did:web:localhost%3A{port}").parse()?;
    let resolve = |no_cache| {
        let options = Options {
            no_cache,
            ..Options::default()
        };
        runtime.block_on(resolver.resolve(&did, &options))
    };
    resolve(true)?;
    Ok((
        Timing::of(SHORT, || resolve(false)),
        Timing::of(SHORT, || resolve(true)),
    ))
}

/// Starts a host with one DID document; its port and certificate.
async fn host() -> Result<(u16, Vec<u8>)> {
    let failed = |error: &dyn std::fmt::Display| Error::Host(error.to_string());
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])
        .map_err(|error| failed(&error))?;
    let certificate = certified.cert.pem().into_bytes();
    let key = certified.signing_key.serialize_pem().into_bytes();
    let tls = RustlsConfig::from_pem(certificate.clone(), key).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy).public();
    let did = format!("did:web:localhost%3A{port}");
    let document = json!({
        "id": did,
        "verificationMethod": [{
            "id": format!("{did}#key"),
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.multikey(),
        }],
        "assertionMethod": [format!("{did}#key")],
    });
    let router = Router::new().fallback(move || async move { Json(document) });
    let server = axum_server::from_tcp_rustls(listener, tls)?;
    tokio::spawn(server.serve(router.into_make_service()));
    Ok((port, certificate))
}

impl Credentials {
    /// Prints it.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title("Credentials: median [95 % confidence interval of the median], 1 core")?;
        for form in &self.forms {
            for (what, timing) in [("issue", &form.issue), ("verify", &form.verify)] {
                let rate = timing.median.recip();
                let what = format!("{}: {what}", form.name);
                out.line(format!("{what:<38} {timing}, {rate:.0}/s"))?;
            }
        }
        for (what, timing) in [
            ("resolver: in the cache", &self.cached),
            ("resolver: did:web over HTTPS", &self.fetched),
            ("bitstring list, 2^20: encode", &self.bitstring_encode),
            ("bitstring list, 2^20: decode, read", &self.bitstring_read),
            ("token list, 2^20 × 2 bits: encode", &self.token_encode),
            ("token list, 2^20 × 2 bits: decode, read", &self.token_read),
        ] {
            out.line(format!("{what:<38} {timing}"))?;
        }
        out.line(format!(
            "encoded: {} and {} bytes, with one entry in a hundred set",
            self.bitstring_bytes, self.token_bytes
        ))
    }
}
