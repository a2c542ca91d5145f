//! A person's credentials in strangers' hands: received by @openid4vc/openid4vci, verified by
//! @digitalbazaar/vc, jose and @sd-jwt, shown by @openid4vc/openid4vp, refused once what they stand
//! on is gone. All over HTTPS.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{
    ConsentId, Nonce,
    wire::{CredentialBasis, CredentialOffer},
};
use blindprint_tests::{Person, Service, block_on};
use blindprint_wallet::Materials;
use serde_json::{Value, json};

use crate::{Answer, Machine, Node};

/// Each format with the manner in which it is received.
const FORMATS: [(&str, &[&str]); 5] = [
    (
        "ldp_vc",
        &["--copies", "3", "--dpop", "--notify", "credential_accepted"],
    ),
    ("ldp_vc_rdfc", &["--encrypt"]),
    ("jwt_vc_json", &["--single-proof", "--dpop"]),
    ("dc+sd-jwt", &["--copies", "2", "--dpop", "--encrypt"]),
    (
        "dc+sd-jwt_es256",
        &["--alg", "ES256", "--client", "some-wallet"],
    ),
];
/// Of one kind.
const COPIES: usize = 8;

/// A credential as a stranger's wallet keeps it.
struct Held {
    kind: &'static str,
    format: &'static str,
    credential: Value,
    holder: Value,
}

struct City<'a> {
    service: &'a Service,
    machine: Machine<'a>,
}

#[test]
fn credentials_go_through_strangers_hands() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let mut alice = block_on(Person::new("L001", &service, &materials));
    let invitation = service.invitation(1);
    let (consent, challenge) = block_on(enrol_and_show(&mut alice, &invitation));
    let enrolment = alice.enrolled().unwrap();
    let city = City {
        service: &service,
        machine: Machine::new(&service),
    };

    let mut held = Vec::new();
    for (kind, basis) in [
        ("enrolment", CredentialBasis::Enrolment(enrolment)),
        ("authentication", CredentialBasis::Authentication(challenge)),
        ("consent-receipt", CredentialBasis::Consent(consent)),
    ] {
        for (format, manner) in FORMATS {
            let offer = offered(&alice, &format!("{kind}_{format}"), basis);
            held.extend(city.receive(kind, format, &offer, manner));
        }
    }
    assert_eq!(held.len(), 3 * COPIES);
    let places: BTreeSet<String> = held.iter().map(Held::place).collect();
    assert_eq!(
        places.len(),
        held.len(),
        "each copy has a place of its own in the lists"
    );
    for (copy, report) in city.verify(&held) {
        assert_eq!(report["verified"], true, "{} {report}", copy.format);
    }
    let offer = offered(
        &alice,
        "enrolment_ldp_vc",
        CredentialBasis::Enrolment(enrolment),
    );
    city.refuses_what_is_wrong_with_an_offer(&offer);
    city.is_shown(&held);

    block_on(alice.wallet.erase(enrolment)).unwrap();
    for (copy, report) in city.verify(&held) {
        if copy.kind == "consent-receipt" {
            assert_eq!(report["verified"], true, "{} {report}", copy.format);
        } else {
            assert_eq!(
                report["error"], "status: revoked",
                "{} {report}",
                copy.format
            );
        }
    }
    city.is_shown_in_vain(&held);

    block_on(alice.wallet.withdraw(consent)).unwrap();
    for (copy, report) in city.verify(&held) {
        assert_eq!(
            report["error"], "status: revoked",
            "{} {report}",
            copy.format
        );
    }
}

async fn enrol_and_show(alice: &mut Person, invitation: &str) -> (ConsentId, Nonce) {
    let consent = alice.consent(invitation).await.unwrap();
    alice.enrol(invitation).await.unwrap();
    let shown = alice.show_themselves().await.unwrap();
    assert!(shown.verdict.matched);
    (consent, shown.verdict.challenge)
}

/// An offer that the person's own wallet asks for.
fn offered(person: &Person, configuration: &str, basis: CredentialBasis) -> CredentialOffer {
    let configurations = vec![configuration.to_owned()];
    block_on(person.wallet.offer_credential(configurations, basis)).unwrap()
}

impl Held {
    /// Which entry of which list tells its status.
    fn place(&self) -> String {
        let said = match &self.credential {
            Value::String(token) => {
                let payload = token.split('.').nth(1).unwrap();
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
            }
            credential => credential.clone(),
        };
        let status = said.get("credentialStatus").or(said.get("status"));
        status.unwrap().to_string()
    }

    fn text(&self) -> String {
        match &self.credential {
            Value::String(token) => token.clone(),
            credential => credential.to_string(),
        }
    }

    /// The format's name in OpenID4VP.
    fn wire_format(&self) -> &str {
        match self.format {
            "ldp_vc_rdfc" => "ldp_vc",
            "dc+sd-jwt_es256" => "dc+sd-jwt",
            other => other,
        }
    }
}

impl City<'_> {
    fn redeem(&self, link: &str, tx_code: &str, manner: &[&str]) -> Answer {
        Node::program("receive")
            .args(&[link, "--tx-code", tx_code])
            .args(manner)
            .trusting(&self.service.authority())
            .run("")
    }

    fn receive(
        &self,
        kind: &'static str,
        format: &'static str,
        offer: &CredentialOffer,
        manner: &[&str],
    ) -> Vec<Held> {
        let tx_code = offer.tx_code.as_deref().unwrap();
        let link = if manner.contains(&"--dpop") {
            &offer.by_reference
        } else {
            &offer.by_value
        };
        let received = self.redeem(link, tx_code, manner).ok();
        assert_eq!(received["encrypted"], manner.contains(&"--encrypt"));
        let received = received["credentials"].as_array().unwrap();
        let held = |copy: &Value| Held {
            kind,
            format,
            credential: copy["credential"].clone(),
            holder: copy["holder"].clone(),
        };
        received.iter().map(held).collect()
    }

    /// What the independent verifier says of each.
    fn verify<'a>(&self, held: &'a [Held]) -> Vec<(&'a Held, Value)> {
        let texts: Vec<String> = held.iter().map(Held::text).collect();
        let reports = Node::program("verify")
            .args(&["--many"])
            .trusting(&self.service.authority())
            .run(&json!(texts).to_string())
            .ok();
        let reports = reports.as_array().unwrap().clone();
        assert_eq!(reports.len(), held.len());
        held.iter().zip(reports).collect()
    }

    /// Nothing comes of a wrong code, another configuration or a second try.
    fn refuses_what_is_wrong_with_an_offer(&self, offer: &CredentialOffer) {
        let right = offer.tx_code.as_deref().unwrap();
        let wrong = if right.starts_with('0') {
            "111111"
        } else {
            "000000"
        };
        let link = &offer.by_value;
        self.redeem(link, wrong, &[]).refused_as("invalid_grant");
        self.redeem(link, right, &[]).ok();
        self.redeem(link, right, &[]).refused_as("invalid_grant");
    }

    /// Asks for a credential in the first format of each kind that OpenID4VP knows.
    fn asks(&self) -> Vec<(Value, &'static str)> {
        let vct = format!("{}/credentials/types/enrolment/v1", self.service.public_url);
        let base = "https://www.w3.org/2018/credentials#VerifiableCredential";
        let enrolment = "https://blindprint.example/ns/v1#EnrolmentCredential";
        let types = json!({"type_values": [[base, enrolment]]});
        let query = |format: &str, meta: &Value, claims: &Value| {
            json!({"credentials": [
                {"id": "face", "format": format, "meta": meta, "claims": claims}
            ]})
        };
        let (by_name, by_vct) = (
            json!([{"path": ["modality"]}]),
            json!({"vct_values": [vct]}),
        );
        let of_subject = json!([{"path": ["credentialSubject", "modality"]}]);
        vec![
            (
                json!({"query": query("dc+sd-jwt", &by_vct, &by_name)}),
                "dc+sd-jwt",
            ),
            (
                json!({
                    "query": query("ldp_vc", &types, &of_subject),
                    "response_mode": "direct_post",
                    "client_id_prefix": "redirect_uri",
                }),
                "ldp_vc",
            ),
            (
                json!({
                    "query": query("jwt_vc_json", &types, &of_subject),
                    "response_mode": "direct_post",
                }),
                "jwt_vc_json",
            ),
            (
                json!({
                    "query": query("ldp_vc", &types, &of_subject),
                    "client_id_prefix": "redirect_uri",
                }),
                "ldp_vc_rdfc",
            ),
        ]
    }

    fn ask(&self, wanted: &Value) -> (String, String) {
        let path = "/v1/presentation-requests";
        let asked = self
            .machine
            .ask("presentations:request", "POST", path, wanted);
        assert_eq!(asked.status, 201, "{asked:?}");
        let text = |name: &str| asked.body[name].as_str().unwrap().to_owned();
        (text("id"), text("uri"))
    }

    fn standing(&self, id: &str) -> Value {
        let path = format!("/v1/presentation-requests/{id}");
        let reply = self
            .machine
            .ask("presentations:request", "GET", &path, &Value::Null);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    fn present(&self, uri: &str, copy: &Held) -> Answer {
        let credential = json!({
            "format": copy.wire_format(),
            "credential": copy.credential,
            "holder": copy.holder,
        });
        Node::program("present")
            .args(&[uri])
            .trusting(&self.service.authority())
            .run(&json!({"credentials": [credential]}).to_string())
    }

    /// A stranger's wallet shows what it is asked for, once.
    fn is_shown(&self, held: &[Held]) {
        for (wanted, format) in self.asks() {
            let copy = held.iter().find(|copy| copy.format == format).unwrap();
            let (id, uri) = self.ask(&wanted);
            assert_eq!(self.standing(&id)["state"], "waiting");
            let shown = self.present(&uri, copy).ok();
            assert_eq!(shown["encrypted"], wanted.get("response_mode").is_none());
            assert_eq!(shown["answered"], json!(["face"]));
            let standing = self.standing(&id);
            assert_eq!(standing["state"], "answered", "{standing}");
            let seen = &standing["credentials"]["face"][0];
            assert_eq!(seen["format"], copy.wire_format());
            assert!(seen.to_string().contains(r#""modality":"face""#), "{seen}");
            if format == "dc+sd-jwt" {
                // What nobody asked for stays in the wallet.
                assert!(seen["claims"].get("profile").is_none(), "{seen}");
            }
            self.present(&uri, copy).refused();
        }
    }

    /// Once the enrolment is gone, showing it proves nothing.
    fn is_shown_in_vain(&self, held: &[Held]) {
        for (wanted, format) in self.asks() {
            let copy = held.iter().find(|copy| copy.format == format).unwrap();
            let (id, uri) = self.ask(&wanted);
            // Whether the wallet is told so is another question.
            drop(self.present(&uri, copy));
            let standing = self.standing(&id);
            assert_eq!(standing["state"], "failed", "{standing}");
            assert_eq!(standing["error"], "revoked", "{standing}");
        }
    }
}
