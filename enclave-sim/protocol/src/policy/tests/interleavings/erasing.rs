use blindprint_core::UnixTime;

use super::{super::world::jws, Run, steps::Fate};
use crate::message::DataKeyOf;

impl Run {
    pub(super) fn erase(&mut self, person: usize, template: usize, stranger: bool, fate: Fate) {
        let Some(template) = template.checked_rem(self.wallets[person].registered.len()) else {
            return;
        };
        let erasure = self.world.erasure(
            &self.wallets[person].subject,
            self.registered(person, template).0.enrolment,
        );
        let signed = jws(self.device(person, stranger), &erasure);
        let permitted = !stranger && template >= self.model.people[person].past.1;
        let outcome = self.carry_out(fate, |policy, host| policy.erase(&signed, host));
        self.judge(outcome, permitted, |run, _| {
            run.model.people[person].templates[template].live = false;
        });
    }

    pub(super) fn erase_ordered(&mut self, person: usize, template: usize, fate: Fate) {
        let Some(template) = template.checked_rem(self.wallets[person].registered.len()) else {
            return;
        };
        let subject = self.wallets[person].subject.clone();
        let id = self.registered(person, template).0.enrolment;
        let permitted = template >= self.model.people[person].past.1;
        let outcome = self.carry_out(fate, |policy, host| {
            policy.erase_ordered(&subject, id, host)
        });
        self.judge(outcome, permitted, |run, _| {
            run.model.people[person].templates[template].live = false;
        });
    }

    pub(super) fn erase_subject(
        &mut self,
        person: usize,
        stranger: bool,
        ordered: bool,
        fate: Fate,
    ) {
        let subject = self.wallets[person].subject.clone();
        let mut erasure = self.world.subject_erasure(&subject);
        erasure.iat = UnixTime(self.model.present);
        let signed = jws(self.device(person, stranger), &erasure);
        let known = &self.model.people[person];
        let same_device = known.forgotten.is_some_and(|(_, device)| device == 0);
        let remembered = self.model.remembered(known);
        let permitted = match (known.known, ordered) {
            (true, true) => true,
            (true, false) => !stranger,
            (false, true) => remembered,
            (false, false) => remembered && same_device && !stranger,
        };
        let live = known.templates.iter().filter(|template| template.live);
        let (known, live) = (known.known, live.count());
        let outcome = self.carry_out(fate, |policy, host| {
            if ordered {
                policy.erase_subject_ordered(&subject, host)
            } else {
                policy.erase_subject(&signed, host)
            }
        });
        self.judge(outcome, permitted, |run, receipt| {
            if let Some(receipt) = receipt
                && known
            {
                assert_eq!(receipt.enrolments.len(), live);
                assert_eq!(receipt.ordered, ordered);
            }
            if known {
                run.model.forget(person);
            }
            run.nothing_is_left_of(person);
        });
    }

    /// Neither name nor key is in what is sealed.
    fn nothing_is_left_of(&self, person: usize) {
        let sealed = self.world.policy.registry().encode();
        let wallet = &self.wallets[person];
        assert!(!contains(&sealed, wallet.subject.as_str().as_bytes()));
        for key in &wallet.data_keys {
            assert!(
                !contains(&sealed, key.expose()),
                "a data key outlives its template"
            );
        }
    }

    pub(super) fn read(&mut self, person: usize, template: usize) {
        let Some(template) = template.checked_rem(self.wallets[person].registered.len()) else {
            return;
        };
        let subject = self.wallets[person].subject.clone();
        let of = DataKeyOf::Enrolment(self.registered(person, template).0.enrolment);
        let read = self.world.data_key(&subject, of);
        assert_eq!(
            read.is_ok(),
            self.model.may_read(person, template),
            "the oracle disagrees"
        );
        if let Ok(key) = read {
            assert_eq!(key, self.wallets[person].data_keys[template]);
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
