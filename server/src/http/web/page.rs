//! What stands around every page: language, theme, navigation, who is signed in, what was just done.

use axum::http::{HeaderMap, Uri};

use super::{Language, Preferences, Texts, Theme, Tone};
use crate::domain::admin::{Permission, Role};

/// What was just done, said once.
#[derive(Debug, Clone)]
pub(in crate::http) struct Toast {
    /// Its colour.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

/// The administrator whom a page is for.
#[derive(Debug, Clone)]
pub(in crate::http) struct Seated {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The token that their forms carry.
    pub csrf: String,
}

/// What stands around a page. Templates hold it as `page`.
#[derive(Debug, Clone)]
pub(in crate::http) struct Page {
    /// The words.
    pub t: Texts,
    /// Light or dark.
    pub theme: Theme,
    /// The address that changing language or theme comes back to.
    pub back: String,
    /// The entry of the navigation that this page belongs to.
    pub section: &'static str,
    /// The administrator who is signed in.
    pub seated: Option<Seated>,
    /// The token of forms, where a subject is signed in on their own page.
    pub own: Option<String>,
    /// What was just done.
    pub toast: Option<Toast>,
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct NavigationEntry {
    /// Its name: the text `nav.<section>` and the icon.
    pub section: &'static str,
    /// Where it leads.
    pub path: &'static str,
    /// Who sees it.
    pub permission: Permission,
    /// The heading that it stands under: the text `nav.group.<group>`.
    pub group: &'static str,
}

const fn entry(
    group: &'static str,
    section: &'static str,
    path: &'static str,
    permission: Permission,
) -> NavigationEntry {
    NavigationEntry {
        section,
        path,
        permission,
        group,
    }
}

/// The navigation, in order. A page whose path is here declares the same permission: a test compares.
pub(in crate::http) const NAVIGATION: &[NavigationEntry] = &[
    entry("people", "overview", "/admin", Permission::SeeOverview),
    entry(
        "people",
        "subjects",
        "/admin/subjects",
        Permission::SeeSubjects,
    ),
    entry(
        "people",
        "consents",
        "/admin/consents",
        Permission::SeeConsents,
    ),
    entry(
        "people",
        "requests",
        "/admin/rights-requests",
        Permission::SeeRequests,
    ),
    entry(
        "people",
        "notices",
        "/admin/notices",
        Permission::SeeNotices,
    ),
    entry(
        "exchange",
        "parties",
        "/admin/relying-parties",
        Permission::SeeRelyingParties,
    ),
    entry(
        "exchange",
        "credentials",
        "/admin/credentials",
        Permission::SeeCredentials,
    ),
    entry("evidence", "log", "/admin/log", Permission::SeeLog),
    entry("evidence", "audit", "/admin/audit", Permission::SeeAudit),
    entry("operation", "jobs", "/admin/jobs", Permission::SeeJobs),
    entry(
        "operation",
        "configuration",
        "/admin/configuration",
        Permission::SeeConfiguration,
    ),
    entry(
        "operation",
        "invitations",
        "/admin/invitations",
        Permission::SeeAccess,
    ),
    entry(
        "operation",
        "clients",
        "/admin/clients",
        Permission::SeeAccess,
    ),
    entry(
        "operation",
        "administrators",
        "/admin/administrators",
        Permission::SeeAdministrators,
    ),
];

const GROUPS: [&str; 4] = ["people", "exchange", "evidence", "operation"];

impl Page {
    /// A page for whoever asks.
    pub(in crate::http) fn new(headers: &HeaderMap, uri: &Uri) -> Self {
        let Preferences { language, theme } = Preferences::of(headers);
        let t = Texts(language);
        let back = uri
            .path_and_query()
            .map_or_else(|| "/".to_owned(), |target| target.as_str().to_owned());
        let toast = uri.query().and_then(|query| done(t, query));
        Self {
            t,
            theme,
            back,
            section: "",
            seated: None,
            own: None,
            toast,
        }
    }

    /// The same within a section of the navigation.
    pub(in crate::http) const fn at(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    /// The same for an administrator.
    pub(in crate::http) fn seat(mut self, seated: Seated) -> Self {
        self.seated = Some(seated);
        self
    }

    /// The same for a subject, whose forms carry this token.
    pub(in crate::http) fn own(mut self, csrf: String) -> Self {
        self.own = Some(csrf);
        self
    }

    /// Whether the reader may do this: what they may not is not offered.
    pub(in crate::http) fn may(&self, permission: Permission) -> bool {
        self.seated
            .as_ref()
            .is_some_and(|seated| seated.role.may(permission))
    }

    /// The token that forms carry; empty if nobody is signed in.
    pub(in crate::http) fn csrf(&self) -> &str {
        let seated = self.seated.as_ref().map(|seated| seated.csrf.as_str());
        seated.or(self.own.as_deref()).unwrap_or_default()
    }

    /// The navigation's headings with the entries that the reader may follow.
    pub(in crate::http) fn navigation(&self) -> Vec<(&'static str, Vec<&'static NavigationEntry>)> {
        let entries = |group: &'static str| {
            let entries = NAVIGATION.iter();
            entries
                .filter(|entry| entry.group == group && self.may(entry.permission))
                .collect::<Vec<_>>()
        };
        let groups = GROUPS.into_iter().map(|group| (group, entries(group)));
        groups.filter(|(_, entries)| !entries.is_empty()).collect()
    }

    /// The text of a key that is put together: `nav.group.people`, `nav.subjects`.
    pub(in crate::http) fn named(&self, family: &str, name: &str) -> String {
        self.t.text(&format!("{family}.{name}")).to_owned()
    }

    #[expect(clippy::unused_self, reason = "templates call it")]
    pub(in crate::http) const fn languages(&self) -> [Language; 4] {
        Language::ALL
    }

    #[expect(clippy::unused_self, reason = "templates call it")]
    pub(in crate::http) const fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }
}

/// What `done=<name>` in an address says: the text `done.<name>`, if there is one.
fn done(t: Texts, query: &str) -> Option<Toast> {
    let (_, name) =
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?;
    let key = format!("done.{name}");
    let text = t.text(&key);
    (text != key).then(|| Toast {
        tone: Tone::Good,
        text: text.to_owned(),
    })
}
