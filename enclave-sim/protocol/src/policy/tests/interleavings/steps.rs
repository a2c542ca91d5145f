//! What can happen, and how often.

use proptest::prelude::*;

use super::{super::world::DAY, PEOPLE};

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    Settles,
    DiskFull,
    /// A crash after the state was written and before the hardware heard of it, and which state the
    /// host then shows.
    CrashShowingOld,
    CrashShowingNew,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ConsentFlaw {
    None,
    /// No flaw: the person says no.
    Refusal,
    Stranger,
    Stale,
    OtherChain,
    OtherRecipient,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EnrolFlaw {
    None,
    Stranger,
    ForeignNonce,
    OtherKey,
    Stale,
    OtherPurpose,
    SpentNonce,
    UsedId,
    ReplacesOtherProfile,
    NewRecoveryKey,
    NoRecovery,
    RecoveryByDevice,
    RecoveryOfAnother,
    Unadmitted,
    Twice,
    TooFew,
    TooMany,
    OtherBinding,
    OtherSubmission,
    OtherTemplates,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ProbeFlaw {
    None,
    Stranger,
    Transplant,
    OtherService,
    OtherAudience,
    OtherPurpose,
    OtherEnrolment,
    OtherTemplate,
    OtherKey,
    Stale,
    ForeignCiphertext,
    EvaluationOfAnother,
    OtherBinding,
    Unadmitted,
    Twice,
    TooFew,
    TooMany,
    OtherTau,
}

/// What a matcher makes the enclave see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lie {
    None,
    /// Another verdict than the other matcher's, if there is one.
    Contradiction,
    /// A ciphertext that holds no verdict.
    NoVerdict,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Consent {
        person: usize,
        scope: usize,
        lifetime: i64,
        flaw: ConsentFlaw,
    },
    /// The host ends a consent, as invalid or on the person's behalf.
    EndConsent {
        person: usize,
        consent: usize,
        invalid: bool,
    },
    Withdraw {
        person: usize,
        consent: usize,
        stranger: bool,
    },
    Enrol {
        person: usize,
        consent: usize,
        profile: usize,
        replace: bool,
        flaw: EnrolFlaw,
    },
    Again {
        person: usize,
        enrolment: usize,
    },
    Ask {
        person: usize,
        template: usize,
        audience: usize,
        purpose: usize,
    },
    Answer {
        question: usize,
        bit: bool,
        flaw: ProbeFlaw,
    },
    Finish {
        pending: usize,
        lie: Lie,
    },
    Guess {
        person: usize,
        times: usize,
    },
    Erase {
        person: usize,
        template: usize,
        stranger: bool,
    },
    /// By the host's word.
    EraseOrdered {
        person: usize,
        template: usize,
    },
    /// By the person's word, a stranger's or the host's.
    EraseSubject {
        person: usize,
        stranger: bool,
        ordered: bool,
    },
    /// The host asks for a template's key.
    Read {
        person: usize,
        template: usize,
    },
    Rotate {
        person: usize,
        stranger: bool,
        spent: bool,
    },
    Unlock {
        person: usize,
        stranger: bool,
        spent: bool,
    },
    ReplaceDevice {
        person: usize,
        stranger: bool,
        spent: bool,
    },
    /// With an instance that is another matcher's too, which takes that one's place.
    Admit {
        matcher: usize,
        module: usize,
    },
    Clock {
        by: i64,
    },
    Restart,
    Rollback {
        state: usize,
    },
}

pub(super) fn flaw<F: std::fmt::Debug + Copy + 'static>(
    none: F,
    flaws: &'static [F],
) -> impl Strategy<Value = F> {
    prop_oneof![3 => Just(none), 2 => proptest::sample::select(flaws)]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use ConsentFlaw as C;
    use EnrolFlaw as E;
    use ProbeFlaw as P;
    let person = 0..PEOPLE;
    let index = 0..1000usize;
    let rarely = proptest::bool::weighted(0.15);
    let consent_flaws = &[
        C::Refusal,
        C::Stranger,
        C::Stale,
        C::OtherChain,
        C::OtherRecipient,
    ];
    let enrol_flaws = &[
        E::Stranger,
        E::ForeignNonce,
        E::OtherKey,
        E::Stale,
        E::OtherPurpose,
        E::SpentNonce,
        E::UsedId,
        E::ReplacesOtherProfile,
        E::NewRecoveryKey,
        E::NoRecovery,
        E::RecoveryByDevice,
        E::RecoveryOfAnother,
        E::Unadmitted,
        E::Twice,
        E::TooFew,
        E::TooMany,
        E::OtherBinding,
        E::OtherSubmission,
        E::OtherTemplates,
    ];
    let probe_flaws = &[
        P::Stranger,
        P::Transplant,
        P::OtherService,
        P::OtherAudience,
        P::OtherPurpose,
        P::OtherEnrolment,
        P::OtherTemplate,
        P::OtherKey,
        P::Stale,
        P::ForeignCiphertext,
        P::EvaluationOfAnother,
        P::OtherBinding,
        P::Unadmitted,
        P::Twice,
        P::TooFew,
        P::TooMany,
        P::OtherTau,
    ];
    let lifetime = prop_oneof![1 => Just(200), 1 => Just(DAY), 4 => Just(400 * DAY)];
    let by =
        prop_oneof![6 => 0..40i64, 2 => 200..1000i64, 1 => Just(-5000i64), 1 => Just(40 * DAY)];
    prop_oneof![
        6 => (person.clone(), 0..4usize, lifetime, flaw(C::None, consent_flaws))
            .prop_map(|(person, scope, lifetime, flaw)| Step::Consent { person, scope, lifetime, flaw }),
        1 => (person.clone(), index.clone(), any::<bool>())
            .prop_map(|(person, consent, invalid)| Step::EndConsent { person, consent, invalid }),
        2 => (person.clone(), index.clone(), rarely)
            .prop_map(|(person, consent, stranger)| Step::Withdraw { person, consent, stranger }),
        8 => (person.clone(), index.clone(), 0..2usize, any::<bool>(), flaw(E::None, enrol_flaws))
            .prop_map(|(person, consent, profile, replace, flaw)| Step::Enrol { person, consent, profile, replace, flaw }),
        1 => (person.clone(), index.clone()).prop_map(|(person, enrolment)| Step::Again { person, enrolment }),
        10 => (person.clone(), index.clone(), 0..2usize, 0..3usize)
            .prop_map(|(person, template, audience, purpose)| Step::Ask { person, template, audience, purpose }),
        16 => (index.clone(), any::<bool>(), flaw(P::None, probe_flaws))
            .prop_map(|(question, bit, flaw)| Step::Answer { question, bit, flaw }),
        12 => (index.clone(), prop_oneof![8 => Just(Lie::None), 1 => Just(Lie::Contradiction), 1 => Just(Lie::NoVerdict)])
            .prop_map(|(pending, lie)| Step::Finish { pending, lie }),
        2 => (person.clone(), 1..30usize).prop_map(|(person, times)| Step::Guess { person, times }),
        1 => (person.clone(), index.clone(), rarely)
            .prop_map(|(person, template, stranger)| Step::Erase { person, template, stranger }),
        1 => (person.clone(), index.clone())
            .prop_map(|(person, template)| Step::EraseOrdered { person, template }),
        1 => (person.clone(), rarely, any::<bool>())
            .prop_map(|(person, stranger, ordered)| Step::EraseSubject { person, stranger, ordered }),
        3 => (person.clone(), index.clone())
            .prop_map(|(person, template)| Step::Read { person, template }),
        1 => (person.clone(), rarely, rarely)
            .prop_map(|(person, stranger, spent)| Step::Rotate { person, stranger, spent }),
        1 => (person.clone(), rarely, rarely)
            .prop_map(|(person, stranger, spent)| Step::Unlock { person, stranger, spent }),
        1 => (person, rarely, rarely)
            .prop_map(|(person, stranger, spent)| Step::ReplaceDevice { person, stranger, spent }),
        8 => (0..4usize, proptest::bool::weighted(0.05))
            .prop_map(|(matcher, other)| Step::Admit { matcher, module: matcher ^ usize::from(other) }),
        5 => by.prop_map(|by| Step::Clock { by }),
        1 => Just(Step::Restart),
        2 => index.prop_map(|state| Step::Rollback { state }),
    ]
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        16 => Just(Fate::Settles),
        1 => Just(Fate::DiskFull),
        1 => Just(Fate::CrashShowingOld),
        1 => Just(Fate::CrashShowingNew),
    ]
}

/// Everybody is enrolled twice, so that most of a run is about verdicts.
pub(super) fn opening_moves() -> Vec<Step> {
    let consent = |person| Step::Consent {
        person,
        scope: 0,
        lifetime: 400 * DAY,
        flaw: ConsentFlaw::None,
    };
    let enrol = |person, profile| Step::Enrol {
        person,
        consent: 0,
        profile,
        replace: false,
        flaw: EnrolFlaw::None,
    };
    (0..PEOPLE)
        .flat_map(|person| [consent(person), enrol(person, 0), enrol(person, 1)])
        .collect()
}
