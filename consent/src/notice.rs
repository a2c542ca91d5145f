//! Notices as they are authored, and as people are shown them.

use blindprint_core::{
    Digest, ServiceId, UnixTime, label,
    statement::Purpose,
    wire::{Controller, NoticeSummary, Recipient},
};
use time::{Date, macros::format_description};

use crate::{Error, Language, Result, controller};

/// Largest file, in bytes.
pub(crate) const LARGEST: usize = 64 << 10;
/// What is collected, why, how it is protected, risks and alternatives, retention, rights, how to
/// withdraw, who is responsible.
const SECTIONS: usize = 8;
/// Longest validity, in days: ten years.
const LONGEST_VALIDITY: u32 = 3653;
/// A file's digest, for whoever remembers which files were published.
const FILE_LABEL: &str = "blindprint/notice-file/v1";
const FRONT_MATTER: [&str; 10] = [
    "id",
    "version",
    "language",
    "purpose",
    "published",
    "material",
    "supersedes",
    "validity_days",
    "dpia",
    "offered",
];
/// What the text may leave open.
const PLACEHOLDERS: [&str; 5] = [
    "service",
    "controller_details",
    "validity_days",
    "recipient",
    "audience",
];

/// One version of one notice in one language, as its author wrote it: Markdown with front matter, which
/// may leave open who operates the service and with whom something is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    id: String,
    version: u32,
    language: Language,
    purpose: Purpose,
    published: UnixTime,
    material: bool,
    supersedes: Option<u32>,
    validity_days: u32,
    dpia: Option<String>,
    offered: bool,
    text: String,
    digest: Digest,
}

/// What a person reads before they decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is.
    pub summary: NoticeSummary,
    /// Markdown. Its digest is the summary's.
    pub text: String,
}

impl Source {
    /// Parses a file: `---`, lines of `key: value`, `---`, and the text, which begins with a heading
    /// and has eight sections.
    pub fn parse(file: &str, contents: &str) -> Result<Self> {
        let refuse = |reason: String| Error::Notice {
            file: file.to_owned(),
            reason,
        };
        if contents.len() > LARGEST {
            return Err(refuse("is larger than 64 KiB".to_owned()));
        }
        let front = Front::split(contents).map_err(|reason| refuse(reason.to_owned()))?;
        let source = front.read().map_err(refuse)?;
        source.check_text().map_err(refuse)?;
        Ok(source)
    }

    /// Stable name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Version, from 1.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The text's language.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// What it informs about.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// From when on it is in force, and may not change any more: a day's beginning in UTC.
    pub const fn published(&self) -> UnixTime {
        self.published
    }

    /// Whether consents under earlier versions must be given anew.
    pub const fn material(&self) -> bool {
        self.material
    }

    /// The version that it takes the place of.
    pub const fn supersedes(&self) -> Option<u32> {
        self.supersedes
    }

    /// Longest time of a consent, in days.
    pub const fn validity_days(&self) -> u32 {
        self.validity_days
    }

    /// Whether the service offers what it informs about.
    pub const fn offered(&self) -> bool {
        self.offered
    }

    /// Digest of the whole file.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Says `id-version.language`, as files are called.
    pub fn name(&self) -> String {
        format!("{}-{}.{}", self.id, self.version, self.language)
    }

    /// Whether every language's file of one version must say the same of this.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        self.purpose == other.purpose
            && self.published == other.published
            && self.material == other.material
            && self.supersedes == other.supersedes
            && self.validity_days == other.validity_days
            && self.dpia == other.dpia
            && self.offered == other.offered
    }

    /// The notice that people are shown: the same for the same service, controller and recipient,
    /// wherever it is made. There is a recipient exactly where the purpose is sharing.
    pub fn publish(
        &self,
        service: &ServiceId,
        controller: &Controller,
        recipient: Option<&Recipient>,
    ) -> Result<Notice> {
        let refuse = |reason: &str| Error::Notice {
            file: self.name(),
            reason: reason.to_owned(),
        };
        if recipient.is_some() != (self.purpose == Purpose::Sharing) {
            return Err(refuse(
                "is about sharing exactly where there is a recipient",
            ));
        }
        if recipient.is_some_and(|it| it.name.is_empty() || controller::has_control(&it.name)) {
            return Err(refuse("needs the recipient's name as one line"));
        }
        let dpia = match self.dpia.as_deref() {
            Some("controller") => controller.dpia.clone(),
            other => other.map(str::to_owned),
        };
        let text = fill(&self.text, |placeholder| match placeholder {
            "service" => service.to_string(),
            "controller_details" => controller::details(controller, dpia.as_deref(), self.language),
            "validity_days" => self.validity_days.to_string(),
            "recipient" => recipient.map(|it| plain(&it.name)).unwrap_or_default(),
            "audience" => recipient
                .map(|it| it.audience.as_str().replace('`', "%60"))
                .unwrap_or_default(),
            _ => String::new(),
        });
        let title = text.lines().next().unwrap_or_default();
        Ok(Notice {
            summary: NoticeSummary {
                digest: Digest::of(label::NOTICE, text.as_bytes()),
                name: self.id.clone(),
                version: self.version,
                language: self.language.tag().to_owned(),
                purpose: self.purpose,
                title: title.trim_start_matches("# ").to_owned(),
                published: self.published,
                material: self.material,
                supersedes: self.supersedes,
                validity_days: self.validity_days,
                dpia,
                offered: self.offered,
                recipient: recipient.cloned(),
            },
            text,
        })
    }

    fn check_text(&self) -> Result<(), String> {
        let title = self.text.lines().next().unwrap_or_default();
        if title.strip_prefix("# ").is_none_or(str::is_empty) {
            return Err("begins with a heading: # …".to_owned());
        }
        let sections: Vec<&str> = self.text.split("\n## ").skip(1).collect();
        let empty = |section: &str| {
            let body = section.split_once('\n').map_or("", |(_, body)| body);
            body.trim().is_empty()
        };
        if sections.len() != SECTIONS || sections.iter().copied().any(empty) {
            return Err(format!("has {SECTIONS} sections that say something: ## …"));
        }
        if !self.text.contains("{{controller_details}}") {
            return Err("says who is responsible: {{controller_details}}".to_owned());
        }
        let named = self.text.contains("{{recipient}}") && self.text.contains("{{audience}}");
        let sharing = self.purpose == Purpose::Sharing;
        let names = self.text.contains("{{recipient}}") || self.text.contains("{{audience}}");
        if sharing != named || sharing != names {
            return Err(
                "names {{recipient}} and {{audience}} exactly if it is about sharing".to_owned(),
            );
        }
        match placeholders(&self.text).find(|name| !PLACEHOLDERS.contains(name)) {
            Some(unknown) => Err(format!(
                "leaves open what nobody fills in: {{{{{unknown}}}}}"
            )),
            None => Ok(()),
        }
    }
}

/// Front matter and text, not yet understood.
struct Front<'a> {
    fields: Vec<(&'a str, &'a str)>,
    text: &'a str,
    whole: &'a str,
}

impl<'a> Front<'a> {
    fn split(whole: &'a str) -> Result<Self, &'static str> {
        let (front, text) = whole
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or("begins with front matter between two lines of ---")?;
        let fields = front
            .lines()
            .map(|line| {
                line.split_once(": ")
                    .ok_or("has front matter of lines `key: value`")
            })
            .collect::<Result<Vec<_>, _>>()?;
        let each_once = FRONT_MATTER
            .iter()
            .all(|key| fields.iter().filter(|(name, _)| name == key).count() == 1);
        if !each_once || fields.len() != FRONT_MATTER.len() {
            return Err(
                "has front matter with id, version, language, purpose, published, material, \
                 supersedes, validity_days, dpia and offered, each once, and nothing else",
            );
        }
        Ok(Self {
            fields,
            text: text.trim_start(),
            whole,
        })
    }

    fn field(&self, key: &str) -> &'a str {
        let found = self.fields.iter().find(|(name, _)| *name == key);
        found.map_or("", |(_, value)| value.trim())
    }

    fn read(&self) -> Result<Source, String> {
        let wrong = |key: &str, rule: &str| format!("has a wrong `{key}`: {rule}");
        let yes_or_no = |key: &str| match self.field(key) {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(wrong(key, "true or false")),
        };
        let number = |key: &str, most: u32| {
            let number = self.field(key).parse().ok();
            number
                .filter(|number| (1..=most).contains(number))
                .ok_or_else(|| wrong(key, &format!("1 to {most}")))
        };
        let id = self.field("id");
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || id.len() > 64 || !id.bytes().all(named) {
            return Err(wrong("id", "lower case letters, digits and hyphens"));
        }
        let purpose = Purpose::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == self.field("purpose"))
            .ok_or_else(|| wrong("purpose", "authentication, uniqueness or sharing"))?;
        let version = number("version", 9999)?;
        let supersedes = match self.field("supersedes") {
            "none" => None,
            _ => Some(number("supersedes", version - 1)?),
        };
        let dpia = match self.field("dpia") {
            "none" => None,
            other if controller::has_control(other) || other.is_empty() => {
                return Err(wrong("dpia", "none, controller, or where it is found"));
            }
            other => Some(other.to_owned()),
        };
        Ok(Source {
            id: id.to_owned(),
            version,
            language: self
                .field("language")
                .parse()
                .map_err(|_| wrong("language", "en, de, fr or es"))?,
            purpose,
            published: day(self.field("published"))
                .ok_or_else(|| wrong("published", "a day, YYYY-MM-DD"))?,
            material: yes_or_no("material")?,
            supersedes,
            validity_days: number("validity_days", LONGEST_VALIDITY)?,
            dpia,
            offered: yes_or_no("offered")?,
            text: self.text.to_owned(),
            digest: Digest::of(FILE_LABEL, self.whole.as_bytes()),
        })
    }
}

/// The beginning of a day in UTC.
fn day(text: &str) -> Option<UnixTime> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(UnixTime(date.midnight().assume_utc().unix_timestamp()))
}

/// Replaces each placeholder once: what is filled in is not looked at again.
fn fill(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len() + 512);
    let mut rest = text;
    while let Some((before, name, after)) = next_placeholder(rest) {
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, name, after) = next_placeholder(rest)?;
        rest = after;
        Some(name)
    })
}

fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// A name as text: Markdown in it is not to be understood as such.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for character in name.chars() {
        if "\\`*[]<>#".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests;
