//! How a consent lives: one state machine, moved by value, for server and enclave alike.
//!
//! ```
//! use blindprint_core::{UnixTime, consent::{ConsentState, Lifecycle, Requested, Scope}};
//! let given = Requested::to(Scope::Authentication).give(UnixTime(0), UnixTime(100))?;
//! let consent = Lifecycle::from(given);
//! assert!(consent.covers(&Scope::Authentication, UnixTime(99)));
//! assert_eq!(consent.state(UnixTime(100)), ConsentState::Expired);
//! # Ok::<(), blindprint_core::Invalid>(())
//! ```
//!
//! A consent that has ended never comes back: who changes their mind gives another.

use serde::{Deserialize, Serialize};

use crate::{
    Audience, Digest, Invalid, UnixTime, label,
    statement::{Consent, Purpose},
};

/// A person's answer when asked for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Given,
    /// No.
    Refused,
}

/// How a consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// It was asked for and not answered.
    Requested,
    /// It is live.
    Given,
    /// It was not given.
    Refused,
    /// It was taken back.
    Withdrawn,
    /// Its time is over.
    Expired,
    /// It no longer informs: the notice has changed materially.
    Invalidated,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Requested,
        Self::Given,
        Self::Refused,
        Self::Withdrawn,
        Self::Expired,
        Self::Invalidated,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
        }
    }
}

/// The head of a subject's chain after `event`, the digest of a consent's or withdrawal's JWS:
/// `Digest::of("blindprint/consent-chain/v1", previous ‖ event)`, with 32 zero bytes before the
/// first.
pub fn chain(previous: Option<Digest>, event: Digest) -> Digest {
    let previous = previous.map_or([0; 32], |head| *head.as_bytes());
    Digest::of_parts(label::CONSENT_CHAIN, &[&previous, event.as_bytes()])
}

/// What a consent allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See [`Purpose::Authentication`].
    Authentication,
    /// See [`Purpose::Uniqueness`].
    Uniqueness,
    /// See [`Purpose::Sharing`]; with whom.
    Sharing(Audience),
}

impl Scope {
    /// The scope with this purpose and recipient: there is a recipient exactly where something is
    /// shared.
    pub fn new(purpose: Purpose, recipient: Option<Audience>) -> Result<Self, Invalid> {
        match (purpose, recipient) {
            (Purpose::Authentication, None) => Ok(Self::Authentication),
            (Purpose::Uniqueness, None) => Ok(Self::Uniqueness),
            (Purpose::Sharing, Some(recipient)) => Ok(Self::Sharing(recipient)),
            _ => Err(Invalid::new(
                "consent",
                "a consent to sharing names its recipient, and no other does",
            )),
        }
    }

    /// What for.
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Authentication => Purpose::Authentication,
            Self::Uniqueness => Purpose::Uniqueness,
            Self::Sharing(_) => Purpose::Sharing,
        }
    }

    /// Who may learn of verdicts.
    pub const fn recipient(&self) -> Option<&Audience> {
        match self {
            Self::Sharing(recipient) => Some(recipient),
            Self::Authentication | Self::Uniqueness => None,
        }
    }
}

/// Asked for, and not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    scope: Scope,
}

/// Given, and live until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    scope: Scope,
    at: UnixTime,
    expires: UnixTime,
}

/// Not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    scope: Scope,
    at: UnixTime,
}

/// Taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    was: Given,
    at: UnixTime,
}

/// Over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {
    was: Given,
}

/// Worth nothing any more, because it was given under a notice that has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalidated {
    was: Given,
    at: UnixTime,
}

impl Requested {
    /// Asks for consent to `scope`.
    pub const fn to(scope: Scope) -> Self {
        Self { scope }
    }

    /// The person says yes, until `expires`.
    pub fn give(self, given: UnixTime, expires: UnixTime) -> Result<Given, Invalid> {
        if expires <= given {
            return Err(Invalid::new("consent", "it ends after it was given"));
        }
        Ok(Given {
            scope: self.scope,
            at: given,
            expires,
        })
    }

    /// The person says no.
    pub fn refuse(self, at: UnixTime) -> Refused {
        Refused {
            scope: self.scope,
            at,
        }
    }
}

impl Given {
    /// The person takes it back, at any time.
    pub const fn withdraw(self, at: UnixTime) -> Withdrawn {
        Withdrawn { was: self, at }
    }

    /// It no longer informs.
    pub const fn invalidate(self, at: UnixTime) -> Invalidated {
        Invalidated { was: self, at }
    }

    /// Ends it if its time is over at `now`.
    pub fn expire(self, now: UnixTime) -> Result<Expired, Self> {
        if now < self.expires {
            Err(self)
        } else {
            Ok(Expired { was: self })
        }
    }
}

/// A consent that was answered, in whichever state it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// It holds until its time is over.
    Given(Given),
    /// It was never given.
    Refused(Refused),
    /// It was taken back.
    Withdrawn(Withdrawn),
    /// Its time is over.
    Expired(Expired),
    /// Its notice has changed.
    Invalidated(Invalidated),
}

impl From<Given> for Lifecycle {
    fn from(given: Given) -> Self {
        Self::Given(given)
    }
}

impl TryFrom<&Consent> for Lifecycle {
    type Error = Invalid;

    /// What a signed answer makes of the request. A refusal ends when it is given.
    fn try_from(consent: &Consent) -> Result<Self, Invalid> {
        let asked = Requested::to(Scope::new(consent.purpose, consent.recipient.clone())?);
        match consent.decision {
            Decision::Given => Ok(Self::Given(asked.give(consent.given, consent.expires)?)),
            Decision::Refused if consent.expires == consent.given => {
                Ok(Self::Refused(asked.refuse(consent.given)))
            }
            Decision::Refused => Err(Invalid::new("consent", "a refusal ends when it is given")),
        }
    }
}

impl Lifecycle {
    /// The consent that was written down with these words. One that ended for another reason than
    /// its time says when.
    pub fn restore(
        scope: Scope,
        state: ConsentState,
        (given, expires): (UnixTime, UnixTime),
        ended: Option<UnixTime>,
    ) -> Result<Self, Invalid> {
        let asked = Requested::to(scope);
        if state == ConsentState::Refused {
            return Ok(Self::Refused(asked.refuse(given)));
        }
        let was = asked.give(given, expires)?;
        match (state, ended) {
            (ConsentState::Given, None) => Ok(Self::Given(was)),
            (ConsentState::Expired, None) => Ok(Self::Expired(Expired { was })),
            (ConsentState::Withdrawn, Some(at)) => Ok(Self::Withdrawn(was.withdraw(at))),
            (ConsentState::Invalidated, Some(at)) => Ok(Self::Invalidated(was.invalidate(at))),
            _ => Err(Invalid::new(
                "consent",
                "one that was withdrawn or invalidated says when, and no other",
            )),
        }
    }

    /// Whether it allows `scope` at `now`.
    pub fn covers(&self, scope: &Scope, now: UnixTime) -> bool {
        self.is_live(now) && self.scope() == scope
    }

    /// Whether it allows anything at `now`.
    pub fn is_live(&self, now: UnixTime) -> bool {
        self.state(now) == ConsentState::Given
    }

    /// How it stands at `now`: what is given and over has expired, whether or not anybody wrote it
    /// down.
    pub fn state(&self, now: UnixTime) -> ConsentState {
        match self {
            Self::Given(given) if now < given.expires => ConsentState::Given,
            Self::Given(_) | Self::Expired(_) => ConsentState::Expired,
            Self::Refused(_) => ConsentState::Refused,
            Self::Withdrawn(_) => ConsentState::Withdrawn,
            Self::Invalidated(_) => ConsentState::Invalidated,
        }
    }

    /// Takes it back. What has ended otherwise, or was never given, stays as it is.
    pub fn withdraw(self, at: UnixTime) -> Result<Withdrawn, Self> {
        match self {
            Self::Given(given) => Ok(given.withdraw(at)),
            other => Err(other),
        }
    }

    /// Ends it because it no longer informs. What has ended otherwise stays as it is.
    pub fn invalidate(self, at: UnixTime) -> Result<Invalidated, Self> {
        match self {
            Self::Given(given) => Ok(given.invalidate(at)),
            other => Err(other),
        }
    }

    /// Writes down that its time is over, if it is at `now`.
    pub fn expire(self, now: UnixTime) -> Result<Expired, Self> {
        match self {
            Self::Given(given) => given.expire(now).map_err(Self::Given),
            other => Err(other),
        }
    }

    /// What it allows while it is live.
    pub const fn scope(&self) -> &Scope {
        match self {
            Self::Refused(refused) => &refused.scope,
            Self::Given(given)
            | Self::Withdrawn(Withdrawn { was: given, .. })
            | Self::Expired(Expired { was: given })
            | Self::Invalidated(Invalidated { was: given, .. }) => &given.scope,
        }
    }

    /// When it was given or refused.
    pub const fn given(&self) -> UnixTime {
        match self {
            Self::Refused(refused) => refused.at,
            Self::Given(given)
            | Self::Withdrawn(Withdrawn { was: given, .. })
            | Self::Expired(Expired { was: given })
            | Self::Invalidated(Invalidated { was: given, .. }) => given.at,
        }
    }

    /// When it ends by itself. A refusal ends when it is given.
    pub const fn expires(&self) -> UnixTime {
        match self {
            Self::Refused(refused) => refused.at,
            Self::Given(given)
            | Self::Withdrawn(Withdrawn { was: given, .. })
            | Self::Expired(Expired { was: given })
            | Self::Invalidated(Invalidated { was: given, .. }) => given.expires,
        }
    }

    /// When it was withdrawn or invalidated.
    pub const fn ended(&self) -> Option<UnixTime> {
        match self {
            Self::Withdrawn(Withdrawn { at, .. }) | Self::Invalidated(Invalidated { at, .. }) => {
                Some(*at)
            }
            Self::Given(_) | Self::Refused(_) | Self::Expired(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    fn given() -> Given {
        Requested::to(Scope::Authentication)
            .give(NOW, NOW.plus(100))
            .unwrap()
    }

    #[test]
    fn only_sharing_has_a_recipient() {
        let someone: Audience = "https://shop.example".parse().unwrap();
        let sharing = Scope::new(Purpose::Sharing, Some(someone.clone())).unwrap();
        assert_eq!(sharing.recipient(), Some(&someone));
        assert!(Scope::new(Purpose::Sharing, None).is_err());
        for purpose in [Purpose::Authentication, Purpose::Uniqueness] {
            assert!(Scope::new(purpose, Some(someone.clone())).is_err());
            assert_eq!(Scope::new(purpose, None).unwrap().purpose(), purpose);
        }
    }

    #[test]
    fn a_consent_covers_its_scope_until_it_ends_and_nothing_afterwards() {
        let scope = Scope::Authentication;
        let live = Lifecycle::from(given());
        assert!(live.covers(&scope, NOW.plus(99)) && !live.covers(&scope, NOW.plus(100)));
        assert!(!live.covers(&Scope::Uniqueness, NOW));
        let ended = [
            Lifecycle::Withdrawn(given().withdraw(NOW)),
            Lifecycle::Invalidated(given().invalidate(NOW)),
            Lifecycle::Expired(given().expire(NOW.plus(100)).unwrap()),
            Lifecycle::Refused(Requested::to(scope.clone()).refuse(NOW)),
        ];
        for ended in ended {
            assert!(!ended.covers(&scope, NOW), "{ended:?}");
            assert_eq!(ended.clone().withdraw(NOW), Err(ended.clone()));
            assert_eq!(ended.clone().invalidate(NOW), Err(ended.clone()));
            assert_eq!(ended.clone().expire(NOW.plus(100)), Err(ended));
        }
    }

    #[test]
    fn nothing_expires_early_and_a_consent_may_be_withdrawn_late() {
        let live = Lifecycle::from(given());
        assert_eq!(live.clone().expire(NOW.plus(99)), Err(live.clone()));
        assert_eq!(live.state(NOW.plus(100)), ConsentState::Expired);
        let late = Lifecycle::Withdrawn(live.withdraw(NOW.plus(500)).unwrap());
        assert_eq!(late.ended(), Some(NOW.plus(500)));
    }

    #[test]
    fn what_is_written_down_comes_back() {
        let all = [
            Lifecycle::from(given()),
            Lifecycle::Withdrawn(given().withdraw(NOW.plus(1))),
            Lifecycle::Invalidated(given().invalidate(NOW.plus(2))),
            Lifecycle::Expired(given().expire(NOW.plus(100)).unwrap()),
            Lifecycle::Refused(Requested::to(Scope::Authentication).refuse(NOW)),
        ];
        for consent in all {
            let state = consent.state(NOW);
            let times = (consent.given(), consent.expires());
            let again =
                Lifecycle::restore(consent.scope().clone(), state, times, consent.ended()).unwrap();
            assert_eq!(again, consent);
        }
        let times = (NOW, NOW.plus(1));
        let contradictions = [
            (ConsentState::Withdrawn, None),
            (ConsentState::Given, Some(NOW)),
            (ConsentState::Requested, None),
        ];
        for (state, ended) in contradictions {
            assert!(Lifecycle::restore(Scope::Authentication, state, times, ended).is_err());
        }
    }

    #[test]
    fn each_link_of_the_chain_depends_on_all_before() {
        let [a, b] = ["a", "b"].map(|event| Digest::of("test", event.as_bytes()));
        let head = chain(Some(chain(None, a)), b);
        assert_ne!(head, chain(Some(chain(None, b)), a));
        assert_ne!(head, chain(None, b));
        let zeros = Digest::from_bytes([0; 32]);
        assert_eq!(chain(None, a), chain(Some(zeros), a));
    }
}
