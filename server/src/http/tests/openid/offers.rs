//! Offers: who may make one, how it is fetched, and when it is over.

use blindprint_core::{EnrolmentId, Nonce};

use super::*;

const PATH: &str = "/v1/credential-offers";
const ONE: &str = "consent-receipt_dc+sd-jwt";

fn path(link: &str) -> String {
    let OfferLink::Reference(address) = OfferLink::parse(link).unwrap() else {
        panic!("not by reference");
    };
    address.strip_prefix(SERVICE).unwrap().to_owned()
}

#[tokio::test]
async fn an_offer_says_the_same_by_value_and_by_reference_however_often_it_is_fetched() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE, "consent-receipt_ldp_vc"]).await;
    assert_eq!(made.offer.credential_issuer, SERVICE);
    let tx_code = made.wire.tx_code.as_ref().unwrap();
    assert!(tx_code.len() == 6 && tx_code.bytes().all(|digit| digit.is_ascii_digit()));
    assert!(!made.wire.by_value.contains(tx_code), "it goes another way");
    let described = made
        .offer
        .pre_authorized()
        .unwrap()
        .tx_code
        .clone()
        .unwrap();
    assert_eq!(described.length, Some(6));
    let address = path(&made.wire.by_reference);
    for _ in 0..2 {
        let reply = fixture.get(&address).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["cache-control"]),
            (200, &"no-store".parse().unwrap())
        );
        assert_eq!(Offer::parse(&reply.body).unwrap(), made.offer);
    }
    let picture = fixture
        .get(made.wire.qr_code.strip_prefix(SERVICE).unwrap())
        .await;
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert!(picture.body.starts_with(b"<?xml"));
    let other = format!("/credential-offers/{}", Nonce::random(&SystemEntropy));
    assert_eq!(fixture.get(&other).await.problem(), "not-found");
    redeemed(&fixture, &made).await;
    assert_eq!(
        fixture.get(&address).await.problem(),
        "not-found",
        "it is redeemed"
    );
}

#[tokio::test]
async fn an_offer_is_over_after_five_minutes() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    fixture.clock.advance(299);
    assert_eq!(
        fixture.get(&path(&made.wire.by_reference)).await.status,
        200
    );
    fixture.clock.advance(1);
    assert_eq!(
        fixture.get(&path(&made.wire.by_reference)).await.status,
        404
    );
    let body = made.request().to_form();
    let reply = form(&fixture, TOKEN, body.expose_secret(), &[]).await;
    assert_eq!(reply.error(), "invalid_grant");
}

#[tokio::test]
async fn only_what_the_subject_has_is_offered() {
    let fixture = Fixture::new().await;
    let (mine, consent) = person(&fixture).await;
    let (other, theirs) = person(&fixture).await;
    let with = |basis: Value| json!({ "configurations": [ONE], "basis": basis }).to_string();
    for (body, problem) in [
        (with(json!({ "kind": "consent", "id": theirs })), "no-basis"),
        (
            with(json!({ "kind": "consent", "id": ConsentId::random(&SystemEntropy) })),
            "no-basis",
        ),
        (
            json!({
                "configurations": ["enrolment_ldp_vc"],
                "basis": { "kind": "enrolment", "id": EnrolmentId::random(&SystemEntropy) },
            })
            .to_string(),
            "no-basis",
        ),
        (
            json!({
                "configurations": ["authentication_ldp_vc"],
                "basis": { "kind": "authentication", "id": Nonce::random(&SystemEntropy) },
            })
            .to_string(),
            "no-basis",
        ),
        (wanted(consent, &[]).to_string(), "malformed-request"),
        (
            wanted(consent, &["mso_mdoc"]).to_string(),
            "malformed-request",
        ),
        (
            wanted(consent, &["enrolment_ldp_vc"]).to_string(),
            "malformed-request",
        ),
        (
            wanted(consent, &[ONE, ONE]).to_string(),
            "malformed-request",
        ),
        (
            with(json!({ "kind": "uniqueness", "id": consent })),
            "malformed-request",
        ),
        (
            json!({
                "configurations": [ONE],
                "basis": { "kind": "consent", "id": consent },
                "client_id": "two words",
            })
            .to_string(),
            "malformed-request",
        ),
    ] {
        let reply = fixture.signed(&mine, "POST", PATH, &body).await;
        assert_eq!(reply.problem(), problem, "{body}");
    }
    // The other one can.
    offer(&fixture, &other, &wanted(theirs, &[ONE])).await;
    fixture.clock.advance(86_400);
    let body = wanted(consent, &[ONE]).to_string();
    let reply = fixture.signed(&mine, "POST", PATH, &body).await;
    assert_eq!(reply.problem(), "no-basis", "the consent has ended");
}

#[tokio::test]
async fn a_repeated_request_makes_the_same_offer_and_never_a_spent_one_anew() {
    let fixture = Fixture::new().await;
    let (key, consent) = person(&fixture).await;
    let body = wanted(consent, &[ONE]).to_string();
    let ask = async |name: &str, key: &SigningKey, body: &str| {
        let proof = fixture.proof(key, ("POST", PATH, body.as_bytes()), |_| {});
        let headers = [
            ("blindprint-proof", proof.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", name),
        ];
        post(&fixture, PATH, body, &headers).await
    };
    let first = ask("one", &key, &body).await;
    fixture.clock.advance(10);
    let again = ask("one", &key, &body).await;
    assert_eq!((first.status.as_u16(), first.json()), (201, again.json()));
    assert_ne!(ask("two", &key, &body).await.json(), first.json());
    let (other, theirs) = person(&fixture).await;
    let reply = ask("one", &other, &wanted(theirs, &[ONE]).to_string()).await;
    assert_ne!(reply.json()["by_value"], first.json()["by_value"]);
    let wire: CredentialOffer = serde_json::from_slice(&first.body).unwrap();
    let OfferLink::Value(value) = OfferLink::parse(&wire.by_value).unwrap() else {
        panic!("not by value");
    };
    let made = Made { wire, offer: value };
    redeemed(&fixture, &made).await;
    assert_eq!(ask("one", &key, &body).await.json(), first.json());
    let reply = form(
        &fixture,
        TOKEN,
        made.request().to_form().expose_secret(),
        &[],
    )
    .await;
    assert_eq!(reply.error(), "invalid_grant");
}
