use super::{answer::Wish, named};

#[test]
fn dids_are_taken_escaped_or_not() {
    for (path, did) in [
        ("did:web:localhost%3A8443", "did:web:localhost%3A8443"),
        ("did%3Aweb%3Alocalhost%253A8443", "did:web:localhost%3A8443"),
        ("did:key:z6Mk", "did:key:z6Mk"),
        ("did%3akey%3az6Mk%23z6Mk", "did:key:z6Mk#z6Mk"),
        (
            "did%3Aweb%3Aa.example%3Fservice%3Dfiles%26relativeRef%3D%252Fx",
            "did:web:a.example?service=files&relativeRef=%2Fx",
        ),
    ] {
        let named = named(&format!("/1.0/identifiers/{path}")).unwrap();
        assert_eq!(named.to_string(), did);
    }
    for (path, error) in [
        ("nonsense", "https://www.w3.org/ns/did#INVALID_DID"),
        ("did:", "https://www.w3.org/ns/did#INVALID_DID"),
        ("%ff", "https://www.w3.org/ns/did#INVALID_DID"),
        (
            "did%3Akey%3Aa%23%20",
            "https://www.w3.org/ns/did#INVALID_DID_URL",
        ),
    ] {
        let refused = named(&format!("/1.0/identifiers/{path}")).unwrap_err();
        assert_eq!(refused.type_uri(), error, "{path}");
    }
}

#[test]
fn the_first_known_media_type_wins() {
    let profile = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";
    for (accept, wish) in [
        ("", Some(Wish::Result)),
        ("*/*", Some(Wish::Result)),
        ("application/did-resolution", Some(Wish::Result)),
        (profile, Some(Wish::Result)),
        ("application/did", Some(Wish::Content("application/did"))),
        (
            "text/html, application/did+json;q=0.5, */*",
            Some(Wish::Content("application/did+json")),
        ),
        ("application/did-url-dereferencing", Some(Wish::UrlResult)),
        ("text/html", None),
        ("application/did+cbor", None),
    ] {
        assert_eq!(Wish::of(accept), wish, "{accept}");
    }
}
