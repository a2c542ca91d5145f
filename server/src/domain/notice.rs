use blindprint_core::{Digest, label, statement::Purpose, wire::NoticeSummary};

/// Every version of every notice that was ever in force: consents name them by digest, so none is
/// ever edited or removed. `superseded: true` takes one out of force.
const FILES: &[&str] = &[
    include_str!("../../notices/authentication-1.en.md"),
    include_str!("../../notices/authentication-1.de.md"),
];

/// What people are told before they consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Name, version, language, purpose and digest.
    pub summary: NoticeSummary,
    /// Markdown.
    pub text: &'static str,
    /// Whether new consents may name it.
    pub in_force: bool,
}

/// All notices.
#[derive(Debug, Clone)]
pub struct Notices(Vec<Notice>);

impl Notices {
    /// Those that this program carries.
    ///
    /// # Panics
    /// If one of them has no valid front matter, which a test excludes.
    pub fn embedded() -> Self {
        let parse = |file| parse(file).expect("embedded notices have valid front matter");
        Self(FILES.iter().map(|file| parse(file)).collect())
    }

    /// Those that new consents may name.
    pub fn in_force(&self) -> impl Iterator<Item = &Notice> {
        self.0.iter().filter(|notice| notice.in_force)
    }

    /// The notice in force with this digest.
    pub fn find(&self, digest: Digest) -> Option<&Notice> {
        self.in_force()
            .find(|notice| notice.summary.digest == digest)
    }

    /// The notice with this digest, in force or not.
    pub fn text(&self, digest: Digest) -> Option<&Notice> {
        self.0.iter().find(|notice| notice.summary.digest == digest)
    }
}

/// `---`, lines of `key: value`, `---`, and the text, which begins with a heading.
fn parse(file: &'static str) -> Option<Notice> {
    let (front, text) = file.strip_prefix("---\n")?.split_once("\n---\n")?;
    let text = text.trim_start();
    let field = |name: &str| {
        front
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let purpose = match field("purpose")? {
        "authentication" => Purpose::Authentication,
        "uniqueness" => Purpose::Uniqueness,
        _ => return None,
    };
    let summary = NoticeSummary {
        digest: Digest::of(label::NOTICE, text.as_bytes()),
        name: field("name")?.to_owned(),
        version: field("version")?.to_owned(),
        language: field("language")?.to_owned(),
        purpose,
        title: text.lines().next()?.strip_prefix("# ")?.to_owned(),
    };
    Some(Notice {
        summary,
        text,
        in_force: field("superseded") != Some("true"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_on_offer_is_explained_in_both_languages() {
        let notices = Notices::embedded();
        let languages: Vec<_> = notices
            .in_force()
            .filter(|notice| notice.summary.purpose == Purpose::Authentication)
            .map(|notice| notice.summary.language.as_str())
            .collect();
        assert_eq!(languages, ["en", "de"]);
    }

    #[test]
    fn published_notices_never_change() {
        let digests: Vec<String> = Notices::embedded()
            .0
            .iter()
            .map(|notice| notice.summary.digest.to_string())
            .collect();
        assert_eq!(
            digests,
            [
                "CFsBY35jZRrYwvLnG5m8kEf0pEyv6Sx9UidQrS5T8QM",
                "cPzRGViCjh_9DdyVYxtbNSvTlT7xAiZaAOq-Qs_aT8c"
            ],
            "an edited notice is a new version in a new file"
        );
    }

    #[test]
    fn front_matter_is_required() {
        assert!(parse("# Title\n").is_none());
        assert!(parse("---\nname: a\n---\n# T\n").is_none());
    }
}
