//! How a request comes, and what happens of it at once.

use blindprint_core::{
    Digest, EnrolmentId, Jws, Nonce, RightsRequestId, SubjectId,
    problem::ProblemCode,
    statement::{Right, RightsRequest, SubjectErasure},
};

use super::{
    About, Actor, Case, LONGEST_TEXT, MOST_OPEN, Officer, Proof, Rights, RightsState,
    case::Erasing, draft, not_now,
};
use crate::{
    Error, Result,
    domain::{Caller, addressed, record::EnrolmentState, signed},
    store::NotOpened,
};

/// The oldest verdict by which an officer knows a subject, in seconds.
const VERDICT_AGE: i64 = 86_400;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which right.
    pub right: Right,
    /// Which enrolment, where it is about one.
    pub enrolment: Option<EnrolmentId>,
    /// The challenge whose verdict it is about, for a review.
    pub challenge: Option<Nonce>,
    /// In the subject's own words.
    pub text: Option<String>,
}

/// How an officer knows that it is the subject who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityProof {
    /// A credential of this service's about the subject was shown in answer to this request for a
    /// presentation.
    Presentation(Nonce),
    /// A positive verdict on this challenge, a day old at most.
    Verdict(Nonce),
    /// Something outside of this service, described.
    OutOfBand(String),
}

/// Who opens a request.
#[derive(Debug, Clone)]
pub enum OpenedBy {
    /// The subject, signed in on their own page.
    Page,
    /// An officer, on the subject's behalf.
    Officer {
        /// Who.
        officer: Officer,
        /// How they know.
        proof: IdentityProof,
    },
}

impl Rights {
    /// Opens what a wallet signed. The same statement opens one request, however often it comes.
    /// An erasure may bring the subject's own order to the enclave, signed too; without, the service
    /// orders it.
    pub async fn open_by_wallet(
        &self,
        caller: &Caller,
        request: Jws,
        erasure: Option<Jws>,
    ) -> Result<Case> {
        let service = self.parts.service.id();
        let verified = signed::<RightsRequest>(&request)?;
        let asked = verified.statement();
        addressed(service, caller, &verified, &asked.sub, &asked.service)?;
        if let Some(erasure) = &erasure {
            let order = signed::<SubjectErasure>(erasure)?;
            let word = order.statement();
            addressed(service, caller, &order, &word.sub, &word.service)?;
        }
        let claim = claim_of(&request);
        if let Some(known) = self.store().case(asked.id).await? {
            let same = known.body.statement.as_ref() == Some(&request);
            let certified = known.subject.is_none() && self.is_certified(claim).await?;
            return if same || certified {
                self.looked_at(known).await
            } else {
                Err(Error::Refused(ProblemCode::Conflict))
            };
        }
        let wanted = Wanted {
            right: asked.right,
            enrolment: asked.enrolment,
            challenge: asked.challenge,
            text: asked.text.clone(),
        };
        let opener = (Actor::Wallet, Proof::Subject);
        let mut case = self
            .prepare(asked.id, &caller.subject, wanted, opener)
            .await?;
        case.body.statement = Some(request);
        self.begin(case, erasure, claim).await
    }

    /// Opens what a subject asks for on their own page, or an officer for them. The claim, for an
    /// erasure, opens its certificate: it is told here and nowhere else.
    pub async fn open(
        &self,
        subject: &SubjectId,
        wanted: Wanted,
        by: OpenedBy,
    ) -> Result<(Case, Option<Nonce>)> {
        let opener = match by {
            OpenedBy::Page => (Actor::Page, Proof::Subject),
            OpenedBy::Officer { officer, proof } => {
                let proof = self.proven(subject, proof).await?;
                (Actor::Officer { name: officer.name }, proof)
            }
        };
        let claim = Nonce::random(self.entropy());
        let erases = wanted.right == Right::Erasure && wanted.enrolment.is_none();
        let id = RightsRequestId::random(self.entropy());
        let case = self.prepare(id, subject, wanted, opener).await?;
        let case = self.begin(case, None, claim).await?;
        Ok((case, erases.then_some(claim)))
    }

    /// That what is asked for makes sense of this subject.
    async fn prepare(
        &self,
        id: RightsRequestId,
        subject: &SubjectId,
        wanted: Wanted,
        opener: (Actor, Proof),
    ) -> Result<Case> {
        let refused = |why: &str| Err(Error::because(ProblemCode::Refused, why));
        if self.store().keys_of(subject).await?.is_none() {
            return Err(Error::Refused(ProblemCode::NotFound));
        }
        if wanted.text.as_ref().is_some_and(|text| !is_text(text)) {
            return refused("a text has 1 to 2000 bytes and no control characters but line breaks");
        }
        let of_verdict = wanted.right == Right::Review;
        let of_enrolment = matches!(wanted.right, Right::Rectification | Right::Erasure);
        if wanted.challenge.is_some() != of_verdict {
            return refused("a review names a challenge, and nothing else does");
        }
        if wanted.enrolment.is_some() && !of_enrolment
            || wanted.enrolment.is_none() && wanted.right == Right::Rectification
        {
            return refused(
                "a rectification names an enrolment, an erasure may, nothing else does",
            );
        }
        if let Some(challenge) = wanted.challenge {
            let verdict = self.store().verdict(challenge).await?;
            let verdict = verdict.filter(|verdict| verdict.subject == *subject);
            if verdict
                .ok_or(Error::Refused(ProblemCode::NotFound))?
                .matched
            {
                return refused("only a rejection is reviewed");
            }
        }
        if let Some(enrolment) = wanted.enrolment {
            let known = self.store().enrolment(enrolment).await?;
            let live = known.is_some_and(|known| {
                known.subject == *subject && known.state == EnrolmentState::Live
            });
            if !live {
                return Err(Error::Refused(ProblemCode::NotFound));
            }
        }
        let about = About {
            enrolment: wanted.enrolment,
            challenge: wanted.challenge,
            text: wanted.text,
        };
        let now = self.now();
        Ok(Case::open(
            id,
            subject.clone(),
            wanted.right,
            opener,
            about,
            now,
        ))
    }

    /// Keeps a request that came, and lets happen what happens by itself.
    async fn begin(&self, mut case: Case, erasure: Option<Jws>, claim: Nonce) -> Result<Case> {
        let now = self.now();
        let automatic = self.terms.automatic.contains(&case.right);
        let service = Actor::Service;
        let case = match case.right {
            Right::Access | Right::Portability if automatic => case
                .go(RightsState::Accepted, service.clone(), None, now)
                .and_then(|case| case.go(RightsState::Fulfilled, service, None, now)),
            Right::Restriction | Right::Objection => {
                case.body.restricts = true;
                case.go(RightsState::Accepted, service.clone(), None, now)
                    .and_then(|case| case.go(RightsState::Fulfilled, service, None, now))
            }
            Right::Rectification => case.go(RightsState::RequiresAction, service, None, now),
            Right::Erasure => {
                // What is to go is not used any more, whoever has to approve it.
                case.body.restricts = true;
                if case.about().enrolment.is_none() {
                    case.body.erasing = Some(Erasing {
                        erasure,
                        claim,
                        begun: false,
                        recipients: Vec::new(),
                        receipt: None,
                    });
                }
                if automatic {
                    self.cooling(case, service)
                } else {
                    Ok(case)
                }
            }
            Right::Access | Right::Portability | Right::Review => Ok(case),
        }
        .map_err(not_now)?;
        let drafts = [draft(&case)];
        let opened = self
            .store()
            .open_case(&case, MOST_OPEN, &drafts, self.stamp())
            .await?;
        opened.map_err(|why| {
            Error::Refused(match why {
                NotOpened::Taken => ProblemCode::Conflict,
                NotOpened::TooMany => ProblemCode::QuotaReached,
            })
        })?;
        Ok(self.try_to_carry_out(case).await)
    }

    /// Accepts an erasure, for when its cooling-off ends.
    pub(super) fn cooling(&self, mut case: Case, by: Actor) -> Result<Case, super::NotNow> {
        let now = self.now();
        case.body.not_before = Some(now.plus(self.terms.cooling_off));
        case.go(RightsState::Accepted, by, None, now)
    }

    async fn proven(&self, subject: &SubjectId, proof: IdentityProof) -> Result<Proof> {
        let refused = |why: &str| Err(Error::because(ProblemCode::Refused, why));
        match proof {
            IdentityProof::OutOfBand(text) if is_text(&text) => Ok(Proof::OutOfBand { text }),
            IdentityProof::OutOfBand(_) => refused("say how the person was known"),
            IdentityProof::Verdict(challenge) => {
                let verdict = self.store().verdict(challenge).await?;
                let since = self.now().plus(-VERDICT_AGE);
                match verdict {
                    Some(it) if it.subject == *subject && it.matched && it.given >= since => {
                        Ok(Proof::Verdict { challenge })
                    }
                    _ => refused("there is no positive verdict of the last day on this subject"),
                }
            }
            IdentityProof::Presentation(request) => {
                if self.shown_to_officer(request).await?.as_ref() == Some(subject) {
                    Ok(Proof::Presentation { request })
                } else {
                    refused("no valid credential about this subject was shown")
                }
            }
        }
    }
}

/// What opens the certificate of an erasure that a wallet asked for: it follows from what only wallet and
/// service have seen, and the service forgets it.
pub(super) fn claim_of(request: &Jws) -> Nonce {
    let claim = Digest::of(
        blindprint_core::label::ERASURE_CLAIM,
        request.as_str().as_bytes(),
    );
    Nonce::from_bytes(*claim.as_bytes())
}

/// Whether this is something that a person wrote.
pub(super) fn is_text(text: &str) -> bool {
    let printable = |c: char| !c.is_control() || c == '\n';
    (1..=LONGEST_TEXT).contains(&text.len()) && text.chars().all(printable)
}
