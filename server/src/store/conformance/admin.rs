//! Administrators: a change and its act are one, and nobody is left outside.

use blindprint_core::{Digest, Entropy, SystemEntropy, UnixTime};
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{Passkey, Url, WebauthnBuilder};

use super::{Fixture, NOW, random_digest};
use crate::{
    domain::{
        admin::{
            Act, ActKind, ActOutcome, ActQuery, Actor, AdministratorId, AdministratorRecord,
            LinkId, LinkRecord, PasskeyRecord, Removal, Role, SessionId, SessionRecord,
            authenticator::Authenticator,
        },
        ledger::Stamp,
    },
    store::Store,
};

const ORIGIN: &str = "https://id.example.org";

fn stamp(at: UnixTime) -> Stamp<'static> {
    Stamp {
        at,
        entropy: &SystemEntropy,
    }
}

fn uuid() -> Uuid {
    let entropy: &dyn Entropy = &SystemEntropy;
    entropy.uuid()
}

fn act(kind: ActKind) -> Act {
    Act::done(Actor::machine(), kind, "target")
}

fn passkey() -> Passkey {
    let origin = Url::parse(ORIGIN).unwrap();
    let relying = WebauthnBuilder::new("id.example.org", &origin).unwrap();
    let relying = relying.build().unwrap();
    let begun = relying.start_passkey_registration(uuid(), "ada", "Ada", None);
    let (options, state) = begun.unwrap();
    let options = serde_json::to_value(options).unwrap();
    let answer = Authenticator::new(ORIGIN).create(&options);
    let answer = serde_json::from_value(answer).unwrap();
    relying
        .finish_passkey_registration(&answer, &state)
        .unwrap()
}

fn link(role: Role) -> LinkRecord {
    LinkRecord {
        id: LinkId(uuid()),
        secret: random_digest(),
        role,
        name: "Ada".parse().unwrap(),
        maker: None,
        created: NOW,
        expires: NOW.plus(100),
        used: None,
        revoked: None,
    }
}

fn passkey_of(administrator: AdministratorId) -> PasskeyRecord {
    PasskeyRecord {
        id: random_digest().to_string(),
        administrator,
        name: "laptop".parse().unwrap(),
        passkey: passkey(),
        created: NOW,
        used: None,
    }
}

fn session_of(administrator: AdministratorId) -> SessionRecord {
    SessionRecord {
        id: SessionId(uuid()),
        secret: random_digest(),
        administrator,
        created: NOW,
        seen: NOW,
        proven: NOW,
        agent: "browser".to_owned(),
    }
}

/// Somebody of this role who came by a link, with their passkey and session.
async fn joined(store: &dyn Store, role: Role) -> (AdministratorId, String, Digest) {
    let link = link(role);
    let make = act(ActKind::MakeLink);
    store.record_link(&link, &make, stamp(NOW)).await.unwrap();
    let who = AdministratorRecord {
        id: AdministratorId(uuid()),
        name: link.name.clone(),
        role,
        created: NOW,
        removed: None,
        passkeys: 1,
        seen: Some(NOW),
    };
    let (passkey, session) = (passkey_of(who.id), session_of(who.id));
    let join = act(ActKind::Join);
    let joined = store.join(&link, (&who, &passkey, &session), &join, stamp(NOW));
    assert!(joined.await.unwrap());
    (who.id, passkey.id, session.secret)
}

async fn acts(store: &dyn Store) -> Vec<ActKind> {
    let query = ActQuery {
        oldest_first: true,
        most: 100,
        ..ActQuery::default()
    };
    let (acts, _) = store.acts(&query).await.unwrap();
    acts.into_iter().map(|record| record.act.kind).collect()
}

#[tokio::test]
async fn a_link_is_used_once_and_a_failed_use_leaves_nothing() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let link = link(Role::Operator);
    let make = act(ActKind::MakeLink);
    store.record_link(&link, &make, stamp(NOW)).await.unwrap();
    assert_eq!(store.link(link.secret).await.unwrap().unwrap(), link);
    let who = |id| AdministratorRecord {
        id,
        name: link.name.clone(),
        role: link.role,
        created: NOW,
        removed: None,
        passkeys: 1,
        seen: Some(NOW),
    };
    let join = act(ActKind::Join);
    for (at, expected) in [(NOW.plus(100), false), (NOW, true), (NOW, false)] {
        let id = AdministratorId(uuid());
        let (passkey, session, who) = (passkey_of(id), session_of(id), who(id));
        let joined = store.join(&link, (&who, &passkey, &session), &join, stamp(at));
        assert_eq!(joined.await.unwrap(), expected);
        assert_eq!(
            store.session(session.secret).await.unwrap().is_some(),
            expected
        );
    }
    assert_eq!(store.administrators().await.unwrap().len(), 1);
    assert_eq!(acts(store).await, [ActKind::MakeLink, ActKind::Join]);
    let revoke = act(ActKind::RevokeLink);
    let revoked = store.revoke_link(link.id, &revoke, stamp(NOW)).await;
    assert!(!revoked.unwrap(), "it is used");
}

#[tokio::test]
async fn what_was_not_done_is_no_act() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let (id, passkey, _) = joined(store, Role::Operator).await;
    let before = acts(store).await.len();
    let nobody = AdministratorId(uuid());
    let name = "x".parse().unwrap();
    let remove = act(ActKind::RemovePasskey);
    let removed = store.remove_passkey((id, &passkey), &remove, stamp(NOW));
    assert_eq!(removed.await.unwrap(), Removal::Last);
    let removed = store.remove_passkey((nobody, &passkey), &remove, stamp(NOW));
    assert_eq!(removed.await.unwrap(), Removal::Unknown);
    let rename = act(ActKind::RenamePasskey);
    let renamed = store.rename_passkey((nobody, &passkey), &name, &rename, stamp(NOW));
    assert!(!renamed.await.unwrap());
    let end = act(ActKind::EndSession);
    let ended = store.end_session((id, SessionId(uuid())), &end, stamp(NOW));
    assert!(!ended.await.unwrap());
    for id in [id, nobody] {
        let change = act(ActKind::ChangeRole);
        let changed = store.change_role(id, Role::Auditor, &change, stamp(NOW));
        assert_ne!(changed.await.unwrap(), Removal::Done);
        let removal = act(ActKind::RemoveAdministrator);
        let removed = store.remove_administrator(id, &removal, stamp(NOW));
        assert_ne!(removed.await.unwrap(), Removal::Done);
    }
    assert_eq!(acts(store).await.len(), before);
    assert_eq!(store.log_size().await.unwrap(), before as u64);
}

#[tokio::test]
async fn nobody_takes_the_last_operator_away() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let (first, ..) = joined(store, Role::Operator).await;
    joined(store, Role::PrivacyOfficer).await;
    let removal = act(ActKind::RemoveAdministrator);
    let removed = store.remove_administrator(first, &removal, stamp(NOW));
    assert_eq!(removed.await.unwrap(), Removal::Last);
    let (second, ..) = joined(store, Role::Operator).await;
    let removed = store.remove_administrator(first, &removal, stamp(NOW));
    assert_eq!(removed.await.unwrap(), Removal::Done);
    let change = act(ActKind::ChangeRole);
    let same = store.change_role(second, Role::Operator, &change, stamp(NOW));
    assert_eq!(same.await.unwrap(), Removal::Done);
    let changed = store.change_role(second, Role::Auditor, &change, stamp(NOW));
    assert_eq!(changed.await.unwrap(), Removal::Last);
}

#[tokio::test]
async fn who_is_removed_keeps_a_name_and_nothing_else() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    joined(store, Role::Operator).await;
    let (id, passkey, session) = joined(store, Role::Operator).await;
    let mut waiting = link(Role::Auditor);
    waiting.maker = Some(id);
    let make = act(ActKind::MakeLink);
    store
        .record_link(&waiting, &make, stamp(NOW))
        .await
        .unwrap();
    let removal = act(ActKind::RemoveAdministrator);
    let removed = store.remove_administrator(id, &removal, stamp(NOW));
    assert_eq!(removed.await.unwrap(), Removal::Done);
    assert!(store.passkey(&passkey).await.unwrap().is_none());
    assert!(store.session(session).await.unwrap().is_none());
    let waiting = store.link(waiting.secret).await.unwrap().unwrap();
    assert_eq!(waiting.revoked, Some(NOW));
    let last = store.administrators().await.unwrap().pop().unwrap();
    assert_eq!((last.id, last.removed, last.passkeys), (id, Some(NOW), 0));
}

#[tokio::test]
async fn sessions_are_found_by_their_secret_until_they_are_over() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let (id, passkey, secret) = joined(store, Role::Auditor).await;
    let found = store.session(secret).await.unwrap().unwrap();
    assert_eq!(found.administrator.id, id);
    let later = NOW.plus(50);
    store.touch_session(found.session.id, later).await.unwrap();
    store.touch_session(found.session.id, NOW).await.unwrap();
    let (mut record, _) = store.passkey(&passkey).await.unwrap().unwrap();
    record.used = Some(later);
    let prove = act(ActKind::ProveAgain);
    let proven = store.prove_session(&record, found.session.id, &prove, stamp(later));
    proven.await.unwrap();
    let found = store.session(secret).await.unwrap().unwrap();
    assert_eq!((found.session.seen, found.session.proven), (later, later));
    assert_eq!(store.passkeys_of(id).await.unwrap()[0].used, Some(later));
    store.forget_admin(NOW, NOW.plus(-1)).await.unwrap();
    assert!(store.session(secret).await.unwrap().is_some());
    store.forget_admin(later, NOW.plus(-1)).await.unwrap();
    assert!(store.session(secret).await.unwrap().is_none());
}

#[tokio::test]
async fn acts_are_found_by_who_what_when_and_words_and_survive_a_crash() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let who = AdministratorId(uuid());
    let actor = Actor {
        id: Some(who),
        name: "Grace 100%".to_owned(),
        role: Some(Role::Auditor),
    };
    let first = Act::done(actor, ActKind::Export, "audit").with(json!({ "rows": 3 }));
    store.record_act(&first, stamp(NOW)).await.unwrap();
    let second = act(ActKind::MakeLink).refused();
    store
        .record_act(&second, stamp(NOW.plus(10)))
        .await
        .unwrap();
    let store = fixture.reopened().await;
    let count = async |query: ActQuery| {
        let query = ActQuery { most: 1, ..query };
        let (acts, total) = crate::store::AdminStore::acts(&store, &query)
            .await
            .unwrap();
        assert!(acts.len() as u64 <= total.min(1));
        total
    };
    let all = ActQuery::default;
    assert_eq!(count(all()).await, 2);
    assert_eq!(
        count(ActQuery {
            by: Some(who),
            ..all()
        })
        .await,
        1
    );
    assert_eq!(
        count(ActQuery {
            kind: Some(ActKind::Export),
            ..all()
        })
        .await,
        1
    );
    let refused = Some(ActOutcome::Refused);
    assert_eq!(
        count(ActQuery {
            outcome: refused,
            ..all()
        })
        .await,
        1
    );
    assert_eq!(
        count(ActQuery {
            from: Some(NOW.plus(1)),
            ..all()
        })
        .await,
        1
    );
    assert_eq!(
        count(ActQuery {
            until: Some(NOW.plus(10)),
            ..all()
        })
        .await,
        1
    );
    for (words, expected) in [
        ("GRACE", 1),
        ("100%", 1),
        ("rows", 1),
        ("%", 1),
        ("target", 1),
        ("x'y", 0),
    ] {
        let words = Some(words.to_owned());
        assert_eq!(count(ActQuery { words, ..all() }).await, expected);
    }
    let query = ActQuery {
        skip: 1,
        most: 5,
        ..all()
    };
    let (acts, _) = crate::store::AdminStore::acts(&store, &query)
        .await
        .unwrap();
    assert_eq!(acts[0].act, first);
    assert_eq!(acts[0].entry, 0);
}
