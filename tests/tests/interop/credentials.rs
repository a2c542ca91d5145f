//! What is issued here, verified by others.

use blindprint_core::{Clock as _, SystemClock, SystemEntropy};
use blindprint_credentials::{
    Binding, Presentation, Signer, Suite, UnverifiedCredential, sd_jwt::SdJwt,
    status::StatusPurpose,
};
use blindprint_did::{KeyType, SigningKey};

use crate::{Issuer, Node};

const CHALLENGE: &str = "1f44d55f-f161-4938-a659-f8026467f126";
const DOMAIN: &str = "https://shop.example";
const DAY: i64 = 86_400;

fn holder() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

#[test]
fn strangers_verify_every_form_and_see_its_status() {
    let issuer = Issuer::start();
    let issued = issuer.issue(&holder().public(), SystemClock.now());
    assert_eq!(issued.len(), 5);
    for (form, credential) in &issued {
        let report = issuer.verify(credential).ok();
        assert!(report.to_string().contains(form), "{report}");
        assert!(report.to_string().contains("status"), "{report}");
    }
    for (said, word) in [
        (StatusPurpose::Revocation, "revoked"),
        (StatusPurpose::Suspension, "suspended"),
    ] {
        issuer.publish_lists(Some(said));
        for (_, credential) in &issued {
            issuer.verify(credential).refused_as(word);
        }
    }
    issuer.publish_lists(None);
    issuer.verify(&issued[0].1).ok();
}

#[test]
fn strangers_refuse_what_does_not_hold() {
    let issuer = Issuer::start();
    let holder = holder().public();
    let now = SystemClock.now();
    for (_, expired) in issuer.issue(&holder, now.plus(-DAY)) {
        issuer.verify(&expired).refused();
    }
    for (_, early) in issuer.issue(&holder, now.plus(DAY)) {
        issuer.verify(&early).refused();
    }
    let issued = issuer.issue(&holder, now);
    let other = Issuer::start();
    issuer.publish("authentication");
    for (_, credential) in &issued {
        issuer.verify(credential).refused();
        // Another issuer's authority does not make this one's site trustworthy.
        other.verify(credential).refused();
    }
}

#[test]
fn strangers_refuse_every_change() {
    let issuer = Issuer::start();
    for (form, credential) in issuer.issue(&holder().public(), SystemClock.now()) {
        let changed = if credential.starts_with('{') {
            credential.replace("set-1", "set-2")
        } else {
            // Within the claims, of which the header and the signature say nothing else.
            let (header, rest) = credential.split_once('.').unwrap();
            let flipped = if rest.as_bytes()[20] == b'A' {
                "B"
            } else {
                "A"
            };
            format!("{header}.{}{flipped}{}", &rest[..20], &rest[21..])
        };
        assert_ne!(changed, credential, "{form}");
        issuer.verify(&changed).refused();
    }
}

#[test]
fn strangers_verify_presentations() {
    let issuer = Issuer::start();
    let holder = holder();
    let did = holder.public().subject();
    let method = format!("{did}#{}", holder.public().multikey());
    let signer = Signer::new(&holder, &method, &issuer.contexts).unwrap();
    let binding = Binding {
        challenge: CHALLENGE.to_owned(),
        domain: DOMAIN.to_owned(),
    };
    let now = SystemClock.now();
    let mut presented = Vec::new();
    for (form, credential) in issuer.issue(&holder.public(), now) {
        if form == "dc+sd-jwt" {
            let bound = SdJwt::parse(&credential)
                .unwrap()
                .bound(&holder, &binding, now);
            presented.push(bound.unwrap().to_text());
            continue;
        }
        let credential = UnverifiedCredential::from_text(&credential).unwrap();
        let presentation = Presentation::of(did.as_str(), &[credential]).unwrap();
        if form == "vc+jwt" {
            let token = signer.presentation_jwt(&presentation, &binding, now, now.plus(60));
            presented.push(token.unwrap());
            continue;
        }
        for suite in [Suite::EddsaJcs2022, Suite::EddsaRdfc2022] {
            let signed = signer.presentation(presentation.clone(), suite, &binding, now);
            presented.push(signed.unwrap().to_string());
        }
    }
    assert_eq!(presented.len(), 7);
    let verify = |text: &str, challenge: &str, domain: &str| {
        Node::program("verify")
            .args(&["--challenge", challenge, "--domain", domain])
            .trusting(&issuer.host.authority())
            .run(text)
    };
    for presentation in &presented {
        verify(presentation, CHALLENGE, DOMAIN).ok();
        verify(presentation, "another", DOMAIN).refused();
        verify(presentation, CHALLENGE, "https://other.example").refused();
    }
    issuer.publish_lists(Some(StatusPurpose::Revocation));
    for presentation in &presented {
        verify(presentation, CHALLENGE, DOMAIN).refused_as("revoked");
    }
}
