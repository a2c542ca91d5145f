//! Random interleavings of everything that wallets, matchers, hosts and crashes do. After each step
//! the policy must have done exactly what the oracle permits.

use blindprint_core::{
    Audience, Digest, EnrolmentId, Jws, Nonce, SubjectId, UnixTime, profiles,
    statement::{Consent, Enrolment, Probe, Purpose, RecoveryAction, Verdict},
};
use blindprint_did::SigningKey;
use proptest::prelude::*;

use super::{
    model::{Agreement, Attempt, Model, Template},
    world::{DAY, START, World, ciphertext, decrypt, digest, jws, signed_evaluation},
};
use crate::{
    message::{Refusal, SignedEvaluation},
    policy::{ChallengeRequest, Change, PendingOpening, Policy},
};

const PEOPLE: usize = 3;
const AUDIENCES: [&str; 2] = ["https://shop.example", "did:web:bank.example"];
const PURPOSES: [Purpose; 2] = [Purpose::Authentication, Purpose::Uniqueness];

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Settles,
    DiskFull,
    /// A crash after the state was written and before the hardware heard of it, and which state the
    /// host then shows.
    CrashShowingOld,
    CrashShowingNew,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum EnrolFlaw {
    None,
    Stranger,
    ForeignNonce,
    OtherKey,
    Stale,
    OtherPurpose,
    NewRecoveryKey,
    Unadmitted,
    Twice,
    TooFew,
    TooMany,
    OtherBinding,
    OtherSubmission,
    OtherTemplates,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum ProbeFlaw {
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
    Unadmitted,
    Twice,
    TooFew,
    TooMany,
    OtherTau,
}

#[derive(Debug, Clone)]
enum Step {
    Consent {
        person: usize,
        purpose: usize,
        lifetime: i64,
        stranger: bool,
        stale: bool,
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
        contradict: bool,
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
    Rotate {
        person: usize,
        stranger: bool,
    },
    Unlock {
        person: usize,
        stranger: bool,
    },
    ReplaceDevice {
        person: usize,
        stranger: bool,
    },
    Admit {
        matcher: usize,
    },
    Clock {
        by: i64,
    },
    Restart,
    Rollback {
        state: usize,
    },
}

fn flaw<F: std::fmt::Debug + Copy + 'static>(
    none: F,
    flaws: &'static [F],
) -> impl Strategy<Value = F> {
    prop_oneof![3 => Just(none), 2 => proptest::sample::select(flaws)]
}

fn step() -> impl Strategy<Value = Step> {
    use EnrolFlaw as E;
    use ProbeFlaw as P;
    let person = 0..PEOPLE;
    let index = 0..1000usize;
    let rarely = proptest::bool::weighted(0.15);
    let enrol_flaws = &[
        E::Stranger,
        E::ForeignNonce,
        E::OtherKey,
        E::Stale,
        E::OtherPurpose,
        E::NewRecoveryKey,
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
        4 => (person.clone(), 0..2usize, lifetime, rarely.clone(), rarely.clone())
            .prop_map(|(person, purpose, lifetime, stranger, stale)| Step::Consent { person, purpose, lifetime, stranger, stale }),
        2 => (person.clone(), index.clone(), rarely.clone())
            .prop_map(|(person, consent, stranger)| Step::Withdraw { person, consent, stranger }),
        8 => (person.clone(), index.clone(), 0..2usize, any::<bool>(), flaw(E::None, enrol_flaws))
            .prop_map(|(person, consent, profile, replace, flaw)| Step::Enrol { person, consent, profile, replace, flaw }),
        1 => (person.clone(), index.clone()).prop_map(|(person, enrolment)| Step::Again { person, enrolment }),
        8 => (person.clone(), index.clone(), 0..2usize, 0..2usize)
            .prop_map(|(person, template, audience, purpose)| Step::Ask { person, template, audience, purpose }),
        16 => (index.clone(), any::<bool>(), flaw(P::None, probe_flaws))
            .prop_map(|(question, bit, flaw)| Step::Answer { question, bit, flaw }),
        12 => (index.clone(), rarely.clone()).prop_map(|(pending, contradict)| Step::Finish { pending, contradict }),
        2 => (person.clone(), 1..30usize).prop_map(|(person, times)| Step::Guess { person, times }),
        1 => (person.clone(), index.clone(), rarely.clone())
            .prop_map(|(person, template, stranger)| Step::Erase { person, template, stranger }),
        1 => (person.clone(), rarely.clone()).prop_map(|(person, stranger)| Step::Rotate { person, stranger }),
        1 => (person.clone(), rarely.clone()).prop_map(|(person, stranger)| Step::Unlock { person, stranger }),
        1 => (person, rarely).prop_map(|(person, stranger)| Step::ReplaceDevice { person, stranger }),
        2 => (0..5usize).prop_map(|matcher| Step::Admit { matcher }),
        5 => by.prop_map(|by| Step::Clock { by }),
        1 => Just(Step::Restart),
        2 => index.prop_map(|state| Step::Rollback { state }),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        16 => Just(Fate::Settles),
        1 => Just(Fate::DiskFull),
        1 => Just(Fate::CrashShowingOld),
        1 => Just(Fate::CrashShowingNew),
    ]
}

/// A person's wallet, with everything it ever sent.
struct Wallet {
    subject: SubjectId,
    keys: Vec<SigningKey>,
    consents: Vec<(Consent, Jws)>,
    enrolments: Vec<(Enrolment, Jws, Vec<Jws>)>,
    /// Indices into `enrolments` of those that were registered, as the oracle numbers them.
    registered: Vec<usize>,
}

struct Pending {
    opening: PendingOpening,
    question: usize,
    attempt: usize,
    device: usize,
}

enum Outcome<A> {
    Done(A),
    /// The process crashed, and the new state survived.
    Survived,
    /// Nothing happened; the process may have crashed.
    Lost {
        crashed: bool,
    },
    Refused,
}

struct Run {
    world: World,
    model: Model,
    wallets: Vec<Wallet>,
    slips: Vec<Nonce>,
    questions: Vec<Nonce>,
    pending: Vec<Pending>,
    verdicts: Vec<Verdict>,
}

impl Run {
    fn new(k: usize) -> Self {
        let world = World::new(k, false);
        let wallets: Vec<Wallet> = (0..PEOPLE)
            .map(|_| {
                let keys: Vec<SigningKey> = (0..2).map(|_| world.key()).collect();
                let subject = keys[0].public().subject();
                Wallet {
                    subject,
                    keys,
                    consents: vec![],
                    enrolments: vec![],
                    registered: vec![],
                }
            })
            .collect();
        let mut model = Model {
            needed: k,
            admitted: (0..=k).collect(),
            ..Model::default()
        };
        model.people.resize_with(PEOPLE, Default::default);
        model.see(START);
        let (slips, questions, pending, verdicts) = (vec![], vec![], vec![], vec![]);
        Self {
            world,
            model,
            wallets,
            slips,
            questions,
            pending,
            verdicts,
        }
    }

    fn carry_out<A>(
        &mut self,
        fate: Fate,
        operation: impl FnOnce(&mut Policy, UnixTime) -> Result<Change<'_, A>, Refusal>,
    ) -> Outcome<A> {
        let World {
            policy,
            disk,
            host,
            terms,
            ..
        } = &mut self.world;
        let Ok(change) = operation(policy, *host) else {
            return Outcome::Refused;
        };
        match fate {
            Fate::Settles => Outcome::Done(disk.settle(change).unwrap()),
            Fate::DiskFull => {
                disk.full = true;
                let settled = disk.settle(change);
                disk.full = false;
                match settled {
                    Ok(answer) => Outcome::Done(answer),
                    Err(_) => Outcome::Lost { crashed: false },
                }
            }
            Fate::CrashShowingOld | Fate::CrashShowingNew => {
                let written = disk.interrupt(&change);
                drop(change);
                if written && fate == Fate::CrashShowingNew {
                    let last = disk.states.len() - 1;
                    *policy = disk.boot(last, terms.clone()).unwrap();
                    Outcome::Survived
                } else {
                    self.world.restart();
                    Outcome::Lost { crashed: true }
                }
            }
        }
    }

    /// Compares an outcome with the oracle's and tells whether its effect holds.
    fn judge<A>(
        &mut self,
        outcome: Outcome<A>,
        permitted: bool,
        effect: impl FnOnce(&mut Self, Option<A>),
    ) {
        assert_eq!(
            !matches!(outcome, Outcome::Refused),
            permitted,
            "the oracle disagrees"
        );
        match outcome {
            Outcome::Done(answer) => {
                effect(self, Some(answer));
                self.model.written();
            }
            Outcome::Survived => {
                effect(self, None);
                self.model.written();
                self.reboot();
            }
            Outcome::Lost { crashed: true } => self.reboot(),
            Outcome::Lost { crashed: false } | Outcome::Refused => {}
        }
    }

    /// After a restart matchers find their way back, in real life within a second.
    fn reboot(&mut self) {
        self.pending.clear();
        self.model.restart();
        self.model.see(self.world.host.0);
        for matcher in 0..=self.model.needed {
            self.admit(matcher);
        }
    }

    fn admit(&mut self, matcher: usize) {
        self.world.admit(matcher).unwrap();
        self.model.admitted.insert(matcher);
    }

    fn device(&self, person: usize, stranger: bool) -> &SigningKey {
        let person = if stranger {
            (person + 1) % PEOPLE
        } else {
            person
        };
        &self.wallets[person].keys[self.model.people[person].device]
    }

    fn look_at_the_clock(&mut self) {
        self.world.policy.observe(self.world.host);
        self.model.see(self.world.host.0);
    }

    fn step(&mut self, step: Step, fate: Fate) {
        if !matches!(step, Step::Clock { .. }) {
            self.look_at_the_clock();
        }
        match step {
            Step::Consent {
                person,
                purpose,
                lifetime,
                stranger,
                stale,
            } => {
                self.consent(person, PURPOSES[purpose], lifetime, (stranger, stale), fate);
            }
            Step::Withdraw {
                person,
                consent,
                stranger,
            } => self.withdraw(person, consent, stranger, fate),
            Step::Enrol {
                person,
                consent,
                profile,
                replace,
                flaw,
            } => {
                self.enrol(person, consent, profile, replace, flaw, fate);
            }
            Step::Again { person, enrolment } => self.enrol_again(person, enrolment),
            Step::Ask {
                person,
                template,
                audience,
                purpose,
            } => {
                self.ask(person, template, audience, PURPOSES[purpose]);
            }
            Step::Answer {
                question,
                bit,
                flaw,
            } => {
                // Recent questions are asked for more often than used ones.
                let questions = self.questions.len();
                if questions > 0 {
                    let back = question
                        % questions.min(if question.is_multiple_of(4) {
                            questions
                        } else {
                            3
                        });
                    self.answer(questions - 1 - back, bit, flaw, fate);
                }
            }
            Step::Finish {
                pending,
                contradict,
            } => {
                if !self.pending.is_empty() {
                    let pending = self.pending.swap_remove(pending % self.pending.len());
                    self.finish(pending, contradict, fate);
                }
            }
            Step::Guess { person, times } => self.guess(person, times),
            Step::Erase {
                person,
                template,
                stranger,
            } => self.erase(person, template, stranger, fate),
            Step::Rotate { person, stranger } => self.rotate(person, stranger, fate),
            Step::Unlock { person, stranger } => self.unlock(person, stranger, fate),
            Step::ReplaceDevice { person, stranger } => self.replace_device(person, stranger, fate),
            Step::Admit { matcher } if matcher <= self.model.needed => self.admit(matcher),
            Step::Admit { .. } => {}
            Step::Clock { by } => self.world.host = self.world.host.plus(by),
            Step::Restart => {
                self.world.restart();
                self.reboot();
            }
            Step::Rollback { state } => self.roll_back(state),
        }
    }

    fn consent(
        &mut self,
        person: usize,
        purpose: Purpose,
        lifetime: i64,
        flaws: (bool, bool),
        fate: Fate,
    ) {
        let (stranger, stale) = flaws;
        let mut consent = self
            .world
            .consent(&self.wallets[person].subject, purpose, lifetime);
        // The enclave's present may be ahead of the host's.
        consent.given = UnixTime(self.model.present + if stale { 301 } else { 0 });
        consent.expires = consent.given.plus(lifetime);
        let signed = jws(self.device(person, stranger), &consent);
        let outcome = self.carry_out(fate, |policy, host| policy.give_consent(&signed, host));
        self.judge(outcome, !stranger && !stale, |run, _| {
            let agreement = Agreement {
                purpose,
                expires: consent.expires.0,
                withdrawn: false,
            };
            run.model.people[person].known = true;
            run.model.people[person].consents.push(agreement);
            run.wallets[person].consents.push((consent, signed));
        });
    }

    fn withdraw(&mut self, person: usize, consent: usize, stranger: bool, fate: Fate) {
        let consents = &self.wallets[person].consents;
        if consents.is_empty() {
            return;
        }
        let consent = consent % consents.len();
        let withdrawal = self
            .world
            .withdrawal(&self.wallets[person].subject, consents[consent].0.id);
        let signed = jws(self.device(person, stranger), &withdrawal);
        let outcome = self.carry_out(fate, |policy, host| policy.withdraw(&signed, host));
        self.judge(outcome, !stranger, |run, answer| {
            run.model.withdraw(person, consent);
            let dead = run.model.people[person]
                .templates
                .iter()
                .filter(|template| !template.live)
                .count();
            assert!(answer.is_none_or(|answer| answer.erased.len() <= dead));
        });
    }

    fn nonce(&mut self, person: usize) -> Option<usize> {
        let issued = self.world.issue_nonce(&self.wallets[person].subject);
        assert_eq!(issued.is_ok(), self.model.people[person].known);
        self.slips.push(issued.ok()?);
        self.model.slip(person);
        Some(self.slips.len() - 1)
    }

    fn enrol(
        &mut self,
        person: usize,
        consent: usize,
        profile: usize,
        replace: bool,
        flaw: EnrolFlaw,
        fate: Fate,
    ) {
        let owner = if flaw == EnrolFlaw::ForeignNonce {
            (person + 1) % PEOPLE
        } else {
            person
        };
        let Some(slip) = self.nonce(owner) else {
            return;
        };
        let Some(consent) = consent.checked_rem(self.wallets[person].consents.len()) else {
            return;
        };
        let (given, consent_jws) = &self.wallets[person].consents[consent];
        let known = &self.model.people[person];
        let recovery = match (known.recovery, flaw) {
            (Some(recovery), EnrolFlaw::NewRecoveryKey) => recovery - 1,
            (Some(recovery), _) => recovery,
            (None, EnrolFlaw::NewRecoveryKey) => known.device,
            (None, _) => 1,
        };
        let live = known
            .templates
            .iter()
            .position(|t| t.live && t.profile == profile);
        let replaces = live.filter(|_| replace);
        let purpose = given.purpose;
        let mut enrolment = Enrolment {
            profile: profiles()[profile].id(),
            purpose: if flaw == EnrolFlaw::OtherPurpose {
                other(purpose)
            } else {
                purpose
            },
            replaces: replaces.map(|t| self.registered(person, t).0.enrolment),
            iat: UnixTime(self.model.present - if flaw == EnrolFlaw::Stale { 301 } else { 0 }),
            ..self.world.enrolment(
                &self.wallets[person].subject,
                digest(consent_jws),
                self.wallets[person].keys[recovery].public().uri(),
                self.slips[slip],
            )
        };
        if flaw == EnrolFlaw::OtherKey {
            enrolment.key = Digest::of("key", b"retired");
        }
        let checks = self.checks(&enrolment, flaw);
        let signed = jws(self.device(person, flaw == EnrolFlaw::Stranger), &enrolment);
        let permitted = flaw == EnrolFlaw::None
            && self
                .model
                .may_enrol(person, consent, profile, replaces, slip);
        let outcome = self.carry_out(fate, |policy, host| policy.register(&signed, &checks, host));
        self.judge(outcome, permitted, |run, _| {
            let known = &mut run.model.people[person];
            if let Some(replaced) = replaces {
                known.templates[replaced].live = false;
            }
            known.templates.push(Template {
                purpose,
                profile,
                live: true,
            });
            known.recovery = Some(recovery);
            run.model.slips[slip].dead = true;
            let wallet = &mut run.wallets[person];
            wallet.registered.push(wallet.enrolments.len());
            wallet.enrolments.push((enrolment, signed, checks));
        });
    }

    fn checks(&self, enrolment: &Enrolment, flaw: EnrolFlaw) -> Vec<Jws> {
        let mut check = self.world.template_check(enrolment);
        match flaw {
            EnrolFlaw::OtherBinding => check.binding = Digest::of("binding", b"another"),
            EnrolFlaw::OtherSubmission => check.submission = Digest::of("submission", b"another"),
            _ => {}
        }
        let k = self.model.needed;
        let mut checks = self.world.checks(&check);
        match flaw {
            EnrolFlaw::Unadmitted => checks[0] = jws(&self.world.matchers[k + 2], &check),
            EnrolFlaw::Twice => {
                checks[k - 1] = if k > 1 {
                    checks[0].clone()
                } else {
                    jws(&self.wallets[0].keys[0], &check)
                }
            }
            EnrolFlaw::TooFew => drop(checks.pop()),
            EnrolFlaw::TooMany => checks.push(jws(&self.world.matchers[k], &check)),
            EnrolFlaw::OtherTemplates => {
                check.template = Digest::of("template", b"another");
                // A single matcher's word on the template is final, so only its other claims can be off.
                check.parameters = if k > 1 {
                    check.parameters
                } else {
                    "another set".to_owned()
                };
                checks[k - 1] = jws(&self.world.matchers[k - 1], &check);
            }
            _ => {}
        }
        checks
    }

    fn registered(&self, person: usize, template: usize) -> &(Enrolment, Jws, Vec<Jws>) {
        let wallet = &self.wallets[person];
        &wallet.enrolments[wallet.registered[template]]
    }

    /// The same request twice: the same receipt while the template lives, never a second one.
    fn enrol_again(&mut self, person: usize, template: usize) {
        let Some(template) = template.checked_rem(self.wallets[person].registered.len()) else {
            return;
        };
        let (enrolment, signed, checks) = self.registered(person, template);
        let (id, signed, checks) = (enrolment.enrolment, signed.clone(), checks.clone());
        let same_device = signed_by(&signed, self.device(person, false));
        let permitted = self.model.people[person].templates[template].live && same_device;
        let states = self.world.disk.states.len();
        let outcome = self.carry_out(Fate::Settles, |policy, host| {
            policy.register(&signed, &checks, host)
        });
        assert_eq!(
            matches!(&outcome, Outcome::Done(receipt) if receipt.enrolment == id),
            permitted
        );
        assert_eq!(
            self.world.disk.states.len(),
            states,
            "nothing was written twice"
        );
    }

    fn ask(&mut self, person: usize, template: usize, audience: usize, purpose: Purpose) {
        let enrolment = match template.checked_rem(self.wallets[person].registered.len()) {
            Some(template) => self.registered(person, template).0.enrolment,
            None => EnrolmentId::random(&self.world.entropy),
        };
        let template = template
            .checked_rem(self.wallets[person].registered.len())
            .unwrap_or(usize::MAX);
        let request = ChallengeRequest {
            subject: self.wallets[person].subject.clone(),
            enrolment,
            audience: AUDIENCES[audience].parse().unwrap(),
            nonce: format!("rp-nonce-{}", self.questions.len()),
            purpose,
        };
        let issued = self.world.challenge(request);
        assert_eq!(
            issued.is_ok(),
            self.model.may_ask(person, template, purpose),
            "the oracle disagrees"
        );
        if let Ok(challenge) = issued {
            self.questions.push(challenge);
            self.model.ask(person, template, audience, purpose);
        }
    }

    fn probe(&self, question: usize, flaw: ProbeFlaw) -> Probe {
        let asked = &self.model.questions[question];
        let (enrolment, _, _) = self.registered(asked.person, asked.template);
        let audience: Audience = AUDIENCES[asked.audience].parse().unwrap();
        let mut probe = Probe {
            sub: enrolment.sub.clone(),
            service: self.world.service(),
            enrolment: enrolment.enrolment,
            template: Digest::of("template", enrolment.submission.as_bytes()),
            challenge: self.questions[question],
            audience,
            purpose: asked.purpose,
            profile: enrolment.profile,
            key: self.world.terms.key,
            submission: Digest::of("submission", self.world.nonce().as_bytes()),
            iat: UnixTime(self.model.present),
        };
        match flaw {
            ProbeFlaw::Transplant => {
                probe.sub = self.wallets[(asked.person + 1) % PEOPLE].subject.clone()
            }
            ProbeFlaw::OtherService => probe.service = "https://other.example".parse().unwrap(),
            ProbeFlaw::OtherAudience => {
                probe.audience = AUDIENCES[1 - asked.audience].parse().unwrap()
            }
            ProbeFlaw::OtherPurpose => probe.purpose = other(probe.purpose),
            ProbeFlaw::OtherEnrolment => probe.enrolment = EnrolmentId::random(&self.world.entropy),
            ProbeFlaw::OtherTemplate => probe.template = Digest::of("template", b"another"),
            ProbeFlaw::OtherKey => probe.key = Digest::of("key", b"retired"),
            ProbeFlaw::Stale => probe.iat = probe.iat.plus(301),
            _ => {}
        }
        probe
    }

    fn evaluations(&self, probe: &Probe, bit: bool, flaw: ProbeFlaw) -> Vec<SignedEvaluation> {
        let k = self.model.needed;
        let by = |signer: usize, ciphertext_of: usize| {
            let verdict = ciphertext(ciphertext_of, bit);
            let mut evaluation = self.world.evaluation(probe, &verdict);
            match flaw {
                ProbeFlaw::OtherTau => evaluation.tau += 1,
                ProbeFlaw::EvaluationOfAnother => {
                    evaluation.submission = Digest::of("submission", b"another")
                }
                _ => {}
            }
            signed_evaluation(&self.world.matchers[signer], &evaluation, verdict)
        };
        let mut evaluations: Vec<SignedEvaluation> =
            (0..k).map(|matcher| by(matcher, matcher)).collect();
        match flaw {
            ProbeFlaw::ForeignCiphertext => evaluations[k - 1].verdict = ciphertext(9, true),
            ProbeFlaw::Unadmitted => evaluations[0] = by(k + 2, 0),
            ProbeFlaw::Twice if k > 1 => evaluations[k - 1] = evaluations[0].clone(),
            ProbeFlaw::TooMany => evaluations.push(by(k, k)),
            ProbeFlaw::TooFew | ProbeFlaw::Twice => drop(evaluations.pop()),
            _ => {}
        }
        evaluations
    }

    fn answer(&mut self, question: usize, bit: bool, flaw: ProbeFlaw, fate: Fate) {
        let probe = self.probe(question, flaw);
        let evaluations = self.evaluations(&probe, bit, flaw);
        let person = self.model.questions[question].person;
        let device = self.model.people[person].device;
        let stranger = matches!(flaw, ProbeFlaw::Stranger | ProbeFlaw::Transplant);
        let signed = jws(self.device(person, stranger), &probe);
        let permitted = flaw == ProbeFlaw::None && self.model.may_answer(question);
        let outcome = self.carry_out(fate, |policy, host| {
            policy.begin_open(&signed, evaluations, None, host)
        });
        self.judge(outcome, permitted, |run, opening| {
            let attempts = &mut run.model.people[person].attempts;
            attempts.push(Attempt {
                at: run.model.present,
                matched: false,
            });
            let attempt = attempts.len() - 1;
            run.model.questions[question].dead = true;
            run.pending.extend(opening.map(|opening| Pending {
                opening,
                question,
                attempt,
                device,
            }));
            assert!(run.model.in_a_row(person) <= 50 && run.model.in_the_period(person) <= 50);
        });
    }

    fn finish(&mut self, pending: Pending, contradict: bool, fate: Fate) {
        let Pending {
            opening,
            question,
            attempt,
            device,
        } = pending;
        let mut bits: Vec<bool> = opening.ciphertexts().map(decrypt).collect();
        let matched = bits[0];
        if contradict {
            if bits.len() > 1 {
                bits[0] ^= true
            } else {
                bits.clear()
            }
        }
        let asked = &self.model.questions[question];
        let person = asked.person;
        let permitted = !contradict
            && self.model.people[person].device == device
            && self.model.may_use(person, asked.template, asked.purpose);
        let outcome = self.carry_out(fate, |policy, host| opening.finish(policy, &bits, host));
        let wrote = matched;
        self.judge(outcome, permitted, |run, verdict| {
            if wrote {
                run.model.people[person].attempts[attempt].matched = true;
            }
            if let Some(verdict) = verdict {
                assert_eq!(verdict.matched, matched);
                run.examine(question, verdict);
            }
        });
    }

    /// What holds of every verdict, whatever led to it.
    fn examine(&mut self, question: usize, verdict: Verdict) {
        let asked = &mut self.model.questions[question];
        asked.verdicts += 1;
        assert_eq!(asked.verdicts, 1, "two verdicts for one challenge");
        assert_eq!(
            verdict.aud.as_str(),
            AUDIENCES[asked.audience],
            "for another audience"
        );
        assert_eq!(verdict.nonce, format!("rp-nonce-{question}"));
        assert_eq!(verdict.purpose, asked.purpose);
        assert_eq!(verdict.sub, self.wallets[asked.person].subject);
        assert_eq!(verdict.tau, verdict.profile.profile().tau);
        let (person, purpose) = (asked.person, asked.purpose);
        assert!(self.model.agrees(person, purpose), "without live consent");
        assert!(
            self.verdicts
                .iter()
                .all(|other| other.challenge != verdict.challenge)
        );
        self.verdicts.push(verdict);
    }

    /// Somebody else tries the wallet again and again, as patiently as they must.
    fn guess(&mut self, person: usize, times: usize) {
        for _ in 0..times {
            let template = self.model.people[person]
                .templates
                .iter()
                .rposition(|template| template.live);
            let Some(template) = template else { return };
            let purpose = self.model.people[person].templates[template].purpose;
            let before = self.questions.len();
            self.ask(person, template, 0, purpose);
            if self.questions.len() == before {
                return;
            }
            self.answer(before, false, ProbeFlaw::None, Fate::Settles);
            if let Some(pending) = self.pending.pop() {
                self.finish(pending, false, Fate::Settles);
            }
            self.world.host = UnixTime(self.model.present + 30);
            self.look_at_the_clock();
        }
    }

    fn erase(&mut self, person: usize, template: usize, stranger: bool, fate: Fate) {
        let Some(template) = template.checked_rem(self.wallets[person].registered.len()) else {
            return;
        };
        let erasure = self.world.erasure(
            &self.wallets[person].subject,
            self.registered(person, template).0.enrolment,
        );
        let signed = jws(self.device(person, stranger), &erasure);
        let outcome = self.carry_out(fate, |policy, host| policy.erase(&signed, host));
        self.judge(outcome, !stranger, |run, _| {
            run.model.people[person].templates[template].live = false
        });
    }

    fn fresh_key(&mut self, person: usize) -> usize {
        let key = self.world.key();
        self.wallets[person].keys.push(key);
        self.wallets[person].keys.len() - 1
    }

    fn rotate(&mut self, person: usize, stranger: bool, fate: Fate) {
        let Some(slip) = self.nonce(person) else {
            return;
        };
        let device = self.fresh_key(person);
        let wallet = &self.wallets[person];
        let mut rotation =
            self.world
                .rotation(&wallet.subject, &wallet.keys[device], self.slips[slip]);
        rotation.iat = UnixTime(self.model.present);
        let possession = jws(&wallet.keys[device], &rotation);
        let signed = jws(self.device(person, stranger), &rotation);
        let permitted = !stranger && self.model.people[person].recovery.is_some();
        let outcome = self.carry_out(fate, |policy, host| {
            policy.rotate_key(&signed, &possession, host)
        });
        self.judge(outcome, permitted, |run, _| {
            run.model.slips[slip].dead = true;
            run.model.people[person].device = device;
        });
    }

    fn unlock(&mut self, person: usize, stranger: bool, fate: Fate) {
        let Some(slip) = self.nonce(person) else {
            return;
        };
        let wallet = &self.wallets[person];
        let mut recovery =
            self.world
                .recovery(&wallet.subject, RecoveryAction::Unlock, self.slips[slip]);
        recovery.iat = UnixTime(self.model.present);
        let known = &self.model.people[person];
        // The wallet's own key does not recover.
        let key = if stranger {
            known.device
        } else {
            known.recovery.unwrap_or(0)
        };
        let signed = jws(&wallet.keys[key], &recovery);
        let permitted = !stranger && known.recovery.is_some();
        let outcome = self.carry_out(fate, |policy, host| policy.recover(&signed, None, host));
        self.judge(outcome, permitted, |run, _| {
            run.model.slips[slip].dead = true;
            run.model.recover(person);
        });
    }

    fn replace_device(&mut self, person: usize, stranger: bool, fate: Fate) {
        let Some(slip) = self.nonce(person) else {
            return;
        };
        let (device, paper) = (self.fresh_key(person), self.fresh_key(person));
        let wallet = &self.wallets[person];
        let action = RecoveryAction::ReplaceDevice {
            new_key: wallet.keys[device].public().uri(),
            new_recovery_key: wallet.keys[paper].public().uri(),
        };
        let mut recovery = self
            .world
            .recovery(&wallet.subject, action, self.slips[slip]);
        recovery.iat = UnixTime(self.model.present);
        let known = &self.model.people[person];
        let key = if stranger {
            known.device
        } else {
            known.recovery.unwrap_or(0)
        };
        let (signed, possession) = (
            jws(&wallet.keys[key], &recovery),
            jws(&wallet.keys[device], &recovery),
        );
        let permitted = !stranger && known.recovery.is_some();
        let outcome = self.carry_out(fate, |policy, host| {
            policy.recover(&signed, Some(&possession), host)
        });
        self.judge(outcome, permitted, |run, _| {
            run.model.slips[slip].dead = true;
            run.model.recover(person);
            run.model.replace_device(person, device, paper);
        });
    }

    /// The host shows a state that is neither the last acknowledged one nor its direct heir.
    fn roll_back(&mut self, state: usize) {
        let disk = &mut self.world.disk;
        let state = state % disk.states.len();
        let shown = &disk.states[state];
        if shown.mark != disk.marked && shown.parent != disk.marked {
            let booted = disk.boot(state, self.world.terms.clone());
            assert!(booted.is_err(), "an old state was taken");
        }
    }
}

fn other(purpose: Purpose) -> Purpose {
    match purpose {
        Purpose::Authentication => Purpose::Uniqueness,
        Purpose::Uniqueness => Purpose::Authentication,
    }
}

fn signed_by(jws: &Jws, key: &SigningKey) -> bool {
    blindprint_did::verify::<Enrolment>(jws)
        .is_ok_and(|verified| *verified.key() == key.public().uri())
}

/// Everybody is enrolled, so that most of a run is about verdicts.
fn opening_moves() -> Vec<Step> {
    let consent = |person| Step::Consent {
        person,
        purpose: 0,
        lifetime: 400 * DAY,
        stranger: false,
        stale: false,
    };
    let enrol = |person| Step::Enrol {
        person,
        consent: 0,
        profile: 0,
        replace: false,
        flaw: EnrolFlaw::None,
    };
    (0..PEOPLE)
        .flat_map(|person| [consent(person), enrol(person)])
        .collect()
}

fn run(k: usize, steps: Vec<(Step, Fate)>) {
    let mut run = Run::new(k);
    for step in opening_moves() {
        run.step(step, Fate::Settles);
    }
    for (step, fate) in steps {
        run.step(step, fate);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn nothing_happens_that_the_oracle_does_not_permit(
        k in 1..3usize,
        steps in proptest::collection::vec((step(), fate()), 1..120),
    ) {
        run(k, steps);
    }
}
