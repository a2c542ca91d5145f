use async_trait::async_trait;
use blindprint_core::{Digest, UnixTime};

use crate::{
    Result,
    domain::{
        admin::{
            Act, ActQuery, ActRecord, AdministratorId, AdministratorRecord, LinkId, LinkRecord,
            Name, PasskeyRecord, Removal, Role, SessionId, SessionRecord, SignedIn,
        },
        ledger::Stamp,
    },
};

/// Administrators, their passkeys and sessions, and what they did. A method that takes an [`Act`]
/// records it with its entry in the transparency log in the same transaction, and only if what it is
/// about was done.
#[async_trait]
pub trait AdminStore {
    /// All administrators, those who are removed last.
    async fn administrators(&self) -> Result<Vec<AdministratorRecord>>;

    /// Gives an administrator another role and ends their sessions. The last operator stays one.
    async fn change_role(
        &self,
        id: AdministratorId,
        role: Role,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<Removal>;

    /// Removes an administrator with their passkeys, sessions and waiting links, but not the last
    /// operator.
    async fn remove_administrator(
        &self,
        id: AdministratorId,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<Removal>;

    /// Remembers a link.
    async fn record_link(&self, link: &LinkRecord, act: &Act, stamp: Stamp<'_>) -> Result<()>;

    /// All links, newest first.
    async fn links(&self) -> Result<Vec<LinkRecord>>;

    /// The link of a secret.
    async fn link(&self, secret: Digest) -> Result<Option<LinkRecord>>;

    /// Takes a link back; `false` if none of that name waits to be used.
    async fn revoke_link(&self, id: LinkId, act: &Act, stamp: Stamp<'_>) -> Result<bool>;

    /// Uses a link for an administrator with their first passkey and session; `false` if it does not
    /// wait to be used any more.
    async fn join(
        &self,
        link: &LinkRecord,
        who: (&AdministratorRecord, &PasskeyRecord, &SessionRecord),
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool>;

    /// A passkey, with its administrator.
    async fn passkey(&self, id: &str) -> Result<Option<(PasskeyRecord, AdministratorRecord)>>;

    /// An administrator's passkeys, oldest first.
    async fn passkeys_of(&self, who: AdministratorId) -> Result<Vec<PasskeyRecord>>;

    /// Adds a passkey; `false` if somebody has it already.
    async fn add_passkey(
        &self,
        passkey: &PasskeyRecord,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool>;

    /// Gives a passkey of this administrator another name; `false` if it is not theirs.
    async fn rename_passkey(
        &self,
        own: (AdministratorId, &str),
        name: &Name,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool>;

    /// Removes a passkey of this administrator, but not the last.
    async fn remove_passkey(
        &self,
        own: (AdministratorId, &str),
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<Removal>;

    /// Begins a session by a passkey that was used; `false` if it was removed meanwhile.
    async fn begin_session(
        &self,
        passkey: &PasskeyRecord,
        session: &SessionRecord,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool>;

    /// The session of a secret, over or not.
    async fn session(&self, secret: Digest) -> Result<Option<SignedIn>>;

    /// Notes that a session is used.
    async fn touch_session(&self, id: SessionId, now: UnixTime) -> Result<()>;

    /// Notes that a passkey was used again in a session.
    async fn prove_session(
        &self,
        passkey: &PasskeyRecord,
        session: SessionId,
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<()>;

    /// Ends a session of this administrator; `false` if it is not theirs.
    async fn end_session(
        &self,
        own: (AdministratorId, SessionId),
        act: &Act,
        stamp: Stamp<'_>,
    ) -> Result<bool>;

    /// All sessions of an administrator, the latest used first.
    async fn sessions_of(&self, who: AdministratorId) -> Result<Vec<SessionRecord>>;

    /// Records an act that changes nothing else.
    async fn record_act(&self, act: &Act, stamp: Stamp<'_>) -> Result<()>;

    /// Whether this act is recorded, with its entry at this position of the log.
    async fn has_act(&self, entry: u64, act: &Act) -> Result<bool>;

    /// Acts that fit a query, and how many there are in all.
    async fn acts(&self, query: &ActQuery) -> Result<(Vec<ActRecord>, u64)>;

    /// Forgets sessions last seen before the one instant or begun before the other.
    async fn forget_admin(&self, seen_before: UnixTime, begun_before: UnixTime) -> Result<()>;
}
