use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::*;

fn catalogue(language: Language) -> BTreeMap<String, String> {
    read(language).into_iter().collect()
}

#[test]
fn all_languages_have_the_same_keys_with_the_same_placeholders() {
    let english = catalogue(Language::English);
    for language in Language::ALL {
        let other = catalogue(language);
        let missing: Vec<_> = english
            .keys()
            .filter(|key| !other.contains_key(*key))
            .collect();
        let surplus: Vec<_> = other
            .keys()
            .filter(|key| !english.contains_key(*key))
            .collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{language:?} lacks {missing:?} and has besides {surplus:?}"
        );
        for (key, text) in &english {
            let theirs = &other[key];
            assert!(!theirs.trim().is_empty(), "{language:?} {key} is empty");
            assert_eq!(
                text.matches("{}").count(),
                theirs.matches("{}").count(),
                "{language:?} {key}"
            );
        }
    }
}

#[test]
fn languages_differ() {
    let english = catalogue(Language::English);
    for language in [Language::German, Language::French, Language::Spanish] {
        let other = catalogue(language);
        let same = english.iter().filter(|(key, text)| other[*key] == **text);
        let same = same.count();
        assert!(
            same * 4 < english.len(),
            "{language:?}: {same} texts are English"
        );
    }
}

/// Every file below a folder.
fn walk(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, into);
        } else if let Ok(text) = fs::read_to_string(&path) {
            into.push((path.display().to_string(), text));
        }
    }
}

/// The literals that follow a call by this name.
fn literals<'a>(text: &'a str, call: &str) -> Vec<&'a str> {
    let parts = text.split(call).skip(1);
    parts
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect()
}

#[test]
fn every_key_that_is_named_exists_and_every_key_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("templates"), &mut files);
    walk(&root.join("src"), &mut files);
    let english = catalogue(Language::English);
    let mut named = BTreeSet::new();
    for (file, text) in &files {
        if file.ends_with("texts/tests.rs") || Path::new(file).extension() == Some("md".as_ref()) {
            continue;
        }
        for call in [".text(", ".fill(", ".fill2("] {
            for key in literals(text, call) {
                assert!(english.contains_key(key), "{file} names {key}");
                named.insert(key.to_owned());
            }
        }
        for key in literals(text, ".count(") {
            for form in ["one", "other"] {
                let key = format!("{key}.{form}");
                assert!(english.contains_key(&key), "{file} names {key}");
                named.insert(key);
            }
        }
    }
    // Keys that are put together, or kept in tables, are looked for as literals of the source.
    let all: String = files.into_iter().map(|(_, text)| text).collect();
    let spelt =
        |start: &str| all.contains(&format!("\"{start}\"")) || all.contains(&format!("\"{start}."));
    for key in english.keys().filter(|key| !named.contains(*key)) {
        let mut starts = key.match_indices('.').map(|(end, _)| &key[..end]);
        assert!(
            all.contains(&format!("\"{key}\"")) || starts.any(spelt),
            "nothing names {key}"
        );
    }
}

#[test]
fn numbers_are_grouped_as_each_language_does() {
    let number = |language| Texts(language).number(1_234_567);
    assert_eq!(number(Language::English), "1,234,567");
    assert_eq!(number(Language::German), "1.234.567");
    assert_eq!(number(Language::French), "1\u{202f}234\u{202f}567");
    assert_eq!(number(Language::Spanish), "1\u{a0}234\u{a0}567");
    assert_eq!(Texts(Language::Spanish).number(1234), "1234");
    assert_eq!(Texts(Language::English).number(-1234), "−1,234");
    assert_eq!(Texts(Language::German).percent(0.9876), "98,8\u{a0}%");
    assert_eq!(Texts(Language::English).percent(0.9876), "98.8%");
}

#[test]
fn times_are_written_as_each_language_does() {
    let at = UnixTime(1_800_000_000);
    let written = |language| Texts(language).date_time(at);
    assert_eq!(written(Language::English), "15 Jan 2027, 08:00 UTC");
    assert_eq!(written(Language::German), "15.01.2027, 08:00 UTC");
    assert_eq!(written(Language::French), "15/01/2027, 08:00 UTC");
    assert_eq!(
        Texts(Language::English).moment(at).to_string(),
        r#"<time datetime="2027-01-15T08:00:00Z" class="nowrap">15 Jan 2027, 08:00 UTC</time>"#
    );
}

#[test]
fn the_preferred_language_wins() {
    let accepted = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
        Language::accepted(&headers)
    };
    assert_eq!(accepted("de-AT,en;q=0.5"), Language::German);
    assert_eq!(accepted("en;q=0.5, es;q=0.8"), Language::Spanish);
    assert_eq!(accepted("it, pt;q=0.8"), Language::English);
    assert_eq!(accepted("fr;q=nonsense, de;q=0.1"), Language::German);
}
