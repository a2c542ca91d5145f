//! The page for people: no script, nothing loaded from anywhere, fit for paper.

use std::{collections::BTreeMap, io, sync::LazyLock};

use askama::Template;
use blindprint_consent::Language;
use blindprint_core::UnixTime;
use time::{OffsetDateTime, macros::format_description};

use super::{Content, content::Export};

/// Words by their keys.
type Words = BTreeMap<String, String>;

static CATALOGUES: LazyLock<[Words; 4]> = LazyLock::new(|| {
    let read = |text| toml::from_str(text).expect("catalogues are TOML, as a test sees to");
    [
        read(include_str!("texts/en.toml")),
        read(include_str!("texts/de.toml")),
        read(include_str!("texts/fr.toml")),
        read(include_str!("texts/es.toml")),
    ]
});

#[derive(Template)]
#[template(path = "export.html")]
struct Page<'a> {
    language: &'static str,
    words: &'static Words,
    export: &'a Export,
    restricted: bool,
}

impl Page<'_> {
    /// The words under a key. A key that a catalogue lacks would show as itself; a test finds it.
    fn t<'k>(&self, key: &'k str) -> &'k str
    where
        'static: 'k,
    {
        self.words.get(key).map_or(key, String::as_str)
    }

    fn word(&self, prefix: &str, name: &str) -> String {
        let key = format!("{prefix}_{}", name.replace('-', "_"));
        self.t(&key).to_owned()
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        clippy::unused_self,
        reason = "templates call methods, and pass references"
    )]
    fn when(&self, time: &UnixTime) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
        let text = OffsetDateTime::from_unix_timestamp(time.0).map(|time| time.format(format));
        match text {
            Ok(Ok(text)) => format!("{text} UTC"),
            _ => time.0.to_string(),
        }
    }

    #[expect(clippy::ref_option, reason = "templates pass references")]
    fn when_option(&self, time: &Option<UnixTime>) -> String {
        time.as_ref()
            .map_or_else(|| "–".to_owned(), |time| self.when(time))
    }
}

/// The page as HTML.
pub(super) fn render(content: &Content, language: Language) -> io::Result<String> {
    let page = Page {
        language: language.tag(),
        words: words(language),
        export: &content.export,
        restricted: content.restricted,
    };
    page.render().map_err(io::Error::other)
}

/// What lies in the archive, in a few lines.
pub(super) fn readme(language: Language) -> String {
    words(language).get("readme").cloned().unwrap_or_default()
}

fn words(language: Language) -> &'static Words {
    let at = match language {
        Language::En => 0,
        Language::De => 1,
        Language::Fr => 2,
        Language::Es => 3,
    };
    &CATALOGUES[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_words() {
        let keys = |language| words(language).keys().collect::<Vec<_>>();
        for language in Language::ALL {
            assert_eq!(keys(language), keys(Language::En), "{language}");
            assert!(words(language).values().all(|text| !text.trim().is_empty()));
        }
    }

    #[test]
    fn every_word_of_the_page_is_in_the_catalogues() {
        let page = include_str!("../../../templates/export.html");
        for part in page.split("t(\"").skip(1) {
            let key = part.split('"').next().unwrap();
            assert!(words(Language::En).contains_key(key), "{key}");
        }
        let rights =
            blindprint_core::statement::Right::ALL.map(|right| format!("right_{}", right.as_str()));
        let states = blindprint_core::wire::RightsState::ALL
            .map(|state| format!("state_{}", state.as_str()));
        let purposes = blindprint_core::statement::Purpose::ALL
            .map(|purpose| format!("purpose_{}", purpose.as_str()));
        for key in rights.iter().chain(&states).chain(&purposes) {
            assert!(words(Language::En).contains_key(key), "{key}");
        }
    }
}
