//! What the dashboard shows of the service's memory: rows, counts and series for people who run it.
//!
//! Nothing here is biometric, and nothing is a ciphertext or a secret: the rows hold names, times,
//! states and outcomes, as the queries of `store/sqlite/reports.rs` select them and nothing else.

mod health;
mod lists;
mod overview;
mod series;
#[cfg(test)]
mod tests;
mod timeline;

use std::{fmt, str::FromStr};

use blindprint_core::UnixTime;

pub use health::{Health, HoldCounts, Job};
pub use lists::{
    AudienceRow, AudienceSort, ClientFilter, ConsentFilter, ConsentRow, ConsentSort,
    DeliveryFilter, DeliveryRow, DeliveryState, EnrolledFilter, InvitationFilter, InvitationRow,
    InvitationSort, InvitationStanding, IssuanceFilter, IssuanceKind, IssuanceRow,
    IssuanceStanding, ListRow, RightsFilter, RightsRow, RightsSort, RightsStanding, SubjectFilter,
    SubjectRow, SubjectSort, TimeSort,
};
pub use overview::{Counts, Overview, Share};
pub use series::{Day, EnrolmentDay, EnrolmentSeries, Span, VerdictBucket, VerdictSeries};
pub use timeline::{TimelineFilter, TimelineGroup, TimelineKind, TimelineRow};

/// Rows on one page of a list.
pub const PAGE_ROWS: u32 = 25;
/// No list has more pages to leaf through: what is further down is found by a filter.
pub const MOST_PAGES: u32 = 100_000;
/// Rows of an export that are read at once.
pub const EXPORT_BATCH: u32 = 1000;
/// Longest text to search for, in characters.
const LONGEST_SEARCH: usize = 200;

/// An enum of a few named choices: the first is the default, and each has its name in addresses,
/// in files and in the database.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident {
        $(#[$first_doc:meta])* $first:ident = $first_text:literal,
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub enum $name {
            #[default]
            $(#[$first_doc])*
            $first,
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, the default first.
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$variant,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::reports::UnknownChoice;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let named = |choice: &&Self| choice.as_str() == text;
                Self::ALL.iter().find(named).copied().ok_or($crate::domain::reports::UnknownChoice)
            }
        }
    };
}
use choices;

/// A text that names none of the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("none of the choices")]
pub struct UnknownChoice;

/// A text to search for, in any part of what is searched, whatever its case in ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(String);

/// A text that is empty or too long to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to {LONGEST_SEARCH} characters")]
pub struct NothingToSearch;

impl Search {
    /// The text as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For `LOWER(column) LIKE pattern ESCAPE '\'`.
    pub(crate) fn pattern(&self) -> String {
        let mut pattern = String::from("%");
        for character in self.0.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character.to_ascii_lowercase());
        }
        pattern.push('%');
        pattern
    }
}

impl FromStr for Search {
    type Err = NothingToSearch;

    fn from_str(text: &str) -> Result<Self, NothingToSearch> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_SEARCH {
            return Err(NothingToSearch);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A page's number, from 1 to [`MOST_PAGES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageNumber(u32);

impl PageNumber {
    /// The first page.
    pub const FIRST: Self = Self(1);

    /// The nearest page that there can be.
    pub fn clamped(number: u32) -> Self {
        Self(number.clamp(1, MOST_PAGES))
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Rows before it.
    pub(crate) const fn offset(self) -> u32 {
        (self.0 - 1) * PAGE_ROWS
    }
}

/// A row's place among all of its list, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The time by which the list is ordered.
    pub at: UnixTime,
    /// What tells rows of one second apart.
    pub id: String,
}

/// By what a list is ordered, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorted<S> {
    /// By what.
    pub by: S,
    /// Whether the largest come first.
    pub descending: bool,
}

impl<S> Sorted<S> {
    /// The smallest first.
    pub const fn ascending(by: S) -> Self {
        Self {
            by,
            descending: false,
        }
    }

    /// The largest first.
    pub const fn descending(by: S) -> Self {
        Self {
            by,
            descending: true,
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent<S> {
    /// One page, in this order, and how many rows there are on all pages.
    Page(PageNumber, Sorted<S>),
    /// The next rows of an export: oldest first, those after this place.
    After(Option<Place>),
}

/// A row of an export.
pub trait CsvRow {
    /// The columns' names. Times are Unix seconds.
    const COLUMNS: &'static [&'static str];

    /// The values, one a column.
    fn fields(&self) -> Vec<String>;

    /// Where the next batch goes on.
    fn place(&self) -> Place;
}

/// Rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows, at most [`PAGE_ROWS`] or [`EXPORT_BATCH`].
    pub rows: Vec<T>,
    /// Rows on all pages; for exports, those in `rows`.
    pub total: u64,
}

impl<T> Listed<T> {
    /// Pages that can be leafed through, at least one.
    pub fn pages(&self) -> u32 {
        let pages = self.total.div_ceil(u64::from(PAGE_ROWS));
        u32::try_from(pages)
            .unwrap_or(MOST_PAGES)
            .clamp(1, MOST_PAGES)
    }
}
