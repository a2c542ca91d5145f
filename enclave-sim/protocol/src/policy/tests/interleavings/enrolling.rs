use blindprint_core::{
    Digest, EnrolmentId, Jws, UnixTime, profiles,
    statement::{Enrolment, Purpose},
};
use blindprint_did::SigningKey;

use super::{
    super::{
        model::{Slip, Template},
        world::{digest, jws},
    },
    Outcome, PEOPLE, Run,
    steps::{EnrolFlaw, Fate},
};
use crate::message::DataKeyOf;

impl Run {
    pub(super) fn nonce(&mut self, person: usize) -> Option<usize> {
        let issued = self.world.issue_nonce(&self.wallets[person].subject);
        assert_eq!(issued.is_ok(), self.model.people[person].known);
        self.slips.push(issued.ok()?);
        self.model.slip(person);
        Some(self.slips.len() - 1)
    }

    /// A new nonce, or one that was used or lost.
    pub(super) fn slip(&mut self, person: usize, spent: bool) -> Option<usize> {
        if spent {
            let dead = |slip: &Slip| slip.person == person && slip.dead;
            self.model.slips.iter().rposition(dead)
        } else {
            self.nonce(person)
        }
    }

    pub(super) fn enrol(
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
        let Some(slip) = self.slip(owner, flaw == EnrolFlaw::SpentNonce) else {
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
        let elsewhere = known
            .templates
            .iter()
            .position(|t| t.live && t.profile != profile);
        let replaces = match flaw {
            EnrolFlaw::ReplacesOtherProfile if elsewhere.is_none() => return,
            EnrolFlaw::ReplacesOtherProfile => elsewhere,
            _ => live.filter(|_| replace),
        };
        // Wallets choose ids, so different people's may well be equal.
        let registered = self.wallets[person].registered.len();
        let (_, past) = self.model.people[person].past;
        let id = match flaw {
            EnrolFlaw::UsedId if registered == past => return,
            EnrolFlaw::UsedId => self.registered(person, registered - 1).0.enrolment,
            _ => nth_enrolment(registered),
        };
        let purpose = given.purpose;
        let mut enrolment = Enrolment {
            enrolment: id,
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
        let first = self.model.people[person].recovery.is_none();
        let recovered = self.recovered(person, recovery, &enrolment, flaw);
        // The first enrolment sets the recovery key, and needs no word of it.
        let permitted = (flaw == EnrolFlaw::None || flaw == EnrolFlaw::NoRecovery && first)
            && self
                .model
                .may_enrol(person, consent, profile, replaces, slip);
        let handle = self.world.nonce();
        let of = DataKeyOf::Nonce(self.slips[slip]);
        let data_key = self.world.data_key(&self.wallets[person].subject, of);
        let outcome = self.carry_out(fate, |policy, host| {
            policy.register(&signed, recovered.as_ref(), &checks, handle, host)
        });
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
            wallet.data_keys.push(data_key.unwrap());
            wallet.enrolments.push((enrolment, signed, checks));
        });
    }

    /// The recovery key's signature over the same statement, or what a thief has instead.
    fn recovered(
        &self,
        person: usize,
        recovery: usize,
        enrolment: &Enrolment,
        flaw: EnrolFlaw,
    ) -> Option<Jws> {
        let key = &self.wallets[person].keys[recovery];
        match flaw {
            EnrolFlaw::NoRecovery => None,
            EnrolFlaw::RecoveryByDevice => Some(jws(self.device(person, false), enrolment)),
            EnrolFlaw::RecoveryOfAnother => {
                let submission = Digest::of("submission", b"another");
                let another = Enrolment {
                    submission,
                    ..enrolment.clone()
                };
                Some(jws(key, &another))
            }
            _ => Some(jws(key, enrolment)),
        }
    }

    pub(super) fn checks(&self, enrolment: &Enrolment, flaw: EnrolFlaw) -> Vec<Jws> {
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

    pub(super) fn registered(&self, person: usize, template: usize) -> &(Enrolment, Jws, Vec<Jws>) {
        let wallet = &self.wallets[person];
        &wallet.enrolments[wallet.registered[template]]
    }

    /// The same request twice: the same receipt while the template lives, never a second one.
    pub(super) fn enrol_again(&mut self, person: usize, template: usize) {
        let Some(template) = template.checked_rem(self.wallets[person].registered.len()) else {
            return;
        };
        let (enrolment, signed, checks) = self.registered(person, template);
        let (id, signed, checks) = (enrolment.enrolment, signed.clone(), checks.clone());
        let same_device = signed_by(&signed, self.device(person, false));
        let permitted = self.model.people[person].templates[template].live && same_device;
        let states = self.world.disk.states.len();
        let handle = self.world.nonce();
        let outcome = self.carry_out(Fate::Settles, |policy, host| {
            policy.register(&signed, None, &checks, handle, host)
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
}

pub(super) fn other(purpose: Purpose) -> Purpose {
    match purpose {
        Purpose::Authentication => Purpose::Uniqueness,
        Purpose::Uniqueness | Purpose::Sharing => Purpose::Authentication,
    }
}

fn nth_enrolment(number: usize) -> EnrolmentId {
    format!("00000000-0000-4000-8000-{number:012}")
        .parse()
        .unwrap()
}

fn signed_by(jws: &Jws, key: &SigningKey) -> bool {
    blindprint_did::verify::<Enrolment>(jws)
        .is_ok_and(|verified| *verified.key() == key.public().uri())
}
