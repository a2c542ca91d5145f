use std::collections::{BTreeMap, BTreeSet};

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Jws, Nonce, SystemEntropy, UnixTime,
    consent::Scope,
    statement::{Purpose, StateMark},
};
use blindprint_did::SigningKey;
use blindprint_log::{
    AddCheckpoint, Checkpoint, Entry, Kind, LogKey, SignedCheckpoint, Tree, WitnessKey,
};
use proptest::sample::Index;
use serde_bytes::ByteBuf;

use super::super::world::{DAY, World, digest, jws};
use crate::{
    message::{LogSeen, Refusal},
    policy::{ChallengeRequest, LogTerms, Policy, Registry, Shown},
};

/// Seconds for which an enclave serves after a mark.
pub const PERIOD: i64 = 300;
pub const SUBJECTS: usize = 2;

/// How the host shows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    None,
    /// The checkpoint that was cosigned before the mark was appended, and the entries under it.
    Truncated,
    /// The last two entries in the other order.
    Reordered,
    /// Without the first entry.
    Withheld,
    /// A checkpoint over a log without tombstones, which the witness does not cosign.
    Forked,
    /// The same, cosigned by somebody else who calls himself as the witness.
    Forged,
    /// The newest checkpoint, without its cosignature.
    Unwitnessed,
    /// The newest checkpoint, and entries of the log from the beginning, whatever was read already.
    Repeated,
}

impl Lie {
    pub const ALL: [Self; 7] = [
        Self::Truncated,
        Self::Reordered,
        Self::Withheld,
        Self::Forked,
        Self::Forged,
        Self::Unwitnessed,
        Self::Repeated,
    ];
}

struct Enclave {
    policy: Policy,
    boot: Nonce,
    /// What witnessed tombstones had ended when it started.
    past: BTreeSet<Nonce>,
}

struct Subject {
    key: SigningKey,
    recovery: SigningKey,
    /// What the last enrolment is called, and what stands for it and its consent.
    enrolled: Option<Enrolled>,
    earlier: Vec<Enrolled>,
}

#[derive(Clone, Copy)]
struct Enrolled {
    consent: ConsentId,
    enrolment: EnrolmentId,
    handle: Nonce,
    consent_handle: Nonce,
}

pub struct Host {
    world: World,
    own: SigningKey,
    log_key: LogKey,
    witness_key: WitnessKey,
    entries: Vec<Entry>,
    /// The witness's memory, and its last answers.
    cosigned: Vec<SignedCheckpoint>,
    /// When a tombstone of each handle first stood under a cosigned checkpoint.
    ended: BTreeMap<Nonce, UnixTime>,
    enclaves: Vec<Enclave>,
    subjects: Vec<Subject>,
    outran: Option<u64>,
}

impl Host {
    pub fn new(witnessed: bool) -> Self {
        let mut world = World::new(1, false);
        let log_key = LogKey::generate("example.org/log", &SystemEntropy).unwrap();
        let witness_key = WitnessKey::generate("witness.example", &SystemEntropy).unwrap();
        world.terms.log = Some(LogTerms {
            log: log_key.verifier(),
            witness: witnessed.then(|| witness_key.verifier()),
            period: u32::try_from(PERIOD).unwrap(),
        });
        let subjects = (0..SUBJECTS)
            .map(|_| Subject {
                key: world.key(),
                recovery: world.key(),
                enrolled: None,
                earlier: Vec::new(),
            })
            .collect();
        Self {
            own: world.key(),
            world,
            log_key,
            witness_key,
            entries: Vec::new(),
            cosigned: Vec::new(),
            ended: BTreeMap::new(),
            enclaves: Vec::new(),
            subjects,
            outran: None,
        }
    }

    pub fn now(&self) -> UnixTime {
        self.world.host
    }

    pub fn nonce(&self) -> Nonce {
        self.world.nonce()
    }

    pub fn stranger(&self) -> SigningKey {
        self.world.key()
    }

    pub fn statement(&self, count: u64) -> StateMark {
        StateMark {
            iss: self.world.service(),
            boot: self.nonce(),
            nonce: self.nonce(),
            count,
            iat: self.now(),
        }
    }

    pub fn pass(&mut self, seconds: i64) {
        self.world.host = self.world.host.plus(seconds);
    }

    pub fn enclaves(&self) -> usize {
        self.enclaves.len()
    }

    pub fn last_state(&self) -> usize {
        self.world.disk.states.len() - 1
    }

    pub fn seen(&self, enclave: usize) -> LogSeen {
        self.enclaves[enclave].policy.seen_of_log().unwrap()
    }

    /// What the last round told to number states above.
    pub fn outran(&self) -> Option<u64> {
        self.outran
    }

    pub fn consent_handle(&self, subject: usize) -> Nonce {
        self.subjects[subject].enrolled.unwrap().consent_handle
    }

    /// Starts an enclave from any state: the host has done away with the hardware's counter.
    pub fn boot(&mut self, state: usize, restore: bool) -> usize {
        let registry = Registry::decode(&self.world.disk.states[state].bytes).unwrap();
        let mut policy = Policy::boot(self.world.terms.clone(), registry);
        if restore {
            policy = policy.restoring();
        }
        let boot = self.nonce();
        let past = self.ended.keys().copied().collect();
        self.enclaves.push(Enclave { policy, boot, past });
        let enclave = self.enclaves.len() - 1;
        self.on(enclave, |world| world.admit(0)).unwrap();
        enclave
    }

    /// Something done by one of the enclaves.
    fn on<R>(&mut self, enclave: usize, act: impl FnOnce(&mut World) -> R) -> R {
        std::mem::swap(&mut self.world.policy, &mut self.enclaves[enclave].policy);
        let result = act(&mut self.world);
        std::mem::swap(&mut self.world.policy, &mut self.enclaves[enclave].policy);
        result
    }

    pub fn log(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    fn bury(&mut self, kind: Kind, handles: Vec<Nonce>) {
        self.log(Entry::tombstone(kind, self.now(), handles, None).unwrap());
    }

    /// Has the log as it is cosigned, if the witness does so.
    pub fn publish(&mut self) {
        let tree = tree(&self.entries);
        let head = self.log_key.sign(tree.size(), tree.root()).unwrap();
        if let Some(head) = self.cosign(&head, &tree) {
            self.cosigned.push(head);
            let now = self.now();
            for handle in self.entries.iter().flat_map(Entry::handles) {
                self.ended.entry(*handle).or_insert(now);
            }
        }
    }

    /// The witness: it cosigns what extends the last tree that it cosigned, by a proof that the host
    /// makes from `tree`.
    fn cosign(&self, head: &SignedCheckpoint, tree: &Tree) -> Option<SignedCheckpoint> {
        let last = self.cosigned.last().map(SignedCheckpoint::checkpoint);
        let old_size = last.map_or(0, Checkpoint::size);
        let proof = tree.consistency(old_size, tree.size()).ok()?;
        AddCheckpoint::check(old_size, proof.path, last, head).ok()?;
        let answer = self.witness_key.cosign(head, self.now()).unwrap();
        head.clone()
            .with_cosignature(&answer.to_string(), &self.witness_key.verifier())
            .ok()
    }

    /// Leaves an entry out for ever, if the witness does not remember it.
    pub fn rewrite(&mut self, entry: Index) {
        if self.entries.is_empty() {
            return;
        }
        let mut other = self.entries.clone();
        other.remove(entry.index(other.len()));
        let tree = tree(&other);
        let head = self.log_key.sign(tree.size(), tree.root()).unwrap();
        if self.cosign(&head, &tree).is_some() {
            self.entries = other;
        }
    }

    pub fn mark(&mut self, enclave: usize) -> Result<(Jws, u64), Refusal> {
        let boot = self.enclaves[enclave].boot;
        let marked = self.on(enclave, |world| {
            let count = world.disk.marked.count + 1;
            let change = world.policy.mark(boot, world.nonce(), count, world.host)?;
            world.disk.settle(change)
        })?;
        Ok((jws(&self.own, &marked.mark), marked.log_size))
    }

    /// A whole round: mark, entry, checkpoint, cosignature, and the log as the host shows it.
    pub fn refresh(&mut self, enclave: usize, lie: Lie) -> Result<LogSeen, Refusal> {
        let (mark, _) = self.mark(enclave)?;
        let entry = Entry::public(Kind::EnclaveMark, self.now(), mark).unwrap();
        if lie == Lie::Truncated {
            self.publish();
            let shown = self.show(enclave, lie);
            self.log(entry);
            return shown.and_then(|seen| {
                // It is let through, for it is what the witness cosigned; it makes nobody fresh.
                if seen.fresh_until.is_some_and(|until| self.now() < until) {
                    Ok(seen)
                } else {
                    Err(Refusal::Unwitnessed)
                }
            });
        }
        self.log(entry);
        self.publish();
        self.show(enclave, lie)
    }

    pub fn show(&mut self, enclave: usize, lie: Lie) -> Result<LogSeen, Refusal> {
        let first = self.seen(enclave).log_size;
        let newest = self.cosigned.last().cloned();
        let mut head = newest.ok_or(Refusal::Unwitnessed)?;
        let size = usize::try_from(head.checkpoint().size()).unwrap();
        let mut shown = self.entries[..size].to_vec();
        match lie {
            Lie::None | Lie::Truncated | Lie::Repeated => {}
            Lie::Reordered => shown.swap(size - 2, size - 1),
            Lie::Withheld => drop(shown.remove(usize::try_from(first).unwrap())),
            Lie::Forked | Lie::Forged => {
                shown.retain(|entry| !entry.kind().is_tombstone());
                let forked = tree(&shown);
                head = self.log_key.sign(forked.size(), forked.root()).unwrap();
                if let Some(cosigned) = self.cosign(&head, &forked) {
                    head = cosigned;
                } else if lie == Lie::Forged {
                    let forger = WitnessKey::generate("witness.example", &SystemEntropy).unwrap();
                    let answer = forger.cosign(&head, self.now()).unwrap().to_string();
                    head = head.with_cosignature(&answer, &forger.verifier()).unwrap();
                }
            }
            Lie::Unwitnessed => {
                let tree = tree(&shown);
                head = self.log_key.sign(tree.size(), tree.root()).unwrap();
            }
        }
        let from = if lie == Lie::Repeated { 0 } else { first };
        let encoded: Vec<ByteBuf> = shown
            .get(usize::try_from(from).unwrap()..)
            .unwrap_or_default()
            .iter()
            .map(|entry| ByteBuf::from(entry.encode()))
            .collect();
        self.show_parts(enclave, &head.to_string(), from, &encoded)
    }

    /// In parts of three entries.
    fn show_parts(
        &mut self,
        enclave: usize,
        checkpoint: &str,
        first: u64,
        encoded: &[ByteBuf],
    ) -> Result<LogSeen, Refusal> {
        let own = self.own.public().uri();
        let mut parts: Vec<&[ByteBuf]> = encoded.chunks(3).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let count = parts.len();
        let mut seen = Err(Refusal::Unwitnessed);
        let mut first = first;
        let mut outran = None;
        for (n, entries) in parts.into_iter().enumerate() {
            let shown = Shown {
                checkpoint,
                first,
                entries,
                last: n + 1 == count,
            };
            seen = self.on(enclave, |world| {
                let change = world.policy.show_log(shown, &own, world.host)?;
                outran = change.outruns();
                world.disk.settle(change)
            });
            seen?;
            first += u64::try_from(entries.len()).unwrap();
        }
        self.outran = outran;
        seen
    }

    pub fn enrol(&mut self, enclave: usize, subject: usize) -> Result<(), Refusal> {
        let consent = self.consent(enclave, subject)?;
        let person = &self.subjects[subject];
        let (key, recovery) = (copy(&person.key), copy(&person.recovery));
        let id = key.public().subject();
        let (consent_id, consent_handle, statement) = consent;
        let receipt = self.on(enclave, |world| {
            let nonce = world.issue_nonce(&id)?;
            let enrolment = world.enrolment(&id, statement, recovery.public().uri(), nonce);
            let checks = world.checks(&world.template_check(&enrolment));
            let handle = world.nonce();
            let change = world.policy.register(
                &jws(&key, &enrolment),
                Some(&jws(&recovery, &enrolment)),
                &checks,
                handle,
                world.host,
            )?;
            world.disk.settle(change)
        })?;
        let enrolled = Enrolled {
            consent: consent_id,
            enrolment: receipt.enrolment,
            handle: receipt.handle,
            consent_handle,
        };
        let person = &mut self.subjects[subject];
        person.earlier.extend(person.enrolled.replace(enrolled));
        Ok(())
    }

    /// Gives another consent, under which what is enrolled opens again.
    pub fn consent_again(&mut self, enclave: usize, subject: usize) -> Result<(), Refusal> {
        let (consent, consent_handle, _) = self.consent(enclave, subject)?;
        if let Some(enrolled) = &mut self.subjects[subject].enrolled {
            enrolled.consent = consent;
            enrolled.consent_handle = consent_handle;
        }
        Ok(())
    }

    fn consent(
        &mut self,
        enclave: usize,
        subject: usize,
    ) -> Result<(ConsentId, Nonce, Digest), Refusal> {
        let key = copy(&self.subjects[subject].key);
        let id = key.public().subject();
        self.on(enclave, |world| {
            let consent = world.consent(&id, &Scope::Authentication, 365 * DAY);
            let signed = jws(&key, &consent);
            let receipt = world.give(&signed)?;
            Ok((consent.id, receipt.handle, digest(&signed)))
        })
    }

    pub fn withdraw(&mut self, enclave: usize, subject: usize) -> Result<(), Refusal> {
        let key = copy(&self.subjects[subject].key);
        let id = key.public().subject();
        let Some(enrolled) = self.subjects[subject].enrolled else {
            return Err(Refusal::Unknown);
        };
        let done = self.on(enclave, |world| {
            let withdrawal = world.withdrawal(&id, enrolled.consent);
            let change = world.policy.withdraw(&jws(&key, &withdrawal), world.host)?;
            world.disk.settle(change)
        })?;
        self.bury(Kind::ConsentWithdrawn, vec![done.consent.handle]);
        for erased in done.erased {
            self.bury(Kind::EnrolmentErased, vec![erased.handle]);
        }
        Ok(())
    }

    pub fn erase_enrolment(&mut self, enclave: usize, subject: usize) -> Result<(), Refusal> {
        let key = copy(&self.subjects[subject].key);
        let id = key.public().subject();
        let Some(enrolled) = self.subjects[subject].enrolled else {
            return Err(Refusal::Unknown);
        };
        let receipt = self.on(enclave, |world| {
            let erasure = world.erasure(&id, enrolled.enrolment);
            let change = world.policy.erase(&jws(&key, &erasure), world.host)?;
            world.disk.settle(change)
        })?;
        self.bury(Kind::EnrolmentErased, vec![receipt.handle]);
        Ok(())
    }

    pub fn erase_subject(&mut self, enclave: usize, subject: usize) -> Result<(), Refusal> {
        let key = copy(&self.subjects[subject].key);
        let id = key.public().subject();
        let receipt = self.on(enclave, |world| {
            let erasure = world.subject_erasure(&id);
            let change = world
                .policy
                .erase_subject(&jws(&key, &erasure), world.host)?;
            world.disk.settle(change)
        })?;
        let mut handles = vec![receipt.handle];
        handles.extend(receipt.enrolments.iter().map(|erased| erased.handle));
        handles.extend(receipt.consents.iter().map(|erased| erased.handle));
        self.bury(Kind::SubjectErased, handles);
        Ok(())
    }

    /// Asks for a challenge against each enrolment there ever was, and says what became of the last.
    /// Where there is a challenge, there may be one.
    pub fn challenge(&mut self, enclave: usize, subject: usize) -> Result<(), Refusal> {
        let person = &self.subjects[subject];
        let last = person.enrolled.ok_or(Refusal::Unknown)?;
        for enrolled in person.earlier.clone() {
            let _ = self.challenge_against(enclave, subject, enrolled);
        }
        self.challenge_against(enclave, subject, last)
    }

    fn challenge_against(
        &mut self,
        enclave: usize,
        subject: usize,
        enrolled: Enrolled,
    ) -> Result<(), Refusal> {
        let id = self.subjects[subject].key.public().subject();
        self.on(enclave, |world| {
            world.challenge(ChallengeRequest {
                subject: id,
                enrolment: enrolled.enrolment,
                audience: "https://shop.example".parse().unwrap(),
                nonce: "a-nonce-of-theirs".to_owned(),
                purpose: Purpose::Authentication,
            })
        })?;
        let past = &self.enclaves[enclave].past;
        if let Some(ended) = self.ended.get(&enrolled.handle) {
            assert!(
                !past.contains(&enrolled.handle) && self.now() < ended.plus(PERIOD),
                "opens for what a witnessed tombstone ended"
            );
        }
        Ok(())
    }
}

fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::from_secret(key.key_type(), &key.to_secret()).unwrap()
}

fn tree(entries: &[Entry]) -> Tree {
    let mut tree = Tree::default();
    for entry in entries {
        tree.append(entry);
    }
    tree
}
