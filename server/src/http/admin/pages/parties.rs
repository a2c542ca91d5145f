//! Relying parties: how often they ask and what they are told, and who is known by a name.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{Form, extract::State, response::Response};
use blindprint_core::{Audience, problem::ProblemCode};
use serde::Deserialize;

use super::{jobs::deliveries, lists};
use crate::{
    Error,
    domain::{
        admin::{Act, ActKind, Actor, Permission},
        notifying::JobId,
        relying_parties::{NewRelyingParty, RelyingParty, RelyingPartyId, add_relying_party},
        reports::{AudienceRow, DeliveryFilter, Share, Span},
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        parameters::Segment,
        web::{
            Page, Texts,
            listing::Listing,
            see_other, show,
            table::{Cell, Column, Table},
        },
    },
};

#[derive(Template)]
#[template(path = "admin/pages/parties.html")]
struct Parties {
    page: Page,
    known: Table,
    asking: Table,
    may_manage: bool,
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("parties");
    let t = page.t;
    let parties = app.service.store().relying_parties().await?;
    let rows = parties.iter().map(|party| {
        vec![
            Cell::Link {
                href: format!("/admin/relying-parties/{}", party.id),
                text: party.known.name.clone(),
                code: false,
            },
            Cell::Code(party.known.audience.to_string()),
            optional(party.known.webhook.as_ref()),
            optional(party.known.contact.as_ref()),
            Cell::Text(t.date(party.added)),
        ]
    });
    let columns = vec![
        Column::new(t.text("parties.name")),
        Column::new(t.text("parties.audience")),
        Column::new(t.text("parties.webhook")),
        Column::new(t.text("parties.contact")),
        Column::new(t.text("parties.added")),
    ];
    let plain = Listing::new(listing.path(), "")?;
    let known = Table::new(t, "known", t.text("parties.known"), plain, columns)
        .rows(rows)
        .or(t.text("parties.none"), t.text("parties.none_hint"));
    let asking = asking(&app, t, listing, &parties).await?;
    Ok(show(&Parties {
        may_manage: page.may(Permission::ManageRelyingParties),
        page,
        known,
        asking,
    }))
}

fn optional(text: Option<&String>) -> Cell {
    text.map_or(Cell::Empty, |text| Cell::text(text.clone()))
}

/// For whom verdicts were given lately, known by a name or not.
async fn asking(
    app: &App,
    t: Texts,
    listing: Listing,
    parties: &[RelyingParty],
) -> Result<Table, Problem> {
    let names: HashMap<_, _> = parties
        .iter()
        .map(|party| (party.known.audience.as_str(), party))
        .collect();
    let span: Span = lists::chosen(&listing, "span").unwrap_or(Span::Month);
    let since = span.begin(app.service.clock().now());
    let sort = listing.sort(
        &["verdicts", "name", "acceptance", "last"],
        lists::largest("verdicts"),
    );
    let search = lists::search(&listing);
    let wanted = (lists::number(&listing), lists::sorted(sort));
    let store = app.service.store();
    let found = store.audience_rows(search.as_ref(), since, wanted).await?;
    let columns = vec![
        Column::new(t.text("parties.audience")).sortable("name"),
        Column::new(t.text("parties.verdicts"))
            .sortable("verdicts")
            .numeric(),
        Column::new(t.text("parties.acceptance"))
            .sortable("acceptance")
            .numeric(),
        Column::new(t.text("parties.people")).numeric(),
        Column::new(t.text("parties.last")).sortable("last"),
    ];
    let spans = Span::ALL.iter().map(|span| span.as_str());
    let caption = t.text("parties.asking");
    Ok(Table::new(t, "asking", caption, listing, columns)
        .search("q", t.text("parties.search"))
        .choice(
            "span",
            t.text("overview.span.label"),
            lists::options(t, "overview.span", spans),
        )
        .sorted(sort)
        .rows(found.rows.iter().map(|row| cells(t, row, &names)))
        .paged(found.total)
        .or(t.text("parties.nobody"), t.text("parties.nobody_hint")))
}

fn cells(t: Texts, row: &AudienceRow, names: &HashMap<&str, &RelyingParty>) -> Vec<Cell> {
    let number = |number: u64| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let rate = Share::of(row.matched, row.verdicts);
    vec![
        match names.get(row.audience.as_str()) {
            Some(party) => Cell::Link {
                href: format!("/admin/relying-parties/{}", party.id),
                text: party.known.name.clone(),
                code: false,
            },
            None => Cell::Code(row.audience.to_string()),
        },
        number(row.verdicts),
        rate.map_or(Cell::Empty, |rate| {
            Cell::Text(lists::per_mille(t, rate.per_mille()))
        }),
        number(row.subjects),
        Cell::Time(row.last),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/party.html")]
struct Party {
    page: Page,
    title: String,
    /// Nothing for one that is being added.
    id: Option<RelyingPartyId>,
    fields: Fields,
    /// What is wrong with what was sent.
    fault: String,
    deliveries: Option<Table>,
    may_manage: bool,
}

/// What the form says.
#[derive(Default, Deserialize)]
pub(in crate::http::admin) struct Fields {
    name: String,
    audience: String,
    #[serde(default)]
    webhook: String,
    #[serde(default)]
    contact: String,
    #[serde(default)]
    notes: String,
}

impl Fields {
    fn of(party: &RelyingParty) -> Self {
        let known = &party.known;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            name: known.name.clone(),
            audience: known.audience.to_string(),
            webhook: text(&known.webhook),
            contact: text(&known.contact),
            notes: text(&known.notes),
        }
    }

    fn read(&self) -> Result<NewRelyingParty, Error> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let audience: Audience = self
            .audience
            .trim()
            .parse()
            .map_err(|error| Error::Setup(format!("{error}")))?;
        Ok(NewRelyingParty {
            name: self.name.trim().to_owned(),
            audience,
            webhook: given(&self.webhook),
            contact: given(&self.contact),
            notes: given(&self.notes.replace("\r\n", "\n")),
        })
    }
}

pub(in crate::http::admin) async fn new(seat: Seat) -> Result<Response, Problem> {
    Ok(show(&form(&seat, None, Fields::default(), String::new())))
}

fn form(seat: &Seat, id: Option<RelyingPartyId>, fields: Fields, fault: String) -> Party {
    let page = seat.page("parties");
    let title = match id {
        Some(_) => fields.name.clone(),
        None => page.t.text("parties.add").to_owned(),
    };
    Party {
        may_manage: page.may(Permission::ManageRelyingParties),
        page,
        title,
        id,
        fields,
        fault,
        deliveries: None,
    }
}

pub(in crate::http::admin) async fn read(
    seat: Seat,
    listing: Listing,
    Segment(id): Segment<RelyingPartyId>,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let party = app.service.store().relying_party(id).await?;
    let party = party.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let mut shown = form(&seat, Some(id), Fields::of(&party), String::new());
    let filter = DeliveryFilter {
        search: None,
        state: lists::chosen(&listing, "state"),
        relying_party: Some(id.to_string()),
    };
    shown.deliveries = Some(deliveries(&app, &shown.page, &listing, &filter).await?);
    Ok(show(&shown))
}

/// What a person entered is said back with what is wrong; anything else is a refusal.
fn again(
    seat: &Seat,
    id: Option<RelyingPartyId>,
    fields: Fields,
    error: Error,
) -> Result<Response, Problem> {
    match error {
        Error::Setup(fault) => Ok(show(&form(seat, id, fields, fault))),
        other => Err(other.into()),
    }
}

pub(in crate::http::admin) async fn add(
    State(app): State<Arc<App>>,
    seat: Seat,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let known = match fields.read() {
        Ok(known) => known,
        Err(error) => return again(&seat, None, fields, error),
    };
    let service = &app.service;
    let now = service.clock().now();
    let act = Act::done(
        Actor::from(&seat),
        ActKind::AddRelyingParty,
        &known.audience,
    );
    let add = add_relying_party(service.store(), known, service.entropy(), now);
    match app.dashboard.rules.carry(act, add).await {
        Ok(_) => Ok(see_other("/admin/relying-parties?done=party_added")),
        Err(error) => again(&seat, None, fields, error),
    }
}

pub(in crate::http::admin) async fn change(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RelyingPartyId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let store = app.service.store();
    let before = store.relying_party(id).await?;
    let before = before.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let party = fields
        .read()
        .and_then(|known| RelyingParty::new(id, known, before.added));
    let party = match party {
        Ok(party) => party,
        Err(error) => return again(&seat, Some(id), fields, error),
    };
    let change = changed(store.change_relying_party(&party), ProblemCode::Conflict);
    let act = Act::done(Actor::from(&seat), ActKind::ChangeRelyingParty, id);
    app.dashboard.rules.carry(act, change).await?;
    Ok(see_other(&format!(
        "/admin/relying-parties/{id}?done=party_changed"
    )))
}

pub(in crate::http::admin) async fn remove(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RelyingPartyId>,
) -> Result<Response, Problem> {
    let store = app.service.store();
    let remove = changed(store.remove_relying_party(id), ProblemCode::NotFound);
    let act = Act::done(Actor::from(&seat), ActKind::RemoveRelyingParty, id);
    app.dashboard.rules.carry(act, remove).await?;
    Ok(see_other("/admin/relying-parties?done=party_removed"))
}

/// Sends an event again that was given up.
pub(in crate::http::admin) async fn revive(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<JobId>,
) -> Result<Response, Problem> {
    let now = app.service.clock().now();
    let revive = changed(
        app.service.store().revive_job(id, now),
        ProblemCode::Conflict,
    );
    let act = Act::done(Actor::from(&seat), ActKind::RunJob, id);
    app.dashboard.rules.carry(act, revive).await?;
    Ok(see_other("/admin/jobs?done=job_revived"))
}

/// What the store says it changed, or why it did not.
async fn changed(
    work: impl Future<Output = crate::Result<bool>>,
    otherwise: ProblemCode,
) -> crate::Result<()> {
    if work.await? {
        Ok(())
    } else {
        Err(Error::Refused(otherwise))
    }
}
