//! What a list's address says: filters, order, page, form. Lists are links: every view of one can be
//! kept, sent and gone back to.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use blindprint_core::problem::ProblemCode;
use url::form_urlencoded;

use crate::http::{App, Problem};

/// More than any list has.
const MOST_VALUES: usize = 24;
const LONGEST_VALUE: usize = 300;
/// Nobody pages further; what is further back is found by filters.
const LAST_PAGE: u32 = 100_000;

/// Which way a column runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Order {
    /// Its name in an address.
    pub(in crate::http) const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

/// By which column a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Sort {
    /// The column's name in addresses.
    pub by: &'static str,
    /// Which way.
    pub order: Order,
}

/// A list's address, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Listing {
    path: String,
    values: BTreeMap<String, String>,
}

impl Listing {
    /// Reads path and query string. Values that are empty are none.
    pub(in crate::http) fn new(path: &str, query: &str) -> Result<Self, Problem> {
        let malformed = || Problem::because(ProblemCode::MalformedRequest, "the query string");
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.len() > LONGEST_VALUE
                || name.len() > LONGEST_VALUE
                || values.len() >= MOST_VALUES
            {
                return Err(malformed());
            }
            let value = value.trim();
            if !value.is_empty() {
                values.insert(name.into_owned(), value.to_owned());
            }
        }
        Ok(Self {
            path: path.to_owned(),
            values,
        })
    }

    /// The path alone.
    pub(in crate::http) fn path(&self) -> &str {
        &self.path
    }

    /// What a filter is set to.
    pub(in crate::http) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The page asked for, from 1.
    pub(in crate::http) fn page(&self) -> u32 {
        let page = self.value("page").and_then(|page| page.parse().ok());
        page.unwrap_or(1).clamp(1, LAST_PAGE)
    }

    /// The order asked for, if it is by one of these columns.
    pub(in crate::http) fn sort(&self, columns: &[&'static str], otherwise: Sort) -> Sort {
        let by = self.value("sort");
        let Some(by) = columns.iter().copied().find(|column| Some(*column) == by) else {
            return otherwise;
        };
        let order = if self.value("order") == Some(Order::Descending.as_str()) {
            Order::Descending
        } else {
            Order::Ascending
        };
        Sort { by, order }
    }

    /// Whether the list is wanted as a CSV file.
    pub(in crate::http) fn wants_csv(&self) -> bool {
        self.value("format") == Some("csv")
    }

    /// This address with other values; `None` takes one out.
    pub(in crate::http) fn link(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut values = self.values.clone();
        for (name, value) in changes {
            match value {
                Some(value) => values.insert((*name).to_owned(), (*value).to_owned()),
                None => values.remove(*name),
            };
        }
        // What was just done belongs to the page that said it.
        values.remove("done");
        if values.is_empty() {
            return self.path.clone();
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(values)
            .finish();
        format!("{}?{query}", self.path)
    }
}

impl FromRequestParts<Arc<App>> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        Self::new(parts.uri.path(), parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Sort = Sort {
        by: "at",
        order: Order::Descending,
    };

    #[test]
    fn an_address_is_read_and_changed() {
        let listing = Listing::new("/admin/audit", "q=a%20b&role=&page=3&sort=who").unwrap();
        assert_eq!(listing.value("q"), Some("a b"));
        assert_eq!(listing.value("role"), None);
        assert_eq!(listing.page(), 3);
        let sort = listing.sort(&["at", "who"], NEWEST);
        assert_eq!((sort.by, sort.order), ("who", Order::Ascending));
        assert_eq!(listing.sort(&["at"], NEWEST), NEWEST);
        let link = listing.link(&[("page", None), ("q", Some("x&y"))]);
        assert_eq!(link, "/admin/audit?q=x%26y&sort=who");
    }

    #[test]
    fn addresses_are_bounded() {
        let long = format!("q={}", "a".repeat(LONGEST_VALUE + 1));
        assert!(Listing::new("/", &long).is_err());
        let many: Vec<String> = (0..100).map(|number| format!("v{number}=1")).collect();
        let many = many.join("&");
        assert!(Listing::new("/", &many).is_err());
        assert_eq!(Listing::new("/", "page=0").unwrap().page(), 1);
        assert_eq!(Listing::new("/", "page=-1").unwrap().page(), 1);
        assert_eq!(
            Listing::new("/", "page=4000000000").unwrap().page(),
            LAST_PAGE
        );
    }
}
