//! What a worker does with a request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

use blindprint_core::{
    Binding, Digest, Entropy, Role, label,
    statement::{Evaluation, Statement, TemplateCheck},
};
use blindprint_did::{SigningKey, sign};
use blindprint_protocol::message::{MatcherRefusal, MatcherResponse, SignedEvaluation, Timings};
use blindprint_template::{PARAMETERS, ProofError, StoredTemplate};
use serde_bytes::ByteBuf;

use super::queue::Queue;
use crate::{MatchError, Matcher, Worker};

/// A request in the queue.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) since: Instant,
    /// Has room for the one answer, so that a worker never waits for who asked.
    pub(super) answer: SyncSender<MatcherResponse>,
}

/// What there is to do.
pub(super) enum Task {
    CheckTemplate {
        binding: Binding,
        submission: Vec<u8>,
    },
    Evaluate {
        binding: Binding,
        submission: Vec<u8>,
        template: Vec<u8>,
    },
}

impl Task {
    const fn name(&self) -> &'static str {
        match self {
            Self::CheckTemplate { .. } => "check_template",
            Self::Evaluate { .. } => "evaluate",
        }
    }
}

/// Works off the queue until it is closed and empty.
pub(super) fn work(
    matcher: &Matcher,
    key: &SigningKey,
    queue: &Queue<Job>,
    entropy: &Arc<dyn Entropy>,
) {
    // tfhe-rs spreads proofs over rayon's pool: here, over a pool of this one thread.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build();
    if let Err(error) = pool {
        tracing::warn!(%error, "workers share their threads");
    }
    let mut worker = matcher.worker(Arc::clone(entropy));
    while let Some(job) = queue.pop() {
        let queued = job.since.elapsed();
        let begun = Instant::now();
        let response = guarded(|| perform(matcher, &mut worker, key, &job.task, queued))
            .unwrap_or_else(|| {
                tracing::error!(request = job.task.name(), "evaluation panicked");
                // Whatever state it was left in is not used again.
                worker = matcher.worker(Arc::clone(entropy));
                Err(MatcherRefusal::Malformed)
            });
        queue.served_in(begun.elapsed());
        tracing::info!(
            request = job.task.name(),
            refused = response.as_ref().err().map(tracing::field::display),
            queued_us = micros(queued),
            worked_us = micros(begun.elapsed()),
            "done"
        );
        // Whoever asked may have gone.
        let _ = job
            .answer
            .send(response.unwrap_or_else(MatcherResponse::Refused));
    }
}

/// `None` if `work` panics: one hostile request must not end a worker.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

fn perform(
    matcher: &Matcher,
    worker: &mut Worker<'_>,
    key: &SigningKey,
    task: &Task,
    queued: Duration,
) -> Result<MatcherResponse, MatcherRefusal> {
    match task {
        Task::CheckTemplate {
            binding,
            submission,
        } => check_template(matcher, key, binding, submission),
        Task::Evaluate {
            binding,
            submission,
            template,
        } => evaluate(matcher, worker, key, binding, submission, template, queued),
    }
}

fn check_template(
    matcher: &Matcher,
    key: &SigningKey,
    binding: &Binding,
    submission: &[u8],
) -> Result<MatcherResponse, MatcherRefusal> {
    if binding.role != Role::Template {
        return Err(MatcherRefusal::Malformed);
    }
    let template = matcher
        .check_template(binding, submission)
        .map_err(refusal)?;
    let check = signed(
        key,
        &TemplateCheck {
            binding: binding.digest(),
            submission: Digest::of(label::SUBMISSION, submission),
            template: Digest::of(label::TEMPLATE, &template),
            parameters: PARAMETERS.name.to_owned(),
            key: matcher.digests().key(),
        },
    )?;
    Ok(MatcherResponse::TemplateChecked {
        check,
        template: ByteBuf::from(template),
    })
}

fn evaluate(
    matcher: &Matcher,
    worker: &mut Worker<'_>,
    key: &SigningKey,
    binding: &Binding,
    submission: &[u8],
    template: &[u8],
    queued: Duration,
) -> Result<MatcherResponse, MatcherRefusal> {
    let digest = Digest::of(label::TEMPLATE, template);
    if binding.role != Role::Probe || binding.template != Some(digest) {
        return Err(MatcherRefusal::Malformed);
    }
    let stored = StoredTemplate::decode(template).map_err(|error| refusal(error.into()))?;
    if stored.key() != matcher.digests().key() {
        return Err(MatcherRefusal::WrongKey);
    }
    let begun = Instant::now();
    let probe = matcher.verify(binding, submission).map_err(refusal)?;
    let proof = begun.elapsed();
    let begun = Instant::now();
    let verdict = worker.compare(binding, &probe.into_glwe_words(), &stored);
    let evaluation = begun.elapsed();
    let statement = Evaluation {
        binding: binding.digest(),
        submission: Digest::of(label::SUBMISSION, submission),
        template: digest,
        verdict: Digest::of(label::VERDICT_CIPHERTEXT, &verdict),
        profile: binding.profile,
        tau: binding.profile.profile().tau,
        parameters: PARAMETERS.name.to_owned(),
        key: matcher.digests().key(),
    };
    let signed = SignedEvaluation {
        evaluation: signed(key, &statement)?,
        verdict: ByteBuf::from(verdict),
    };
    let timings = Timings {
        queued: micros(queued),
        proof: micros(proof),
        evaluation: micros(evaluation),
    };
    Ok(MatcherResponse::Evaluated(signed, timings))
}

fn signed<T: Statement>(
    key: &SigningKey,
    statement: &T,
) -> Result<blindprint_core::Jws, MatcherRefusal> {
    // Digests and names of this build always fit; a request that made them not to is malformed.
    sign(key, statement).map_err(|_| MatcherRefusal::Malformed)
}

const fn refusal(error: MatchError) -> MatcherRefusal {
    match error {
        MatchError::Decode(_) => MatcherRefusal::Malformed,
        MatchError::Key | MatchError::Proof(ProofError::Key) => MatcherRefusal::WrongKey,
        MatchError::Proof(ProofError::Role | ProofError::Rejected) => MatcherRefusal::ProofRejected,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_kept_in() {
        assert_eq!(guarded(|| 1), Some(1));
        assert_eq!(guarded(|| -> u8 { panic!("a hostile request") }), None);
    }
}
