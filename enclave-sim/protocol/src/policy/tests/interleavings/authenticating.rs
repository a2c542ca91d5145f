use blindprint_core::{
    Audience, Digest, EnrolmentId, UnixTime,
    consent::Scope,
    statement::{Probe, Verdict},
};

use super::{
    super::{
        model::Attempt,
        world::{ciphertext, decrypt, jws, signed_evaluation},
    },
    AUDIENCES, PEOPLE, Pending, Run,
    enrolling::other,
    steps::{Fate, Lie, ProbeFlaw},
};
use crate::{
    message::SignedEvaluation,
    policy::{Agreed, ChallengeRequest},
};

impl Run {
    pub(super) fn ask(&mut self, person: usize, template: usize, audience: usize, scope: Scope) {
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
            purpose: scope.purpose(),
        };
        let issued = self.world.challenge(request);
        assert_eq!(
            issued.is_ok(),
            self.model.may_ask(person, template, &scope),
            "the oracle disagrees"
        );
        if let Ok(challenge) = issued {
            self.questions.push(challenge);
            self.model.ask(person, template, audience, scope);
        }
    }

    pub(super) fn probe(&self, question: usize, flaw: ProbeFlaw) -> Probe {
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
            purpose: asked.scope.purpose(),
            profile: enrolment.profile,
            key: self.world.terms.key,
            submission: Digest::of("submission", self.world.nonce().as_bytes()),
            iat: UnixTime(self.model.present),
        };
        match flaw {
            // Somebody else's whole answer to this challenge, their own template included.
            ProbeFlaw::Transplant => {
                let other = (asked.person + 1) % PEOPLE;
                probe.sub = self.wallets[other].subject.clone();
                self.aim(&mut probe, other, None);
            }
            ProbeFlaw::OtherService => probe.service = "https://other.example".parse().unwrap(),
            ProbeFlaw::OtherAudience => {
                probe.audience = AUDIENCES[1 - asked.audience].parse().unwrap();
            }
            ProbeFlaw::OtherPurpose => probe.purpose = other(probe.purpose),
            ProbeFlaw::OtherEnrolment => {
                probe.enrolment = EnrolmentId::random(&self.world.entropy);
                self.aim(&mut probe, asked.person, Some(asked.template));
            }
            ProbeFlaw::OtherTemplate => probe.template = Digest::of("template", b"another"),
            ProbeFlaw::OtherKey => probe.key = Digest::of("key", b"retired"),
            ProbeFlaw::Stale => probe.iat = probe.iat.plus(301),
            _ => {}
        }
        probe
    }

    /// Points a probe at a live template of `person`, if there is one besides `except`.
    fn aim(&self, probe: &mut Probe, person: usize, except: Option<usize>) {
        let templates = &self.model.people[person].templates;
        let live = (0..templates.len()).find(|t| templates[*t].live && Some(*t) != except);
        if let Some(live) = live {
            let (enrolment, _, _) = self.registered(person, live);
            probe.enrolment = enrolment.enrolment;
            probe.profile = enrolment.profile;
            probe.template = Digest::of("template", enrolment.submission.as_bytes());
        }
    }

    pub(super) fn evaluations(
        &self,
        probe: &Probe,
        bit: bool,
        flaw: ProbeFlaw,
    ) -> Vec<SignedEvaluation> {
        let k = self.model.needed;
        let by = |signer: usize, ciphertext_of: usize| {
            let verdict = ciphertext(ciphertext_of, bit);
            let mut evaluation = self.world.evaluation(probe, &verdict);
            match flaw {
                ProbeFlaw::OtherTau => evaluation.tau += 1,
                ProbeFlaw::OtherBinding => evaluation.binding = Digest::of("binding", b"another"),
                ProbeFlaw::EvaluationOfAnother => {
                    evaluation.submission = Digest::of("submission", b"another");
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

    pub(super) fn answer(&mut self, question: usize, bit: bool, flaw: ProbeFlaw, fate: Fate) {
        let probe = self.probe(question, flaw);
        let evaluations = self.evaluations(&probe, bit, flaw);
        let person = self.model.questions[question].person;
        let device = self.model.people[person].device;
        let stranger = matches!(flaw, ProbeFlaw::Stranger | ProbeFlaw::Transplant);
        let signed = jws(self.device(person, stranger), &probe);
        let permitted = flaw == ProbeFlaw::None && self.model.may_answer(question);
        let signers = self.model.signers().into_iter();
        let signers: Vec<_> = signers
            .map(|module| (module, self.instance(module)))
            .collect();
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
                signers,
            }));
            assert!(run.model.in_a_row(person) <= 50 && run.model.in_the_period(person) <= 50);
        });
    }

    pub(super) fn compare(&mut self, pending: Pending, lie: Lie, fate: Fate) {
        let Pending {
            opening,
            question,
            attempt,
            device,
            signers,
        } = pending;
        let mut bits: Vec<_> = opening.ciphertexts().map(decrypt).map(Some).collect();
        match lie {
            Lie::Contradiction if bits.len() > 1 => bits[0] = bits[0].map(|bit| !bit),
            Lie::None | Lie::Contradiction => {}
            Lie::NoVerdict => *bits.last_mut().unwrap() = None,
        }
        let honest = bits.iter().all(|bit| bit.is_some() && *bit == bits[0]);
        // The crash comes between the two steps as often as in the second.
        let (first, second) = if honest && question.is_multiple_of(2) {
            (Fate::Settles, fate)
        } else {
            (fate, Fate::Settles)
        };
        let permitted = self.model.opens();
        let outcome = self.carry_out(first, |policy, host| opening.compare(policy, &bits, host));
        let mut agreed = None;
        self.judge(outcome, permitted, |run, answer| {
            if !honest {
                let live = signers
                    .iter()
                    .filter(|(module, as_)| run.instance(*module) == *as_);
                let live: Vec<usize> = live.map(|(module, _)| *module).collect();
                run.model.incident(&live);
                assert!(run.model.incidents <= 8, "one lie too many was told");
            }
            match answer {
                Some(Ok(opening)) => {
                    assert!(honest, "a lie was believed");
                    agreed = Some(opening);
                }
                Some(Err(_)) => {
                    assert!(!honest, "an honest evaluation is none");
                    run.expelled(&signers);
                }
                None => {}
            }
        });
        if let Some(agreed) = agreed {
            let matched = bits[0] == Some(true);
            self.finish(agreed, matched, (question, attempt, device), second);
        }
    }

    fn finish(
        &mut self,
        agreed: Agreed,
        matched: bool,
        (question, attempt, device): (usize, usize, usize),
        fate: Fate,
    ) {
        let asked = &self.model.questions[question];
        let person = asked.person;
        let permitted = self.model.people[person].device == device
            && self.model.may_use(person, asked.template, &asked.scope);
        let outcome = self.carry_out(fate, |policy, host| agreed.finish(policy, host));
        self.judge(outcome, permitted, |run, verdict| {
            if matched {
                run.model.people[person].attempts[attempt].matched = true;
            }
            if let Some(verdict) = verdict {
                assert_eq!(verdict.matched, matched);
                run.examine(question, verdict);
            }
        });
    }

    /// What holds of every verdict, whatever led to it.
    pub(super) fn examine(&mut self, question: usize, verdict: Verdict) {
        let asked = &mut self.model.questions[question];
        asked.verdicts += 1;
        assert_eq!(asked.verdicts, 1, "two verdicts for one challenge");
        assert_eq!(
            verdict.aud.as_str(),
            AUDIENCES[asked.audience],
            "for another audience"
        );
        assert_eq!(verdict.nonce, format!("rp-nonce-{question}"));
        assert_eq!(verdict.purpose, asked.scope.purpose());
        assert_eq!(verdict.sub, self.wallets[asked.person].subject);
        assert_eq!(verdict.tau, verdict.profile.profile().tau);
        let (person, template, scope) = (asked.person, asked.template, asked.scope.clone());
        assert!(
            self.model.may_use(person, template, &scope),
            "without live consent"
        );
        assert!(
            self.verdicts
                .iter()
                .all(|other| other.challenge != verdict.challenge)
        );
        self.verdicts.push(verdict);
    }

    /// Somebody else tries the wallet again and again, as patiently as they must.
    pub(super) fn guess(&mut self, person: usize, times: usize) {
        for _ in 0..times {
            let template = self.model.people[person]
                .templates
                .iter()
                .rposition(|template| template.live);
            let Some(template) = template else { return };
            let purpose = self.model.people[person].templates[template].purpose;
            let before = self.questions.len();
            self.ask(person, template, 0, Scope::new(purpose, None).unwrap());
            if self.questions.len() == before {
                return;
            }
            self.answer(before, false, ProbeFlaw::None, Fate::Settles);
            if let Some(pending) = self.pending.pop() {
                self.compare(pending, Lie::None, Fate::Settles);
            }
            self.world.host = UnixTime(self.model.present + 30);
            self.look_at_the_clock();
        }
    }
}
