use blindprint_core::UnixTime;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{List, Query, equals, searched, whole};
use crate::{
    Result,
    domain::{
        ClientRecord,
        issued::{ListId, StatusEntry},
        reports::{
            ClientFilter, DeliveryFilter, DeliveryRow, DeliveryState, Extent, InvitationFilter,
            InvitationRow, InvitationSort, InvitationStanding, IssuanceFilter, IssuanceKind,
            IssuanceRow, IssuanceStanding, ListRow, Listed, PageNumber, Sorted, TimeSort,
        },
    },
    store::sqlite::{
        SqliteStore, corrupt, count,
        credentials::{issuer, list_kind},
        openid::client,
        parsed, parsed_option, time, time_option,
    },
};

pub(super) async fn issuances(
    store: &SqliteStore,
    filter: &IssuanceFilter,
    extent: &Extent<TimeSort>,
) -> Result<Listed<IssuanceRow>> {
    let which = |query: &mut Query| {
        let searchable = ["i.id", "i.subject", "i.client", "i.credential"];
        searched(query, &searchable, filter.search.as_ref());
        equals(query, "i.kind", filter.kind.map(IssuanceKind::as_str));
        equals(
            query,
            "i.state",
            filter.standing.map(IssuanceStanding::as_str),
        );
    };
    let list = List {
        doing: "reading which credentials were issued",
        columns: "i.id, i.kind, i.subject, i.client, i.credential, i.state, i.issued,
                  (SELECT COUNT(*) FROM status_entries e WHERE e.issuance = i.id) AS copies,
                  (SELECT MIN(e.list) FROM status_entries e WHERE e.issuance = i.id) AS list,
                  (SELECT e.position FROM status_entries e WHERE e.issuance = i.id
                   ORDER BY e.list, e.position LIMIT 1) AS position",
        from: "issuances i",
        time: "i.issued",
        key: "i.id",
    };
    let order = |TimeSort::Time| "i.issued";
    list.read(store, which, extent, order, issuance).await
}

fn issuance(row: &SqliteRow) -> Result<IssuanceRow> {
    let list: Option<i64> = row.try_get("list").map_err(corrupt)?;
    let position: Option<i64> = row.try_get("position").map_err(corrupt)?;
    let entry = match list.zip(position) {
        None => None,
        Some((list, position)) => Some(StatusEntry {
            list: ListId(list),
            index: position.try_into().map_err(corrupt)?,
        }),
    };
    let name: Option<String> = row.try_get("credential").map_err(corrupt)?;
    Ok(IssuanceRow {
        id: parsed(row, "id")?,
        kind: parsed(row, "kind")?,
        subject: parsed_option(row, "subject")?,
        client: parsed_option(row, "client")?.map(|client| (client, name)),
        standing: parsed(row, "state")?,
        issued: time(row, "issued")?,
        copies: count(row, "copies")?,
        entry,
    })
}

pub(super) async fn lists(store: &SqliteStore, page: PageNumber) -> Result<Listed<ListRow>> {
    let list = List {
        doing: "reading the status lists",
        columns: "l.id, l.kind, l.issuer, l.entries, l.version, l.opened,
                  (SELECT COUNT(*) FROM status_entries e JOIN issuances i ON i.id = e.issuance
                   WHERE e.list = l.id AND i.state = 'suspended') AS suspended,
                  (SELECT COUNT(*) FROM status_entries e JOIN issuances i ON i.id = e.issuance
                   WHERE e.list = l.id AND i.state = 'revoked') AS revoked",
        from: "status_lists l",
        time: "l.opened",
        key: "l.id",
    };
    let order = |()| "l.id";
    let row = |row: &SqliteRow| {
        Ok(ListRow {
            id: ListId(row.try_get("id").map_err(corrupt)?),
            kind: list_kind(row)?,
            issuer: issuer(row)?,
            entries: count(row, "entries")?,
            suspended: count(row, "suspended")?,
            revoked: count(row, "revoked")?,
            version: whole(row, "version")?,
            opened: time(row, "opened")?,
        })
    };
    list.read(
        store,
        |_| {},
        &Extent::Page(page, Sorted::descending(())),
        order,
        row,
    )
    .await
}

pub(super) async fn invitations(
    store: &SqliteStore,
    filter: &InvitationFilter,
    extent: &Extent<InvitationSort>,
    UnixTime(now): UnixTime,
) -> Result<Listed<InvitationRow>> {
    let state = format!(
        "CASE WHEN n.revoked IS NOT NULL THEN 'revoked' WHEN n.used >= n.uses THEN 'used-up'
              WHEN n.expires <= {now} THEN 'over' ELSE 'open' END"
    );
    let which = |query: &mut Query| {
        searched(query, &["n.id", "n.note"], filter.search.as_ref());
        equals(
            query,
            &state,
            filter.standing.map(InvitationStanding::as_str),
        );
    };
    let columns = format!("n.id, n.note, n.uses, n.used, n.created, n.expires, {state} AS state");
    let list = List {
        doing: "reading the invitations",
        columns: &columns,
        from: "invitations n",
        time: "n.created",
        key: "n.id",
    };
    let order = |sort| match sort {
        InvitationSort::Created => "n.created",
        InvitationSort::Expires => "n.expires",
    };
    let row = |row: &SqliteRow| {
        Ok(InvitationRow {
            id: parsed(row, "id")?,
            note: row.try_get("note").map_err(corrupt)?,
            uses: count(row, "uses")?,
            used: count(row, "used")?,
            standing: parsed(row, "state")?,
            created: time(row, "created")?,
            expires: time(row, "expires")?,
        })
    };
    list.read(store, which, extent, order, row).await
}

pub(super) async fn clients(
    store: &SqliteStore,
    filter: &ClientFilter,
    page: PageNumber,
) -> Result<Listed<ClientRecord>> {
    let which = |query: &mut Query| {
        searched(query, &["k.id", "k.name"], filter.search.as_ref());
        if filter.in_use {
            query.push(" AND k.revoked IS NULL");
        }
    };
    let list = List {
        doing: "reading the clients",
        columns: "k.id, k.name, k.scopes, k.secret, k.created, k.revoked",
        from: "clients k",
        time: "k.created",
        key: "k.id",
    };
    let order = |()| "k.created";
    list.read(
        store,
        which,
        &Extent::Page(page, Sorted::descending(())),
        order,
        client,
    )
    .await
}

pub(super) async fn deliveries(
    store: &SqliteStore,
    filter: &DeliveryFilter,
    extent: &Extent<TimeSort>,
) -> Result<Listed<DeliveryRow>> {
    let which = |query: &mut Query| {
        searched(query, &["p.name"], filter.search.as_ref());
        equals(query, "j.state", filter.state.map(DeliveryState::as_str));
        equals(query, "j.relying_party", filter.relying_party.as_deref());
    };
    let list = List {
        doing: "reading what relying parties were told",
        columns: "j.id, j.relying_party, p.name, j.event, j.state, j.attempts, j.made, j.next,
                  j.ended, j.error",
        from: "jobs j JOIN relying_parties p ON p.id = j.relying_party",
        time: "j.made",
        key: "j.id",
    };
    let order = |TimeSort::Time| "j.made";
    let row = |row: &SqliteRow| {
        Ok(DeliveryRow {
            id: parsed(row, "id")?,
            relying_party: (parsed(row, "relying_party")?, parsed(row, "name")?),
            event: parsed(row, "event")?,
            state: parsed(row, "state")?,
            attempts: count(row, "attempts")?,
            made: time(row, "made")?,
            next: time(row, "next")?,
            ended: time_option(row, "ended")?,
            error: row.try_get("error").map_err(corrupt)?,
        })
    };
    list.read(store, which, extent, order, row).await
}
