use blindprint_log::Entry;

use super::{super::Fixture, Browser, browser::html};
use crate::domain::admin::{ActOutcome, ActQuery, ActRecord, Role};

async fn trail(fixture: &Fixture) -> Vec<ActRecord> {
    let query = ActQuery {
        oldest_first: true,
        most: 1000,
        ..ActQuery::default()
    };
    fixture.app.dashboard.rules.acts(&query).await.unwrap().0
}

#[tokio::test]
async fn every_act_is_a_row_and_an_entry_of_the_log() {
    let fixture = Fixture::new().await;
    let mut operator = Browser::of(&fixture, Role::Operator).await;
    operator
        .form("/admin/administrators/links", "name=Bob&role=auditor")
        .await;
    operator.form("/admin/sign-out", "").await;
    let trail = trail(&fixture).await;
    let kinds: Vec<_> = trail.iter().map(|it| it.act.kind.as_str()).collect();
    assert_eq!(kinds, ["make_link", "join", "make_link", "sign_out"]);
    let entries = fixture
        .app
        .service
        .store()
        .log_entries(0, 100)
        .await
        .unwrap();
    for record in &trail {
        let bytes = &entries[usize::try_from(record.entry).unwrap()];
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains("admin.act"), "{text}");
        assert!(!text.contains("Ada") && !text.contains("Bob"), "{text}");
        Entry::parse(bytes).unwrap();
        assert_eq!(record.digest, record.act.digest());
    }
}

#[tokio::test]
async fn what_a_role_does_not_allow_is_on_record_when_it_was_to_change_something() {
    let fixture = Fixture::new().await;
    let mut auditor = Browser::of(&fixture, Role::Auditor).await;
    let path = "/admin/administrators/links";
    assert_eq!(
        auditor.form(path, "name=Eve&role=operator").await.status,
        403
    );
    let trail = trail(&fixture).await;
    let last = trail.last().unwrap();
    assert_eq!(last.act.kind.as_str(), "overstep");
    assert_eq!(last.act.outcome, ActOutcome::Refused);
    assert_eq!(last.act.target, path);
}

#[tokio::test]
async fn the_trail_is_searched_and_paged() {
    let fixture = Fixture::new().await;
    let mut auditor = Browser::of(&fixture, Role::Auditor).await;
    for _ in 0..30 {
        assert_eq!(auditor.sign_in().await.status, 200);
        fixture.clock.advance(60);
    }
    let first = html(&auditor.get("/admin/audit?act=sign_in").await);
    assert!(first.contains("1–25 of 30"), "{first}");
    assert!(first.contains("page=2") && !first.contains("rel=\"prev\""));
    let second = html(&auditor.get("/admin/audit?act=sign_in&page=2").await);
    assert!(second.contains("26–30 of 30") && second.contains("rel=\"prev\""));
    let none = html(&auditor.get("/admin/audit?q=no+such+words").await);
    assert!(none.contains("Nothing matches"));
    let past = html(&auditor.get("/admin/audit?until=2000-01-01").await);
    assert!(past.contains("Nothing matches"));
    let today = html(
        &auditor
            .get("/admin/audit?from=2027-01-15&until=2027-01-15")
            .await,
    );
    assert!(
        today.contains("of 32"),
        "the day itself belongs to it: {today}"
    );
    let nonsense = auditor
        .get("/admin/audit?who=x&act=y&from=z&page=-1&sort=q")
        .await;
    assert_eq!(nonsense.status, 200);
}

#[tokio::test]
async fn the_trail_leaves_as_csv_and_json_and_says_so_itself() {
    let fixture = Fixture::new().await;
    let mut auditor = Browser::of(&fixture, Role::Auditor).await;
    let csv = auditor.get("/admin/audit?format=csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        csv.headers["content-disposition"],
        "attachment; filename=\"audit.csv\""
    );
    let text = html(&csv);
    assert!(text.starts_with("When,Who,What,"), "{text}");
    assert!(text.contains("Exported a list"), "{text}");
    let json = auditor
        .get("/admin/audit?format=json&act=export")
        .await
        .json();
    let acts = json.as_array().unwrap();
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[0]["act"], "export");
    assert_eq!(acts[0]["outcome"], "done");
    assert!(acts[0]["log_entry"].is_u64() && acts[0]["digest"].is_string());
}
