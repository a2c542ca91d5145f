use blindprint_core::SystemEntropy;

use super::*;

fn encryption() -> (ResponseEncryption, DecryptionKey) {
    let key = DecryptionKey::generate(&SystemEntropy).named("r");
    let encryption = ResponseEncryption {
        key: key.public(),
        enc: Encryption::A256Gcm,
    };
    (encryption, key)
}

fn parse(json: &Value) -> Result<CredentialRequest> {
    CredentialRequest::parse(json.to_string().as_bytes())
}

#[test]
fn a_request_comes_back() {
    for wanted in [
        Wanted::Identifier("CivilEngineeringDegree-2023".to_owned()),
        Wanted::Configuration("enrolment_ldp_vc".to_owned()),
    ] {
        for response_encryption in [None, Some(encryption().0)] {
            let request = CredentialRequest {
                wanted: wanted.clone(),
                proofs: vec!["a.b.c".to_owned(), "d.e.f".to_owned()],
                response_encryption,
            };
            assert_eq!(parse(&request.to_json()).unwrap(), request);
        }
    }
}

/// OID4VCI 1.0 section 8.2.
#[test]
fn the_specifications_request() {
    let request = parse(&json!({
        "credential_configuration_id": "org.iso.18013.5.1.mDL",
        "proofs": {"jwt": ["eyJraWQiOiJkaWQ6ZXhhbXBsZTplYmZlYjFmNzEyZWJjNmYxYzI3NmUxMmVjMjEva2V5cy8x"]},
        "an_extension": {"of": "later"},
    }))
    .unwrap();
    assert_eq!(
        request.wanted,
        Wanted::Configuration("org.iso.18013.5.1.mDL".to_owned())
    );
    assert_eq!(request.proofs.len(), 1);
}

#[test]
fn an_older_wallets_single_proof_is_read() {
    let request = parse(&json!({
        "credential_configuration_id": "c",
        "proof": {"proof_type": "jwt", "jwt": "a.b.c"},
    }));
    assert_eq!(request.unwrap().proofs, ["a.b.c"]);
}

#[test]
fn each_fault_of_a_request_has_its_code() {
    let (encryption, _) = encryption();
    let mut zipped = encryption.to_wire();
    zipped["zip"] = "DEF".into();
    let mut aged = encryption.to_wire();
    aged["alg"] = "RSA-OAEP".into();
    let mut unknown = encryption.to_wire();
    unknown["enc"] = "A128CBC-HS256".into();
    let id = json!({"credential_configuration_id": "c"});
    let with = |more: Value| {
        let mut request = id.clone();
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        request
    };
    for (code, request) in [
        ("invalid_credential_request", json!({})),
        ("invalid_credential_request", json!([])),
        (
            "invalid_credential_request",
            with(json!({"credential_identifier": "i"})),
        ),
        (
            "invalid_credential_request",
            json!({"credential_configuration_id": 1}),
        ),
        (
            "invalid_credential_request",
            with(json!({"proofs": {"jwt": ["a"]}, "proof": {"proof_type": "jwt", "jwt": "a"}})),
        ),
        ("invalid_credential_request", with(json!({"proofs": ["a"]}))),
        ("invalid_proof", with(json!({"proofs": {}}))),
        ("invalid_proof", with(json!({"proofs": {"jwt": []}}))),
        ("invalid_proof", with(json!({"proofs": {"jwt": "a"}}))),
        ("invalid_proof", with(json!({"proofs": {"jwt": [1]}}))),
        (
            "invalid_proof",
            with(json!({"proofs": {"attestation": ["a"]}})),
        ),
        (
            "invalid_proof",
            with(json!({"proofs": {"jwt": ["a"], "di_vp": [{}]}})),
        ),
        (
            "invalid_proof",
            with(json!({"proof": {"proof_type": "ldp_vp", "ldp_vp": {}}})),
        ),
        (
            "invalid_proof",
            with(json!({"proof": {"proof_type": "jwt"}})),
        ),
        (
            "invalid_encryption_parameters",
            with(json!({"credential_response_encryption": {}})),
        ),
        (
            "invalid_encryption_parameters",
            with(json!({"credential_response_encryption": "x"})),
        ),
        (
            "invalid_encryption_parameters",
            with(json!({"credential_response_encryption": zipped})),
        ),
        (
            "invalid_encryption_parameters",
            with(json!({"credential_response_encryption": aged})),
        ),
        (
            "invalid_encryption_parameters",
            with(json!({"credential_response_encryption": unknown})),
        ),
    ] {
        assert_eq!(parse(&request).unwrap_err().code(), code, "{request}");
    }
    let long = with(json!({"proofs": {"jwt": ["a".repeat(CredentialRequest::MAX_LEN)]}}));
    assert_eq!(
        parse(&long).unwrap_err().code(),
        "invalid_credential_request"
    );
    let twice = br#"{"credential_configuration_id":"a","credential_configuration_id":"b"}"#;
    assert!(CredentialRequest::parse(twice).is_err());
}

/// OID4VCI 1.0 section 8.3.
#[test]
fn the_specifications_responses() {
    let issued = CredentialResponse::parse(
        br#"{"credentials":[{"credential":"LUpixVCWJk0eOt4CXQe1NXK....WZwmhmn9OQp6YxX0a2L"},
            {"credential":"YXNkZnNhZGZkamZqZGFza23....29tZTIzMjMyMzIzMjMy"}],"notification_id":"3fwe98js"}"#,
    );
    let CredentialResponse::Issued {
        credentials,
        notification_id,
    } = issued.unwrap()
    else {
        panic!("issued at once")
    };
    assert_eq!(
        (credentials.len(), notification_id.as_deref()),
        (2, Some("3fwe98js"))
    );
    let deferred = CredentialResponse::parse(br#"{"transaction_id":"8xLOxBtZp8","interval":3600}"#);
    let deferred = deferred.unwrap();
    assert_eq!(
        CredentialResponse::parse(deferred.to_json().to_string().as_bytes()),
        Ok(deferred)
    );
    for bad in [
        "{}",
        "[]",
        r#"{"credentials":[]}"#,
        r#"{"credentials":["a"]}"#,
        r#"{"credentials":[{"credential":1}]}"#,
        r#"{"credentials":[{"credential":"a"}],"transaction_id":"t","interval":1}"#,
        r#"{"transaction_id":"t"}"#,
        r#"{"transaction_id":"t","interval":0}"#,
    ] {
        assert_eq!(
            CredentialResponse::parse(bad.as_bytes())
                .unwrap_err()
                .kind(),
            Code::ServerError,
            "{bad}"
        );
    }
}

#[test]
fn an_encrypted_response_opens_for_the_wallet_that_asked() {
    let (encryption, key) = encryption();
    let response = CredentialResponse::Issued {
        credentials: vec![json!("a~b~"), json!({"type": ["VerifiableCredential"]})],
        notification_id: None,
    };
    let jwe = response.seal(&encryption, &SystemEntropy);
    assert_eq!(CredentialResponse::open(&jwe, &key), Ok(response));
    let (_, other) = self::encryption();
    assert!(CredentialResponse::open(&jwe, &other).is_err());
}

#[test]
fn later_tries_and_notifications_are_read() {
    let deferred = DeferredRequest {
        transaction_id: "t".to_owned(),
        response_encryption: Some(encryption().0),
    };
    let json = deferred.to_json().to_string();
    assert_eq!(DeferredRequest::parse(json.as_bytes()), Ok(deferred));
    assert!(DeferredRequest::parse(b"{}").is_err());
    let notification = Notification::parse(
        br#"{"notification_id":"3fwe98js","event":"credential_failure","event_description":"Could not store the Credential. Out of storage."}"#,
    );
    assert_eq!(
        notification.unwrap().event,
        NotificationEvent::CredentialFailure
    );
    for bad in [
        r#"{"notification_id":"a"}"#,
        r#"{"notification_id":"a","event":"credential_lost"}"#,
    ] {
        assert_eq!(
            Notification::parse(bad.as_bytes()).unwrap_err().code(),
            "invalid_notification_request"
        );
    }
}
