use blindprint_did::PublicKey;
use serde_json::json;

use super::*;

/// W3C vc-di-eddsa 1.0, appendix B: the Alumni Credential, both suites, one key.
const KEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";

fn alumni(cryptosuite: &str) -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/examples/v2"
        ],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential",
        "description": "A minimum viable example of an Alumni Credential.",
        "issuer": "https://vc.example/issuers/5678",
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:abcdefgh",
            "alumniOf": "The School of Examples"
        },
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": cryptosuite,
            "created": "2023-02-24T23:36:38Z",
            "verificationMethod": format!("https://vc.example/issuers/5678#{KEY}"),
            "proofPurpose": "assertionMethod"
        }
    })
}

fn contexts() -> Contexts {
    let mut contexts = Contexts::standard();
    contexts.insert(
        "https://www.w3.org/ns/credentials/examples/v2",
        r#"{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}"#,
    );
    contexts
}

fn vector(document: Value, value: &str, expected: &str) {
    let Value::Object(mut document) = document else {
        panic!("an object")
    };
    document["proof"]["proofValue"] = value.into();
    let (proof, document) = Proof::split(document).unwrap();
    let hashes = proof.hashes(&contexts(), &document).unwrap();
    assert_eq!(
        hex::encode(&hashes[hashes.len() - expected.len() / 2..]),
        expected
    );
    let key = PublicKey::from_multikey(KEY).unwrap();
    assert!(key.verifies_hashes(&hashes, &proof.signature));
}

#[test]
fn the_official_vector_of_eddsa_rdfc_2022_verifies() {
    vector(
        alumni("eddsa-rdfc-2022"),
        "z21EVs3eXERqTn4acNHT9viboqgzUaQ3kTmhPT3eA8qrVPE7CrQq78WkzctnMX5W4CrzcKnHw8V6dvy5pgWYCU5e9",
        "4c4d3890a157f8d611b13c265c2c22f39aa0a567c7c7dd9ba3e45cd579784eeb\
         517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017",
    );
}

#[test]
fn the_official_vector_of_eddsa_jcs_2022_verifies() {
    let mut document = alumni("eddsa-jcs-2022");
    document["proof"]["@context"] = document["@context"].clone();
    vector(
        document,
        "z63t83Y53KfzJ5ZosfKTnqfMcKB2dmTrfjSaQjeNNjAD5srBowQfmWqeRb8rRjmeEuCBEsddF9LsVogtuTsijJKh4",
        // The hash of the document; the drafts disagree on that of the options, which the
        // signature covers.
        "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19",
    );
}

/// RFC 8785 appendix B, as far as JSON can write the numbers, and section 3.2.3's strings.
#[test]
fn json_is_canonical_as_rfc_8785_has_it() {
    for (bits, expected) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        let object = json!({ "n": f64::from_bits(bits) });
        let text = canonical_json(object.as_object().unwrap()).unwrap();
        assert_eq!(text, format!("{{\"n\":{expected}}}"));
    }
    let object: Value = serde_json::from_str(
        r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
    )
    .unwrap();
    assert_eq!(
        canonical_json(object.as_object().unwrap()).unwrap(),
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    // Names are sorted by UTF-16 units: U+1F600 (d83d de00) comes before U+FB33.
    let object: Value = serde_json::from_str(
        r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
    )
    .unwrap();
    assert_eq!(
        canonical_json(object.as_object().unwrap()).unwrap(),
        "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}"
    );
}

fn hash(document: &Value) -> Result<[u8; 64], VerifyError> {
    let document = document.as_object().unwrap();
    let options = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "proofPurpose": "assertionMethod"
    });
    let options = options.as_object().unwrap().clone();
    let jcs = hashes(
        &Contexts::standard(),
        Suite::EddsaJcs2022,
        document,
        options.clone(),
    );
    let rdfc = hashes(
        &Contexts::standard(),
        Suite::EddsaRdfc2022,
        document,
        options,
    );
    // Whatever one suite refuses for its form, the other refuses too.
    match (&jcs, &rdfc) {
        (Err(jcs), Err(rdfc)) => assert_eq!(jcs, rdfc),
        (Ok(_), Ok(_) | Err(VerifyError::TooComplex)) => {}
        other => panic!("{other:?}"),
    }
    rdfc
}

fn plain() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:example:1",
        "type": ["VerifiableCredential"],
        "issuer": "did:example:1",
        "validUntil": "2030-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:2", "name": "A" }
    })
}

#[test]
fn what_would_be_lost_or_hidden_is_an_error_for_every_suite() {
    type Case = (&'static str, fn(&mut Value), fn(&VerifyError) -> bool);
    let undefined = |error: &VerifyError| matches!(error, VerifyError::UndefinedTerm(_));
    let unknown = |error: &VerifyError| matches!(error, VerifyError::UnknownContext(_));
    let malformed = |error: &VerifyError| matches!(error, VerifyError::Malformed(_));
    let lost = |error: &VerifyError| matches!(error, VerifyError::JsonLd(_));
    assert!(hash(&plain()).is_ok());
    let cases: [Case; 19] = [
        (
            "term",
            |d| d["credentialSubject"]["likes"] = json!("x"),
            undefined,
        ),
        (
            "type",
            |d| d["type"] = json!(["VerifiableCredential", "Other"]),
            |error| {
                matches!(
                    error,
                    VerifyError::UndefinedTerm(_) | VerifyError::JsonLd(_)
                )
            },
        ),
        (
            "full IRI",
            |d| d["https://schema.org/name"] = json!("x"),
            undefined,
        ),
        (
            "hidden status",
            |d| {
                d["https://www.w3.org/2018/credentials#validUntil"] = d["validUntil"].take();
                d.as_object_mut().unwrap().remove("validUntil");
            },
            undefined,
        ),
        (
            "keyword",
            |d| d["@graph"] = json!([{ "id": "urn:x" }]),
            undefined,
        ),
        (
            "@included",
            |d| d["@included"] = json!([{ "id": "urn:x" }]),
            undefined,
        ),
        (
            "@type",
            |d| d["credentialSubject"]["@type"] = json!("urn:x"),
            undefined,
        ),
        (
            "typed value",
            |d| d["name"] = json!({ "@value": "a", "@type": "urn:x" }),
            undefined,
        ),
        (
            "direction",
            |d| d["name"] = json!({ "@value": "a", "@language": "he", "@direction": "rtl" }),
            undefined,
        ),
        ("null", |d| d["name"] = Value::Null, malformed),
        ("empty array", |d| d["evidence"] = json!([]), malformed),
        ("empty object", |d| d["evidence"] = json!({}), malformed),
        ("array in array", |d| d["name"] = json!([["a"]]), malformed),
        (
            "blank id",
            |d| d["credentialSubject"]["id"] = json!("_:b0"),
            malformed,
        ),
        (
            "one id twice",
            |d| d["issuer"] = json!({ "id": "did:example:2", "name": "B" }),
            malformed,
        ),
        (
            "relative id",
            |d| d["credentialSubject"]["id"] = json!("two"),
            lost,
        ),
        ("relative reference", |d| d["issuer"] = json!("one"), lost),
        (
            "unknown context",
            |d| {
                d["@context"] = json!(["https://www.w3.org/ns/credentials/v2", "https://x.example"])
            },
            unknown,
        ),
        (
            "context in place",
            |d| d["credentialSubject"]["@context"] = json!({ "likes": "urn:x" }),
            unknown,
        ),
    ];
    for (name, change, expected) in cases {
        let mut document = plain();
        change(&mut document);
        let error = hash(&document).expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
    }
}

#[test]
fn text_in_a_language_is_understood() {
    let mut document = plain();
    document["name"] = json!([{ "@value": "a", "@language": "en" }, { "@value": "b" }]);
    assert!(hash(&document).is_ok());
}

/// Blank nodes that only differ in whom they point to: RDFC-1.0 tries every order of them.
#[test]
fn poisonous_graphs_end_soon() {
    let node = |n: usize| json!({ "type": "JsonSchema", "name": (0..n).map(|_| json!({ "type": "JsonSchema" })).collect::<Vec<_>>() });
    let mut document = plain();
    document["evidence"] = (0..40).map(|_| node(40)).collect();
    assert_eq!(hash(&document), Err(VerifyError::TooComplex));
}

#[test]
fn deep_documents_fit_on_a_small_stack() {
    let mut value = json!({ "type": "JsonSchema", "name": "x" });
    for _ in 0..20 {
        value = json!({ "type": "JsonSchema", "description": value });
    }
    let mut document = plain();
    document["evidence"] = value;
    crate::Document::try_from(document.clone()).unwrap();
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || hash(&document).map(|_| ()))
        .unwrap()
        .join()
        .unwrap()
        .unwrap();
}
