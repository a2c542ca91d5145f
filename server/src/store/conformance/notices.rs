//! Notices that never change, and consents that end by themselves.

use blindprint_consent::{Library, Notice, controller_of};
use blindprint_core::consent::ConsentState;

use super::*;
use crate::domain::{Altered, PublishedFile};

fn file(name: &str, says: &str) -> PublishedFile {
    PublishedFile {
        name: name.to_owned(),
        digest: Digest::of("test", says.as_bytes()),
        published: NOW,
    }
}

fn notice() -> Notice {
    let library = Library::embedded();
    let source = library.iter().next().unwrap();
    source
        .publish(&service(), &controller_of(&service()), None)
        .unwrap()
}

#[tokio::test]
async fn a_published_notice_stays_what_it_is() {
    let fixture = Fixture::sqlite().await;
    let (first, second) = (file("a-1.en", "first"), file("a-2.en", "second"));
    let publish =
        async |files: &[PublishedFile]| fixture.store.publish_notices(files).await.unwrap();
    assert_eq!(publish(std::slice::from_ref(&first)).await, []);
    let both = [first.clone(), second.clone()];
    assert_eq!(publish(&both).await, []);
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(again.publish_notices(&both).await.unwrap(), []);
    let changed = [file("a-1.en", "other"), second, file("a-3.en", "third")];
    let altered = [Altered::Changed("a-1.en".to_owned())];
    assert_eq!(publish(&changed).await, altered);
    assert_eq!(publish(&changed).await, altered, "nothing was remembered");
    let removed = [Altered::Removed("a-2.en".to_owned())];
    assert_eq!(publish(&[first]).await, removed);
}

#[tokio::test]
async fn what_people_were_shown_is_kept() {
    let fixture = Fixture::sqlite().await;
    let notice = notice();
    let digest = notice.summary.digest;
    assert_eq!(fixture.store.notice(digest).await.unwrap(), None);
    fixture.store.keep_notice(&notice).await.unwrap();
    fixture.store.keep_notice(&notice).await.unwrap();
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(again.notice(digest).await.unwrap(), Some(notice));
}

#[tokio::test]
async fn a_consent_whose_time_is_over_is_written_down_once_and_logged() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, id, _) = consent_given(&alice());
    apply(&**store, &alice(), given).await;
    let at = |seconds| Stamp {
        at: NOW.plus(seconds),
        entropy: &SystemEntropy,
    };
    assert_eq!(store.expire_consents(10, at(999)).await.unwrap(), 0);
    let before = store.log_size().await.unwrap();
    assert_eq!(store.expire_consents(10, at(1000)).await.unwrap(), 1);
    assert_eq!(store.expire_consents(10, at(1001)).await.unwrap(), 0);
    assert_eq!(store.log_size().await.unwrap(), before + 1);
    let known = store.consent(&alice(), id).await.unwrap().unwrap();
    assert_eq!(known.state(NOW), ConsentState::Expired, "written down");
    let logged = store.entry_of_handle(&known.handle).await.unwrap();
    assert_eq!(logged, Some(before));
}

#[tokio::test]
async fn consents_are_found_by_what_people_were_shown() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let notice = notice();
    let (mut given, id, _) = consent_given(&alice());
    if let Effect::ConsentGiven { consent, .. } = &mut given {
        consent.notice = notice.summary.digest;
    }
    apply(&**store, &alice(), given).await;
    let (other, ..) = consent_given(&alice());
    apply(&**store, &alice(), other).await;
    let under = async |version| {
        let name = &notice.summary.name;
        store.consents_under(name, version, 10).await.unwrap()
    };
    assert_eq!(under(1).await, [], "nobody kept what was shown");
    store.keep_notice(&notice).await.unwrap();
    assert_eq!(under(1).await, [(alice(), id)]);
    assert_eq!(under(2).await, []);
    store.expire_consents(10, stamp_at(1000)).await.unwrap();
    assert_eq!(under(1).await, [], "it is over");
}

#[tokio::test]
async fn a_template_is_uncovered_when_no_consent_has_held_since() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    let uncovered = async |since| {
        let since = NOW.plus(since);
        store.uncovered_enrolments(since, 10).await.unwrap()
    };
    assert_eq!(uncovered(999).await, []);
    let expected = [(alice(), pending.enrolment.enrolment)];
    assert_eq!(uncovered(1000).await, expected);
    let (mut refusal, ..) = consent_given(&alice());
    if let Effect::ConsentGiven { consent, .. } = &mut refusal {
        consent.decision = Decision::Refused;
        consent.given = NOW.plus(2000);
        consent.expires = NOW.plus(2000);
    }
    apply(&**store, &alice(), refusal).await;
    assert_eq!(uncovered(1000).await, expected, "a refusal covers nothing");
    let (mut another, ..) = consent_given(&alice());
    if let Effect::ConsentGiven { consent, .. } = &mut another {
        consent.expires = NOW.plus(5000);
    }
    apply(&**store, &alice(), another).await;
    assert_eq!(uncovered(1000).await, []);
}

fn stamp_at(seconds: i64) -> Stamp<'static> {
    Stamp {
        at: NOW.plus(seconds),
        entropy: &SystemEntropy,
    }
}
