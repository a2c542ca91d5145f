use std::{fmt, str::FromStr};

use crate::Error;

/// The languages that every notice is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::Es];

    /// BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// The language of a tag with or without region, or of a POSIX locale: `de`, `de-AT`,
    /// `de_AT.UTF-8`.
    pub fn of_locale(locale: &str) -> Option<Self> {
        let primary = locale.split(['-', '_', '.', '@']).next()?;
        primary.to_ascii_lowercase().parse().ok()
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(tag: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|language| language.tag() == tag)
            .ok_or(Error::Language)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn locales_name_languages() {
        for (locale, language) in [
            ("de", Some(Language::De)),
            ("de-AT", Some(Language::De)),
            ("fr_CA.UTF-8", Some(Language::Fr)),
            ("ES@euro", Some(Language::Es)),
            ("C", None),
            ("", None),
            ("pt_BR", None),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }
}
