use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use blindprint_core::{Binding, Jws, problem::ProblemCode};
use blindprint_protocol::message::{
    MatcherRefusal, MatcherRequest, MatcherResponse, SignedEvaluation,
};
use futures_util::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use serde_bytes::ByteBuf;
use tokio::time::timeout;

use super::connection::{Peer, Unanswered};
use crate::{Error, Result};

/// Longest wait for a queue and an evaluation.
const PATIENCE: Duration = Duration::from_secs(45);

/// Longest wait when nobody's request hangs on the answer.
const GLANCE: Duration = Duration::from_secs(3);

/// What a matcher says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatcherHealth {
    /// Requests waiting.
    pub queued: u32,
    /// Most requests that may wait.
    pub capacity: u32,
    /// Requests at work at once.
    pub workers: u32,
}

/// The matcher processes.
#[derive(Debug)]
pub struct Matchers {
    peers: Vec<Peer>,
    next: AtomicUsize,
}

/// A template that k matchers checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparable {
    /// One signed check from each.
    pub checks: Vec<Jws>,
    /// The bytes to store.
    pub template: Vec<u8>,
}

impl Matchers {
    /// The matchers behind these sockets.
    pub fn at(sockets: impl IntoIterator<Item = PathBuf>) -> Self {
        let peers = sockets
            .into_iter()
            .map(|socket| Peer::new(socket, PATIENCE))
            .collect();
        Self {
            peers,
            next: AtomicUsize::new(0),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// How many say that they serve.
    pub async fn healthy(&self) -> usize {
        let asked: FuturesUnordered<_> = self
            .peers
            .iter()
            .map(|peer| peer.ask::<_, MatcherResponse>(&MatcherRequest::Health))
            .collect();
        asked
            .filter(|answer| {
                std::future::ready(matches!(answer, Ok(MatcherResponse::Healthy { .. })))
            })
            .count()
            .await
    }

    /// What each of them says of itself, in the order of their sockets; `None` for one that does not
    /// answer soon.
    pub async fn observed(&self) -> Vec<Option<MatcherHealth>> {
        let asked = self.peers.iter().map(async |peer| {
            let answer = timeout(GLANCE, peer.ask(&MatcherRequest::Health)).await;
            match answer {
                Ok(Ok(MatcherResponse::Healthy {
                    queued,
                    capacity,
                    workers,
                    ..
                })) => Some(MatcherHealth {
                    queued,
                    capacity,
                    workers,
                }),
                _ => None,
            }
        });
        join_all(asked).await
    }

    /// Has k matchers verify a template's proof.
    pub async fn check_template(
        &self,
        binding: Binding,
        submission: &[u8],
        k: usize,
    ) -> Result<Comparable> {
        let request = MatcherRequest::CheckTemplate {
            binding,
            submission: ByteBuf::from(submission),
        };
        let answers = self
            .gather(&request, k, |answer| match answer {
                MatcherResponse::TemplateChecked { check, template } => Some((check, template)),
                _ => None,
            })
            .await?;
        let template = match answers.first() {
            Some((_, template)) => template.to_vec(),
            None => return Err(Error::unavailable(5)),
        };
        if answers.iter().any(|(_, other)| *other != template) {
            return Err(Error::broken("checking a template")(
                "the matchers disagree".into(),
            ));
        }
        Ok(Comparable {
            checks: answers.into_iter().map(|(check, _)| check).collect(),
            template,
        })
    }

    /// Has k matchers verify a probe's proof and compare it with a template.
    pub async fn evaluate(
        &self,
        binding: Binding,
        submission: &[u8],
        template: &[u8],
        k: usize,
    ) -> Result<Vec<SignedEvaluation>> {
        let request = MatcherRequest::Evaluate {
            binding,
            submission: ByteBuf::from(submission),
            template: ByteBuf::from(template),
        };
        self.gather(&request, k, |answer| match answer {
            MatcherResponse::Evaluated(evaluation, timings) => {
                for (stage, microseconds) in [
                    ("queued", timings.queued),
                    ("proof", timings.proof),
                    ("evaluation", timings.evaluation),
                ] {
                    let seconds = Duration::from_micros(microseconds).as_secs_f64();
                    metrics::histogram!("blindprint_matcher_seconds", "stage" => stage)
                        .record(seconds);
                }
                Some(evaluation)
            }
            _ => None,
        })
        .await
    }

    /// Asks k matchers at once, and in the place of each that is busy or gone another one. A
    /// refusal of the ciphertext itself is final: every matcher would say the same.
    async fn gather<T>(
        &self,
        request: &MatcherRequest,
        k: usize,
        take: impl Fn(MatcherResponse) -> Option<T>,
    ) -> Result<Vec<T>> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let mut waiting = (0..self.peers.len())
            .map(|offset| &self.peers[start.wrapping_add(offset) % self.peers.len()]);
        let mut asked = FuturesUnordered::new();
        asked.extend(waiting.by_ref().take(k).map(|peer| ask(peer, request)));
        let mut taken = Vec::with_capacity(k);
        let mut retry_after = 2;
        while let Some((socket, answer)) = asked.next().await {
            match answer {
                Ok(MatcherResponse::Refused(MatcherRefusal::Busy {
                    retry_after: seconds,
                })) => {
                    retry_after = seconds.max(1);
                }
                Ok(MatcherResponse::Refused(refusal)) if is_final(refusal) => {
                    return Err(Error::Refused(refusal_code(refusal)));
                }
                Ok(answer) => {
                    if let Some(answer) = take(answer) {
                        taken.push(answer);
                        if taken.len() == k {
                            return Ok(taken);
                        }
                        continue;
                    }
                    tracing::warn!(socket = %socket.display(), "matcher is not ready");
                }
                Err(error) => tracing::warn!(
                    socket = %socket.display(),
                    error = &error as &dyn std::error::Error,
                    "matcher does not answer"
                ),
            }
            asked.extend(waiting.next().map(|peer| ask(peer, request)));
        }
        Err(Error::unavailable(retry_after))
    }
}

async fn ask<'p>(
    peer: &'p Peer,
    request: &MatcherRequest,
) -> (&'p Path, Result<MatcherResponse, Unanswered>) {
    (peer.socket(), peer.ask(request).await)
}

const fn is_final(refusal: MatcherRefusal) -> bool {
    matches!(
        refusal,
        MatcherRefusal::Malformed | MatcherRefusal::WrongKey | MatcherRefusal::ProofRejected
    )
}

const fn refusal_code(refusal: MatcherRefusal) -> ProblemCode {
    match refusal {
        MatcherRefusal::WrongKey => ProblemCode::KeyRetired,
        MatcherRefusal::ProofRejected => ProblemCode::ProofRejected,
        _ => ProblemCode::MalformedSubmission,
    }
}
