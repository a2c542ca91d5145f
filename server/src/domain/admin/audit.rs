//! What administrators do, as it is kept: a row that can be read and searched, and an entry in the
//! transparency log that commits to it, so that a row cannot be changed or removed unseen.

use blindprint_core::{Digest, UnixTime};
use blindprint_log::Kind;
use serde_json::{Value, json};

use super::{Admin, AdministratorId, Role, SignedIn};
use crate::{
    Result,
    domain::ledger::{Draft, Stamp},
    store::Store,
};

const DETAILS: &str = "blindprint/admin-act/v1";

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ActKind {
            $($(#[$doc])* $name,)*
        }

        impl ActKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name where it is kept; the text `act.<name>` says it for people.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

acts! {
    /// Somebody signed in, or tried to with a known passkey.
    SignIn = "sign_in";
    /// Somebody signed out.
    SignOut = "sign_out";
    /// Somebody proved again that it is they.
    ProveAgain = "prove_again";
    /// A link for a new administrator was made.
    MakeLink = "make_link";
    /// Such a link was taken back.
    RevokeLink = "revoke_link";
    /// Somebody became an administrator by a link.
    Join = "join";
    /// An administrator was given another role.
    ChangeRole = "change_role";
    /// An administrator was removed.
    RemoveAdministrator = "remove_administrator";
    /// A passkey was added.
    AddPasskey = "add_passkey";
    /// A passkey was given another name.
    RenamePasskey = "rename_passkey";
    /// A passkey was removed.
    RemovePasskey = "remove_passkey";
    /// A session was ended.
    EndSession = "end_session";
    /// A list was taken out as a file.
    Export = "export";
    /// A subject's request was opened on their behalf.
    OpenRequest = "open_request";
    /// A subject's request was decided.
    DecideRequest = "decide_request";
    /// The time for a subject's request was extended.
    ExtendRequest = "extend_request";
    /// A relying party was added.
    AddRelyingParty = "add_relying_party";
    /// A relying party was changed.
    ChangeRelyingParty = "change_relying_party";
    /// A relying party was removed.
    RemoveRelyingParty = "remove_relying_party";
    /// The status of a credential was changed.
    ChangeCredential = "change_credential";
    /// A job was started or tried again.
    RunJob = "run_job";
    /// Something was asked for that the role does not allow.
    Overstep = "overstep";
}

impl ActKind {
    /// The act of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActOutcome {
    /// It was done.
    Done,
    /// It was not; nothing was changed.
    Refused,
}

impl ActOutcome {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Done, Self::Refused];

    /// Its name where it is kept; the text `outcome.<name>` says it for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The administrator; `None` for the machine's own command line.
    pub id: Option<AdministratorId>,
    /// Their name at that time.
    pub name: String,
    /// Their role at that time.
    pub role: Option<Role>,
}

impl Actor {
    /// Whoever has a shell on the machine.
    pub fn machine() -> Self {
        Self {
            id: None,
            name: "command line".to_owned(),
            role: None,
        }
    }
}

impl From<&SignedIn> for Actor {
    fn from(who: &SignedIn) -> Self {
        Self {
            id: Some(who.administrator.id),
            name: who.administrator.name.to_string(),
            role: Some(who.administrator.role),
        }
    }
}

/// An act on its way into the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub by: Actor,
    /// What.
    pub kind: ActKind,
    /// On what: an identifier. Not a subject's: the trail outlives subjects.
    pub target: String,
    /// What came of it.
    pub outcome: ActOutcome,
    /// More, as JSON. Nothing of a subject's.
    pub details: Value,
}

impl Act {
    /// An act that was done.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "whatever has a name, lent or given"
    )]
    pub fn done(by: impl Into<Actor>, kind: ActKind, target: impl ToString) -> Self {
        Self {
            by: by.into(),
            kind,
            target: target.to_string(),
            outcome: ActOutcome::Done,
            details: json!({}),
        }
    }

    /// The same with details.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The same, but it was refused.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.outcome = ActOutcome::Refused;
        self
    }

    /// What the log commits to besides who, what and when.
    pub fn digest(&self) -> Digest {
        Digest::of(DETAILS, self.details.to_string().as_bytes())
    }

    /// Its entry in the transparency log. Administrators are named by their ids alone.
    pub fn draft(&self, at: UnixTime) -> Draft {
        let event = json!({
            "act": self.kind.as_str(),
            "administrator": self.by.id.map(|id| id.to_string()),
            "role": self.by.role.map(Role::as_str),
            "target": self.target,
            "outcome": self.outcome.as_str(),
            "details": self.digest().to_string(),
            "at": at.0,
        });
        Draft::own(Kind::AdminAct, event.to_string())
    }
}

/// An act as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRecord {
    /// Its number in the trail.
    pub sequence: i64,
    /// When.
    pub at: UnixTime,
    /// Who did what.
    pub act: Act,
    /// The digest of its details.
    pub digest: Digest,
    /// Its entry's position in the transparency log.
    pub entry: u64,
}

/// Which acts somebody wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActQuery {
    /// Whose.
    pub by: Option<AdministratorId>,
    /// Of which kind.
    pub kind: Option<ActKind>,
    /// With which outcome.
    pub outcome: Option<ActOutcome>,
    /// Words in name, target or details.
    pub words: Option<String>,
    /// From this instant on.
    pub from: Option<UnixTime>,
    /// Before this instant.
    pub until: Option<UnixTime>,
    /// Oldest first.
    pub oldest_first: bool,
    /// How many to leave out.
    pub skip: u64,
    /// How many at most.
    pub most: u32,
}

/// Records an act that is a transaction of its own, because what it did is no change of the memory.
pub async fn record(store: &dyn Store, act: &Act, stamp: Stamp<'_>) -> Result<()> {
    store.record_act(act, stamp).await
}

impl Admin {
    /// Records an act that is a transaction of its own.
    pub async fn record(&self, act: &Act) -> Result<()> {
        record(&*self.store, act, self.stamp()).await
    }

    /// Acts that fit a query, and how many there are in all.
    pub async fn acts(&self, query: &ActQuery) -> Result<(Vec<ActRecord>, u64)> {
        self.store.acts(query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_read_as_they_are_written() {
        for kind in ActKind::ALL {
            assert_eq!(ActKind::named(kind.as_str()), Some(*kind));
        }
        for outcome in ActOutcome::ALL {
            assert_eq!(ActOutcome::named(outcome.as_str()), Some(outcome));
        }
    }

    #[test]
    fn the_log_commits_to_the_details_and_names_nobody() {
        let act =
            Act::done(Actor::machine(), ActKind::MakeLink, "x").with(json!({ "name": "Ada" }));
        let other = act.clone().with(json!({ "name": "Eve" }));
        assert_ne!(act.digest(), other.digest());
        let draft = act.draft(UnixTime(1));
        let event = draft.event().unwrap();
        assert!(!event.contains("Ada") && !event.contains("command line"));
        assert!(event.contains(&act.digest().to_string()), "{event}");
    }
}
