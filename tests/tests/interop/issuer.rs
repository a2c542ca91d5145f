use blindprint_core::{Clock as _, Modality, SystemClock, SystemEntropy, UnixTime};
use blindprint_credentials::{
    Claims, Contexts, Credential, CredentialType, Date, Deployment, EnrolmentClaims, Signer, Suite,
    sd_jwt::SdJwtClaims,
    status::{
        BitstringStatusList, StatusEntry, StatusPurpose, TokenStatus, TokenStatusEntry,
        TokenStatusList,
    },
};
use blindprint_did::{KeyType, PublicKey, SigningKey};
use serde_json::json;

use crate::{Answer, Host, Node};

const HOUR: i64 = 3600;
const ENTRIES: u64 = BitstringStatusList::MIN_ENTRIES;
const INDEX: u64 = 70_003;

/// An issuer at a site of its own: its did:web, context, type and status lists.
pub struct Issuer {
    /// Where it is.
    pub host: Host,
    /// What it signs with.
    pub ed25519: SigningKey,
    /// The contexts that it uses.
    pub contexts: Contexts,
    p256: SigningKey,
    deployment: Deployment,
}

impl Issuer {
    /// All of it published, and nothing revoked.
    pub fn start() -> Self {
        let host = Host::start();
        let deployment = Deployment::new(&host.url().parse().unwrap());
        let issuer = Self {
            ed25519: SigningKey::generate(KeyType::Ed25519, &SystemEntropy),
            p256: SigningKey::generate(KeyType::P256, &SystemEntropy),
            contexts: Contexts::standard().with(&deployment),
            deployment,
            host,
        };
        issuer.publish("assertionMethod");
        issuer
            .host
            .serve("/contexts/v1", "application/ld+json", Contexts::BLINDPRINT);
        let vct = issuer.deployment.vct(CredentialType::Enrolment);
        let metadata = json!({"vct": vct, "name": "Enrolment"}).to_string();
        issuer.host.serve(
            "/credentials/types/enrolment/v1",
            "application/json",
            metadata,
        );
        issuer.publish_lists(None);
        issuer
    }

    /// Publishes the DID document with both keys listed for `purpose`.
    pub fn publish(&self, purpose: &str) {
        let did = self.host.did_web();
        let method = |name: &str, key: &SigningKey| {
            json!({
                "id": format!("{did}#{name}"),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.public().multikey(),
            })
        };
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "verificationMethod": [method("a", &self.ed25519), method("b", &self.p256)],
        });
        document[purpose] = json!([format!("{did}#a"), format!("{did}#b")]);
        let document = document.to_string();
        self.host
            .serve("/.well-known/did.json", "application/did+json", document);
    }

    /// Publishes all lists, with what is said of [`INDEX`].
    pub fn publish_lists(&self, said: Option<StatusPurpose>) {
        let now = SystemClock.now();
        let until = now.plus(HOUR);
        for purpose in [StatusPurpose::Revocation, StatusPurpose::Suspension] {
            let set = (said == Some(purpose)).then_some(INDEX);
            let path = format!("/status-lists/1/{}", purpose.as_str());
            let url = format!("{}{path}", self.host.url());
            let list = BitstringStatusList::of(ENTRIES, set).unwrap();
            let list = list.credential(&url, &self.host.did_web(), purpose, now, until, 60);
            let name = self.method("a");
            let signer = Signer::new(&self.ed25519, &name, &self.contexts).unwrap();
            let list = signer
                .credential(list.unwrap(), Suite::EddsaJcs2022, now)
                .unwrap();
            self.host.serve(&path, "application/vc", list.to_string());
        }
        let status = said.map(|purpose| match purpose {
            StatusPurpose::Revocation => TokenStatus::Invalid,
            StatusPurpose::Suspension => TokenStatus::Suspended,
        });
        let list = TokenStatusList::of(2, ENTRIES, status.map(|status| (INDEX, status))).unwrap();
        let name = self.method("b");
        let signer = Signer::new(&self.p256, &name, &self.contexts).unwrap();
        let list = signer.token_status_list(&self.token_list(), &list, now, until, 60);
        let list = list.unwrap();
        self.host
            .serve("/status-lists/2", "application/statuslist+jwt", list);
    }

    fn token_list(&self) -> String {
        format!("{}/status-lists/2", self.host.url())
    }

    /// The name of the key `a` (Ed25519) or `b` (P-256).
    pub fn method(&self, name: &str) -> String {
        format!("{}#{name}", self.host.did_web())
    }

    fn credential(&self, holder: &PublicKey, from: UnixTime) -> Credential {
        let mut builder = Credential::builder(&self.deployment, &self.host.did_web(), &claims())
            .held_by(holder.subject().as_str())
            .valid_from(from)
            .valid_until(from.plus(HOUR));
        for purpose in [StatusPurpose::Revocation, StatusPurpose::Suspension] {
            builder = builder.status(&StatusEntry {
                purpose,
                index: INDEX,
                list: format!("{}/status-lists/1/{}", self.host.url(), purpose.as_str()),
            });
        }
        builder.build().unwrap()
    }

    /// The same claims in every form, valid for an hour from `from`.
    pub fn issue(&self, holder: &PublicKey, from: UnixTime) -> Vec<(&'static str, String)> {
        let mut issued = Vec::new();
        let name = self.method("a");
        let signer = Signer::new(&self.ed25519, &name, &self.contexts).unwrap();
        for suite in [Suite::EddsaJcs2022, Suite::EddsaRdfc2022] {
            let credential = self.credential(holder, from);
            let signed = signer.credential(credential, suite, from).unwrap();
            issued.push((suite.name(), signed.to_string()));
        }
        let token = signer.credential_jwt(&self.credential(holder, from));
        issued.push(("vc+jwt", token.unwrap()));
        for (name, key) in [("a", &self.ed25519), ("b", &self.p256)] {
            let name = self.method(name);
            let signer = Signer::new(key, &name, &self.contexts).unwrap();
            let did = self.host.did_web();
            let status = TokenStatusEntry {
                index: INDEX,
                list: self.token_list(),
            };
            let mut claims = SdJwtClaims::of(&self.deployment, &did, &claims(), from).unwrap();
            claims.expires = Some(from.plus(HOUR));
            claims.holder = Some(holder);
            claims.status = Some(&status);
            let token = signer.sd_jwt(&claims, &SystemEntropy).unwrap();
            issued.push(("dc+sd-jwt", token.to_text()));
        }
        issued
    }

    /// What the independent verifier says.
    pub fn verify(&self, text: &str) -> Answer {
        Node::program("verify")
            .trusting(&self.host.authority())
            .run(text)
    }
}

fn claims() -> Claims {
    Claims::Enrolment(EnrolmentClaims {
        modality: Modality::Face,
        profile: "face-dlib128-v1".parse().unwrap(),
        parameter_set: "set-1".to_owned(),
        enrolled_since: Date::of(SystemClock.now()),
    })
}
