use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use blindprint_core::{
    Audience, Clock, ConsentId, Digest, EnrolmentId, Entropy, Jws, KeyUri, ProfileId, ServiceId,
    SubjectId, SystemClock, SystemEntropy, UnixTime,
    statement::{ConsentReceipt, ConsentState, EnrolmentReceipt, Purpose, Statement},
};
use blindprint_did::SigningKey;
use blindprint_protocol::attestation::Trust;
use secrecy::ExposeSecret as _;

use crate::{
    Address, Attested, Client, Error, Materials, Passphrase, RecoveryPaper, Result, Signer,
    keyfile::{self, KeyFile},
    secret::Secret,
    state::{EnrolmentState, State},
};

/// What a wallet takes from the world.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for every key.
    pub entropy: Arc<dyn Entropy>,
    /// Public material, shared by the wallets of one process.
    pub materials: Arc<Materials>,
}

impl Surroundings {
    /// The operating system's clock and generator, and downloads kept in `cache`.
    pub fn system(cache: PathBuf) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            materials: Arc::new(Materials::cached_in(cache)),
        }
    }
}

/// What a new wallet is told.
pub struct Setup {
    /// How the service is reached.
    pub address: Address,
    /// Which enclaves are believed.
    pub trust: Trust,
    /// An Ed25519 key to enrol under; a fresh one if `None`.
    pub identity: Option<SigningKey>,
}

/// One person's wallet for one service.
pub struct Wallet {
    file: KeyFile,
    pub(crate) state: State,
    pub(crate) identity: SigningKey,
    pub(crate) client: Client,
    pub(crate) surroundings: Surroundings,
}

/// A consent as the wallet knows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConsentView {
    /// Which.
    pub id: ConsentId,
    /// To what.
    pub purpose: Purpose,
    /// Who may learn of verdicts, where the purpose is sharing.
    pub recipient: Option<Audience>,
    /// How it stands, as far as this wallet knows: the service may have ended it since.
    pub state: ConsentState,
    /// Digest of the notice that was shown.
    pub notice: Digest,
    /// When it ends by itself.
    pub expires: UnixTime,
    /// Whether the enclave has confirmed it and it is neither withdrawn nor expired.
    pub live: bool,
    /// The enclave's signed confirmation of the withdrawal, or else of the consent.
    pub receipt: Option<Jws>,
}

/// An enrolment as the wallet knows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EnrolmentView {
    /// Which.
    pub id: EnrolmentId,
    /// How codes are made.
    pub profile: ProfileId,
    /// `pending`, `registered` or `erasing`.
    pub state: &'static str,
    /// When it was registered.
    pub enrolled: Option<UnixTime>,
    /// The enclave's signed confirmation.
    pub receipt: Option<Jws>,
}

impl Wallet {
    /// Asks the service at `setup.address` to prove what it is, then makes a key file at `path`.
    pub async fn create(
        path: &Path,
        passphrase: Passphrase,
        setup: Setup,
        surroundings: Surroundings,
    ) -> Result<Self> {
        if path.exists() {
            return Err(Error::AlreadyThere(path.to_owned()));
        }
        let Setup {
            address,
            trust,
            identity,
        } = setup;
        let client = connect(&address, &surroundings)?;
        let service = match trust.service() {
            Some(pinned) => pinned.clone(),
            None => client.service().await?.service,
        };
        Attested::of(&client, &trust, &service, &surroundings).await?;
        let entropy = &*surroundings.entropy;
        let identity = identity.map_or_else(
            || Secret::random(entropy),
            |key| Secret::copy_from(key.to_secret().expose_secret()),
        );
        let state = State::new(address, service, trust, identity, Secret::random(entropy));
        let file = KeyFile::create(path, passphrase, &state.encode())?;
        Ok(Self {
            file,
            identity: state.identity.signing_key(),
            state,
            client,
            surroundings,
        })
    }

    /// Opens the key file at `path`.
    pub fn open(path: &Path, passphrase: Passphrase, surroundings: Surroundings) -> Result<Self> {
        let (file, contents) = KeyFile::open(path, passphrase)?;
        let state = State::decode(&contents, path)?;
        let client = connect(&state.address, &surroundings)?;
        Ok(Self {
            file,
            identity: state.identity.signing_key(),
            state,
            client,
            surroundings,
        })
    }

    /// Writes everything to a new file, as a backup or for another device, under the wallet's own
    /// passphrase or another.
    pub fn export(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<()> {
        self.file.write_copy(path, passphrase, &self.state.encode())
    }

    /// Makes the key file at `path` from an export, both under `passphrase`.
    pub fn import(
        export: &Path,
        path: &Path,
        passphrase: Passphrase,
        surroundings: Surroundings,
    ) -> Result<Self> {
        // Nothing restores what was to restore a wallet.
        let unusable = |error| match error {
            Error::Damaged { path, reason } => Error::Invalid(format!(
                "{} is no export of a wallet: {reason}",
                path.display()
            )),
            other => other,
        };
        let contents = keyfile::read_with(export, &passphrase).map_err(unusable)?;
        let state = State::decode(&contents, export).map_err(unusable)?;
        let client = connect(&state.address, &surroundings)?;
        let file = KeyFile::create(path, passphrase, &contents)?;
        Ok(Self {
            file,
            identity: state.identity.signing_key(),
            state,
            client,
            surroundings,
        })
    }

    /// Who this wallet speaks for.
    pub fn subject(&self) -> &SubjectId {
        &self.state.subject
    }

    /// The service that it belongs to.
    pub fn service(&self) -> &ServiceId {
        &self.state.service
    }

    /// What the wallet believes.
    pub fn trust(&self) -> &Trust {
        &self.state.trust
    }

    /// The key that signs now.
    pub fn key(&self) -> KeyUri {
        self.identity.public().uri()
    }

    /// The connection, for calls that the flows do not cover.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Who signs this wallet's calls.
    pub fn signer(&self) -> Signer<'_> {
        Signer {
            subject: &self.state.subject,
            service: &self.state.service,
            key: &self.identity,
        }
    }

    /// Consents, newest last.
    pub fn consents(&self) -> Vec<ConsentView> {
        let now = self.surroundings.clock.now();
        self.state
            .consents
            .iter()
            .map(|record| ConsentView {
                id: record.id,
                purpose: record.purpose,
                recipient: record.recipient.clone(),
                state: record.state(now),
                notice: record.notice,
                expires: record.expires,
                live: record.is_live(now),
                receipt: record.withdrawn.clone().or_else(|| record.given.clone()),
            })
            .collect()
    }

    /// Enrolments, newest last.
    pub fn enrolments(&self) -> Vec<EnrolmentView> {
        self.state
            .enrolments
            .iter()
            .map(|record| {
                let (state, enrolled, receipt) = match &record.state {
                    EnrolmentState::Sent { .. } => ("pending", None, None),
                    EnrolmentState::Registered {
                        enrolled, receipt, ..
                    } => ("registered", Some(*enrolled), receipt.clone()),
                    EnrolmentState::Erasing { .. } => ("erasing", None, None),
                };
                EnrolmentView {
                    id: record.id,
                    profile: record.profile,
                    state,
                    enrolled,
                    receipt,
                }
            })
            .collect()
    }

    /// The page with the recovery key, as long as the wallet still keeps its secret.
    pub fn recovery_paper(&self) -> Option<RecoveryPaper> {
        self.state
            .recovery
            .secret
            .as_ref()
            .map(|secret| RecoveryPaper {
                service: self.state.service.clone(),
                subject: self.state.subject.clone(),
                key: Secret::copy_from(secret.expose()),
            })
    }

    /// Forgets the recovery key's secret, now that it is on paper: whoever opens the wallet can
    /// then no longer take the subject over for good.
    pub fn forget_recovery_key(&mut self) -> Result<()> {
        self.state.recovery.secret = None;
        self.save()
    }

    /// Asks the service to prove, now, what it is.
    pub async fn attest(&self) -> Result<Attested> {
        Attested::of(
            &self.client,
            &self.state.trust,
            &self.state.service,
            &self.surroundings,
        )
        .await
    }

    /// Replaces what the wallet believes, if the service's enclave passes under it.
    pub async fn trust_instead(&mut self, trust: Trust) -> Result<Attested> {
        let attested = Attested::of(
            &self.client,
            &trust,
            &self.state.service,
            &self.surroundings,
        )
        .await?;
        self.state.trust = trust;
        self.save()?;
        Ok(attested)
    }

    pub(crate) fn save(&self) -> Result<()> {
        self.file.save(&self.state.encode())
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.surroundings.clock.now()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.surroundings.entropy
    }

    pub(crate) fn sign<T: Statement>(&self, statement: &T) -> Result<Jws> {
        crate::sign(&self.identity, statement)
    }

    /// Whether a consent receipt is about this subject and record.
    pub(crate) fn fits_consent(
        &self,
        receipt: &ConsentReceipt,
        id: ConsentId,
        record: Digest,
    ) -> bool {
        receipt.iss == self.state.service
            && receipt.sub == self.state.subject
            && receipt.consent == id
            && receipt.statement == record
    }

    /// Whether an enrolment receipt is about this subject and enrolment.
    pub(crate) fn fits_enrolment(&self, receipt: &EnrolmentReceipt, id: EnrolmentId) -> bool {
        receipt.iss == self.state.service
            && receipt.sub == self.state.subject
            && receipt.enrolment == id
    }
}

fn connect(address: &Address, surroundings: &Surroundings) -> Result<Client> {
    Client::new(
        address,
        Arc::clone(&surroundings.clock),
        Arc::clone(&surroundings.entropy),
    )
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn what_is_no_export_is_not_said_to_be_restored_from_one() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("me.jpg");
        std::fs::write(&photo, [0xff, 0xd8, 0xff]).unwrap();
        let imported = Wallet::import(
            &photo,
            &folder.path().join("wallet.age"),
            Passphrase::random(&SystemEntropy),
            Surroundings::system(folder.path().join("cache")),
        );
        let Err(Error::Invalid(why)) = imported else {
            panic!("{:?}", imported.err())
        };
        assert!(!why.contains("import-keys"), "{why}");
    }
}
