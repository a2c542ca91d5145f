//! What all lists share: what their addresses say, and their files.

use std::str::FromStr;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use blindprint_core::SubjectId;
use futures_util::{Stream, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Result,
    domain::{
        admin::{Act, ActKind, Actor},
        reports::{CsvRow, EXPORT_BATCH, Extent, PageNumber, Place, Search, Sorted},
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        web::{
            Texts, csv,
            listing::{Listing, Order, Sort},
            secured,
            table::Cell,
        },
    },
};

/// The largest first, by this column.
pub(super) const fn largest(by: &'static str) -> Sort {
    Sort {
        by,
        order: Order::Descending,
    }
}

/// The smallest first, by this column.
pub(super) const fn smallest(by: &'static str) -> Sort {
    Sort {
        by,
        order: Order::Ascending,
    }
}

/// The page that is asked for, in this order.
pub(super) fn page<S: FromStr + Default>(listing: &Listing, sort: Sort) -> Extent<S> {
    Extent::Page(number(listing), sorted(sort))
}

/// The page's number.
pub(super) fn number(listing: &Listing) -> PageNumber {
    PageNumber::clamped(listing.page())
}

/// The order that is asked for.
pub(super) fn sorted<S: FromStr + Default>(sort: Sort) -> Sorted<S> {
    Sorted {
        by: sort.by.parse().unwrap_or_default(),
        descending: sort.order == Order::Descending,
    }
}

/// The words that are looked for.
pub(super) fn search(listing: &Listing) -> Option<Search> {
    listing.value("q")?.parse().ok()
}

/// What a filter is set to, if that means anything.
pub(super) fn chosen<T: FromStr>(listing: &Listing, name: &str) -> Option<T> {
    listing.value(name)?.parse().ok()
}

/// Thousandths as per cent.
#[expect(clippy::cast_precision_loss, reason = "at most 1000")]
pub(super) fn per_mille(t: Texts, share: u64) -> String {
    t.percent(share as f64 / 1000.0)
}

/// Names with their texts: `<family>.<name>`.
pub(super) fn options(
    t: Texts,
    family: &str,
    names: impl IntoIterator<Item = &'static str>,
) -> Vec<(String, String)> {
    let options = names.into_iter().map(|name| {
        let text = t.text(&format!("{family}.{name}")).to_owned();
        (name.to_owned(), text)
    });
    options.collect()
}

/// Notes that somebody took a list out as a file, before they get it.
pub(super) async fn exported(app: &App, seat: &Seat, list: &str) -> Result<(), Problem> {
    let act = Act::done(Actor::from(seat), ActKind::Export, list);
    Ok(app.dashboard.rules.record(&act).await?)
}

/// A name as one segment of a path: a DID may hold what would end it.
pub(super) fn segment(name: &impl ToString) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b':')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_');
    utf8_percent_encode(&name.to_string(), KEPT).to_string()
}

/// A subject's page.
pub(super) fn subject_link(subject: &SubjectId) -> Cell {
    Cell::Link {
        href: format!("/admin/subjects/{}", segment(subject)),
        text: subject.to_string(),
        code: true,
    }
}

/// A CSV file of all rows, sent as they are read. `next` gives the rows after a place, oldest first, at
/// most [`EXPORT_BATCH`]; fewer end the file.
///
/// No transaction is open while a slow reader reads: it would keep erased ciphertexts in the database's log.
pub(super) fn file<T, F>(name: &str, next: impl Fn(Option<Place>) -> F + Send + 'static) -> Response
where
    T: CsvRow + Send + 'static,
    F: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    let mut response = Response::new(Body::from_stream(pieces(next)));
    let headers = response.headers_mut();
    let csv = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, csv);
    if let Ok(saved) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")) {
        headers.insert(header::CONTENT_DISPOSITION, saved);
    }
    secured(response)
}

fn pieces<T, F>(next: impl Fn(Option<Place>) -> F) -> impl Stream<Item = Result<String>>
where
    T: CsvRow,
    F: Future<Output = Result<Vec<T>>>,
{
    enum From {
        Start,
        After(Place),
        Done,
    }
    stream::try_unfold((From::Start, next), async |(from, next)| {
        let mut piece = String::new();
        let after = match from {
            From::Done => return Ok(None),
            From::Start => {
                piece.push_str(&csv::line(T::COLUMNS.iter().copied()));
                None
            }
            From::After(place) => Some(place),
        };
        let rows = next(after).await?;
        for row in &rows {
            let fields = row.fields();
            piece.push_str(&csv::line(fields.iter().map(String::as_str)));
        }
        let full = rows.len() >= EXPORT_BATCH as usize;
        let from = match rows.last().filter(|_| full) {
            Some(last) => From::After(last.place()),
            None => From::Done,
        };
        Ok(Some((piece, (from, next))))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use blindprint_core::UnixTime;
    use futures_util::TryStreamExt as _;

    use super::*;

    struct Line(i64, &'static str);

    impl CsvRow for Line {
        const COLUMNS: &'static [&'static str] = &["number", "text"];

        fn fields(&self) -> Vec<String> {
            vec![self.0.to_string(), self.1.to_owned()]
        }

        fn place(&self) -> Place {
            Place {
                at: UnixTime(self.0),
                id: self.1.to_owned(),
            }
        }
    }

    #[tokio::test]
    async fn a_file_begins_with_its_columns_and_defuses_formulas() {
        let rows = |_| async { Ok(vec![Line(1, "plain"), Line(2, "=1+1")]) };
        let text: Vec<String> = pieces(rows).try_collect().await.unwrap();
        assert_eq!(text.concat(), "number,text\r\n1,plain\r\n2,'=1+1\r\n");
    }

    #[tokio::test]
    async fn a_file_goes_on_after_full_batches_until_one_is_not_full() {
        let asked = AtomicUsize::new(0);
        let asked = &asked;
        let batch = i64::from(EXPORT_BATCH);
        let rows = move |after: Option<Place>| async move {
            asked.fetch_add(1, Ordering::Relaxed);
            let first = after.map_or(0, |place| place.at.0 + 1);
            let last = (first + batch).min(2 * batch + 7);
            Ok((first..last).map(|number| Line(number, "x")).collect())
        };
        let text: Vec<String> = pieces(rows).try_collect().await.unwrap();
        let lines = usize::try_from(2 * batch + 7 + 1).unwrap();
        assert_eq!(text.concat().lines().count(), lines);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}
