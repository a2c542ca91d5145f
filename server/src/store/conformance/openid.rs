//! Machine clients, offers and tokens.

use super::*;
use crate::domain::{
    Attempt, ClientRecord, Configuration, NotRedeemed, OfferRecord, Redemption, Scope, TokenHolder,
    TokenRecord,
    issued::{IssuanceId, Reference},
};

fn client() -> ClientRecord {
    ClientRecord {
        id: (&SystemEntropy as &dyn Entropy)
            .uuid()
            .to_string()
            .parse()
            .unwrap(),
        name: "shop".to_owned(),
        scopes: [Scope::CredentialsVerify, Scope::PresentationsRequest]
            .into_iter()
            .collect(),
        secret: random_digest(),
        created: NOW,
        revoked: None,
    }
}

fn token(holder: TokenHolder) -> TokenRecord {
    TokenRecord {
        token: random_digest(),
        holder,
        jkt: None,
        expires: NOW.plus(600),
    }
}

fn wallet(offer: &OfferRecord) -> TokenHolder {
    TokenHolder::Wallet {
        offer: offer.offer,
        client: offer.client.clone(),
    }
}

fn offer() -> OfferRecord {
    OfferRecord {
        offer: random_digest(),
        subject: alice(),
        configurations: Configuration::all().take(2).collect(),
        basis: Reference::Enrolment(EnrolmentId::random(&SystemEntropy)),
        tx_code: Some(random_digest()),
        client: Some("wallet".to_owned()),
        wrong: 0,
        made: NOW,
        expires: NOW.plus(300),
        redeemed: None,
    }
}

fn attempt(offer: &OfferRecord) -> Attempt {
    Attempt {
        offer: offer.offer,
        tx_code: offer.tx_code,
        client: offer.client.clone(),
    }
}

#[tokio::test]
async fn a_revoked_client_has_no_tokens_left() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (shop, other) = (client(), client());
    for client in [&shop, &other] {
        store.record_client(client).await.unwrap();
    }
    assert_eq!(store.client(shop.id).await.unwrap(), Some(shop.clone()));
    assert_eq!(store.clients().await.unwrap().len(), 2);
    let held = |client: &ClientRecord| token(TokenHolder::Client(client.id, client.scopes.clone()));
    let (first, second) = (held(&shop), held(&other));
    for token in [&first, &second] {
        store.record_token(token).await.unwrap();
    }
    assert_eq!(store.token(first.token).await.unwrap(), Some(first.clone()));
    assert!(store.revoke_client(shop.id, NOW).await.unwrap());
    assert!(store.revoke_client(shop.id, NOW.plus(5)).await.unwrap());
    let known = store.client(shop.id).await.unwrap().unwrap();
    assert_eq!(known.revoked, Some(NOW), "the first time counts");
    assert_eq!(store.token(first.token).await.unwrap(), None);
    // One that was asked for at the same moment.
    let late = held(&shop);
    store.record_token(&late).await.unwrap();
    assert_eq!(store.token(late.token).await.unwrap(), None);
    assert_eq!(store.token(second.token).await.unwrap(), Some(second));
    assert!(!store.revoke_client(client().id, NOW).await.unwrap());
}

#[tokio::test]
async fn an_offer_is_redeemed_once_for_one_token() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let offer = offer();
    assert!(store.record_offer(&offer, 10).await.unwrap());
    assert_eq!(store.offer(offer.offer).await.unwrap(), Some(offer.clone()));
    let first = token(wallet(&offer));
    let redeemed = store
        .redeem_offer(&attempt(&offer), &first, NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (redeemed.offer, redeemed.redeemed),
        (offer.offer, Some(NOW))
    );
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(again.token(first.token).await.unwrap(), Some(first.clone()));
    assert!(store.record_offer(&offer, 10).await.unwrap());
    assert_eq!(
        store.offer(offer.offer).await.unwrap().unwrap().redeemed,
        Some(NOW),
        "an offer that is made again stays spent"
    );
    let second = token(wallet(&offer));
    assert_eq!(
        store
            .redeem_offer(&attempt(&offer), &second, NOW)
            .await
            .unwrap(),
        Err(NotRedeemed::Twice)
    );
    assert_eq!(store.token(first.token).await.unwrap(), None);
    assert_eq!(store.token(second.token).await.unwrap(), None);
}

#[tokio::test]
async fn what_does_not_redeem_an_offer_leaves_it_alone() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let offer = offer();
    store.record_offer(&offer, 10).await.unwrap();
    let redeem = async |change: fn(&mut Attempt), at| {
        let mut attempt = attempt(&offer);
        change(&mut attempt);
        let token = token(wallet(&offer));
        store
            .redeem_offer(&attempt, &token, at)
            .await
            .unwrap()
            .err()
    };
    for (change, refused) in [
        (
            (|attempt| attempt.offer = random_digest()) as fn(&mut Attempt),
            NotRedeemed::Gone,
        ),
        (|attempt| attempt.client = None, NotRedeemed::Anonymous),
        (
            |attempt| attempt.client = Some("other".to_owned()),
            NotRedeemed::Stranger,
        ),
        (|attempt| attempt.tx_code = None, NotRedeemed::TxCodeMissing),
    ] {
        for _ in 0..10 {
            assert_eq!(redeem(change, NOW).await, Some(refused));
        }
    }
    assert_eq!(redeem(|_| {}, NOW.plus(300)).await, Some(NotRedeemed::Gone));
    assert_eq!(redeem(|_| {}, NOW.plus(299)).await, None);
}

#[tokio::test]
async fn five_wrong_transaction_codes_end_an_offer() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let offer = offer();
    store.record_offer(&offer, 10).await.unwrap();
    let token = token(wallet(&offer));
    for _ in 0..5 {
        let wrong = Attempt {
            tx_code: Some(random_digest()),
            ..attempt(&offer)
        };
        assert_eq!(
            store.redeem_offer(&wrong, &token, NOW).await.unwrap(),
            Err(NotRedeemed::TxCodeWrong)
        );
    }
    assert_eq!(
        store
            .redeem_offer(&attempt(&offer), &token, NOW)
            .await
            .unwrap(),
        Err(NotRedeemed::Gone),
        "the right one comes too late"
    );
}

#[tokio::test]
async fn offers_are_bounded_and_kept_as_long_as_answers() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let offers = [offer(), offer(), offer()];
    assert!(store.record_offer(&offers[0], 2).await.unwrap());
    assert!(store.record_offer(&offers[1], 2).await.unwrap());
    assert!(!store.record_offer(&offers[2], 2).await.unwrap());
    assert!(
        store.record_offer(&offers[1], 2).await.unwrap(),
        "it is known already"
    );
    let holder = wallet(&offers[0]);
    store
        .redeem_offer(&attempt(&offers[0]), &token(holder), NOW)
        .await
        .unwrap()
        .unwrap();
    store.forget_expired(NOW.plus(301), NOW).await.unwrap();
    assert!(store.offer(offers[0].offer).await.unwrap().is_some());
    store
        .forget_expired(NOW.plus(301), NOW.plus(1))
        .await
        .unwrap();
    assert!(store.offer(offers[0].offer).await.unwrap().is_none());
    assert!(store.record_offer(&offers[2], 2).await.unwrap());
}

#[tokio::test]
async fn a_redemption_is_told_of_by_its_own_offer() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (mine, other) = (offer(), offer());
    for offer in [&mine, &other] {
        store.record_offer(offer, 10).await.unwrap();
    }
    let redemption = Redemption {
        offer: mine.offer,
        configuration: mine.configurations[0],
        notification: "n1".to_owned(),
        issuance: IssuanceId::random(&SystemEntropy),
        at: NOW,
    };
    store.record_redemption(&redemption).await.unwrap();
    assert!(
        store.record_redemption(&redemption).await.is_err(),
        "each configuration once"
    );
    assert_eq!(
        store.redemptions(mine.offer).await.unwrap(),
        std::slice::from_ref(&redemption)
    );
    assert_eq!(store.redemptions(other.offer).await.unwrap(), []);
    let event = "credential_accepted";
    assert!(store.notify(mine.offer, "n1", event).await.unwrap());
    assert!(store.notify(mine.offer, "n1", event).await.unwrap());
    assert!(!store.notify(other.offer, "n1", event).await.unwrap());
    assert!(!store.notify(mine.offer, "n2", event).await.unwrap());
}
