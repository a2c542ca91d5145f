//! The words of pages, and how numbers and times are written, in each language.
//!
//! A text is named by a dotted key. The catalogues are TOML files in `server/locales/<language>`; every
//! language has the same keys with the same placeholders, and every key that a template or a module of
//! this crate names exists: tests see to both.

use std::{
    borrow::Borrow,
    collections::HashMap,
    fmt::{self, Display},
    sync::LazyLock,
};

use axum::http::{HeaderMap, header};
use blindprint_core::UnixTime;
use time::OffsetDateTime;

/// What pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::http) enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
}

macro_rules! catalogues {
    ($($file:literal),* $(,)?) => {
        /// The files of one language, by its code.
        const fn files(language: Language) -> &'static [&'static str] {
            match language {
                Language::English => &[$(include_str!(concat!("../../../locales/en/", $file))),*],
                Language::German => &[$(include_str!(concat!("../../../locales/de/", $file))),*],
                Language::French => &[$(include_str!(concat!("../../../locales/fr/", $file))),*],
                Language::Spanish => &[$(include_str!(concat!("../../../locales/es/", $file))),*],
            }
        }
    };
}

// A new file goes into every language's folder and into this list.
catalogues![
    "common.toml",
    "admin.toml",
    "pages.toml",
    "pages_rights.toml",
    "pages_exchange.toml",
    "pages_operation.toml",
    "me.toml",
];

impl Language {
    /// All of them.
    pub(in crate::http) const ALL: [Self; 4] =
        [Self::English, Self::German, Self::French, Self::Spanish];

    /// Its BCP 47 code.
    pub(in crate::http) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
        }
    }

    /// Its name in itself.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Spanish => "Español",
        }
    }

    /// The language of this code.
    pub(in crate::http) fn named(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.code() == code)
    }

    /// The one that `Accept-Language` prefers (RFC 9110 section 12.5.4), else English.
    pub(in crate::http) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let mut best = (0.0, Self::default());
        for range in values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            let (range, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=");
            let weight: f32 = weight.and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
            let primary = range.trim().split('-').next().unwrap_or_default();
            if let Some(language) = Self::named(&primary.to_ascii_lowercase())
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }

    fn catalogue(self) -> &'static HashMap<String, String> {
        static CATALOGUES: LazyLock<Vec<HashMap<String, String>>> =
            LazyLock::new(|| Language::ALL.into_iter().map(read).collect());
        &CATALOGUES[self as usize]
    }
}

/// All texts of one language by their keys.
///
/// # Panics
/// If a catalogue is not TOML: it is part of the binary, and tests read all of them.
fn read(language: Language) -> HashMap<String, String> {
    let mut texts = HashMap::new();
    for file in files(language) {
        let table: toml::Table = toml::from_str(file).expect("catalogues are TOML");
        flatten("", &table, &mut texts);
    }
    texts
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut HashMap<String, String>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            toml::Value::Table(inner) => flatten(&format!("{path}."), inner, into),
            toml::Value::String(text) => {
                let taken = into.insert(path.clone(), text.clone());
                debug_assert!(taken.is_none(), "the key {path} is there twice");
            }
            _ => debug_assert!(false, "{path} is no text"),
        }
    }
}

/// One language's words and forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Texts(pub Language);

impl Texts {
    /// The language.
    pub(in crate::http) const fn language(self) -> Language {
        self.0
    }

    /// The text of a key. One that does not exist is shown as itself; tests see that none is named.
    pub(in crate::http) fn text(self, key: &str) -> &str {
        self.0.catalogue().get(key).map_or(key, String::as_str)
    }

    /// The text of a key with `{}` filled in.
    pub(in crate::http) fn fill(self, key: &str, value: impl Display) -> String {
        self.text(key).replacen("{}", &value.to_string(), 1)
    }

    /// The text of a key with `{}` filled in twice, in order.
    pub(in crate::http) fn fill2(
        self,
        key: &str,
        first: impl Display,
        second: impl Display,
    ) -> String {
        let text = self.text(key);
        let (before, rest) = text.split_once("{}").unwrap_or((text, ""));
        let (between, after) = rest.split_once("{}").unwrap_or((rest, ""));
        format!("{before}{first}{between}{second}{after}")
    }

    /// `<key>.one` or `<key>.other`, with the number filled in.
    pub(in crate::http) fn count(self, key: &str, number: impl Borrow<i64>) -> String {
        let number = *number.borrow();
        // French counts nothing as one (CLDR).
        let one = number == 1 || (number == 0 && self.0 == Language::French);
        let key = format!("{key}.{}", if one { "one" } else { "other" });
        self.fill(&key, self.number(number))
    }

    /// A whole number, grouped.
    pub(in crate::http) fn number(self, number: impl Borrow<i64>) -> String {
        let number = *number.borrow();
        let digits = number.unsigned_abs().to_string();
        let sign = if number < 0 { "−" } else { "" };
        // Spanish groups from five digits on.
        if digits.len() <= 3 || (self.0 == Language::Spanish && digits.len() == 4) {
            return format!("{sign}{digits}");
        }
        let mark = match self.0 {
            Language::English => ',',
            Language::German => '.',
            Language::French => '\u{202f}',
            Language::Spanish => '\u{a0}',
        };
        let mut grouped = String::from(sign);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(mark);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A number with so many decimals.
    pub(in crate::http) fn decimal(self, number: f64, decimals: usize) -> String {
        let text = format!("{:.decimals$}", number.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = self.number(whole.parse::<i64>().unwrap_or(i64::MAX));
        let mark = if self.0 == Language::English {
            '.'
        } else {
            ','
        };
        let sign = if number < 0.0 { "−" } else { "" };
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}{mark}{fraction}")
        }
    }

    /// A share of one as per cent.
    pub(in crate::http) fn percent(self, share: f64) -> String {
        let number = self.decimal(share * 100.0, 1);
        match self.0 {
            Language::English => format!("{number}%"),
            _ => format!("{number}\u{a0}%"),
        }
    }

    /// A day.
    pub(in crate::http) fn date(self, at: impl Borrow<UnixTime>) -> String {
        let at = at.borrow();
        let Ok(at) = OffsetDateTime::from_unix_timestamp(at.0) else {
            return at.0.to_string();
        };
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        match self.0 {
            Language::English => format!("{day} {} {year}", english_month(month)),
            Language::German => format!("{day:02}.{month:02}.{year}"),
            Language::French | Language::Spanish => format!("{day:02}/{month:02}/{year}"),
        }
    }

    /// A day and a time of day, in UTC.
    pub(in crate::http) fn date_time(self, at: impl Borrow<UnixTime>) -> String {
        let at = *at.borrow();
        let Ok(parts) = OffsetDateTime::from_unix_timestamp(at.0) else {
            return at.0.to_string();
        };
        format!(
            "{}, {:02}:{:02} UTC",
            self.date(at),
            parts.hour(),
            parts.minute()
        )
    }

    /// A length of time in the largest unit that it fills.
    pub(in crate::http) fn duration(self, seconds: impl Borrow<i64>) -> String {
        let seconds = *seconds.borrow();
        let units = [
            ("duration.days", 86_400),
            ("duration.hours", 3600),
            ("duration.minutes", 60),
        ];
        let (key, unit) = units
            .into_iter()
            .find(|(_, unit)| seconds.abs() >= *unit)
            .unwrap_or(("duration.seconds", 1));
        self.count(key, seconds / unit)
    }

    /// An instant as an element that machines can read too.
    pub(in crate::http) fn moment(self, at: impl Borrow<UnixTime>) -> Moment {
        Moment {
            t: self,
            at: *at.borrow(),
        }
    }
}

const fn english_month(month: u8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    MONTHS[(month as usize + 11) % 12]
}

/// An instant: `<time datetime="…">`.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Moment {
    t: Texts,
    at: UnixTime,
}

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = iso(self.at);
        let people = self.t.date_time(self.at);
        write!(
            f,
            r#"<time datetime="{machine}" class="nowrap">{people}</time>"#
        )
    }
}

// It is made of digits and fixed words.
impl askama::filters::HtmlSafe for Moment {}

/// RFC 3339 in UTC.
pub(in crate::http) fn iso(at: UnixTime) -> String {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()
        .and_then(|at| {
            at.format(&time::format_description::well_known::Rfc3339)
                .ok()
        })
        .unwrap_or_else(|| at.0.to_string())
}

#[cfg(test)]
mod tests;
