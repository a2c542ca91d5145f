use super::Fixture;

#[tokio::test]
async fn context_schemas_and_types_are_where_credentials_say() {
    let fixture = Fixture::new().await;
    let deployment = fixture.app.public.credentials.deployment();
    let path = |url: String| {
        url.strip_prefix("https://id.example.org")
            .unwrap()
            .to_owned()
    };
    let context = fixture.get(&path(deployment.context_url())).await;
    assert_eq!(context.headers["content-type"], "application/ld+json");
    assert!(context.json()["@context"].is_object());
    for kind in blindprint_credentials::CredentialType::ALL {
        let schema = fixture.get(&path(deployment.schema_url(kind))).await;
        assert_eq!(schema.status, 200);
        assert_eq!(schema.headers["content-type"], "application/schema+json");
        let metadata = fixture.get(&path(deployment.vct(kind))).await;
        if kind == blindprint_credentials::CredentialType::Uniqueness {
            assert_eq!(metadata.problem(), "not-found", "it is never issued");
        } else {
            assert_eq!(metadata.json()["vct"], deployment.vct(kind));
        }
    }
    for missing in [
        "/schemas/nothing/v1.json",
        "/credentials/types/nothing/v1",
        "/contexts/v2",
        "/status-lists/1",
        "/status-lists/x/revocation",
        "/status-lists/1/nothing",
    ] {
        assert_eq!(
            fixture.get(missing).await.problem(),
            "not-found",
            "{missing}"
        );
    }
}
