//! The chain of a subject's answers: each consent names the head before it, and the enclave's receipts say
//! the head after. Whoever has all links can tell whether one was left out, changed or moved.

use std::collections::BTreeSet;

use blindprint_core::{
    Audience, ConsentId, Digest, Jws, SubjectId, UnixTime,
    consent::chain,
    statement::{Consent, ConsentReceipt, Decision, Purpose, Withdrawal},
};
use blindprint_did::verify;
use serde::Serialize;

use crate::{Attested, Error, Result, Wallet};

/// What a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A consent.
    Given,
    /// A refusal.
    Refused,
    /// A withdrawal.
    Withdrawn,
}

/// One answer in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsentLink {
    /// What it is.
    pub kind: LinkKind,
    /// Of which consent.
    pub consent: ConsentId,
    /// To what.
    pub purpose: Purpose,
    /// Who may learn of verdicts.
    pub recipient: Option<Audience>,
    /// When it was signed.
    pub at: UnixTime,
    /// The head after it.
    pub head: Digest,
    /// Whether this wallet has signed it.
    pub own: bool,
}

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsentHistory {
    /// The oldest first.
    pub links: Vec<ConsentLink>,
    /// Whether the first link is the subject's first answer: the service forgets consents a while after
    /// their end.
    pub from_the_beginning: bool,
    /// The head that the next consent names.
    pub head: Option<Digest>,
}

/// A link whose place is not known yet.
struct Loose {
    link: ConsentLink,
    /// Digest of the signed statement.
    event: Digest,
    /// What the statement says comes before; withdrawals say nothing.
    #[expect(
        clippy::option_option,
        reason = "to say nothing is not to say that nothing comes before"
    )]
    previous: Option<Option<Digest>>,
}

impl Wallet {
    /// Everything that was answered in this subject's name, of which the service knows, as one chain.
    /// Fails if a link is missing, or if the service's head is not the chain's.
    pub async fn consent_history(&self) -> Result<ConsentHistory> {
        let attested = self.attest().await?;
        let said = self.status().await?;
        let mut loose = Vec::new();
        for summary in &said.consents {
            let kept = self.consent_record(summary.id).await?;
            let ends = kept
                .withdrawal
                .as_ref()
                .zip(kept.withdrawal_receipt.as_ref());
            let own = self.owns(summary.id);
            let subject = &self.state.subject;
            let given = (&kept.consent, &kept.consent_receipt);
            loose.extend(answers(&attested, subject, given, ends, own)?);
        }
        for known in &self.state.consents {
            let kept = said.consents.iter().any(|kept| kept.id == known.id);
            if known.given.is_some() && !kept && self.now() < known.expires {
                return Err(Error::Unbelievable(
                    "the service does not show a consent that it has confirmed",
                ));
            }
        }
        ConsentHistory::of(loose, said.head)
    }

    fn owns(&self, id: ConsentId) -> bool {
        self.state.consents.iter().any(|own| own.id == id)
    }
}

/// The links that a consent and its withdrawal are, by what the enclave said of each.
fn answers(
    attested: &Attested,
    subject: &SubjectId,
    (jws, receipt): (&Jws, &Jws),
    ends: Option<(&Jws, &Jws)>,
    own: bool,
) -> Result<Vec<Loose>> {
    let broken = |_| Error::Unbelievable("a statement's signature does not hold");
    let consent = verify::<Consent>(jws).map_err(broken)?;
    let event = consent.digest();
    let consent = consent.into_statement();
    let about = |word: &ConsentReceipt| {
        word.consent == consent.id && word.sub == *subject && word.statement == event
    };
    let word: ConsentReceipt = attested.believe(receipt)?;
    if consent.sub != *subject || !about(&word) || word.head != chain(consent.previous, event) {
        return Err(Error::Unbelievable("a receipt is not about its consent"));
    }
    let link = |kind, at, head| ConsentLink {
        kind,
        consent: consent.id,
        purpose: consent.purpose,
        recipient: consent.recipient.clone(),
        at,
        head,
        own,
    };
    let kind = match consent.decision {
        Decision::Given => LinkKind::Given,
        Decision::Refused => LinkKind::Refused,
    };
    let mut links = vec![Loose {
        link: link(kind, consent.given, word.head),
        event,
        previous: Some(consent.previous),
    }];
    if let Some((jws, receipt)) = ends {
        let withdrawal = verify::<Withdrawal>(jws).map_err(broken)?;
        let word: ConsentReceipt = attested.believe(receipt)?;
        let said = withdrawal.statement();
        if said.consent != consent.id || said.sub != *subject || !about(&word) {
            return Err(Error::Unbelievable("a receipt is not about its withdrawal"));
        }
        links.push(Loose {
            link: link(LinkKind::Withdrawn, said.iat, word.head),
            event: withdrawal.digest(),
            previous: None,
        });
    }
    Ok(links)
}

impl ConsentHistory {
    /// Puts links in their order, which is one only.
    fn of(mut loose: Vec<Loose>, head: Option<Digest>) -> Result<Self> {
        let missing = Error::Unbelievable("a link of the chain of consents is missing");
        let heads: BTreeSet<Digest> = loose.iter().map(|it| it.link.head).collect();
        // Where it begins: after a head that no link here has.
        let beginnings: Vec<Option<Digest>> = loose
            .iter()
            .filter_map(|it| it.previous)
            .filter(|previous| previous.is_none_or(|previous| !heads.contains(&previous)))
            .collect();
        let mut at = match beginnings.as_slice() {
            [] if loose.is_empty() => None,
            [only] => *only,
            _ => return Err(missing),
        };
        let from_the_beginning = at.is_none();
        let mut links = Vec::with_capacity(loose.len());
        while !loose.is_empty() {
            let next = loose.iter().position(|it| {
                chain(at, it.event) == it.link.head && it.previous.is_none_or(|before| before == at)
            });
            let Some(next) = next else {
                return Err(missing);
            };
            let Loose { link, .. } = loose.swap_remove(next);
            at = Some(link.head);
            links.push(link);
        }
        if !links.is_empty() && at != head {
            return Err(Error::Unbelievable(
                "the head of the chain of consents is not the one that the service names",
            ));
        }
        Ok(Self {
            links,
            from_the_beginning,
            head,
        })
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    /// Links after `start`: a consent for each `true`, a withdrawal for each `false`.
    fn links(start: Option<Digest>, kinds: &[bool]) -> (Vec<Loose>, Option<Digest>) {
        let mut at = start;
        let links = kinds
            .iter()
            .enumerate()
            .map(|(number, consent)| {
                let event = Digest::of("test", &[u8::try_from(number).unwrap()]);
                let previous = consent.then_some(at);
                let head = chain(at, event);
                at = Some(head);
                Loose {
                    link: ConsentLink {
                        kind: if *consent {
                            LinkKind::Given
                        } else {
                            LinkKind::Withdrawn
                        },
                        consent: ConsentId::random(&SystemEntropy),
                        purpose: Purpose::Authentication,
                        recipient: None,
                        at: UnixTime(0),
                        head,
                        own: true,
                    },
                    event,
                    previous,
                }
            })
            .collect();
        (links, at)
    }

    #[test]
    fn links_are_put_in_order_and_none_may_miss() {
        let kinds = [true, false, true, true, false, false];
        for start in [None, Some(Digest::of("test", b"before"))] {
            let (mut loose, head) = links(start, &kinds);
            loose.reverse();
            let history = ConsentHistory::of(loose, head).unwrap();
            assert_eq!(history.from_the_beginning, start.is_none());
            assert_eq!(history.links.len(), kinds.len());
            let found: Vec<bool> = history
                .links
                .iter()
                .map(|it| it.kind == LinkKind::Given)
                .collect();
            assert_eq!(found, kinds);
            for left_out in 1..kinds.len() {
                let (mut loose, head) = links(start, &kinds);
                loose.remove(left_out);
                assert!(
                    ConsentHistory::of(loose, head).is_err(),
                    "without {left_out}"
                );
            }
            let (loose, _) = links(start, &kinds);
            assert!(ConsentHistory::of(loose, start).is_err(), "another head");
        }
        assert!(
            ConsentHistory::of(Vec::new(), None)
                .unwrap()
                .links
                .is_empty()
        );
    }
}
