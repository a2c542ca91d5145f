//! A table with filters, sortable headings, pages and a CSV file, described once for all of them.

use askama::Template;
use axum::response::Response;
use blindprint_core::UnixTime;

use super::{
    Badge, Texts, csv,
    listing::{Listing, Order, Sort},
    texts::iso,
};

/// Rows on one page.
pub(in crate::http) const PAGE_ROWS: u32 = 25;
/// Rows of a CSV file at most.
pub(in crate::http) const CSV_ROWS: u32 = 10_000;

/// What stands in a cell.
#[derive(Debug, Clone)]
pub(in crate::http) enum Cell {
    /// Nothing to say.
    Empty,
    /// Words.
    Text(String),
    /// An identifier. It is cut where there is no room; its title says all.
    Code(String),
    /// A whole number.
    Number(i64),
    /// An instant.
    Time(UnixTime),
    /// A state.
    Badge(Badge),
    /// Words that lead to a page of this origin.
    Link {
        /// Where to.
        href: String,
        /// The words.
        text: String,
        /// Whether they are an identifier.
        code: bool,
    },
}

impl Cell {
    /// Words.
    pub(in crate::http) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An instant, if there is one.
    pub(in crate::http) fn time(at: Option<UnixTime>) -> Self {
        at.map_or(Self::Empty, Self::Time)
    }

    fn plain(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Code(text) | Self::Link { text, .. } => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => iso(*at),
            Self::Badge(badge) => badge.text.clone(),
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(in crate::http) struct Column {
    /// Its heading.
    pub label: String,
    /// Its name in addresses, if the list can be ordered by it.
    pub sort: Option<&'static str>,
    /// Whether it holds numbers.
    pub numeric: bool,
}

impl Column {
    /// A column that the list cannot be ordered by.
    pub(in crate::http) fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            sort: None,
            numeric: false,
        }
    }

    /// The list can be ordered by it.
    pub(in crate::http) const fn sortable(mut self, name: &'static str) -> Self {
        self.sort = Some(name);
        self
    }

    /// It holds numbers.
    pub(in crate::http) const fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }
}

/// How a filter is set.
#[derive(Debug, Clone)]
pub(in crate::http) enum Input {
    /// Words to look for.
    Search,
    /// A day.
    Date,
    /// One of these values with their labels, or any.
    Choice(Vec<(String, String)>),
}

/// A filter.
#[derive(Debug, Clone)]
pub(in crate::http) struct Filter {
    /// Its name in addresses.
    pub name: &'static str,
    /// What it is called.
    pub label: String,
    /// How it is set.
    pub input: Input,
    /// What it is set to; empty for nothing.
    pub value: String,
}

/// What stands in place of rows if there are none.
#[derive(Debug, Clone)]
pub(in crate::http) struct Nothing {
    /// That there is nothing.
    pub title: String,
    /// What would be here, or what to do.
    pub hint: String,
}

/// A table. `{{ table }}` in a template draws it; [`Table::csv`] is the same as a file.
#[derive(Template)]
#[template(path = "components/table.html")]
pub(in crate::http) struct Table {
    t: Texts,
    id: &'static str,
    caption: String,
    listing: Listing,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    filters: Vec<Filter>,
    sorted: Option<Sort>,
    total: Option<u64>,
    exported: bool,
    nothing: Nothing,
}

// Its template escapes what it is given.
impl askama::filters::HtmlSafe for Table {}

impl Table {
    /// A table without rows. `id` is unique on its page.
    pub(in crate::http) fn new(
        t: Texts,
        id: &'static str,
        caption: impl Into<String>,
        listing: Listing,
        columns: Vec<Column>,
    ) -> Self {
        Self {
            t,
            id,
            caption: caption.into(),
            listing,
            columns,
            rows: Vec::new(),
            filters: Vec::new(),
            sorted: None,
            total: None,
            exported: false,
            nothing: Nothing {
                title: t.text("table.nothing").to_owned(),
                hint: String::new(),
            },
        }
    }

    /// The rows of this page: as many cells as there are columns, the first naming the row.
    pub(in crate::http) fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows = rows.into_iter().collect();
        self
    }

    /// The order that the rows are in.
    pub(in crate::http) const fn sorted(mut self, sort: Sort) -> Self {
        self.sorted = Some(sort);
        self
    }

    /// How many rows there are on all pages together.
    pub(in crate::http) const fn paged(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Offers the list as a CSV file, which the handler answers for [`Listing::wants_csv`].
    pub(in crate::http) const fn exported(mut self) -> Self {
        self.exported = true;
        self
    }

    /// What is said if there are no rows, when no filter is set.
    pub(in crate::http) fn or(mut self, title: &str, hint: &str) -> Self {
        self.nothing = Nothing {
            title: title.to_owned(),
            hint: hint.to_owned(),
        };
        self
    }

    /// A filter by words.
    pub(in crate::http) fn search(self, name: &'static str, label: &str) -> Self {
        self.filter(name, label, Input::Search)
    }

    /// A filter by a day.
    pub(in crate::http) fn date(self, name: &'static str, label: &str) -> Self {
        self.filter(name, label, Input::Date)
    }

    /// A filter by one of some values, given with their labels.
    pub(in crate::http) fn choice(
        self,
        name: &'static str,
        label: &str,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.filter(name, label, Input::Choice(options.into_iter().collect()))
    }

    fn filter(mut self, name: &'static str, label: &str, input: Input) -> Self {
        let value = self.listing.value(name).unwrap_or_default().to_owned();
        self.filters.push(Filter {
            name,
            label: label.to_owned(),
            input,
            value,
        });
        self
    }

    /// The rows as a file of this name.
    pub(in crate::http) fn csv(&self, name: &str) -> Response {
        let mut text = csv::line(self.columns.iter().map(|column| column.label.as_str()));
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(Cell::plain).collect();
            text.push_str(&csv::line(fields.iter().map(String::as_str)));
        }
        csv::download(name, "text/csv; charset=utf-8", text)
    }

    fn is_filtered(&self) -> bool {
        self.filters.iter().any(|filter| !filter.value.is_empty())
    }

    /// Where a heading leads: to the list ordered by it, the other way round if it is already.
    fn sort_link(&self, name: &str) -> String {
        let descending = self
            .sorted
            .is_some_and(|sort| sort.by == name && sort.order == Order::Ascending);
        let order = if descending {
            Order::Descending
        } else {
            Order::Ascending
        };
        let changes = [
            ("sort", Some(name)),
            ("order", Some(order.as_str())),
            ("page", None),
        ];
        self.listing.link(&changes)
    }

    fn order_of(&self, name: &str) -> Option<Order> {
        self.sorted
            .filter(|sort| sort.by == name)
            .map(|sort| sort.order)
    }

    fn csv_link(&self) -> String {
        self.listing
            .link(&[("format", Some("csv")), ("page", None)])
    }

    fn pages(&self) -> u64 {
        self.total
            .unwrap_or_default()
            .div_ceil(u64::from(PAGE_ROWS))
            .max(1)
    }

    fn page_link(&self, page: u32) -> String {
        self.listing.link(&[("page", Some(&page.to_string()))])
    }

    fn before(&self) -> Option<String> {
        let page = self.listing.page();
        (page > 1).then(|| self.page_link(page - 1))
    }

    fn after(&self) -> Option<String> {
        let page = self.listing.page();
        (u64::from(page) < self.pages()).then(|| self.page_link(page + 1))
    }

    /// "26–50 of 312".
    fn extent(&self) -> String {
        let total = i64::try_from(self.total.unwrap_or_default()).unwrap_or(i64::MAX);
        let first = i64::from(self.listing.page() - 1) * i64::from(PAGE_ROWS) + 1;
        let last = first + i64::try_from(self.rows.len()).unwrap_or(0) - 1;
        if last < first {
            return self.t.count("table.rows", total);
        }
        let range = format!("{}–{}", self.t.number(first), self.t.number(last));
        self.t.fill2("table.extent", range, self.t.number(total))
    }
}
