//! Credentials, presentations and status lists.

mod altered;
mod status;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, ManualClock, Modality, UnixTime, profiles};
use blindprint_credentials::{
    AuthenticationClaims, Claims, Contexts, Credential, CredentialChecks, Date, Deployment,
    Document, EnrolmentClaims, FetchError, FetchedList, KeyError, Keys, Relationship, ResolvedKey,
    Signer, StatusLists, Suite, UnverifiedCredential, Verifier, VerifyError,
    sd_jwt::{SdJwt, SdJwtClaims},
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::did::key;

const NOW: UnixTime = UnixTime(1_795_341_600);
const ISSUER: &str = "did:web:issuer.example";
const ISSUER_KEY: &str = "did:web:issuer.example#key";
const SUITES: [Suite; 2] = [Suite::EddsaJcs2022, Suite::EddsaRdfc2022];
const WITHOUT_STATUS: CredentialChecks = CredentialChecks { status: false };

/// The same bytes on every run.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Keys and lists that are there without a call.
#[derive(Default)]
struct World {
    keys: HashMap<String, ResolvedKey>,
    lists: HashMap<String, String>,
}

#[async_trait]
impl Keys for World {
    async fn key_for(&self, method: &str, _: Relationship) -> Result<ResolvedKey, KeyError> {
        self.keys.get(method).cloned().ok_or(KeyError::NotFound)
    }
}

#[async_trait]
impl StatusLists for World {
    async fn fetch(&self, url: &str, _: &str) -> Result<FetchedList, FetchError> {
        let list = self.lists.get(url).ok_or(FetchError::NotFound)?;
        Ok(FetchedList {
            body: list.clone().into_bytes(),
            content_type: None,
        })
    }
}

/// An issuer, a holder and a verifier that knows both.
struct Cast {
    issuer: SigningKey,
    holder: SigningKey,
    holder_method: String,
    deployment: Deployment,
    contexts: Contexts,
    verifier: Verifier,
}

impl Cast {
    fn new() -> Self {
        Self::with_lists(HashMap::new())
    }

    fn with_lists(lists: HashMap<String, String>) -> Self {
        let (issuer, holder) = (key(KeyType::Ed25519, 1), key(KeyType::Ed25519, 2));
        let did = holder.public().subject();
        let holder_method = format!("{did}#{}", holder.public().multikey());
        let deployment = Deployment::new(&"https://issuer.example".parse().unwrap());
        let contexts = Contexts::standard().with(&deployment);
        let listed = |controller: &str, key: &SigningKey| ResolvedKey {
            controller: controller.to_owned(),
            key: key.public(),
        };
        let world = Arc::new(World {
            keys: HashMap::from([
                (ISSUER_KEY.to_owned(), listed(ISSUER, &issuer)),
                (holder_method.clone(), listed(did.as_str(), &holder)),
            ]),
            lists,
        });
        let clock = Arc::new(ManualClock::at(NOW));
        let verifier = Verifier::new(world.clone(), world, clock, contexts.clone());
        Self {
            issuer,
            holder,
            holder_method,
            deployment,
            contexts,
            verifier,
        }
    }

    fn signer(&self) -> Signer<'_> {
        Signer::new(&self.issuer, ISSUER_KEY, &self.contexts).unwrap()
    }

    fn presenter(&self) -> Signer<'_> {
        Signer::new(&self.holder, &self.holder_method, &self.contexts).unwrap()
    }

    fn credential(&self, claims: &Claims) -> Credential {
        Credential::builder(&self.deployment, ISSUER, claims)
            .held_by(self.holder.public().subject().as_str())
            .valid_from(NOW)
            .valid_until(NOW.plus(600))
            .build()
            .unwrap()
    }

    fn sd_jwt(&self) -> SdJwt {
        let holder = self.holder.public();
        let mut claims = SdJwtClaims::of(&self.deployment, ISSUER, &enrolment(), NOW).unwrap();
        claims.expires = Some(NOW.plus(600));
        claims.holder = Some(&holder);
        claims.decoys = 1;
        self.signer().sd_jwt(&claims, &Fixed).unwrap()
    }
}

fn enrolment() -> Claims {
    Claims::Enrolment(EnrolmentClaims {
        modality: Modality::Face,
        profile: profiles()[0].id(),
        parameter_set: "p2048".to_owned(),
        enrolled_since: Date::of(NOW),
    })
}

fn authentication() -> Claims {
    Claims::Authentication(AuthenticationClaims {
        matched: true,
        modality: Modality::Face,
        profile: profiles()[0].id(),
        parameter_set: "p2048".to_owned(),
        operating_point: profiles()[0].operating_point.as_ref().map(Into::into),
        audience: "https://shop.example".parse().unwrap(),
        nonce: "n-1".to_owned(),
        authenticated_at: NOW,
        verdict_digest: Digest::of("fuzz", b"verdict"),
    })
}

/// The outcome of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

#[test]
fn documents() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(22), "]".repeat(22));
    let seeds = [
        r#"{"a":{"b":[1,-2,3.5,"x",null,true]},"c":{},"d":9007199254740992}"#.to_owned(),
        deep,
        foreign().to_string(),
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(document) = Document::parse(bytes) else {
            return;
        };
        let value = document.clone().into_value();
        assert!(depth(&value) <= Document::MAX_DEPTH);
        let again = value.to_string();
        assert_eq!(Document::parse(again.as_bytes()).unwrap(), document);
        // RFC 8785: what is written canonically is read as the same.
        let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
        // Where that writes an integer beyond 2^53, it is refused.
        if let Ok(read) = Document::parse(&canonical) {
            let again = serde_json_canonicalizer::to_vec(read.members()).unwrap();
            assert_eq!(again, canonical);
        }
        if let Ok(credential) = Credential::parse(document) {
            assert_eq!(
                value["issuer"].as_str().or(value["issuer"]["id"].as_str()),
                Some(credential.issuer())
            );
            assert!(
                credential
                    .types()
                    .iter()
                    .any(|name| name == "VerifiableCredential")
            );
            assert!(!credential.subjects().is_empty());
            assert!(
                credential.valid_from() <= credential.valid_until()
                    || credential.valid_until().is_none()
            );
        }
    });
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A credential of another issuer's making, with blank nodes that look alike, numbers and
/// languages.
fn foreign() -> Value {
    let entry = |index: &str| {
        json!({
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": index,
            "statusListCredential": "https://a.example/1",
        })
    };
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:0196a3f0-7b1c-7e42-9c1f-3a5b7d9e1f20",
        "type": ["VerifiableCredential"],
        "issuer": { "id": ISSUER, "name": { "@value": "Ausgabestelle", "@language": "de" } },
        "validFrom": "2026-11-22T00:00:00Z",
        "credentialStatus": [entry("1"), entry("1"), entry("2")],
        "credentialSubject": [
            { "name": "a" }, { "name": "a" }, { "id": "did:web:a.example", "name": "A\"\n\\" },
        ],
        "evidence": [
            { "type": "BitstringStatusList", "ttl": 1.5 }, { "type": "BitstringStatusList", "ttl": 1 },
        ],
    })
}

/// Whatever is signed verifies and says the same, in each of the three forms. The dataset's
/// canonical form has to be the same twice, and to end.
#[test]
fn signed_credentials() {
    let cast = Cast::new();
    let mut seeds = vec![foreign().to_string()];
    for claims in [enrolment(), authentication()] {
        seeds.push(cast.credential(&claims).into_value().to_string());
    }
    for suite in SUITES {
        for seed in &seeds {
            assert!(sign_and_verify(&cast, suite, seed.as_bytes()), "{seed}");
        }
    }
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(32).seconds(5),
        move |bytes: &[u8]| {
            for suite in SUITES {
                sign_and_verify(&cast, suite, bytes);
            }
        }
    );
}

/// Whether the document could be signed.
fn sign_and_verify(cast: &Cast, suite: Suite, json: &[u8]) -> bool {
    let Some(credential) = Document::parse(json)
        .ok()
        .and_then(|document| Credential::parse(document).ok())
    else {
        return false;
    };
    let Ok(signed) = cast.signer().credential(credential.clone(), suite, NOW) else {
        return false;
    };
    let token = cast.signer().credential_jwt(&credential).unwrap();
    let mut texts = vec![signed.to_string(), token];
    if suite == Suite::EddsaRdfc2022 {
        // The order of what is said is of no meaning in RDF.
        let mut turned = signed;
        if let Some(subjects) = turned["credentialSubject"].as_array_mut() {
            subjects.reverse();
        }
        texts.push(turned.to_string());
    }
    for text in texts {
        let read = UnverifiedCredential::from_text(&text).unwrap();
        match now(cast.verifier.credential(read, &WITHOUT_STATUS)) {
            Ok(verified) => {
                let mut said = verified.claims().clone();
                let subjects = &credential.document().members()["credentialSubject"];
                if let Some(turned) = said["credentialSubject"].as_array_mut()
                    && Some(&turned[..]) != subjects.as_array().map(Vec::as_slice)
                {
                    turned.reverse();
                }
                assert_eq!(&said, credential.document().members());
            }
            Err(VerifyError::NotYetValid | VerifyError::Expired) => {}
            Err(error) => panic!("{error} in {text}"),
        }
    }
    true
}

#[test]
fn sd_jwts() {
    let cast = Cast::new();
    let issued = cast.sd_jwt();
    let shown = issued.disclosing(&[vec![json!("modality")]]).unwrap();
    let inputs = Inputs::from([issued.to_text(), shown.to_text()]);
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(token) = SdJwt::parse(&text) {
            assert_eq!(token.to_text(), text);
            disclosed(&token);
        }
    });
}

/// Payload and disclosures are anything, a line each.
#[test]
fn disclosures() {
    let seed = [
        r#"{"iss":"did:web:a.example","vct":"v","_sd_alg":"sha-256","_sd":["{1}","decoy"],"list":[{"...":"{2}"},{"...":"decoy2"},1],"a":{"_sd":["{3}"]}}"#,
        r#"["salt","name","value"]"#,
        r#"["salt",{"a":[1,null]}]"#,
        r#"["salt","b",{"c":[{"...":"x"}]}]"#,
    ];
    let whole = seed.join("\n");
    let token = SdJwt::parse(&assemble(&whole)).unwrap();
    let claims = token.claims().unwrap();
    assert_eq!(claims["name"], "value");
    assert_eq!(Value::from(claims)["a"]["b"]["c"], json!([]));
    fuzz!(
        Inputs::from([whole.clone(), seed[..2].join("\n")]),
        Budget::SMALL,
        |bytes: &[u8]| {
            if let Ok(token) = SdJwt::parse(&assemble(&String::from_utf8_lossy(bytes))) {
                disclosed(&token);
            }
        }
    );
}

/// The SD-JWT of a payload, in which `{n}` stands for the digest of the nth disclosure, and
/// disclosures.
fn assemble(lines: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let mut lines = lines.lines();
    let mut payload = lines.next().unwrap_or_default().to_owned();
    let disclosures: Vec<String> = lines.map(|line| URL_SAFE_NO_PAD.encode(line)).collect();
    for (index, disclosure) in disclosures.iter().enumerate() {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(disclosure));
        payload = payload.replace(&format!("{{{}}}", index + 1), &digest);
    }
    let header =
        URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"dc+sd-jwt","kid":"did:web:a.example#k"}"#);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let signature = URL_SAFE_NO_PAD.encode([0; 64]);
    let mut text = format!("{header}.{payload}.{signature}~");
    for disclosure in disclosures {
        text.push_str(&disclosure);
        text.push('~');
    }
    text
}

/// That nothing of the mechanism is left in the claims, and that less disclosed is less said.
fn disclosed(token: &SdJwt) {
    let Ok(claims) = token.claims() else {
        return;
    };
    assert!(!claims.contains_key("_sd_alg"));
    assert!(clean(&Value::Object(claims.clone())));
    let nothing = token.disclosing(&[]).unwrap();
    assert!(nothing.disclosures().is_empty());
    let least = nothing.claims().unwrap();
    assert!(least.keys().all(|name| claims.contains_key(name)));
    let paths: Vec<Vec<Value>> = claims
        .keys()
        .map(|name| vec![name.as_str().into()])
        .collect();
    let everything = token.disclosing(&paths).unwrap();
    assert_eq!(everything.disclosures(), token.disclosures());
    assert_eq!(everything.claims().unwrap(), claims);
}

fn clean(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            !members.contains_key("_sd")
                && !members.contains_key("...")
                && members.values().all(clean)
        }
        Value::Array(items) => items.iter().all(clean),
        _ => true,
    }
}
