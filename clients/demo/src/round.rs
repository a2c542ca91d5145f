//! Everybody enrols and is authenticated twice: as themselves and as somebody else.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use blindprint_core::{
    Audience, EnrolmentId, Nonce, ProfileId, SystemEntropy, profiles, statement::Purpose,
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_face::{FACE_MODEL, Modality};
use blindprint_wallet::{
    Address, EnrolOptions, Materials, Passphrase, Setup, Surroundings, Trust, Wallet,
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    Error, Result,
    people::{People, Person},
    service::{RunningService, surroundings},
    table::{Row, Table},
};

/// The relying party of the demo.
pub(crate) const SHOP: &str = "https://shop.example";

/// An enrolled person.
pub(crate) struct Enrolled {
    /// Position among the participants.
    pub(crate) at: usize,
    /// Their wallet.
    pub(crate) wallet: Wallet,
    /// Their enrolment.
    pub(crate) enrolment: EnrolmentId,
    /// A copy of their identity key, as somebody who breaks into the wallet would have it.
    pub(crate) key: SigningKey,
}

/// A comparison under encryption, beside the one in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compared {
    /// Whether both captures are of the same person.
    pub(crate) genuine: bool,
    /// In clear, computed by the wallet.
    pub(crate) distance: u16,
    /// What the enclave signed.
    pub(crate) matched: bool,
}

/// What is the same for everybody.
pub(crate) struct Round {
    address: Address,
    trust: Trust,
    surroundings: Surroundings,
    invitation: String,
    wallets: PathBuf,
}

/// Everybody's wallets and comparisons.
pub(crate) struct Results {
    /// In the order of the participants.
    pub(crate) wallets: Vec<Enrolled>,
    comparisons: Vec<Compared>,
    profile: ProfileId,
}

/// What came of it, in numbers.
pub(crate) struct Summary {
    pub(crate) enrolled: usize,
    pub(crate) genuine: usize,
    pub(crate) genuine_accepted: usize,
    pub(crate) impostors: usize,
    pub(crate) impostors_refused: usize,
    /// Verdicts that differ from the decision in clear.
    contradictions: usize,
    profile: ProfileId,
}

/// The profile that the captures fit.
pub(crate) fn profile(people: &People) -> Result<ProfileId> {
    let values = people
        .participants()
        .next()
        .map_or(0, |person| person.captures[0].values.len());
    let fits = |profile: &&blindprint_core::Profile| {
        profile.model == FACE_MODEL && usize::from(profile.dimension) == values
    };
    profiles()
        .iter()
        .find(fits)
        .map(blindprint_core::Profile::id)
        .ok_or_else(|| {
            Error::Setup(format!(
                "no profile takes {} of {FACE_MODEL}",
                Modality::Face
            ))
        })
}

impl Round {
    pub(crate) fn prepare(
        service: &RunningService,
        people: &People,
        invitation: String,
    ) -> Result<Self> {
        let wallets = service.folder().join("wallets");
        std::fs::create_dir_all(&wallets)?;
        profile(people)?;
        Ok(Self {
            address: service.address()?,
            trust: service.trust()?,
            surroundings: surroundings(Arc::new(Materials::cached_in(wallets.join("cache")))),
            invitation,
            wallets,
        })
    }

    /// Runs `parallel` wallets at a time.
    pub(crate) async fn run(
        self,
        people: &People,
        parallel: usize,
        table: &Arc<Table>,
    ) -> Result<Results> {
        let round = Arc::new(self);
        let room = Arc::new(Semaphore::new(parallel));
        let participants: Vec<Arc<Person>> = people.participants().map(Arc::clone).collect();
        let mut tasks = JoinSet::new();
        for at in 0..participants.len() {
            let (round, room, table) = (Arc::clone(&round), Arc::clone(&room), Arc::clone(table));
            let person = Arc::clone(&participants[at]);
            let stranger = Arc::clone(&participants[(at + 1) % participants.len()]);
            tasks.spawn(async move {
                let _turn = room.acquire_owned().await;
                round.take_part(at, &person, &stranger, &table).await
            });
        }
        let mut results = Results {
            wallets: Vec::new(),
            comparisons: Vec::new(),
            profile: profile(people)?,
        };
        while let Some(finished) = tasks.join_next().await {
            let (enrolled, comparisons) =
                finished.map_err(|e| Error::Broken(format!("a wallet stopped: {e}")))??;
            results.wallets.push(enrolled);
            results.comparisons.extend(comparisons);
        }
        results.wallets.sort_by_key(|enrolled| enrolled.at);
        Ok(results)
    }

    async fn take_part(
        &self,
        at: usize,
        person: &Person,
        stranger: &Person,
        table: &Table,
    ) -> Result<(Enrolled, [Compared; 2])> {
        let [template, again, ..] = person.captures.as_slice() else {
            return Err(Error::Setup(format!(
                "{} has only one capture",
                person.label
            )));
        };
        let working = table.start(&person.label, &template.name);
        let (mut wallet, key) = self.new_wallet(&person.label).await?;
        let notice = wallet.notice(Purpose::Authentication, "en").await?;
        let invitation = Some(self.invitation.as_str());
        wallet.give_consent(&notice, 86_400, invitation).await?;
        let options = EnrolOptions {
            invitation: invitation.map(str::to_owned),
            ..EnrolOptions::default()
        };
        let enrolled = wallet
            .enrol(template.embedding()?, options, &working)
            .await?;
        let row = Row {
            person: &person.label,
            capture: &template.name,
            distance: None,
            outcome: "enrolled",
            stages: enrolled.stages,
        };
        table.done(working, &row);

        let enrolment = enrolled.enrolment.id;
        let mut comparisons = Vec::with_capacity(2);
        for (genuine, capture) in [(true, again), (false, &stranger.captures[0])] {
            let working = table.start(&person.label, &capture.name);
            let answer = wallet
                .authenticate(capture.embedding()?, None, shop(), nonce(), &working)
                .await?;
            let distance =
                wallet.plain_distance(enrolment, &template.embedding()?, &capture.embedding()?)?;
            let matched = answer.verdict.matched;
            let row = Row {
                person: &person.label,
                capture: &capture.name,
                distance: Some(distance),
                outcome: if matched { "match" } else { "no match" },
                stages: answer.stages,
            };
            table.done(working, &row);
            comparisons.push(Compared {
                genuine,
                distance,
                matched,
            });
        }
        let comparisons = [comparisons[0], comparisons[1]];
        Ok((
            Enrolled {
                at,
                wallet,
                enrolment,
                key,
            },
            comparisons,
        ))
    }

    async fn new_wallet(&self, name: &str) -> Result<(Wallet, SigningKey)> {
        let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let copy = SigningKey::from_secret(KeyType::Ed25519, &key.to_secret())
            .map_err(|e| Error::Broken(e.to_string()))?;
        let setup = Setup {
            address: self.address.clone(),
            trust: self.trust.clone(),
            identity: Some(key),
        };
        let path = self.wallets.join(format!("{name}.age"));
        let passphrase = Passphrase::random(&SystemEntropy);
        let wallet = Wallet::create(&path, passphrase, setup, self.surroundings.clone()).await?;
        Ok((wallet, copy))
    }
}

/// The demo's relying party.
pub(crate) fn shop() -> Audience {
    SHOP.parse().expect("a constant that is a valid name")
}

/// A relying party's nonce for one login.
pub(crate) fn nonce() -> String {
    Nonce::random(&SystemEntropy).to_string()
}

impl Results {
    /// For the picture.
    pub(crate) fn marks(&self) -> &[Compared] {
        &self.comparisons
    }

    pub(crate) fn summary(&self) -> Summary {
        let count = |wanted: fn(&Compared) -> bool| {
            self.comparisons
                .iter()
                .filter(|compared| wanted(compared))
                .count()
        };
        let profile = self.profile.profile();
        let contradictions = self
            .comparisons
            .iter()
            .filter(|compared| compared.matched != profile.matches(compared.distance))
            .count();
        Summary {
            enrolled: self.wallets.len(),
            genuine: count(|c| c.genuine),
            genuine_accepted: count(|c| c.genuine && c.matched),
            impostors: count(|c| !c.genuine),
            impostors_refused: count(|c| !c.genuine && !c.matched),
            contradictions,
            profile: self.profile,
        }
    }
}

impl Summary {
    /// Says how the verdicts compare with the decisions in clear.
    pub(crate) fn explain(&self, out: &mut impl Write) -> io::Result<()> {
        let compared = self.genuine + self.impostors;
        writeln!(
            out,
            "\n{} of {compared} verdicts under encryption equal the decision in clear (HD ≤ τ = {}).",
            compared - self.contradictions,
            self.profile.profile().tau
        )?;
        match self.profile.profile().operating_point {
            Some(point) => writeln!(
                out,
                "The model itself misses {:.2} % of genuine captures there: up to {} of {} may be \
                 refused.\n(FNMR on {})",
                point.fnmr * 100.0,
                self.misses_allowed(),
                self.genuine,
                point.dataset
            ),
            None => writeln!(
                out,
                "The profile states no FNMR, so every genuine capture must match."
            ),
        }
    }

    /// Genuine refusals that the model's own error rate explains: three standard deviations of a
    /// binomial count above its mean.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small counts, and a rate between 0 and 1"
    )]
    fn misses_allowed(&self) -> usize {
        let rate = self
            .profile
            .profile()
            .operating_point
            .map_or(0.0, |point| point.fnmr);
        let expected = rate * self.genuine as f64;
        (expected + 3.0 * (expected * (1.0 - rate)).sqrt()).ceil() as usize
    }

    /// Whether all of it held.
    pub(crate) fn holds(&self, people: usize) -> bool {
        self.enrolled == people
            && self.contradictions == 0
            && self.impostors_refused == self.impostors
            && self.genuine - self.genuine_accepted <= self.misses_allowed()
    }
}
