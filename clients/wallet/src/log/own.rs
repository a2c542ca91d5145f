//! What the log holds about this wallet's subject, against what the wallet knows.

use blindprint_core::{
    Jws, Nonce, UnixTime,
    statement::{Consent, ConsentReceipt, Verdict},
    wire::OwnLogEntry,
};
use blindprint_did::verify;
use blindprint_log::{Checkpoint, Entry, Kind, Salt, TreeHash};
use serde::Serialize;

use crate::{Attested, Error, Result, Wallet, client::printable, state::EnrolmentState};

/// More pages of entries than any subject has.
const MOST_PAGES: u32 = 10_000;

/// An entry about the subject that was shown to be in the log and to commit to what is said here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnEvent {
    /// Its place in the log.
    pub index: u64,
    /// What kind of event.
    pub kind: &'static str,
    /// When, by the service's clock.
    pub at: UnixTime,
    /// What it was, for people.
    pub what: String,
    /// What the entry commits to.
    #[serde(skip)]
    event: String,
    #[serde(skip)]
    handles: Vec<Nonce>,
}

impl Wallet {
    /// What the service shows, oldest first.
    pub(super) async fn own_entries(&self) -> Result<Vec<OwnLogEntry>> {
        let mut entries = Vec::new();
        let mut from = Some(0);
        for _ in 0..MOST_PAGES {
            let Some(next) = from else { break };
            let page = self.client.own_log_entries(self.signer(), next).await?;
            from = page.next.filter(|further| *further > next);
            entries.extend(page.entries);
        }
        Ok(entries)
    }

    /// That each is in the log under `head`, that its commitment is to what the service shows, and that
    /// nothing is missing that this wallet was told.
    pub(super) async fn check_own(
        &self,
        entries: Vec<OwnLogEntry>,
        head: &Checkpoint,
        attested: &Attested,
    ) -> Result<Vec<OwnEvent>> {
        let mut events = Vec::with_capacity(entries.len());
        for entry in entries {
            events.push(self.check_one(entry, head, attested).await?);
        }
        self.misses_nothing(&events)?;
        Ok(events)
    }

    async fn check_one(
        &self,
        shown: OwnLogEntry,
        head: &Checkpoint,
        attested: &Attested,
    ) -> Result<OwnEvent> {
        let index = shown.index;
        let wrong =
            |why: &dyn std::fmt::Display| Error::LogRefuted(format!("entry {index}: {why}"));
        let entry = Entry::parse(shown.entry.as_bytes()).map_err(|error| wrong(&error))?;
        let salt: Salt = shown.salt.parse().map_err(|error| wrong(&error))?;
        let opens = entry
            .commitment()
            .is_some_and(|commitment| commitment.opens(&salt, shown.event.as_bytes()));
        if !opens {
            return Err(wrong(
                &"it does not commit to what the service says it does",
            ));
        }
        let proof = self.client.inclusion(index, head.size()).await?;
        if (proof.index, proof.size) != (index, head.size()) {
            return Err(wrong(&"its proof is about another entry"));
        }
        proof
            .verify(TreeHash::of_entry(shown.entry.as_bytes()), head.root())
            .map_err(|error| wrong(&error))?;
        let what = self
            .told(entry.kind(), &shown.event, attested)
            .map_err(|why| wrong(&why))?;
        Ok(OwnEvent {
            index,
            kind: entry.kind().as_str(),
            at: entry.at(),
            what,
            event: shown.event,
            handles: entry.handles().to_vec(),
        })
    }

    /// What an event says, in a few words; `Err` if it is not this subject's.
    fn told(&self, kind: Kind, event: &str, attested: &Attested) -> Result<String, &'static str> {
        const OTHERS: &str = "it is about somebody else";
        let statement = || {
            event
                .parse::<Jws>()
                .map_err(|_| "its event is no statement")
        };
        match kind {
            Kind::ConsentGiven | Kind::ConsentRefused => {
                let consent = verify::<Consent>(&statement()?)
                    .map_err(|_| "its consent is not signed")?
                    .into_statement();
                if consent.sub != self.state.subject {
                    return Err(OTHERS);
                }
                let known = self
                    .state
                    .consents
                    .iter()
                    .any(|known| known.id == consent.id);
                let remark = if known { "" } else { ", not from this wallet" };
                Ok(format!("{}{remark}", consent.purpose.as_str()))
            }
            Kind::Verdict => {
                let verdict =
                    verify::<Verdict>(&statement()?).map_err(|_| "its verdict is not signed")?;
                let remark = if *verdict.key() == attested.verdict_key {
                    ""
                } else {
                    ", under a key that is not in force any more"
                };
                let verdict = verdict.into_statement();
                if verdict.sub != self.state.subject {
                    return Err(OTHERS);
                }
                let outcome = if verdict.matched { "match" } else { "no match" };
                Ok(format!("{outcome} for {}{remark}", verdict.aud))
            }
            Kind::CredentialIssued | Kind::CredentialStatus | Kind::RightsChanged => {
                Ok(printable(event))
            }
            _ => Ok(String::new()),
        }
    }

    /// That everything this wallet has the enclave's word for is logged.
    fn misses_nothing(&self, events: &[OwnEvent]) -> Result<()> {
        let lacks =
            |what: &dyn std::fmt::Display| Err(Error::LogRefuted(format!("it lacks {what}")));
        let logged = |event: &Jws| events.iter().any(|known| known.event == event.as_str());
        for consent in &self.state.consents {
            if consent.given.is_some() && !logged(&consent.consent) {
                return lacks(&format_args!("consent {}", consent.id));
            }
            let Some(withdrawn) = &consent.withdrawn else {
                continue;
            };
            let handle = verify::<ConsentReceipt>(withdrawn)
                .map_err(|_| Error::Unbelievable("a receipt in this wallet is none"))?
                .into_statement()
                .handle;
            if !events.iter().any(|known| known.handles.contains(&handle)) {
                return lacks(&format_args!("the withdrawal of consent {}", consent.id));
            }
        }
        for enrolment in &self.state.enrolments {
            if let EnrolmentState::Registered {
                receipt: Some(receipt),
                ..
            } = &enrolment.state
                && !logged(receipt)
            {
                return lacks(&format_args!("enrolment {}", enrolment.id));
            }
        }
        Ok(())
    }
}
