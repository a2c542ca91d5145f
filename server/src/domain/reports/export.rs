//! Exports as CSV (RFC 4180), in batches: no transaction is open while a slow reader reads, which
//! would keep erased ciphertexts in the database's log.

use std::fmt::Write as _;

use futures_util::{Stream, stream};

use super::Place;
use crate::Result;

/// Rows that are read at once.
pub const EXPORT_BATCH: u32 = 1000;

/// A row of an export.
pub trait CsvRow {
    /// The columns' names. Times are Unix seconds.
    const COLUMNS: &'static [&'static str];

    /// The values, one a column.
    fn fields(&self) -> Vec<String>;

    /// Where the next batch goes on.
    fn place(&self) -> Place;
}

/// All rows, as pieces of one CSV file with a header. `next` gives the rows after a place, oldest
/// first, at most [`EXPORT_BATCH`]; fewer end the export.
pub fn export<T, F>(next: impl Fn(Option<Place>) -> F) -> impl Stream<Item = Result<String>>
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
                line(&mut piece, T::COLUMNS.iter().copied());
                None
            }
            From::After(place) => Some(place),
        };
        let rows = next(after).await?;
        for row in &rows {
            line(&mut piece, row.fields().iter().map(String::as_str));
        }
        let full = rows.len() >= EXPORT_BATCH as usize;
        let from = match rows.last().filter(|_| full) {
            Some(last) => From::After(last.place()),
            None => From::Done,
        };
        Ok(Some((piece, (from, next))))
    })
}

fn line<'a>(into: &mut String, fields: impl Iterator<Item = &'a str>) {
    for (number, field) in fields.enumerate() {
        if number > 0 {
            into.push(',');
        }
        // What begins like a formula would be run by a spreadsheet: names and remarks are others' words.
        let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let guard = if formula { "'" } else { "" };
        if formula || field.contains([',', '"', '\n', '\r']) {
            let quoted = field.replace('"', "\"\"");
            let _ = write!(into, "\"{guard}{quoted}\"");
        } else {
            into.push_str(field);
        }
    }
    into.push_str("\r\n");
}
