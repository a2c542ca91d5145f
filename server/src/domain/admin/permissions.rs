//! Who may do what: the one table. Nobody has what their task does not need.

use std::{fmt, str::FromStr};

/// What an administrator is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Keeps the service running: jobs, configuration, relying parties, administrators.
    Operator,
    /// Looks after the rights of the people who are enrolled.
    PrivacyOfficer,
    /// Reads everything, changes nothing.
    Auditor,
}

/// What can be done on the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// One's own passkeys, sessions and preferences.
    OwnAccount,
    /// Numbers about the whole service.
    SeeOverview,
    /// Subjects and what happened to each.
    SeeSubjects,
    /// Consents and their records.
    SeeConsents,
    /// Requests of subjects for their rights.
    SeeRequests,
    /// Opening such requests for subjects, and deciding them.
    DecideRequests,
    /// Notices.
    SeeNotices,
    /// Relying parties.
    SeeRelyingParties,
    /// Adding, changing and removing relying parties.
    ManageRelyingParties,
    /// Issued credentials and status lists.
    SeeCredentials,
    /// Revoking and suspending issued credentials.
    ChangeCredentials,
    /// The transparency log.
    SeeLog,
    /// Jobs and the reports of the reaper.
    SeeJobs,
    /// Starting and retrying jobs.
    RunJobs,
    /// The configuration in force, without secrets.
    SeeConfiguration,
    /// Invitations to enrol and machine clients, without their secrets.
    SeeAccess,
    /// Administrators and their invitations.
    SeeAdministrators,
    /// Inviting administrators, changing their roles, removing them.
    ManageAdministrators,
    /// What administrators did.
    SeeAudit,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::OwnAccount,
        Self::SeeOverview,
        Self::SeeSubjects,
        Self::SeeConsents,
        Self::SeeRequests,
        Self::DecideRequests,
        Self::SeeNotices,
        Self::SeeRelyingParties,
        Self::ManageRelyingParties,
        Self::SeeCredentials,
        Self::ChangeCredentials,
        Self::SeeLog,
        Self::SeeJobs,
        Self::RunJobs,
        Self::SeeConfiguration,
        Self::SeeAccess,
        Self::SeeAdministrators,
        Self::ManageAdministrators,
        Self::SeeAudit,
    ];
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operator, Self::PrivacyOfficer, Self::Auditor];

    /// Whether this role has a permission.
    pub const fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match permission {
            P::OwnAccount
            | P::SeeOverview
            | P::SeeNotices
            | P::SeeRelyingParties
            | P::SeeCredentials
            | P::SeeLog
            | P::SeeJobs => true,
            // Who is enrolled, and with what, is no matter of those who run the machine.
            P::SeeSubjects | P::SeeConsents | P::SeeRequests => {
                matches!(self, Self::PrivacyOfficer | Self::Auditor)
            }
            P::DecideRequests | P::ChangeCredentials => matches!(self, Self::PrivacyOfficer),
            P::SeeConfiguration | P::SeeAccess | P::SeeAdministrators => {
                matches!(self, Self::Operator | Self::Auditor)
            }
            P::ManageRelyingParties | P::RunJobs => {
                matches!(self, Self::Operator | Self::PrivacyOfficer)
            }
            P::ManageAdministrators => matches!(self, Self::Operator),
            P::SeeAudit => matches!(self, Self::PrivacyOfficer | Self::Auditor),
        }
    }

    /// Its name where it is kept and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::PrivacyOfficer => "privacy_officer",
            Self::Auditor => "auditor",
        }
    }

    /// The key of its name for people.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Operator => "role.operator",
            Self::PrivacyOfficer => "role.privacy_officer",
            Self::Auditor => "role.auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one of operator, privacy_officer, auditor")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let named = |role: &Self| role.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each role may do, written out: a change of the table is a change here too.
    #[test]
    fn each_role_may_do_what_its_task_needs() {
        let may = |role: Role| {
            let all = Permission::ALL.into_iter();
            all.filter(|permission| role.may(*permission))
                .map(|permission| format!("{permission:?}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            may(Role::Operator),
            "OwnAccount SeeOverview SeeNotices SeeRelyingParties ManageRelyingParties SeeCredentials SeeLog \
             SeeJobs RunJobs SeeConfiguration SeeAccess SeeAdministrators ManageAdministrators"
        );
        assert_eq!(
            may(Role::PrivacyOfficer),
            "OwnAccount SeeOverview SeeSubjects SeeConsents SeeRequests DecideRequests SeeNotices \
             SeeRelyingParties ManageRelyingParties SeeCredentials ChangeCredentials SeeLog SeeJobs RunJobs \
             SeeAudit"
        );
        assert_eq!(
            may(Role::Auditor),
            "OwnAccount SeeOverview SeeSubjects SeeConsents SeeRequests SeeNotices SeeRelyingParties \
             SeeCredentials SeeLog SeeJobs SeeConfiguration SeeAccess SeeAdministrators SeeAudit"
        );
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(UnknownRole));
    }
}
