//! All notices that a service knows.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use blindprint_core::{UnixTime, statement::Purpose};

use crate::{Error, Language, Result, Source, notice::LARGEST};

/// Most files in a folder.
const MOST_FILES: usize = 512;

macro_rules! embedded {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../notices/", $file)))),*]
    };
}

/// Every version of every notice that came with a release: consents name them by digest, so none is ever
/// edited or removed.
const EMBEDDED: &[(&str, &str)] = embedded![
    "authentication-1.en.md",
    "authentication-1.de.md",
    "authentication-1.fr.md",
    "authentication-1.es.md",
    "sharing-1.en.md",
    "sharing-1.de.md",
    "sharing-1.fr.md",
    "sharing-1.es.md",
    "uniqueness-1.en.md",
    "uniqueness-1.de.md",
    "uniqueness-1.fr.md",
    "uniqueness-1.es.md",
];

/// Notices that fit together: every version in every language, in an unbroken line of versions.
#[derive(Debug, Clone)]
pub struct Library(Vec<Source>);

impl Library {
    /// Those that this program carries.
    ///
    /// # Panics
    /// If they do not fit together, which a test excludes.
    pub fn embedded() -> Self {
        Self::of(parsed(EMBEDDED).expect("embedded notices are well-formed"))
            .expect("embedded notices fit together")
    }

    /// Those that this program carries and those in `folder`, files `*.md`. A file there may repeat an
    /// embedded one, word for word, and take its place with a higher version.
    pub fn with_folder(folder: &Path) -> Result<Self> {
        let mut sources = Self::embedded().0;
        for source in read(folder)? {
            match sources.iter().find(|known| known.name() == source.name()) {
                Some(known) if known.digest() == source.digest() => {}
                Some(known) => {
                    return Err(Error::Notice {
                        file: known.name(),
                        reason: "is published already with another text: give yours a higher \
                                 version"
                            .to_owned(),
                    });
                }
                None => sources.push(source),
            }
        }
        Self::of(sources)
    }

    /// Those that fit together.
    pub fn of(sources: Vec<Source>) -> Result<Self> {
        let mut versions: BTreeMap<(&str, u32), Vec<&Source>> = BTreeMap::new();
        for source in &sources {
            let version = (source.id(), source.version());
            versions.entry(version).or_default().push(source);
        }
        for ((id, _), languages) in &versions {
            let Some(first) = languages.first() else {
                continue;
            };
            let refuse = |reason: String| Error::Notice {
                file: first.name(),
                reason,
            };
            for language in Language::ALL {
                let found = languages
                    .iter()
                    .filter(|it| it.language() == language)
                    .count();
                if found != 1 {
                    return Err(refuse(format!(
                        "exists once in each of en, de, fr and es, but {found} times in {language}"
                    )));
                }
            }
            if let Some(other) = languages.iter().find(|other| !other.agrees(first)) {
                return Err(refuse(format!(
                    "differs from {} in its front matter by more than the language",
                    other.name()
                )));
            }
            let Some(superseded) = first.supersedes() else {
                if first.version() > 1 {
                    return Err(refuse("says which version it supersedes".to_owned()));
                }
                continue;
            };
            let earlier = versions
                .get(&(*id, superseded))
                .and_then(|them| them.first());
            let fits = earlier.is_some_and(|it| {
                it.purpose() == first.purpose() && it.published() < first.published()
            });
            if !fits {
                return Err(refuse(format!(
                    "supersedes version {superseded}, which is not there, or not about the same, or \
                     not published earlier"
                )));
            }
        }
        Ok(Self(sources))
    }

    /// Every notice.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// Those published at `now`, which may not change any more.
    pub fn published(&self, now: UnixTime) -> impl Iterator<Item = &Source> {
        self.iter().filter(move |source| source.published() <= now)
    }

    /// Those that new consents may name at `now`: of each notice the newest version, in every language.
    pub fn in_force(&self, now: UnixTime) -> impl Iterator<Item = &Source> {
        self.published(now).filter(move |source| {
            !self
                .published(now)
                .any(|later| later.id() == source.id() && later.version() > source.version())
        })
    }

    /// One text.
    pub fn find(&self, id: &str, version: u32, language: &str) -> Option<&Source> {
        self.iter().find(|source| {
            source.id() == id && source.version() == version && source.language().tag() == language
        })
    }

    /// Since when a consent under this version no longer informs, if it does not at `now`: the
    /// publication of the first later version that is materially different.
    pub fn outdated(&self, id: &str, version: u32, now: UnixTime) -> Option<UnixTime> {
        self.published(now)
            .filter(|later| later.id() == id && later.version() > version && later.material())
            .map(Source::published)
            .min()
    }

    /// Whether anything is offered for this purpose at `now`.
    pub fn offers(&self, purpose: Purpose, now: UnixTime) -> bool {
        self.in_force(now)
            .any(|source| source.purpose() == purpose && source.offered())
    }
}

fn parsed(files: &[(&str, &str)]) -> Result<Vec<Source>> {
    files
        .iter()
        .map(|(name, contents)| Source::parse(name, contents))
        .collect()
}

fn read(folder: &Path) -> Result<Vec<Source>> {
    let failed = |source| Error::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let file = path.display().to_string();
        let refuse = |reason: &str| Error::Notice {
            file: file.clone(),
            reason: reason.to_owned(),
        };
        if sources.len() == MOST_FILES {
            return Err(refuse("is one file too many: a folder holds at most 512"));
        }
        let opened = fs::File::open(&path).map_err(failed)?;
        let mut contents = String::new();
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
        opened
            .take(limit)
            .read_to_string(&mut contents)
            .map_err(|_| refuse("is not text in UTF-8, or cannot be read"))?;
        sources.push(Source::parse(&file, &contents)?);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests;
