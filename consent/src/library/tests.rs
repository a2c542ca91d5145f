use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// The four files of a version, published on a day of 2026.
fn version(id: &str, version: u32, day: &str, material: bool) -> Vec<Source> {
    let supersedes = match version {
        1 => "none".to_owned(),
        _ => (version - 1).to_string(),
    };
    Language::ALL
        .into_iter()
        .map(|language| {
            let file = format!(
                "---\nid: {id}\nversion: {version}\nlanguage: {language}\npurpose: authentication\n\
                 published: 2026-{day}\nmaterial: {material}\nsupersedes: {supersedes}\n\
                 validity_days: 30\ndpia: none\noffered: true\n---\n# T\n## 1\na\n## 2\na\n## 3\na\n\
                 ## 4\na\n## 5\na\n## 6\na\n## 7\na\n## 8\n{{{{controller_details}}}}\n"
            );
            Source::parse(id, &file).unwrap()
        })
        .collect()
}

fn names(sources: impl Iterator<Item = impl std::borrow::Borrow<Source>>) -> Vec<String> {
    sources.map(|source| source.borrow().name()).collect()
}

#[test]
fn every_purpose_is_explained_in_every_language() {
    let library = Library::embedded();
    for purpose in Purpose::ALL {
        let mut languages: Vec<Language> = library
            .in_force(NOW)
            .filter(|source| source.purpose() == purpose)
            .map(Source::language)
            .collect();
        languages.sort();
        assert_eq!(languages, Language::ALL);
    }
    assert!(library.offers(Purpose::Authentication, NOW));
    assert!(library.offers(Purpose::Sharing, NOW));
    assert!(!library.offers(Purpose::Uniqueness, NOW));
}

#[test]
fn published_notices_never_change() {
    let digests: Vec<String> = Library::embedded()
        .iter()
        .map(|source| format!("{} {}", source.name(), source.digest()))
        .collect();
    let known: Vec<&str> = include_str!("published.txt").lines().collect();
    assert_eq!(
        digests, known,
        "an edited notice is a new version in a new file; a new file is added to published.txt"
    );
}

#[test]
fn a_version_that_lacks_a_language_is_refused() {
    let mut sources = version("a", 1, "01-01", true);
    let complete = Library::of(sources.clone()).unwrap();
    assert_eq!(complete.iter().count(), 4);
    let last = sources.pop().unwrap();
    assert!(Library::of(sources.clone()).is_err());
    sources.extend([last.clone(), last]);
    assert!(Library::of(sources).is_err(), "twice in one language");
}

#[test]
fn languages_of_a_version_agree() {
    let mut sources = version("a", 1, "01-01", true);
    sources[2] = version("a", 1, "01-02", true).swap_remove(2);
    assert!(Library::of(sources).is_err());
}

#[test]
fn versions_follow_each_other() {
    let both = |later: Vec<Source>| {
        let mut sources = version("a", 1, "02-01", true);
        sources.extend(later);
        Library::of(sources)
    };
    both(version("a", 2, "03-01", true)).unwrap();
    assert!(
        both(version("a", 2, "01-01", true)).is_err(),
        "published before"
    );
    assert!(
        both(version("a", 3, "03-01", true)).is_err(),
        "version 2 is missing"
    );
    assert!(
        both(version("b", 2, "03-01", true)).is_err(),
        "another notice"
    );
}

#[test]
fn the_newest_published_version_is_in_force() {
    let mut sources = version("a", 1, "01-01", true);
    sources.extend(version("a", 2, "06-01", false));
    sources.extend(version("a", 3, "09-01", true));
    let library = Library::of(sources).unwrap();
    let at = |month: i64| UnixTime(1_767_225_600).plus(month * 30 * 86_400 + 86_400);
    assert!(names(library.in_force(at(-2))).is_empty());
    assert_eq!(names(library.in_force(at(2)))[0], "a-1.en");
    assert_eq!(library.outdated("a", 1, at(2)), None);
    assert_eq!(names(library.in_force(at(6)))[0], "a-2.en");
    assert_eq!(library.outdated("a", 1, at(6)), None, "not material");
    assert_eq!(
        names(library.in_force(at(10))),
        ["a-3.en", "a-3.de", "a-3.fr", "a-3.es"]
    );
    let third = library.find("a", 3, "fr").unwrap().published();
    assert_eq!(library.outdated("a", 1, at(10)), Some(third));
    assert_eq!(library.outdated("a", 2, at(10)), Some(third));
    assert_eq!(library.outdated("a", 3, at(10)), None);
}

#[test]
fn a_folder_adds_to_what_is_embedded_and_never_changes_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, contents: &str| {
        fs::write(folder.path().join(name), contents).unwrap();
    };
    write("README.txt", "not a notice");
    assert_eq!(
        Library::with_folder(folder.path()).unwrap().iter().count(),
        EMBEDDED.len()
    );
    for (name, contents) in EMBEDDED.iter().filter(|(name, _)| name.starts_with("auth")) {
        let second = contents
            .replace("version: 1", "version: 2")
            .replace("supersedes: none", "supersedes: 1")
            .replace("published: 2026-11-01", "published: 2026-12-01");
        write(&name.replace("-1", "-2"), &second);
        write(name, contents);
    }
    let library = Library::with_folder(folder.path()).unwrap();
    assert_eq!(library.iter().count(), EMBEDDED.len() + 4);
    assert_eq!(
        library.in_force(NOW).filter(|it| it.version() == 2).count(),
        4
    );

    let (name, contents) = EMBEDDED[0];
    write(name, &contents.replace("free to say no", "free to say yes"));
    let error = Library::with_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("higher version"), "{error}");
    fs::write(folder.path().join(name), [0xff, 0xfe]).unwrap();
    assert!(Library::with_folder(folder.path()).is_err());
    assert!(matches!(
        Library::with_folder(&folder.path().join("none")),
        Err(Error::Folder { .. })
    ));
}

/// Sentences of a text, as words. Headings, items of lists and colons end one too.
fn sentences(text: &str) -> Vec<Vec<String>> {
    let mut plain = String::new();
    let mut code = false;
    for character in text.chars() {
        match character {
            '`' => code = !code,
            _ if code => {}
            '*' | '#' => {}
            _ => plain.push(character),
        }
    }
    plain
        .replace("\n- ", ".\n")
        .replace("\n\n", ".\n")
        .replace('\n', " ")
        .split(['.', '!', '?', ':'])
        .map(|sentence| {
            sentence
                .split(|c: char| !c.is_alphabetic())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|words| !words.is_empty())
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a text has few words")]
fn ratio(many: usize, of: usize) -> f64 {
    many as f64 / of as f64
}

/// Björnsson's LIX: words a sentence, plus long words (over six letters) a hundred. Below 30 reads like a
/// children's book, below 40 like a story, and from 50 on like a newspaper. German, French and Spanish
/// words are longer than English ones.
#[test]
fn notices_are_easy_to_read() {
    let service = "https://id.example".parse().unwrap();
    let controller = crate::controller_of(&service);
    let shop = blindprint_core::wire::Recipient {
        audience: "https://shop.example".parse().unwrap(),
        name: "Shop".to_owned(),
    };
    for source in Library::embedded().iter() {
        let recipient = (source.purpose() == Purpose::Sharing).then_some(&shop);
        let notice = source.publish(&service, &controller, recipient).unwrap();
        let sentences = sentences(&notice.text);
        let words: usize = sentences.iter().map(Vec::len).sum();
        let long = sentences
            .iter()
            .flatten()
            .filter(|word| word.chars().count() > 6)
            .count();
        let longest = sentences.iter().map(Vec::len).max().unwrap_or_default();
        let mean = ratio(words, sentences.len());
        let lix = mean + 100.0 * ratio(long, words);
        let name = source.name();
        let most = match source.language() {
            Language::En => 25.0,
            Language::De | Language::Fr | Language::Es => 36.0,
        };
        assert!(mean <= 12.0, "{name}: {mean} words a sentence");
        assert!(longest <= 26, "{name}: a sentence of {longest} words");
        assert!(lix <= most, "{name}: {lix}");
        assert!((300..=900).contains(&words), "{name}: {words} words");
    }
}
