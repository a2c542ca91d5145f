//! `[admin]`.

use serde::{Deserialize, Serialize};

use crate::domain::admin::SessionTerms;

/// `[admin]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminSection {
    /// Minutes without a request after which an administrator's session ends.
    pub idle_minutes: u32,
    /// Hours after which it ends in any case.
    pub session_hours: u32,
}

impl Default for AdminSection {
    fn default() -> Self {
        Self {
            idle_minutes: 30,
            session_hours: 12,
        }
    }
}

impl AdminSection {
    /// What no type can tell is wrong, if something is.
    pub(super) fn refused(&self) -> Option<&'static str> {
        if !(1..=24 * 60).contains(&self.idle_minutes) {
            return Some("admin.idle_minutes must be 1 to 1440");
        }
        if !(1..=7 * 24).contains(&self.session_hours) {
            return Some("admin.session_hours must be 1 to 168");
        }
        None
    }

    /// The same for the rules.
    pub fn terms(&self) -> SessionTerms {
        SessionTerms {
            idle: i64::from(self.idle_minutes) * 60,
            longest: i64::from(self.session_hours) * 3600,
        }
    }
}
