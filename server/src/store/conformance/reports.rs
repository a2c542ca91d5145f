//! What the dashboard sees, and that it sees nothing else.

use std::collections::BTreeSet;

use blindprint_core::statement::ConsentState;

use super::*;
use crate::domain::{
    ClientRecord, IssuerMethod, Scope,
    issued::{Ground, Issuance, IssuanceId, ListKind},
    reports::{
        AudienceSort, ClientFilter, ConsentFilter, ConsentSort, CsvRow as _, DeliveryFilter,
        EnrolledFilter, Extent, InvitationFilter, InvitationSort, InvitationStanding,
        IssuanceFilter, IssuanceKind, PAGE_ROWS, PageNumber, RightsFilter, RightsSort, Search,
        Sorted, Span, SubjectFilter, SubjectSort, TimeSort, TimelineFilter, TimelineGroup,
        TimelineKind,
    },
};

const FIRST: PageNumber = PageNumber::FIRST;

#[expect(clippy::unnecessary_wraps, reason = "as filters take it")]
fn search(text: &str) -> Option<Search> {
    Some(text.parse().unwrap())
}

fn person(number: u32) -> SubjectId {
    format!("did:key:z6MkPerson{number:03}").parse().unwrap()
}

/// A verdict on an enrolment, some seconds after the beginning.
async fn judge(store: &dyn Store, pending: &PendingEnrolment, audience: &str, seconds: i64) {
    let verdict = VerdictRecord {
        challenge: nonce(),
        subject: pending.enrolment.sub.clone(),
        enrolment: pending.enrolment.enrolment,
        probe: random_digest(),
        audience: audience.parse().unwrap(),
        matched: seconds % 2 == 0,
        jws: jws("verdict"),
        given: NOW.plus(seconds),
    };
    store
        .record_verdict(&verdict, &SystemEntropy)
        .await
        .unwrap();
    let milliseconds = u32::try_from(seconds).unwrap_or(0) * 100;
    store
        .measure_verdict(verdict.challenge, milliseconds)
        .await
        .unwrap();
}

async fn erase(store: &dyn Store, pending: &PendingEnrolment, at: UnixTime) {
    let erased = Effect::Erased {
        enrolment: pending.enrolment.enrolment,
        receipt: Some(jws("erased")),
        at,
    };
    apply(store, &pending.enrolment.sub, erased).await;
}

#[tokio::test]
async fn subjects_are_searched_filtered_sorted_and_leafed_through() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    for number in 0..=PAGE_ROWS {
        enrolled(store, &person(number)).await;
    }
    let (given, ..) = consent_given(&alice());
    apply(store, &alice(), given).await;
    let read = async |filter: &SubjectFilter, page, sort| {
        let extent = Extent::Page(PageNumber::clamped(page), sort);
        store.subject_rows(filter, &extent, NOW).await.unwrap()
    };
    let all = SubjectFilter::default();
    let first = read(&all, 1, Sorted::descending(SubjectSort::Since)).await;
    let second = read(&all, 2, Sorted::descending(SubjectSort::Since)).await;
    assert_eq!(first.total, u64::from(PAGE_ROWS) + 2);
    assert_eq!(
        (first.rows.len(), second.rows.len(), first.pages()),
        (25, 2, 2)
    );
    let seen: BTreeSet<_> = first
        .rows
        .iter()
        .chain(&second.rows)
        .map(|row| &row.subject)
        .collect();
    assert_eq!(seen.len(), 27, "no row is on two pages");

    let one = SubjectFilter {
        search: search("PERSON007"),
        ..SubjectFilter::default()
    };
    let found = read(&one, 1, Sorted::ascending(SubjectSort::Since)).await;
    assert_eq!(found.rows.len(), 1);
    let row = &found.rows[0];
    assert_eq!((row.consents, row.enrolments, row.verdicts), (1, 1, 0));
    assert_eq!(
        store.subject_row(&row.subject, NOW).await.unwrap().as_ref(),
        Some(row)
    );
    let nothing = SubjectFilter {
        search: search("person%7"),
        ..SubjectFilter::default()
    };
    assert_eq!(
        read(&nothing, 1, Sorted::descending(SubjectSort::Since))
            .await
            .total,
        0
    );

    let unenrolled = SubjectFilter {
        enrolled: EnrolledFilter::NotEnrolled,
        ..SubjectFilter::default()
    };
    let found = read(&unenrolled, 1, Sorted::descending(SubjectSort::Since)).await;
    assert_eq!(found.rows[0].subject, alice());
    assert_eq!(found.total, 1);
    let over = store
        .subject_row(&alice(), NOW.plus(1000))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(over.consents, 0, "its time is over");
    let restricted = SubjectFilter {
        enrolled: EnrolledFilter::Restricted,
        ..SubjectFilter::default()
    };
    assert_eq!(
        read(&restricted, 1, Sorted::descending(SubjectSort::Since))
            .await
            .total,
        0
    );
}

#[tokio::test]
async fn whoever_was_judged_last_comes_first() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    enrolled(store, &person(1)).await;
    for (number, seconds) in [(2, 10), (3, 20)] {
        let pending = enrolled(store, &person(number)).await;
        judge(store, &pending, "https://shop.example", seconds).await;
    }
    let extent = Extent::Page(FIRST, Sorted::descending(SubjectSort::LastVerdict));
    let found = store
        .subject_rows(&SubjectFilter::default(), &extent, NOW)
        .await
        .unwrap();
    let order: Vec<_> = found.rows.iter().map(|row| row.subject.clone()).collect();
    assert_eq!(order, [person(3), person(2), person(1)]);
    assert_eq!(found.rows[0].last_verdict, Some(NOW.plus(20)));
}

#[tokio::test]
async fn an_export_holds_every_row_once_however_it_is_cut() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    for number in 0..7 {
        enrolled(store, &person(number)).await;
    }
    let all = ConsentFilter::default();
    let whole = store
        .consent_rows(&all, &Extent::After(None), NOW)
        .await
        .unwrap();
    assert_eq!(whole.rows.len(), 7);
    for (number, row) in whole.rows.iter().enumerate() {
        let rest = Extent::After(Some(row.place()));
        let rest = store.consent_rows(&all, &rest, NOW).await.unwrap();
        assert_eq!(rest.rows, whole.rows[number + 1..]);
    }
}

#[tokio::test]
async fn consents_are_told_by_what_became_of_them() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    let (given, ..) = consent_given(&person(1));
    apply(store, &person(1), given).await;
    let (given, withdrawn, _) = consent_given(&person(2));
    apply(store, &person(2), given).await;
    let withdrawal = Effect::ConsentWithdrawn {
        subject: person(2),
        consent: withdrawn,
        at: NOW.plus(9),
        withdrawal: Some(jws("withdrawal")),
        head: random_digest(),
        receipt: jws("gone"),
    };
    apply(store, &person(2), withdrawal).await;
    let read = async |state, now| {
        let filter = ConsentFilter {
            state: Some(state),
            ..ConsentFilter::default()
        };
        let extent = Extent::Page(FIRST, Sorted::ascending(ConsentSort::Expires));
        store
            .consent_rows(&filter, &extent, now)
            .await
            .unwrap()
            .rows
    };
    let live = read(ConsentState::Given, NOW).await;
    assert_eq!(live.len(), 1);
    assert_eq!(
        (&live[0].subject, live[0].purpose),
        (&person(1), Purpose::Authentication)
    );
    let ended = read(ConsentState::Withdrawn, NOW).await;
    assert_eq!(
        (ended[0].id, ended[0].ended),
        (withdrawn, Some(NOW.plus(9)))
    );
    assert!(read(ConsentState::Expired, NOW).await.is_empty());
    let over = NOW.plus(1000);
    assert!(read(ConsentState::Given, over).await.is_empty());
    assert_eq!(
        read(ConsentState::Expired, over).await[0].subject,
        person(1)
    );
}

#[tokio::test]
async fn a_timeline_tells_one_subjects_story_and_no_others() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    let pending = enrolled(store, &alice()).await;
    judge(store, &pending, "https://shop.example", 10).await;
    judge(store, &pending, "https://bank.example", 11).await;
    let other = enrolled(store, &person(1)).await;
    judge(store, &other, "https://shop.example", 12).await;
    let issuance = Issuance {
        id: IssuanceId::random(&SystemEntropy),
        ground: Ground::Enrolment(alice(), pending.enrolment.enrolment),
        issuer: IssuerMethod::Web,
        entries: Some((ListKind::Token, 2)),
        issued: NOW.plus(20),
    };
    store
        .record_issuance(&issuance, &SystemEntropy)
        .await
        .unwrap();
    erase(store, &pending, NOW.plus(30)).await;

    let read = async |group, sort| {
        let extent = Extent::Page(FIRST, sort);
        let filter = TimelineFilter { group };
        store
            .timeline(&alice(), filter, &extent, NOW)
            .await
            .unwrap()
    };
    let kinds: Vec<_> = read(None, Sorted::ascending(TimeSort::Time))
        .await
        .rows
        .iter()
        .map(|row| row.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            TimelineKind::ConsentGiven,
            TimelineKind::Enrolled,
            TimelineKind::Matched,
            TimelineKind::Rejected,
            TimelineKind::CredentialIssued,
            TimelineKind::Erased,
        ]
    );
    let verdicts = read(
        Some(TimelineGroup::Verdicts),
        Sorted::descending(TimeSort::Time),
    )
    .await;
    assert_eq!(verdicts.total, 2);
    let last = &verdicts.rows[0];
    assert_eq!(last.about.as_deref(), Some("https://bank.example"));
    assert_eq!(last.profile, Some(pending.enrolment.profile));
    let later = NOW.plus(2000);
    let extent = Extent::Page(FIRST, Sorted::descending(TimeSort::Time));
    let all = store
        .timeline(&alice(), TimelineFilter::default(), &extent, later)
        .await
        .unwrap();
    assert_eq!(all.rows[0].kind, TimelineKind::ConsentExpired);
}

#[tokio::test]
async fn counts_and_series_follow_what_happens() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    let first = enrolled(store, &person(1)).await;
    let second = enrolled(store, &person(2)).await;
    for seconds in 0..10 {
        judge(store, &first, "https://shop.example", seconds).await;
    }
    judge(store, &second, "https://bank.example", 86_400).await;
    let tomorrow = NOW.plus(86_400);
    erase(store, &second, tomorrow).await;
    let counts = store.counts(NOW).await.unwrap();
    assert_eq!((counts.subjects, counts.consents), (2, 2));
    assert_eq!(
        (counts.enrolments, counts.erased, counts.verdicts),
        (1, 1, 11)
    );
    let series = store.enrolment_series(tomorrow).await.unwrap();
    let [.., yesterday, today] = &series.days[..] else {
        panic!()
    };
    assert_eq!((yesterday.enrolled, yesterday.live), (2, 2));
    assert_eq!((today.erased, today.live), (1, 1));
    let verdicts = store.verdict_series(Span::Month, tomorrow).await.unwrap();
    assert_eq!((verdicts.whole.matched, verdicts.whole.rejected), (6, 5));
    let [.., yesterday, today] = &verdicts.buckets[..] else {
        panic!()
    };
    assert_eq!((yesterday.median, yesterday.p95), (Some(400), Some(900)));
    assert_eq!(verdicts.buckets[0].median, None);
    assert_eq!((yesterday.verdicts(), today.verdicts()), (10, 1));
}

#[tokio::test]
async fn relying_parties_are_told_apart_by_their_verdicts() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    let first = enrolled(store, &person(1)).await;
    let second = enrolled(store, &person(2)).await;
    judge(store, &first, "https://shop.example", -1).await;
    for (seconds, audience) in [(2, "shop"), (3, "shop"), (4, "shop"), (6, "bank")] {
        let audience = format!("https://{audience}.example");
        judge(store, &first, &audience, seconds).await;
    }
    judge(store, &second, "https://shop.example", 8).await;
    let read = async |search: Option<&Search>, sort| {
        let found = store.audience_rows(search, NOW, (FIRST, sort)).await;
        found.unwrap()
    };
    let all = read(None, Sorted::descending(AudienceSort::Verdicts)).await;
    assert_eq!(all.total, 2);
    let shop = &all.rows[0];
    assert_eq!(shop.audience.as_str(), "https://shop.example");
    assert_eq!((shop.verdicts, shop.matched, shop.subjects), (4, 3, 2));
    assert_eq!(shop.last, NOW.plus(8));
    let by_name = read(None, Sorted::ascending(AudienceSort::Name)).await;
    assert_eq!(by_name.rows[0].audience.as_str(), "https://bank.example");
    assert_eq!(
        read(None, Sorted::ascending(AudienceSort::Acceptance))
            .await
            .rows[0]
            .audience,
        shop.audience
    );
    assert_eq!(
        read(
            search("BANK").as_ref(),
            Sorted::descending(AudienceSort::Last)
        )
        .await
        .total,
        1
    );
}

#[tokio::test]
async fn credentials_lists_invitations_and_clients_are_listed() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    let pending = enrolled(store, &alice()).await;
    let issuance = Issuance {
        id: IssuanceId::random(&SystemEntropy),
        ground: Ground::Enrolment(alice(), pending.enrolment.enrolment),
        issuer: IssuerMethod::Web,
        entries: Some((ListKind::Token, 3)),
        issued: NOW,
    };
    let entries = store
        .record_issuance(&issuance, &SystemEntropy)
        .await
        .unwrap()
        .unwrap();
    erase(store, &pending, NOW).await;
    let extent = Extent::Page(FIRST, Sorted::descending(TimeSort::Time));
    let filter = IssuanceFilter {
        kind: Some(IssuanceKind::Enrolment),
        search: search("alice"),
        ..IssuanceFilter::default()
    };
    let found = store.issuance_rows(&filter, &extent).await.unwrap();
    assert_eq!((found.total, found.rows[0].copies), (1, 3));
    assert!(entries.contains(&found.rows[0].entry.unwrap()));
    let lists = store.list_rows(FIRST).await.unwrap();
    assert_eq!((lists.rows[0].entries, lists.rows[0].revoked), (3, 3));

    let invitation = InvitationRecord {
        id: InvitationId::random(&SystemEntropy),
        uses: 2,
        used: 0,
        expires: NOW.plus(60),
        note: Some("Reception desk".to_owned()),
        created: NOW,
        revoked: None,
    };
    store.record_invitation(&invitation).await.unwrap();
    let standing = async |now| {
        let filter = InvitationFilter {
            search: search("desk"),
            standing: None,
        };
        let extent = Extent::Page(FIRST, Sorted::descending(InvitationSort::Created));
        let found = store.invitation_rows(&filter, &extent, now).await.unwrap();
        found.rows[0].standing
    };
    assert_eq!(standing(NOW).await, InvitationStanding::Open);
    assert_eq!(standing(NOW.plus(60)).await, InvitationStanding::Over);
    store.revoke_invitation(invitation.id, NOW).await.unwrap();
    assert_eq!(standing(NOW).await, InvitationStanding::Revoked);

    let client = ClientRecord {
        id: "0191f4c6-7b5e-7a00-8000-000000000001".parse().unwrap(),
        name: "Payroll".to_owned(),
        scopes: [Scope::CredentialsVerify].into_iter().collect(),
        secret: random_digest(),
        created: NOW,
        revoked: None,
    };
    store.record_client(&client).await.unwrap();
    let filter = ClientFilter {
        search: search("pay"),
        in_use: true,
    };
    assert_eq!(
        store.client_rows(&filter, FIRST).await.unwrap().rows,
        std::slice::from_ref(&client)
    );
    store.revoke_client(client.id, NOW).await.unwrap();
    assert_eq!(store.client_rows(&filter, FIRST).await.unwrap().total, 0);
}

#[tokio::test]
async fn a_service_that_nobody_has_used_has_empty_lists() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let rights = Extent::Page(FIRST, Sorted::ascending(RightsSort::Due));
    let found = store
        .rights_rows(&RightsFilter::default(), &rights, NOW)
        .await
        .unwrap();
    assert_eq!((found.total, found.pages()), (0, 1));
    let deliveries = Extent::Page(FIRST, Sorted::descending(TimeSort::Time));
    let found = store
        .delivery_rows(&DeliveryFilter::default(), &deliveries)
        .await
        .unwrap();
    assert_eq!(found.total, 0);
    assert_eq!(
        store.counts(NOW).await.unwrap(),
        crate::domain::reports::Counts::default()
    );
    let verdicts = store.verdict_series(Span::Day, NOW).await.unwrap();
    assert_eq!(
        (
            verdicts.buckets.len(),
            verdicts.most(),
            verdicts.acceptance()
        ),
        (24, 0, None)
    );
}
