//! Random interleavings of everything that wallets, matchers, hosts and crashes do. After each step
//! the policy must have done exactly what the oracle permits.

mod authenticating;
mod consenting;
mod enrolling;
mod erasing;
mod recovering;
mod steps;

use blindprint_core::{
    Jws, Nonce, SubjectId, UnixTime,
    consent::Scope,
    statement::{Consent, Enrolment, Verdict},
};
use blindprint_did::SigningKey;
use proptest::prelude::*;

use self::steps::{Fate, Step, fate, opening_moves, step};
use super::{
    model::Model,
    world::{START, World},
};
use crate::{
    DataKey,
    message::Refusal,
    policy::{Change, PendingOpening, Policy},
};

const PEOPLE: usize = 3;
const AUDIENCES: [&str; 2] = ["https://shop.example", "did:web:bank.example"];

/// What a person may agree to.
fn scope(number: usize) -> Scope {
    match number {
        0 => Scope::Authentication,
        1 => Scope::Uniqueness,
        recipient => Scope::Sharing(AUDIENCES[recipient - 2].parse().unwrap()),
    }
}

/// What a comparison for an audience needs.
fn wanted(purpose: usize, audience: usize) -> Scope {
    scope(if purpose == 2 { 2 + audience } else { purpose })
}

/// A person's wallet, with everything it ever sent.
struct Wallet {
    subject: SubjectId,
    keys: Vec<SigningKey>,
    consents: Vec<(Consent, Jws)>,
    enrolments: Vec<(Enrolment, Jws, Vec<Jws>)>,
    /// Indices into `enrolments` of those that were registered, as the oracle numbers them.
    registered: Vec<usize>,
    /// The data keys that they were stored under.
    data_keys: Vec<DataKey>,
}

struct Pending {
    opening: PendingOpening,
    question: usize,
    attempt: usize,
    device: usize,
    /// Who signed: which instances, and as what.
    signers: Vec<(usize, usize)>,
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
    /// How often each instance was expelled, and came again as another.
    incarnations: [usize; 4],
    /// Whether the last operation had anything to write.
    wrote: bool,
}

impl Run {
    fn new(k: usize, incidents: u32) -> Self {
        let mut world = World::new(k, false);
        world.policy.registry.incidents = incidents;
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
                    data_keys: vec![],
                }
            })
            .collect();
        let mut model = Model {
            needed: k,
            incidents: usize::try_from(incidents).unwrap(),
            admitted: (0..=k).map(|matcher| (matcher, matcher)).collect(),
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
            incarnations: [0; 4],
            wrote: false,
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
        self.wrote = change.snapshot().is_some();
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
                if self.wrote {
                    self.model.written();
                }
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
            self.admit(matcher, matcher);
        }
    }

    fn admit(&mut self, matcher: usize, module: usize) {
        let instance = self.instance(module);
        self.world.admit_as(matcher, instance).unwrap();
        self.model.admit(matcher, module);
    }

    /// Who signed is not admitted again, unless as another instance.
    fn expelled(&mut self, signers: &[(usize, usize)]) {
        for (module, instance) in signers {
            let again = self.world.admit_as(*module, *instance);
            assert_eq!(again, Err(Refusal::Expelled));
            if *instance == self.instance(*module) {
                self.incarnations[*module] += 1;
            }
        }
    }

    fn instance(&self, module: usize) -> usize {
        10 * self.incarnations[module] + module
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
                scope: number,
                lifetime,
                flaw,
            } => self.consent(person, scope(number), lifetime, flaw, fate),
            Step::EndConsent {
                person,
                consent,
                invalid,
            } => self.end_consent(person, consent, invalid, fate),
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
            } => self.ask(person, template, audience, wanted(purpose, audience)),
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
            Step::Finish { pending, lie } => {
                if !self.pending.is_empty() {
                    let pending = self.pending.swap_remove(pending % self.pending.len());
                    self.compare(pending, lie, fate);
                }
            }
            Step::Guess { person, times } => self.guess(person, times),
            Step::Erase {
                person,
                template,
                stranger,
            } => self.erase(person, template, stranger, fate),
            Step::EraseOrdered { person, template } => self.erase_ordered(person, template, fate),
            Step::EraseSubject {
                person,
                stranger,
                ordered,
            } => self.erase_subject(person, stranger, ordered, fate),
            Step::Read { person, template } => self.read(person, template),
            Step::Rotate {
                person,
                stranger,
                spent,
            } => self.rotate(person, (stranger, spent), fate),
            Step::Unlock {
                person,
                stranger,
                spent,
            } => self.unlock(person, (stranger, spent), fate),
            Step::ReplaceDevice {
                person,
                stranger,
                spent,
            } => self.replace_device(person, (stranger, spent), fate),
            Step::Admit { matcher, module } if matcher <= self.model.needed => {
                self.admit(matcher, module);
            }
            Step::Admit { .. } => {}
            Step::Clock { by } => self.world.host = self.world.host.plus(by),
            Step::Restart => {
                self.world.restart();
                self.reboot();
            }
            Step::Rollback { state } => self.roll_back(state),
        }
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

fn run(k: usize, incidents: u32, steps: Vec<(Step, Fate)>) {
    let mut run = Run::new(k, incidents);
    for step in opening_moves() {
        run.step(step, Fate::Settles);
    }
    for (step, fate) in steps {
        run.step(step, fate);
    }
}

proptest! {
    #[test]
    fn nothing_happens_that_the_oracle_does_not_permit(
        k in 1..3usize,
        incidents in prop_oneof![2 => Just(0), 1 => 5..8u32],
        steps in proptest::collection::vec((step(), fate()), 1..120),
    ) {
        run(k, incidents, steps);
    }
}
