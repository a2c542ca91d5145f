use super::*;

fn url(did: &str) -> Result<String, ResolutionError> {
    file(&did.parse()?).map(|url| url.to_string())
}

/// The examples of the method's specification, and did:webvh's of ports.
#[test]
fn dids_become_urls() {
    for (did, expected) in [
        (
            "did:web:w3c-ccg.github.io",
            "https://w3c-ccg.github.io/.well-known/did.json",
        ),
        (
            "did:web:w3c-ccg.github.io:user:alice",
            "https://w3c-ccg.github.io/user/alice/did.json",
        ),
        (
            "did:web:example.com%3A3000",
            "https://example.com:3000/.well-known/did.json",
        ),
        (
            "did:web:example.com%3a3000:a",
            "https://example.com:3000/a/did.json",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
        (
            "did:web:localhost%3A8443",
            "https://localhost:8443/.well-known/did.json",
        ),
        (
            "did:web:example.com:a%20b",
            "https://example.com/a%20b/did.json",
        ),
        (
            "did:web:example.com:...",
            "https://example.com/.../did.json",
        ),
    ] {
        assert_eq!(url(did).as_deref(), Ok(expected), "{did}");
    }
}

#[test]
fn what_would_lead_elsewhere_is_no_did() {
    for bad in [
        "did:web:example.com%3A",
        "did:web:example.com%3A0",
        "did:web:example.com%3A080",
        "did:web:example.com%3A65536",
        "did:web:example.com%3A80%3A80",
        "did:web:example.com%2Fx",
        "did:web:example.com%40evil.example",
        "did:web:user%40example.com",
        "did:web:example..com",
        "did:web:.example.com",
        "did:web:-a.example",
        "did:web:exa_mple.com",
        "did:web:127.0.0.1",
        "did:web:127.1",
        "did:web:example.1",
        "did:web:0x7f.1",
        "did:web:%5B%3A%3A1%5D",
        "did:web:example.com::a",
        "did:web:example.com:..:a",
        "did:web:example.com:.",
        "did:web:example.com:%2e%2E",
        "did:web:example.com:a%2Fb",
        "did:web:example.com:a%5Cb",
        "did:web:example.com:a%3Fb",
        "did:web:example.com:a%23b",
        "did:web:example.com:a%00",
        "did:web:example.com:a%252e",
    ] {
        assert_eq!(url(bad), Err(ResolutionError::InvalidDid), "{bad}");
    }
    let long = format!("did:web:example.com:{}", "a".repeat(1024));
    assert_eq!(url(&long), Err(ResolutionError::InvalidDid));
}

#[test]
fn locations_are_made_of_urls() {
    for (base, expected) in [
        ("https://example.org", "example.org"),
        ("https://Example.ORG:443/", "example.org"),
        ("https://localhost:8443/", "localhost%3A8443"),
        ("https://example.org/dids/alice/", "example.org:dids:alice"),
    ] {
        let location = Location::of(&base.parse().unwrap()).unwrap();
        assert_eq!(location.to_string(), expected);
        assert_eq!(
            location.did_web().unwrap().to_string(),
            format!("did:web:{expected}")
        );
        assert_eq!(expected.parse(), Ok(location));
    }
    for bad in ["https://127.0.0.1:8443/", "https://[::1]/", "data:x"] {
        assert!(Location::of(&bad.parse().unwrap()).is_err(), "{bad}");
    }
}
