//! The oracle: what must be permitted, said once more without signatures, tickets or encodings. It
//! keeps the whole history and derives everything from it.

use std::collections::BTreeMap;

use blindprint_core::{consent::Scope, statement::Purpose};

const FIVE: usize = 5;
const FIFTY: usize = 50;
const NINETY_DAYS: i64 = 90 * 86_400;

#[derive(Default)]
pub struct Model {
    /// What the enclave takes for the present, and what it will after a restart.
    pub present: i64,
    pub durable_present: i64,
    pub needed: usize,
    /// False evaluations, which outlive everything.
    pub incidents: usize,
    /// Whose key each admitted instance signs with.
    pub admitted: BTreeMap<usize, usize>,
    pub people: Vec<Person>,
    pub slips: Vec<Slip>,
    pub questions: Vec<Question>,
}

#[derive(Default)]
pub struct Person {
    pub known: bool,
    /// Which of the wallet's keys is pinned, and which recovers.
    pub device: usize,
    pub recovery: Option<usize>,
    pub consents: Vec<Agreement>,
    pub templates: Vec<Template>,
    pub attempts: Vec<Attempt>,
    /// Attempts before this index were forgiven by a recovery.
    forgiven: usize,
    /// Consents and templates before these indices were forgotten with the person.
    pub past: (usize, usize),
    /// When they were forgotten last, and with which device.
    pub forgotten: Option<(i64, usize)>,
}

pub struct Agreement {
    pub scope: Scope,
    pub expires: i64,
    /// Refused, withdrawn, invalidated or forgotten.
    pub ended: bool,
}

pub struct Template {
    pub purpose: Purpose,
    pub profile: usize,
    pub live: bool,
}

pub struct Attempt {
    pub at: i64,
    pub matched: bool,
}

/// An enrolment nonce.
pub struct Slip {
    pub person: usize,
    pub expires: i64,
    pub dead: bool,
}

/// A challenge.
pub struct Question {
    pub person: usize,
    pub template: usize,
    pub audience: usize,
    pub scope: Scope,
    pub expires: i64,
    pub dead: bool,
    pub verdicts: usize,
}

impl Model {
    pub fn see(&mut self, host: i64) {
        self.present = self.present.max(host);
    }

    pub fn written(&mut self) {
        self.durable_present = self.present;
    }

    /// Everything that lives in memory dies.
    pub fn restart(&mut self) {
        self.present = self.durable_present;
        self.admitted.clear();
        self.slips.iter_mut().for_each(|slip| slip.dead = true);
        self.questions
            .iter_mut()
            .for_each(|question| question.dead = true);
    }

    /// Eight and no more.
    pub fn opens(&self) -> bool {
        self.incidents < 8
    }

    /// One more lie. Returns the instances that signed.
    pub fn incident(&mut self, signers: &[usize]) {
        self.incidents += 1;
        self.admitted.retain(|module, _| !signers.contains(module));
    }

    /// The instances behind the matchers that sign.
    pub fn signers(&self) -> Vec<usize> {
        let signs = |(module, key): (&usize, &usize)| (*key < self.needed).then_some(*module);
        self.admitted.iter().filter_map(signs).collect()
    }

    pub fn quorum(&self) -> bool {
        (0..self.needed).all(|matcher| self.admitted.values().any(|key| *key == matcher))
    }

    /// An instance shows a key: it has no other one, and nobody else has this one.
    pub fn admit(&mut self, matcher: usize, module: usize) {
        self.admitted.retain(|_, key| *key != matcher);
        self.admitted.insert(module, matcher);
    }

    pub fn agrees(&self, person: usize, scope: &Scope) -> bool {
        let consents = &self.people[person].consents;
        consents
            .iter()
            .any(|consent| consent.scope == *scope && self.live(consent))
    }

    pub fn live(&self, consent: &Agreement) -> bool {
        !consent.ended && self.present < consent.expires
    }

    /// A person may agree if they sign in time, and not in the name of who they were before they
    /// were forgotten.
    pub fn may_agree(&self, person: usize, given: i64) -> bool {
        let person = &self.people[person];
        let after = |(at, _): (i64, usize)| given > at + 300;
        person.known || !self.remembered(person) || person.forgotten.is_none_or(after)
    }

    /// Whether it is remembered that they were forgotten.
    pub fn remembered(&self, person: &Person) -> bool {
        person
            .forgotten
            .is_some_and(|(at, _)| self.present - at < 30 * 86_400)
    }

    /// Of the failures since the last recovery, which still count against the person.
    fn failures(&self, person: usize) -> impl DoubleEndedIterator<Item = &Attempt> {
        let person = &self.people[person];
        person.attempts[person.forgiven..]
            .iter()
            .filter(|attempt| !attempt.matched)
    }

    pub fn in_a_row(&self, person: usize) -> usize {
        let person = &self.people[person];
        person.attempts[person.forgiven..]
            .iter()
            .rev()
            .take_while(|attempt| !attempt.matched)
            .count()
    }

    pub fn in_the_period(&self, person: usize) -> usize {
        self.failures(person)
            .filter(|attempt| self.present - attempt.at < NINETY_DAYS)
            .count()
    }

    pub fn locked(&self, person: usize) -> bool {
        self.in_a_row(person) >= FIFTY || self.in_the_period(person) >= FIFTY
    }

    pub fn may_try(&self, person: usize) -> bool {
        let waits = self.in_a_row(person) >= FIVE
            && self
                .failures(person)
                .next_back()
                .is_some_and(|last| self.present < last.at + 30);
        !self.locked(person) && !waits
    }

    pub fn may_enrol(
        &self,
        person: usize,
        consent: usize,
        profile: usize,
        replaces: Option<usize>,
        slip: usize,
    ) -> bool {
        let slip = &self.slips[slip];
        let person_index = person;
        let person = &self.people[person];
        let in_the_way = person
            .templates
            .iter()
            .position(|t| t.live && t.profile == profile);
        person.known
            && person
                .consents
                .get(consent)
                .is_some_and(|consent| self.live(consent) && consent.scope.recipient().is_none())
            && !self.locked(person_index)
            && in_the_way == replaces
            && slip.person == person_index
            && !slip.dead
            && self.present < slip.expires
            && self.quorum()
    }

    /// A new nonce; the ninth live one of a person ends their first.
    pub fn slip(&mut self, person: usize) {
        let present = self.present;
        let live =
            move |slip: &&mut Slip| slip.person == person && !slip.dead && present < slip.expires;
        if self.slips.iter_mut().filter(live).count() >= 8
            && let Some(oldest) = self.slips.iter_mut().find(live)
        {
            oldest.dead = true;
        }
        self.slips.push(Slip {
            person,
            expires: present + 900,
            dead: false,
        });
    }

    pub fn may_ask(&self, person: usize, template: usize, scope: &Scope) -> bool {
        self.opens() && self.may_use(person, template, scope) && self.may_try(person)
    }

    /// Sharing takes a consent to the comparison as well.
    pub fn may_use(&self, person: usize, template: usize, scope: &Scope) -> bool {
        let compared_for = match scope {
            Scope::Uniqueness => Scope::Uniqueness,
            Scope::Authentication | Scope::Sharing(_) => Scope::Authentication,
        };
        self.agrees(person, scope)
            && self.agrees(person, &compared_for)
            && self.people[person]
                .templates
                .get(template)
                .is_some_and(|t| t.live && t.purpose == compared_for.purpose())
    }

    /// Whether the key of a template is given out.
    pub fn may_read(&self, person: usize, template: usize) -> bool {
        let template = &self.people[person].templates[template];
        template.live && self.agrees(person, &Scope::new(template.purpose, None).unwrap())
    }

    pub fn ask(&mut self, person: usize, template: usize, audience: usize, scope: Scope) {
        let present = self.present;
        let live = move |q: &&mut Question| q.person == person && !q.dead && present < q.expires;
        if self.questions.iter_mut().filter(live).count() >= 8
            && let Some(oldest) = self.questions.iter_mut().find(live)
        {
            oldest.dead = true;
        }
        let expires = present + 300;
        self.questions.push(Question {
            person,
            template,
            audience,
            scope,
            expires,
            dead: false,
            verdicts: 0,
        });
    }

    pub fn may_answer(&self, question: usize) -> bool {
        let question = &self.questions[question];
        self.opens()
            && !question.dead
            && self.present < question.expires
            && self.may_use(question.person, question.template, &question.scope)
            && self.may_try(question.person)
            && self.quorum()
    }

    pub fn withdraw(&mut self, person: usize, consent: usize) {
        if std::mem::replace(&mut self.people[person].consents[consent].ended, true) {
            return;
        }
        let covered: Vec<bool> = self.people[person]
            .templates
            .iter()
            .map(|template| self.agrees(person, &Scope::new(template.purpose, None).unwrap()))
            .collect();
        for (template, covered) in self.people[person].templates.iter_mut().zip(covered) {
            template.live &= covered;
        }
    }

    pub fn recover(&mut self, person: usize) {
        let person = &mut self.people[person];
        person.forgiven = person.attempts.len();
    }

    pub fn replace_device(&mut self, person: usize, device: usize, recovery: usize) {
        let person = &mut self.people[person];
        person.device = device;
        person.recovery = Some(recovery);
        person
            .consents
            .iter_mut()
            .for_each(|consent| consent.ended = true);
        person
            .templates
            .iter_mut()
            .for_each(|template| template.live = false);
    }

    /// A consent ends and no template with it.
    pub fn invalidate(&mut self, person: usize, consent: usize) {
        self.people[person].consents[consent].ended = true;
    }

    /// Nothing is left but that they were there.
    pub fn forget(&mut self, person: usize) {
        self.recover(person);
        let present = self.present;
        let slips = self.slips.iter_mut().filter(|slip| slip.person == person);
        slips.for_each(|slip| slip.dead = true);
        let questions = self.questions.iter_mut();
        questions
            .filter(|question| question.person == person)
            .for_each(|question| question.dead = true);
        let person = &mut self.people[person];
        person.forgotten = Some((present, person.device));
        person.known = false;
        person.device = 0;
        person.recovery = None;
        person.past = (person.consents.len(), person.templates.len());
        let (consents, templates) = (person.consents.iter_mut(), person.templates.iter_mut());
        consents.for_each(|consent| consent.ended = true);
        templates.for_each(|template| template.live = false);
    }
}
