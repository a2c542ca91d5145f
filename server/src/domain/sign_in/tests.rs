use std::sync::Arc;

use blindprint_core::{ManualClock, Nonce, SystemEntropy};
use blindprint_did::{KeyType, SigningKey, sign};

use super::*;
use crate::{domain::record::SubjectKeys, store::SqliteStore};

const NOW: UnixTime = UnixTime(1_800_000_000);
const SERVICE: &str = "https://id.example";

struct World {
    rules: SignIns,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

async fn world(waiting: usize) -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("db.sqlite"))
        .await
        .unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let rules = SignIns::new(SignInParts {
        store: Arc::new(store),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        service: SERVICE.parse().unwrap(),
        waiting,
    });
    World {
        rules,
        clock,
        _folder: folder,
    }
}

fn wallet() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn caller(key: &SigningKey) -> Caller {
    Caller {
        subject: key.public().subject(),
        key: key.public().uri(),
        keys: None::<SubjectKeys>,
    }
}

fn link(standing: Standing) -> SignInLink {
    match standing {
        Standing::Waiting { link, .. } => link,
        other => panic!("{other:?}"),
    }
}

impl World {
    fn word(&self, key: &SigningKey, link: &SignInLink, change: fn(&mut SignIn)) -> Jws {
        let mut word = SignIn {
            sub: key.public().subject(),
            aud: link.service.clone(),
            session: link.session,
            code: link.code.to_string(),
            iat: self.rules.now(),
        };
        change(&mut word);
        sign(key, &word).unwrap()
    }

    fn accept(&self, key: &SigningKey, link: &SignInLink) -> Result<()> {
        self.rules
            .accept(&caller(key), &self.word(key, link, |_| {}))
    }

    async fn signed_in(&self, key: &SigningKey) -> BrowserSecret {
        let shown = self.rules.begin().unwrap();
        self.accept(key, &link(self.rules.of_stranger(&shown)))
            .unwrap();
        self.rules
            .enter(&shown, "Firefox\n")
            .await
            .unwrap()
            .unwrap()
    }
}

#[tokio::test]
async fn a_browser_is_the_subjects_once_their_wallet_signed_its_link() {
    let world = world(10).await;
    let (key, other) = (wallet(), wallet());
    let shown = world.rules.begin().unwrap();
    assert!(world.rules.enter(&shown, "").await.unwrap().is_none());
    let link = link(world.rules.of_stranger(&shown));
    world.accept(&key, &link).unwrap();
    world.accept(&key, &link).unwrap();
    assert_eq!(
        world.accept(&other, &link).unwrap_err().code(),
        ProblemCode::ChallengeGone
    );
    assert_eq!(world.rules.of_stranger(&shown), Standing::Signed);
    let secret = world
        .rules
        .enter(&shown, "Firefox\n")
        .await
        .unwrap()
        .unwrap();
    assert!(
        world.rules.signed_in(&shown).await.unwrap().is_none(),
        "the first cookie opens nothing"
    );
    assert!(
        world.rules.enter(&shown, "").await.unwrap().is_none(),
        "once"
    );
    let browser = world.rules.signed_in(&secret).await.unwrap().unwrap();
    assert_eq!(browser.subject, key.public().subject());
    assert_eq!(browser.agent, "Firefox");
    assert!(secret.admits(&secret.csrf()) && !shown.admits(&secret.csrf()));
}

#[tokio::test]
async fn what_is_signed_for_something_else_opens_nothing() {
    let world = world(10).await;
    let key = wallet();
    let shown = world.rules.begin().unwrap();
    let link = link(world.rules.of_stranger(&shown));
    let forgeries: [fn(&mut SignIn); 5] = [
        |word| word.session = Nonce::random(&SystemEntropy),
        |word| "ABCD-EFGH".clone_into(&mut word.code),
        |word| word.aud = "https://elsewhere.example".parse().unwrap(),
        |word| word.iat = word.iat.plus(-61),
        |word| word.sub = "did:key:zSomebodyElse".parse().unwrap(),
    ];
    for forge in forgeries {
        let word = world.word(&key, &link, forge);
        world.rules.accept(&caller(&key), &word).unwrap_err();
    }
    assert!(matches!(
        world.rules.of_stranger(&shown),
        Standing::Waiting { .. }
    ));
    world.clock.advance(PENDING_SECONDS);
    assert_eq!(world.rules.of_stranger(&shown), Standing::Gone);
    assert_eq!(
        world.accept(&key, &link).unwrap_err().code(),
        ProblemCode::ChallengeGone
    );
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_the_end() {
    let world = world(10).await;
    let secret = world.signed_in(&wallet()).await;
    for _ in 0..6 {
        world.clock.advance(590);
        assert!(world.rules.signed_in(&secret).await.unwrap().is_some());
    }
    world.clock.advance(60);
    assert!(
        world.rules.signed_in(&secret).await.unwrap().is_none(),
        "an hour"
    );
    let secret = world.signed_in(&wallet()).await;
    world.clock.advance(IDLE_SECONDS);
    assert!(
        world.rules.signed_in(&secret).await.unwrap().is_none(),
        "idle"
    );
    world.rules.forget().await.unwrap();
}

#[tokio::test]
async fn what_destroys_something_wants_a_signature_of_the_same_subject() {
    let world = world(10).await;
    let (key, other) = (wallet(), wallet());
    let secret = world.signed_in(&key).await;
    let browser = world.rules.signed_in(&secret).await.unwrap().unwrap();
    assert!(world.rules.is_fresh(&browser));
    world.clock.advance(FRESH_SECONDS);
    assert!(!world.rules.is_fresh(&browser));
    let shown = world.rules.begin_again(&browser).unwrap();
    assert_eq!(
        world.rules.begin_again(&browser).unwrap(),
        shown,
        "a page that is drawn again shows the same link"
    );
    assert!(world.rules.renew(&browser).await.unwrap().is_none());
    world.accept(&key, &link(shown)).unwrap();
    let renewed = world.rules.renew(&browser).await.unwrap().unwrap();
    assert_ne!(renewed.sign_in, browser.sign_in);
    let browser = world.rules.signed_in(&secret).await.unwrap().unwrap();
    assert!(world.rules.is_fresh(&browser));

    let shown = world.rules.begin_again(&browser).unwrap();
    world.accept(&other, &link(shown)).unwrap();
    world.rules.renew(&browser).await.unwrap_err();
    assert!(world.rules.signed_in(&secret).await.unwrap().is_none());
}

#[tokio::test]
async fn a_flood_of_links_takes_no_more_memory_than_it_may() {
    let world = world(3).await;
    let shown: Vec<_> = (0..3).map(|_| world.rules.begin().unwrap()).collect();
    assert!(world.rules.begin().is_err());
    assert!(
        shown
            .iter()
            .all(|it| world.rules.of_stranger(it) != Standing::Gone)
    );
    world.clock.advance(PENDING_SECONDS);
    assert!(world.rules.begin().is_ok());
}

#[tokio::test]
async fn one_signs_out_in_one_browser_or_in_another() {
    let world = world(20).await;
    let (key, other) = (wallet(), wallet());
    let (first, second) = (world.signed_in(&key).await, world.signed_in(&key).await);
    let foreign = world.signed_in(&other).await;
    let own = world.rules.signed_in(&first).await.unwrap().unwrap();
    let beside = world.rules.signed_in(&second).await.unwrap().unwrap();
    let stranger = world.rules.signed_in(&foreign).await.unwrap().unwrap();
    assert_eq!(world.rules.browsers(&own).await.unwrap().len(), 2);
    assert!(world.rules.end(&own, stranger.id).await.is_err());
    world.rules.end(&own, beside.id).await.unwrap();
    world.rules.end(&own, own.id).await.unwrap();
    for gone in [&first, &second] {
        assert!(world.rules.signed_in(gone).await.unwrap().is_none());
    }
    assert!(world.rules.signed_in(&foreign).await.unwrap().is_some());
    for _ in 0..12 {
        world.signed_in(&key).await;
    }
    assert_eq!(
        world.rules.browsers(&own).await.unwrap().len(),
        MOST_BROWSERS as usize
    );
}
