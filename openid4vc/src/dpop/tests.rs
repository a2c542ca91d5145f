use blindprint_core::SystemEntropy;

use super::*;

const URL: &str = "https://id.example.org/oauth2/token";
const NOW: UnixTime = UnixTime(1_790_000_000);

fn request(url: &str) -> Request<'_> {
    Request {
        method: "POST",
        url,
        access_token: None,
    }
}

fn key() -> SigningKey {
    SigningKey::generate(KeyType::P256, &SystemEntropy)
}

/// A proof with these claims and this header besides.
fn proof(claims: &Value, header: &Value) -> String {
    let key = key();
    let mut whole = Map::new();
    whole.insert("typ".to_owned(), TYP.into());
    whole.insert(
        "jwk".to_owned(),
        serde_json::to_value(Jwk::from(&key.public())).unwrap(),
    );
    whole.extend(header.as_object().unwrap().clone());
    whole.retain(|_, value| !value.is_null());
    let mut all = json!({"jti": "a", "htm": "POST", "htu": URL, "iat": NOW});
    all.as_object_mut()
        .unwrap()
        .extend(claims.as_object().unwrap().clone());
    all.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    jwt::sign(&key, whole, &all).unwrap()
}

fn refusal(proof: &str, request: &Request<'_>) -> &'static str {
    let error = verify(proof, request, NOW).unwrap_err();
    assert_eq!(error.code(), "invalid_dpop_proof");
    error.description()
}

/// RFC 9449 sections 5 and 7, made by other software.
#[test]
fn the_specifications_proofs() {
    const TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA";
    const RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let at_token = verify(
        TOKEN,
        &request("https://server.example.com/token"),
        UnixTime(1_562_265_296),
    );
    let possession = at_token.unwrap().spend(true).unwrap();
    assert_eq!(possession.thumbprint(), THUMBPRINT);
    let at_resource = Request {
        method: "GET",
        url: "https://resource.example.org/protectedresource",
        access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
    };
    let unspent = verify(RESOURCE, &at_resource, UnixTime(1_562_262_618)).unwrap();
    assert_eq!(unspent.spend(true).unwrap().thumbprint(), THUMBPRINT);
}

#[test]
fn a_proof_is_taken_for_its_request_once() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let key = SigningKey::generate(key_type, &SystemEntropy);
        let resource = Request {
            access_token: Some("token"),
            ..request("https://id.example.org/credential")
        };
        let made = prove(&key, &resource, Some("n"), NOW, &SystemEntropy).unwrap();
        let unspent = verify(&made, &resource, NOW.plus(10)).unwrap();
        assert_eq!(unspent.nonce(), Some("n"));
        assert!(unspent.until() >= NOW.plus(MAX_AGE));
        let again = verify(&made, &resource, NOW.plus(20)).unwrap();
        assert_eq!(unspent.id(), again.id());
        assert_eq!(
            unspent.spend(true).unwrap().thumbprint(),
            key.public().thumbprint()
        );
        assert_eq!(
            again.spend(false).unwrap_err().kind(),
            Code::InvalidDpopProof
        );

        let other = prove(&key, &resource, None, NOW, &SystemEntropy).unwrap();
        assert_ne!(
            verify(&other, &resource, NOW).unwrap().id(),
            verify(&made, &resource, NOW).unwrap().id()
        );
        let stolen = Request {
            access_token: Some("another"),
            ..resource
        };
        assert_eq!(
            refusal(&made, &stolen),
            "the DPoP proof is for another access token"
        );
        let without = prove(&key, &request(resource.url), None, NOW, &SystemEntropy).unwrap();
        assert_eq!(
            refusal(&without, &resource),
            "the DPoP proof is for another access token"
        );
    }
}

#[test]
fn addresses_are_compared_without_what_does_not_count() {
    for same in [
        "HTTPS://ID.example.org:443/oauth2/token",
        "https://id.example.org/oauth2/token?a=b#c",
        "https://id.example.org/x/../oauth2/token",
    ] {
        assert!(
            verify(
                &proof(&json!({"htu": same}), &json!({})),
                &request(URL),
                NOW
            )
            .is_ok(),
            "{same}"
        );
    }
    for other in [
        "http://id.example.org/oauth2/token",
        "https://id.example.org/oauth2/token/",
        "https://id.example.org/oauth2/Token",
        "https://id.example.org:8443/oauth2/token",
        "/oauth2/token",
        "",
    ] {
        let made = proof(&json!({"htu": other}), &json!({}));
        assert_eq!(
            refusal(&made, &request(URL)),
            "the DPoP proof is for another URL",
            "{other}"
        );
    }
}

#[test]
fn what_is_no_proof_for_this_is_refused() {
    let far = "n".repeat(MAX_NAME + 1);
    for claims in [
        json!({"htm": "GET"}),
        json!({"htm": "post"}),
        json!({"htm": null}),
        json!({"htu": null}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"jti": far}),
        json!({"iat": null}),
        json!({"iat": "now"}),
        json!({"iat": NOW.plus(-MAX_AGE - 1)}),
        json!({"iat": NOW.plus(SKEW + 1)}),
        json!({"iat": i64::MIN}),
        json!({"nonce": 1}),
        json!({"nonce": far}),
    ] {
        refusal(&proof(&claims, &json!({})), &request(URL));
    }
    let other = Jwk::from(&key().public());
    let mut private = serde_json::to_value(&other).unwrap();
    private["d"] = "AAAA".into();
    for header in [
        json!({"typ": "JWT"}),
        json!({"jwk": null}),
        json!({"jwk": other}),
        json!({"jwk": private}),
        json!({"jwk": "AAAA"}),
        json!({"jwk": {"kty": "oct", "k": "AAAA"}}),
    ] {
        refusal(&proof(&json!({}), &header), &request(URL));
    }
    for bad in [
        "",
        "a.b.c",
        "eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.e30.",
    ] {
        refusal(bad, &request(URL));
    }
    assert!(verify(&proof(&json!({}), &json!({})), &request(URL), NOW).is_ok());
}

#[test]
fn metadata_say_whose_keys_are_let_in() {
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(accepts(&names(&["RS256", "ES256"]), KeyType::P256));
    assert!(!accepts(&names(&["ES256"]), KeyType::Ed25519));
    assert!(accepts(&names(&ALGORITHMS), KeyType::Ed25519));
}
