use blindprint_core::SystemEntropy;

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn service() -> ServiceId {
    "https://id.example.org:8443".parse().unwrap()
}

fn created() -> Issuer {
    Issuer::create(&service(), IssuerMethod::Web, &SystemEntropy, NOW).unwrap()
}

fn read(text: &str, service: &ServiceId) -> Result<Issuer> {
    Issuer::from_text(text, service, IssuerMethod::Web)
}

/// The names under which a document lists keys for a purpose.
fn names(document: &Document, purpose: Relationship) -> Vec<String> {
    let listed = document.relationship(purpose).iter();
    listed
        .map(|entry| match entry {
            MethodRef::Reference(id) => id.clone(),
            MethodRef::Embedded(method) => method.id.clone(),
        })
        .collect()
}

#[test]
fn both_dids_name_each_other_and_list_the_keys() {
    let issuer = created();
    assert_eq!(issuer.web().as_str(), "did:web:id.example.org%3A8443");
    assert!(issuer.webvh().as_str().starts_with("did:webvh:Q"));
    assert!(issuer.webvh().as_str().ends_with(":id.example.org%3A8443"));
    let web = issuer.document();
    assert!(web.also_known_as.contains(&issuer.webvh().to_string()));
    let webvh = issuer.log.document();
    assert!(webvh.also_known_as.contains(&issuer.web().to_string()));
    for method in [IssuerMethod::Web, IssuerMethod::Webvh] {
        let text = issuer.to_text().unwrap();
        let issuer = Issuer::from_text(&text, &service(), method).unwrap();
        let document = match method {
            IssuerMethod::Web => issuer.document(),
            IssuerMethod::Webvh => issuer.log.document(),
        };
        assert_eq!(document.id, *issuer.did());
        for key_type in [KeyType::Ed25519, KeyType::P256] {
            let key = issuer.credential_key(key_type);
            for name in [issuer.jose_method(key), issuer.multikey_method(key)] {
                let url = name.parse().unwrap();
                assert_eq!(document.method(&url).unwrap().key(), Some(key.public()));
                assert!(document.permits(&url, Relationship::AssertionMethod));
                assert!(!document.permits(&url, Relationship::Authentication));
            }
        }
        let name = issuer.jose_method(issuer.authentication_key());
        let url = name.parse().unwrap();
        assert!(document.permits(&url, Relationship::Authentication));
        assert!(!document.permits(&url, Relationship::AssertionMethod));
    }
}

#[test]
fn rotation_keeps_old_credentials_verifiable_and_nothing_else() {
    let first = created();
    assert!(matches!(
        first.rotated(OldKeys::StayListed, &SystemEntropy, NOW),
        Err(Error::RetryAfter { .. })
    ));
    let second = first
        .rotated(OldKeys::StayListed, &SystemEntropy, NOW.plus(1))
        .unwrap();
    let third = second
        .rotated(OldKeys::StayListed, &SystemEntropy, NOW.plus(2))
        .unwrap();
    assert_eq!(third.webvh(), first.webvh());
    let document = third.document();
    for issuer in [&first, &second, &third] {
        for key_type in [KeyType::Ed25519, KeyType::P256] {
            let key = issuer.credential_key(key_type);
            let url = issuer.jose_method(key).parse().unwrap();
            assert!(document.permits(&url, Relationship::AssertionMethod));
            assert_eq!(document.method(&url).unwrap().key(), Some(key.public()));
        }
    }
    assert_eq!(names(document, Relationship::AssertionMethod).len(), 12);
    assert_eq!(
        names(document, Relationship::Authentication),
        [
            third.jose_method(third.authentication_key()),
            third.multikey_method(third.authentication_key())
        ]
    );
    let keys = third.jwks();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 6);
    let text = third.to_text().unwrap();
    for old in [&first, &second] {
        let old = old.to_text().unwrap();
        let old: Value = serde_json::from_str(&old).unwrap();
        for name in ["ed25519", "p256", "authentication"] {
            assert!(!text.contains(old[name].as_str().unwrap()), "{name}");
        }
    }
}

#[test]
fn disowned_keys_are_listed_no_more() {
    let first = created();
    let second = first
        .rotated(OldKeys::AreDisowned, &SystemEntropy, NOW.plus(1))
        .unwrap();
    assert_eq!(second.webvh(), first.webvh());
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let old = first.jose_method(first.credential_key(key_type));
        assert!(second.document().method(&old.parse().unwrap()).is_none());
        let new = second.jose_method(second.credential_key(key_type));
        let new = new.parse().unwrap();
        assert!(
            second
                .document()
                .permits(&new, Relationship::AssertionMethod)
        );
    }
    assert_eq!(second.jwks()["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn what_was_kept_comes_back_for_the_same_service_only() {
    let issuer = created()
        .rotated(OldKeys::StayListed, &SystemEntropy, NOW.plus(5))
        .unwrap();
    let text = issuer.to_text().unwrap();
    let again = read(&text, &service()).unwrap();
    assert_eq!(again.log(), issuer.log());
    assert_eq!(again.document(), issuer.document());
    let moved = read(&text, &"https://id.example.com".parse().unwrap());
    assert!(matches!(moved, Err(Error::Setup(why)) if why.contains("id.example.org")));
    let other = created().to_text().unwrap();
    let (ours, theirs): (Value, Value) = (
        serde_json::from_str(&text).unwrap(),
        serde_json::from_str(&other).unwrap(),
    );
    for name in ["ed25519", "p256", "authentication", "update_key", "log"] {
        let mut mixed = ours.clone();
        mixed[name] = theirs[name].clone();
        assert!(
            matches!(read(&mixed.to_string(), &service()), Err(Error::Setup(_))),
            "{name}"
        );
    }
    for damaged in ["", "{}", &text[..text.len() - 2]] {
        assert!(matches!(read(damaged, &service()), Err(Error::Setup(_))));
    }
}
