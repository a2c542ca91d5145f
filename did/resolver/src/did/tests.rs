use super::*;

#[test]
fn dids_follow_the_grammar() {
    for good in [
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:web:example.org%3A8443:dids:alice",
        "did:example::b",
        "did:0:._-",
        "did:ethr:0x539:0xb9c5714089478a327f09197987f16f9e5d936e8a",
    ] {
        let did: Did = good.parse().unwrap();
        assert_eq!(did.to_string(), good);
        assert_eq!(
            format!("did:{}:{}", did.method(), did.method_specific_id()),
            good
        );
    }
    for bad in [
        "",
        "did",
        "did:",
        "did:key",
        "did:key:",
        "did::a",
        "did:Key:a",
        "DID:key:a",
        "did:key:a:",
        "did:key:a b",
        "did:key:a\n",
        "did:key:a%",
        "did:key:a%4",
        "did:key:a%4g",
        "did:key:a/b",
        "did:key:a?b",
        "did:key:a#b",
        "did:key:ä",
        " did:key:a",
    ] {
        assert_eq!(
            bad.parse::<Did>(),
            Err(ResolutionError::InvalidDid),
            "{bad}"
        );
    }
    assert!(
        format!("did:key:{}", "z".repeat(2040))
            .parse::<Did>()
            .is_ok()
    );
    assert!(
        format!("did:key:{}", "z".repeat(2041))
            .parse::<Did>()
            .is_err()
    );
}

#[test]
fn did_urls_come_apart_and_together() {
    let text = "did:web:example.org/a/b?versionId=1&service=files&relativeRef=%2Fx%3Fy#key-1";
    let url: DidUrl = text.parse().unwrap();
    assert_eq!(url.did().as_str(), "did:web:example.org");
    assert_eq!(url.path(), "/a/b");
    assert_eq!(url.fragment(), Some("key-1"));
    assert_eq!(url.parameter("relativeRef").as_deref(), Some("/x?y"));
    assert_eq!(url.parameter("versionTime"), None);
    assert_eq!(url.to_string(), text);
    let bare: DidUrl = "did:web:example.org".parse().unwrap();
    assert_eq!(
        (bare.path(), bare.query(), bare.fragment()),
        ("", None, None)
    );
    for bad in [
        "did:web",
        "#key-1",
        "https://example.org/",
        "did:web:a#b#c",
        "did:web:a#b c",
        "did:web:a?b\\c",
        "did:web:a/%zz",
        "did:web:#a",
    ] {
        assert_eq!(
            bad.parse::<DidUrl>(),
            Err(ResolutionError::InvalidDidUrl),
            "{bad}"
        );
    }
    assert!(
        format!("did:web:a#{}", "b".repeat(4096))
            .parse::<DidUrl>()
            .is_err()
    );
}
