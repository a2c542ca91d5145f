use blindprint_core::{
    Digest, InvitationId, UnixTime,
    problem::ProblemCode,
    wire::{Invitation, Invite},
};
use secrecy::{ExposeSecret as _, SecretBox};
use subtle::ConstantTimeEq as _;

use super::{Service, record::InvitationRecord};
use crate::{Error, Result, store::Store};

const MOST_USES: u32 = 10_000;
const LONGEST: u32 = 366 * 86_400;
const LONGEST_NOTE: usize = 200;

/// What invitations' secrets are made with: a secret is its id and a digest of it under this key, so
/// that the database never holds one and a repeated request can be answered again.
pub struct InvitationKey(SecretBox<[u8; 32]>);

impl InvitationKey {
    /// A key that was drawn at random.
    pub const fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    fn tag(&self, id: InvitationId) -> Digest {
        // The key is one whole SHA-256 input part of fixed length, ahead of a message of fixed
        // length: extension finds nothing to extend.
        Digest::of_parts(
            "blindprint/invitation/v1",
            &[self.0.expose_secret(), id.0.as_bytes()],
        )
    }

    /// What the wallet presents.
    pub fn secret(&self, id: InvitationId) -> String {
        format!("{id}.{}", self.tag(id))
    }

    /// The invitation that a secret belongs to.
    pub fn open(&self, secret: &str) -> Option<InvitationId> {
        let (id, tag) = secret.split_once('.')?;
        let id: InvitationId = id.parse().ok()?;
        let tag: Digest = tag.parse().ok()?;
        let genuine: bool = tag.as_bytes().ct_eq(self.tag(id).as_bytes()).into();
        genuine.then_some(id)
    }
}

/// Makes an invitation. The same `id` gives the same invitation.
pub async fn invite(
    store: &dyn Store,
    key: &InvitationKey,
    id: InvitationId,
    invite: Invite,
    now: UnixTime,
) -> Result<Invitation> {
    let malformed = |detail| Err(Error::because(ProblemCode::MalformedRequest, detail));
    if !(1..=MOST_USES).contains(&invite.uses) {
        return malformed("uses: 1 to 10,000");
    }
    if !(1..=LONGEST).contains(&invite.valid_for) {
        return malformed("valid_for: 1 second to a year");
    }
    if invite
        .note
        .as_ref()
        .is_some_and(|note| note.len() > LONGEST_NOTE)
    {
        return malformed("note: at most 200 bytes");
    }
    store
        .record_invitation(&InvitationRecord {
            id,
            uses: invite.uses,
            used: 0,
            expires: now.plus(i64::from(invite.valid_for)),
            note: invite.note,
            created: now,
            revoked: None,
        })
        .await?;
    let recorded = store
        .invitation(id)
        .await?
        .ok_or_else(|| Error::broken("making an invitation")("it is gone again".into()))?;
    Ok(Invitation {
        id,
        secret: key.secret(id),
        uses: recorded.uses,
        expires: recorded.expires,
    })
}

impl Service {
    /// Makes an invitation. The same `id` gives the same invitation.
    pub async fn invite(&self, id: InvitationId, body: Invite) -> Result<Invitation> {
        invite(&*self.store, &self.invitations, id, body, self.clock.now()).await
    }

    /// All invitations, newest first, without their secrets.
    pub async fn invitations(&self) -> Result<Vec<InvitationRecord>> {
        self.store.invitations().await
    }

    /// Takes an invitation back. Enrolments made with it stay.
    pub async fn revoke_invitation(&self, id: InvitationId) -> Result<()> {
        let known = self.store.revoke_invitation(id, self.clock.now()).await?;
        if known {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::NotFound))
        }
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn secrets_open_under_their_own_key_only() {
        let key = InvitationKey::new(SecretBox::new(Box::new([1; 32])));
        let other = InvitationKey::new(SecretBox::new(Box::new([2; 32])));
        let id = InvitationId::random(&SystemEntropy);
        let secret = key.secret(id);
        assert_eq!(key.open(&secret), Some(id));
        assert_eq!(other.open(&secret), None);
        let stranger = InvitationId::random(&SystemEntropy);
        let (_, tag) = secret.split_once('.').unwrap();
        for forged in [
            "",
            ".",
            "a.b",
            &format!("{}.{tag}", stranger.0),
            &secret[..secret.len() - 1],
        ] {
            assert_eq!(key.open(forged), None, "{forged}");
        }
    }
}
