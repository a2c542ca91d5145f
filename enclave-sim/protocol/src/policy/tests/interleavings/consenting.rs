use blindprint_core::{
    UnixTime,
    consent::Scope,
    statement::{ConsentState, Decision},
};

use super::{
    super::{model::Agreement, world::jws},
    Run,
    steps::{ConsentFlaw, Fate},
};
use crate::message::EndCause;

impl Run {
    pub(super) fn consent(
        &mut self,
        person: usize,
        scope: Scope,
        lifetime: i64,
        flaw: ConsentFlaw,
        fate: Fate,
    ) {
        let subject = self.wallets[person].subject.clone();
        let mut consent = self.world.consent(&subject, &scope, lifetime);
        // The enclave's present may be ahead of the host's.
        let late = if flaw == ConsentFlaw::Stale { 301 } else { 0 };
        consent.given = UnixTime(self.model.present + late);
        consent.expires = consent.given.plus(lifetime);
        match flaw {
            ConsentFlaw::Refusal => {
                consent.decision = Decision::Refused;
                consent.expires = consent.given;
            }
            ConsentFlaw::OtherChain => consent.previous = Some(self.world.terms.key),
            ConsentFlaw::OtherRecipient => {
                consent.recipient = match consent.recipient {
                    Some(_) => None,
                    None => Some("https://shop.example".parse().unwrap()),
                };
            }
            _ => {}
        }
        let signed = jws(self.device(person, flaw == ConsentFlaw::Stranger), &consent);
        let known = self.model.people[person].known;
        let good = match flaw {
            ConsentFlaw::None | ConsentFlaw::Refusal => true,
            // Whom the enclave does not know tells it where their chain stands.
            ConsentFlaw::OtherChain => !known,
            _ => false,
        };
        let permitted = good && self.model.may_agree(person, consent.given.0);
        let entropy = self.world.entropy.fork();
        let outcome = self.carry_out(fate, |policy, host| {
            policy.give_consent(&signed, &entropy, host)
        });
        self.judge(outcome, permitted, |run, receipt| {
            if let Some(receipt) = receipt {
                assert_eq!(Some(receipt.head), run.world.head(&subject));
            }
            let agreement = Agreement {
                scope,
                expires: consent.expires.0,
                ended: flaw == ConsentFlaw::Refusal,
            };
            run.model.people[person].known = true;
            run.model.people[person].consents.push(agreement);
            run.wallets[person].consents.push((consent, signed));
        });
    }

    pub(super) fn withdraw(&mut self, person: usize, consent: usize, stranger: bool, fate: Fate) {
        let Some(consent) = consent.checked_rem(self.wallets[person].consents.len()) else {
            return;
        };
        let subject = &self.wallets[person].subject;
        let id = self.wallets[person].consents[consent].0.id;
        let withdrawal = self.world.withdrawal(subject, id);
        let signed = jws(self.device(person, stranger), &withdrawal);
        let permitted = !stranger && consent >= self.model.people[person].past.0;
        let outcome = self.carry_out(fate, |policy, host| policy.withdraw(&signed, host));
        self.judge(outcome, permitted, |run, answer| {
            run.model.withdraw(person, consent);
            let dead = run.dead(person);
            assert!(answer.is_none_or(|answer| answer.erased.len() <= dead));
        });
    }

    pub(super) fn end_consent(&mut self, person: usize, consent: usize, invalid: bool, fate: Fate) {
        let Some(consent) = consent.checked_rem(self.wallets[person].consents.len()) else {
            return;
        };
        let subject = self.wallets[person].subject.clone();
        let id = self.wallets[person].consents[consent].0.id;
        let cause = if invalid {
            EndCause::Invalidated
        } else {
            EndCause::WithdrawnOnBehalf
        };
        let head = self.world.head(&subject);
        let permitted = consent >= self.model.people[person].past.0;
        let outcome = self.carry_out(fate, |policy, host| {
            policy.end_consent(&subject, id, cause, host)
        });
        self.judge(outcome, permitted, |run, answer| {
            if invalid {
                run.model.invalidate(person, consent);
            } else {
                run.model.withdraw(person, consent);
            }
            assert!(answer.is_none_or(|answer| answer.consent.state != ConsentState::Given));
            assert_eq!(
                run.world.head(&subject),
                head,
                "what nobody signed is no link"
            );
        });
    }

    fn dead(&self, person: usize) -> usize {
        let templates = self.model.people[person].templates.iter();
        templates.filter(|template| !template.live).count()
    }
}
