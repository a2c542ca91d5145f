//! Pages over a service that people use: what they show, to whom, in every language, and what is done there.

use axum::body::Body;
use blindprint_core::{
    Clock as _, EnrolmentId, InvitationId, Nonce, SystemEntropy, statement::Right,
};
use blindprint_did::SigningKey;

use super::{
    super::{
        Fixture,
        credentials::{enrolled, verdict},
        fixture::{Reply, wallet},
    },
    Browser,
    browser::html,
};
use crate::{
    domain::{
        IssuerMethod,
        admin::{ActQuery, Role},
        issued::{Ground, Issuance, IssuanceId, ListKind},
        notifying::{Event, Job, JobId},
        record::InvitationRecord,
        relying_parties::{NewRelyingParty, RelyingPartyId, add_relying_party},
        rights::{OpenedBy, Wanted},
    },
    http::admin::{Access, table},
    store::{CredentialStore as _, InvitationStore as _, RelyingPartyStore as _, RightsStore as _},
};

/// A service with one person, whom a shop knows.
struct Used {
    fixture: Fixture,
    key: SigningKey,
    enrolment: EnrolmentId,
    rejection: Nonce,
    issuance: IssuanceId,
    shop: RelyingPartyId,
    job: JobId,
}

impl Used {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let key = wallet();
        let enrolment = enrolled(&fixture, &key).await;
        verdict(&fixture, &key, enrolment, true).await;
        let rejection = verdict(&fixture, &key, enrolment, false).await;
        let subject = key.public().subject();
        let now = fixture.clock.now();
        let issuance = Issuance {
            id: IssuanceId::random(&SystemEntropy),
            ground: Ground::Enrolment(subject.clone(), enrolment),
            issuer: IssuerMethod::Web,
            entries: Some((ListKind::Token, 2)),
            issued: now,
        };
        let store = &fixture.store;
        store
            .record_issuance(&issuance, &SystemEntropy)
            .await
            .unwrap();
        let invitation = InvitationRecord {
            id: InvitationId::random(&SystemEntropy),
            uses: 3,
            used: 0,
            expires: now.plus(600),
            note: Some("Front <desk>".to_owned()),
            created: now,
            revoked: None,
        };
        store.record_invitation(&invitation).await.unwrap();
        let known = NewRelyingParty {
            name: "Corner shop".to_owned(),
            audience: "https://shop.example".parse().unwrap(),
            webhook: Some("https://shop.example/events".to_owned()),
            contact: None,
            notes: None,
        };
        let shop = add_relying_party(&**store, known, &SystemEntropy, now)
            .await
            .unwrap();
        let cause = "a.b.c".parse().unwrap();
        let job = Job::new(&cause, shop.id, Event::ConsentWithdrawn, &subject, now);
        store.queue(std::slice::from_ref(&job)).await.unwrap();
        store
            .job_failed(job.id, "it answered 500", None, now)
            .await
            .unwrap();
        fixture.app.ledger.publish().await.unwrap();
        Self {
            key,
            enrolment,
            rejection,
            issuance: issuance.id,
            shop: shop.id,
            job: job.id,
            fixture,
        }
    }

    async fn request(&self, right: Right) -> String {
        let wanted = Wanted {
            right,
            enrolment: None,
            challenge: (right == Right::Review).then_some(self.rejection),
            text: Some("Please & thank you".to_owned()),
        };
        let subject = self.key.public().subject();
        let rights = &self.fixture.app.rights;
        let (case, _) = rights.open(&subject, wanted, OpenedBy::Page).await.unwrap();
        case.id.to_string()
    }

    /// Every page that can be read, with names that name something.
    async fn paths(&self) -> Vec<(String, Access)> {
        let request = self.request(Right::Review).await;
        let subject = self.key.public().subject();
        let pages = table().into_iter().filter(|entry| entry.method == "GET");
        let pages = pages.filter(|entry| {
            let others = [
                "sign-in",
                "join",
                "account",
                "administrators",
                "audit",
                "identification",
            ];
            !others.iter().any(|other| entry.path.contains(other))
        });
        pages
            .map(|entry| {
                let path = entry.path.replace("{did}", subject.as_str());
                let path = path.replace("{name}", "authentication-1.fr");
                let id = if path.contains("relying-parties") {
                    self.shop.to_string()
                } else if path.contains("credentials") {
                    self.issuance.to_string()
                } else {
                    request.clone()
                };
                (path.replace("{id}", &id), entry.access)
            })
            .collect()
    }
}

async fn in_language(browser: &mut Browser<'_>, path: &str, language: &str) -> Reply {
    let cookie = browser.cookie.clone().unwrap();
    let cookies = format!("__Host-blindprint-admin={cookie}; blindprint-language={language}");
    let mut request = browser.request("GET", path).body(Body::empty()).unwrap();
    let headers = request.headers_mut();
    headers.insert("cookie", cookies.parse().unwrap());
    browser.send(request).await
}

/// A text of a page that looks like the key of one.
fn untranslated(page: &str) -> Option<&str> {
    let texts = page.split('>').filter_map(|part| part.split('<').next());
    texts.map(str::trim).find(|text| {
        let parts: Vec<&str> = text.split('.').collect();
        let named = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|it| it.is_ascii_lowercase() || b"_-".contains(&it))
        };
        parts.len() > 1 && parts.iter().all(named)
    })
}

#[tokio::test]
async fn every_page_speaks_every_language_to_everybody_who_may_read_it() {
    let used = Used::new().await;
    let paths = used.paths().await;
    for role in Role::ALL {
        let mut browser = Browser::of(&used.fixture, role).await;
        for (path, access) in &paths {
            if !access
                .permission()
                .is_some_and(|permission| role.may(permission))
            {
                continue;
            }
            for language in ["en", "de", "fr", "es"] {
                let reply = in_language(&mut browser, path, language).await;
                assert_eq!(reply.status, 200, "{role} {path}: {}", html(&reply));
                if path.contains("processing-record") {
                    continue;
                }
                let text = html(&reply);
                assert!(
                    text.contains(&format!("<html lang=\"{language}\"")),
                    "{path}"
                );
                if path != "/admin/configuration" {
                    assert_eq!(untranslated(&text), None, "{language} {path}");
                }
                let headings = text.matches("<h1").count();
                // A notice brings a heading of its own.
                let expected = if path.contains("/notices/") { 2 } else { 1 };
                assert_eq!(headings, expected, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn what_people_wrote_is_shown_as_words() {
    let used = Used::new().await;
    let mut operator = Browser::of(&used.fixture, Role::Operator).await;
    let page = html(&operator.get("/admin/invitations").await);
    assert!(
        page.contains("Front &#60;desk&#62;") || page.contains("Front &lt;desk&gt;"),
        "{page}"
    );
    let id = used.request(Right::Review).await;
    let mut officer = Browser::of(&used.fixture, Role::PrivacyOfficer).await;
    let page = html(&officer.get(&format!("/admin/rights-requests/{id}")).await);
    assert!(
        page.contains("Please &#38; thank you") || page.contains("Please &amp; thank you"),
        "{page}"
    );
}

#[tokio::test]
async fn lists_are_searched_filtered_and_taken_out_as_files_on_record() {
    let used = Used::new().await;
    let mut officer = Browser::of(&used.fixture, Role::PrivacyOfficer).await;
    let subject = used.key.public().subject();
    let found = html(&officer.get(&format!("/admin/subjects?q={subject}")).await);
    assert!(found.contains(subject.as_str()));
    let found = html(&officer.get("/admin/subjects?q=nobody").await);
    assert!(
        !found.contains(subject.as_str()) && found.contains("Nothing matches"),
        "{found}"
    );
    let found = html(&officer.get("/admin/subjects?state=not-enrolled").await);
    assert!(!found.contains(subject.as_str()));

    let reply = officer.get("/admin/subjects?format=csv").await;
    assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8");
    let file = html(&reply);
    let mut lines = file.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("subject,since,live_consents")
    );
    assert!(lines.next().unwrap().starts_with(subject.as_str()));
    let timeline = format!("/admin/subjects/{subject}?format=csv&group=verdicts");
    let file = html(&officer.get(&timeline).await);
    assert_eq!(
        file.lines().count(),
        3,
        "a heading and both verdicts: {file}"
    );
    assert!(file.contains("https://shop.example"));
    let query = ActQuery {
        oldest_first: true,
        most: 100,
        ..ActQuery::default()
    };
    let (acts, _) = used.fixture.app.dashboard.rules.acts(&query).await.unwrap();
    let exports: Vec<_> = acts
        .iter()
        .filter(|act| act.act.kind.as_str() == "export")
        .map(|act| act.act.target.as_str())
        .collect();
    assert_eq!(exports, ["subjects", "timeline"]);
}

#[tokio::test]
async fn those_who_run_the_machine_do_not_learn_who_is_enrolled() {
    let used = Used::new().await;
    let subject = used.key.public().subject();
    let mut operator = Browser::of(&used.fixture, Role::Operator).await;
    for (path, access) in used.paths().await {
        if access
            .permission()
            .is_some_and(|permission| Role::Operator.may(permission))
        {
            let page = html(&operator.get(&path).await);
            assert!(!page.contains(subject.as_str()), "{path}");
        }
    }
    let file = operator.get("/admin/credentials?format=csv").await;
    assert!(!html(&file).contains(subject.as_str()));
}

#[tokio::test]
async fn no_page_shows_anything_biometric() {
    let used = Used::new().await;
    let mut auditor = Browser::of(&used.fixture, Role::Auditor).await;
    let known = used
        .fixture
        .app
        .service
        .store()
        .enrolment(used.enrolment)
        .await;
    let template = known.unwrap().unwrap().template.to_string();
    for (path, access) in used.paths().await {
        if access
            .permission()
            .is_some_and(|permission| Role::Auditor.may(permission))
        {
            let page = html(&auditor.get(&path).await);
            assert!(
                !page.contains(&template) && !page.contains("CIPHERTEXT"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn an_officer_decides_a_review_and_the_trail_names_nobody() {
    let used = Used::new().await;
    let id = used.request(Right::Review).await;
    let path = format!("/admin/rights-requests/{id}");
    let mut auditor = Browser::of(&used.fixture, Role::Auditor).await;
    assert!(!html(&auditor.get(&path).await).contains("<textarea"));
    let mut officer = Browser::of(&used.fixture, Role::PrivacyOfficer).await;
    assert!(html(&officer.get(&path).await).contains("/overturning"));
    let reply = officer
        .form(&format!("{path}/extension"), "reasons=Many+of+them")
        .await;
    assert_eq!(reply.status, 303, "{}", html(&reply));
    let reply = officer
        .form(&format!("{path}/overturning"), "reasons=")
        .await;
    assert!(reply.status.is_client_error(), "reasons are needed");
    let reasons = "reasons=The+light+was+bad.%0D%0ASorry.";
    let reply = officer.form(&format!("{path}/overturning"), reasons).await;
    let next = reply.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(next, format!("{path}?done=request_overturned"));
    let page = html(&officer.get(&next).await);
    assert!(
        page.contains("The light was bad.\nSorry.") && page.contains("role=\"status\""),
        "{page}"
    );
    let reply = officer.form(&format!("{path}/upholding"), reasons).await;
    assert_eq!(reply.status, 409, "it is over");

    let query = ActQuery {
        most: 100,
        ..ActQuery::default()
    };
    let (acts, _) = used.fixture.app.dashboard.rules.acts(&query).await.unwrap();
    let acts: Vec<_> = acts.iter().map(|record| &record.act).collect();
    let trail = format!("{acts:?}");
    assert!(
        trail.contains("overturned") && trail.contains(&id),
        "{trail}"
    );
    assert!(!trail.contains(used.key.public().subject().as_str()) && !trail.contains("light"));
}

#[tokio::test]
async fn an_officer_opens_requests_for_whom_they_know() {
    let used = Used::new().await;
    let subject = used.key.public().subject();
    let mut officer = Browser::of(&used.fixture, Role::PrivacyOfficer).await;
    let page = html(
        &officer
            .get(&format!("/admin/rights-requests/new?subject={subject}"))
            .await,
    );
    assert!(
        page.contains("value=\"verdict\"") && page.contains("value=\"out_of_band\""),
        "{page}"
    );
    let open = |rest: &str| format!("subject={subject}&{rest}");
    let path = "/admin/rights-requests/new";
    let described = "right=restriction&proof=out_of_band&described=Passport+shown+at+the+desk";
    let reply = officer.form(path, &open(described)).await;
    assert_eq!(reply.status, 303, "{}", html(&reply));
    let refused = "right=restriction&proof=out_of_band&described=";
    assert!(
        officer
            .form(path, &open(refused))
            .await
            .status
            .is_client_error()
    );
    let erasure = "right=erasure&proof=out_of_band&described=By+letter";
    let reply = officer.form(path, &open(erasure)).await;
    assert_eq!(reply.status, 200);
    assert!(
        html(&reply).contains("id=\"claim\""),
        "the claim is told once"
    );
    let cases = used.fixture.store.cases_of(&subject).await.unwrap();
    assert_eq!(cases.len(), 2);
    let page = html(&officer.get(&format!("/admin/subjects/{subject}")).await);
    assert!(page.contains("Restricted"), "{page}");
}

#[tokio::test]
async fn a_wallet_is_asked_for_a_credential_by_picture_and_link() {
    let used = Used::new().await;
    let subject = used.key.public().subject();
    let mut officer = Browser::of(&used.fixture, Role::PrivacyOfficer).await;
    let asked = format!("subject={subject}");
    let reply = officer
        .form("/admin/rights-requests/identification", &asked)
        .await;
    assert_eq!(reply.status, 303, "{}", html(&reply));
    let next = reply.headers["location"].to_str().unwrap().to_owned();
    let page = html(&officer.get(&next).await);
    assert!(
        page.contains("openid4vp://") && page.contains("data:image/svg+xml;base64,"),
        "{page}"
    );
    let id = next.split("presentation=").nth(1).unwrap();
    let part = html(
        &officer
            .get(&format!("/admin/rights-requests/identification/{id}"))
            .await,
    );
    assert!(
        part.contains("Waiting for the wallet") && !part.contains("<html"),
        "{part}"
    );
    let opened = format!("{asked}&right=access&proof=presentation&presentation={id}");
    let reply = officer.form("/admin/rights-requests/new", &opened).await;
    assert_eq!(reply.status, 403, "nothing was shown yet");
}

#[tokio::test]
async fn relying_parties_are_added_changed_and_removed() {
    let used = Used::new().await;
    let mut operator = Browser::of(&used.fixture, Role::Operator).await;
    let bank = "name=Bank&audience=https%3A%2F%2Fbank.example&webhook=&contact=&notes=";
    let reply = operator.form("/admin/relying-parties/new", bank).await;
    assert_eq!(reply.status, 303, "{}", html(&reply));
    let again = html(&operator.form("/admin/relying-parties/new", bank).await);
    assert!(
        again.contains("This cannot be saved") && again.contains("value=\"Bank\""),
        "{again}"
    );
    let wrong = bank.replace("webhook=", "webhook=ftp%3A%2F%2Fbank.example");
    assert!(html(&operator.form("/admin/relying-parties/new", &wrong).await).contains("https URL"));
    let path = format!("/admin/relying-parties/{}", used.shop);
    let renamed = "name=Shop&audience=https%3A%2F%2Fshop.example&webhook=&contact=&notes=";
    assert_eq!(operator.form(&path, renamed).await.status, 303);
    assert!(html(&operator.get("/admin/relying-parties").await).contains(">Shop<"));
    let reply = operator.form(&format!("{path}/removal"), "").await;
    assert_eq!(reply.status, 303);
    assert_eq!(operator.get(&path).await.status, 404);
}

#[tokio::test]
async fn an_event_that_was_given_up_is_sent_again() {
    let used = Used::new().await;
    let mut operator = Browser::of(&used.fixture, Role::Operator).await;
    let path = format!("/admin/deliveries/{}/revival", used.job);
    assert!(html(&operator.get("/admin/jobs").await).contains(&path));
    assert_eq!(operator.form(&path, "").await.status, 303);
    assert!(!html(&operator.get("/admin/jobs").await).contains(&path));
    assert_eq!(operator.form(&path, "").await.status, 409);
}

#[tokio::test]
async fn a_credential_is_suspended_reinstated_and_revoked_for_ever() {
    let used = Used::new().await;
    let mut officer = Browser::of(&used.fixture, Role::PrivacyOfficer).await;
    let path = format!("/admin/credentials/{}", used.issuance);
    for (act, says) in [
        ("suspension", "Suspended"),
        ("reinstatement", "Valid"),
        ("revocation", "Revoked"),
    ] {
        let reply = officer.form(&format!("{path}/{act}"), "").await;
        assert_eq!(reply.status, 303, "{act}: {}", html(&reply));
        assert!(
            html(&officer.get(&path).await).contains(&format!(">{says}</span>")),
            "{act}"
        );
    }
    assert_eq!(
        officer
            .form(&format!("{path}/reinstatement"), "")
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn a_service_that_nobody_has_used_has_pages_too() {
    let fixture = Fixture::new().await;
    let mut auditor = Browser::of(&fixture, Role::Auditor).await;
    for (path, says) in [
        ("/admin", "No values yet"),
        ("/admin/subjects", "Nobody is known yet"),
        ("/admin/consents", "No consents yet"),
        ("/admin/rights-requests", "No requests yet"),
        (
            "/admin/relying-parties",
            "No relying party is known by name",
        ),
        ("/admin/credentials", "Nothing was issued yet"),
        ("/admin/jobs", "Nothing waits"),
        ("/admin/invitations", "No invitations"),
        ("/admin/clients", "No machine clients"),
    ] {
        let page = html(&auditor.get(path).await);
        assert!(page.contains(says), "{path}: {page}");
    }
    for missing in [
        "/admin/subjects/did:key:z6MkNobody",
        "/admin/credentials/2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51",
        "/admin/notices/nothing",
    ] {
        assert_eq!(auditor.get(missing).await.status, 404, "{missing}");
    }
}
