use std::{sync::Arc, time::Duration};

use blindprint_core::{
    ConsentId, EnrolmentId, SystemClock, SystemEntropy, problem::ProblemCode, statement::Purpose,
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_face::{Embedding, FACE_MODEL, Modality};
use blindprint_wallet::{
    Address, Authenticated, EnrolOptions, Error, Materials, Passphrase, Result, Setup,
    Surroundings, Wallet,
};

use crate::Service;

const EMBEDDINGS: &str = include_str!("../clients/face/data/london_canada_lisa.csv");
const YEAR: i64 = 365 * 86_400;

/// Somebody with a wallet, of whom there are several captures.
pub struct Person {
    /// Theirs.
    pub wallet: Wallet,
    /// The key that it was made with.
    pub key: SigningKey,
    /// In the embeddings of real faces.
    pub label: &'static str,
    /// Holds the wallet's file.
    pub folder: tempfile::TempDir,
}

impl Person {
    /// `label` in the embeddings of real faces.
    pub async fn new(label: &'static str, service: &Service, materials: &Arc<Materials>) -> Self {
        Self::at(service.address(), label, service, materials).await
    }

    /// As [`Self::new`], with a wallet that finds the service at `address`.
    pub async fn at(
        address: Address,
        label: &'static str,
        service: &Service,
        materials: &Arc<Materials>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let copy = SigningKey::from_secret(KeyType::Ed25519, &key.to_secret()).unwrap();
        let setup = Setup {
            address,
            trust: service.trust(),
            identity: Some(key),
        };
        let wallet = Wallet::create(
            &folder.path().join("wallet.age"),
            Passphrase::random(&SystemEntropy),
            setup,
            Self::surroundings(materials),
        )
        .await
        .unwrap();
        Self {
            wallet,
            key: copy,
            label,
            folder,
        }
    }

    /// The machine's clock and randomness.
    pub fn surroundings(materials: &Arc<Materials>) -> Surroundings {
        Surroundings {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            materials: Arc::clone(materials),
        }
    }

    /// Agrees to authentication for a year.
    pub async fn consent(&mut self, invitation: &str) -> Result<ConsentId> {
        self.consent_for(YEAR, invitation).await
    }

    /// Agrees to authentication for `seconds`.
    pub async fn consent_for(&mut self, seconds: i64, invitation: &str) -> Result<ConsentId> {
        let notice = self.wallet.notice(Purpose::Authentication, "en").await?;
        Ok(self
            .wallet
            .give_consent(&notice, seconds, Some(invitation))
            .await?
            .id)
    }

    /// Enrols with the first capture.
    pub async fn enrol(&mut self, invitation: &str) -> Result<EnrolmentId> {
        let options = EnrolOptions {
            invitation: Some(invitation.to_owned()),
            ..EnrolOptions::default()
        };
        let capture = self.capture(1);
        Ok(self.wallet.enrol(capture, options, &()).await?.enrolment.id)
    }

    /// Shows `capture` to a relying party.
    pub async fn show(&self, capture: Embedding) -> Result<Authenticated> {
        let audience = "https://shop.example".parse().unwrap();
        self.wallet
            .authenticate(capture, None, audience, "81f3a2c4e5".to_owned(), &())
            .await
    }

    /// Shows their own face, another time than at the enrolment.
    pub async fn show_themselves(&self) -> Result<Authenticated> {
        self.show(self.capture(2)).await
    }

    /// Their `number`th capture, from 1.
    pub fn capture(&self, number: u8) -> Embedding {
        capture(&format!("{}_{number}", self.label))
    }

    /// The enrolment that the wallet knows to be registered.
    pub fn enrolled(&self) -> Option<EnrolmentId> {
        let enrolments = self.wallet.enrolments();
        let mut registered = enrolments.iter().filter(|e| e.state == "registered");
        registered.next().map(|enrolment| enrolment.id)
    }
}

/// The capture called `name` in the embeddings of real faces.
pub fn capture(name: &str) -> Embedding {
    let mut lines = EMBEDDINGS.lines();
    let line = lines.find(|line| line.split(',').nth(1) == Some(name));
    let values = line.unwrap().split(',').skip(2).map(|v| v.parse().unwrap());
    Embedding::new(Modality::Face, FACE_MODEL, values.collect()).unwrap()
}

/// Does `step` again until the service is there again and it is done. Anything but an interruption
/// is a failure.
pub async fn insist<T>(
    person: &mut Person,
    mut step: impl AsyncFnMut(&mut Person) -> Result<T>,
) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(4);
    loop {
        match step(person).await {
            Ok(done) => return done,
            Err(Error::Unreachable(_) | Error::Busy { .. }) => {}
            Err(gone) if gone.is(ProblemCode::ChallengeGone) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(tokio::time::Instant::now() < deadline, "it is never done");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
