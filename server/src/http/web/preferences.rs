//! How somebody wants pages to look: language and theme, in two cookies that say nothing else.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Form,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};
use cookie::{Cookie, SameSite, time::Duration};
use serde::Deserialize;

use super::{Language, see_other};
use crate::http::App;

const LANGUAGE: &str = "blindprint-language";
const THEME: &str = "blindprint-theme";
const KEPT: Duration = Duration::days(365);

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::http) enum Theme {
    /// As the reader's system is set.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub(in crate::http) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name in cookie, form and page.
    pub(in crate::http) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The key of its name for people.
    pub(in crate::http) const fn key(self) -> &'static str {
        match self {
            Self::System => "theme.system",
            Self::Light => "theme.light",
            Self::Dark => "theme.dark",
        }
    }

    /// Its icon.
    pub(in crate::http) const fn icon(self) -> &'static str {
        match self {
            Self::System => "auto",
            Self::Light => "sun",
            Self::Dark => "moon",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

/// Language and theme of a request: by cookie, else by `Accept-Language`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::http) struct Preferences {
    /// What pages are written in.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
}

impl Preferences {
    /// What these headers ask for.
    pub(in crate::http) fn of(headers: &HeaderMap) -> Self {
        let language = cookie(headers, LANGUAGE).and_then(|name| Language::named(&name));
        let theme = cookie(headers, THEME).and_then(|name| Theme::named(&name));
        Self {
            language: language.unwrap_or_else(|| Language::accepted(headers)),
            theme: theme.unwrap_or_default(),
        }
    }
}

impl FromRequestParts<Arc<App>> for Preferences {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A cookie's value.
pub(in crate::http) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    language: Option<String>,
    theme: Option<String>,
    back: String,
}

/// Remembers a preference and goes back. It changes nothing but the browser's own cookies.
pub(super) async fn handler(Form(wanted): Form<Wanted>) -> Response {
    let language = wanted.language.as_deref().and_then(Language::named);
    let theme = wanted.theme.as_deref().and_then(Theme::named);
    let mut response = see_other(own_path(&wanted.back));
    let chosen = [
        language.map(|language| (LANGUAGE, language.code())),
        theme.map(|theme| (THEME, theme.as_str())),
    ];
    for (name, value) in chosen.into_iter().flatten() {
        let cookie = Cookie::build((name, value))
            .path("/")
            .max_age(KEPT)
            .same_site(SameSite::Lax)
            .http_only(true);
        if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// A path of this origin, whatever was sent: `//host` and `/\host` are others.
pub(in crate::http) fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if own { path } else { "/admin" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_back_to_pages_of_this_origin_only() {
        assert_eq!(own_path("/admin/audit?page=2"), "/admin/audit?page=2");
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nb",
        ] {
            assert_eq!(own_path(elsewhere), "/admin", "{elsewhere}");
        }
    }

    #[test]
    fn a_cookie_wins_over_what_the_browser_accepts() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_static("fr-CH, de;q=0.9"),
        );
        assert_eq!(Preferences::of(&headers).language, Language::French);
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("a=b; blindprint-language=es; blindprint-theme=dark"),
        );
        let chosen = Preferences::of(&headers);
        assert_eq!(
            (chosen.language, chosen.theme),
            (Language::Spanish, Theme::Dark)
        );
    }
}
