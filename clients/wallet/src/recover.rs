//! What the recovery key on paper does: unlock a subject, or let a new device take it over after
//! the old one and its κ are lost.

use blindprint_core::{
    SubjectId,
    statement::{Recovery, RecoveryAction},
    wire::Recover,
};
use blindprint_did::SigningKey;

use crate::{
    Error, KeysChanged, RecoveryPaper, Result, Signer, Wallet,
    secret::Secret,
    sign,
    state::{RecoveryKey, Takeover},
};

impl Wallet {
    /// Re-enables this wallet's subject after too many failed attempts.
    pub async fn unlock(&mut self, paper: &RecoveryPaper) -> Result<KeysChanged> {
        if paper.subject != self.state.subject {
            return Err(Error::Invalid(
                "the recovery key is for another subject".to_owned(),
            ));
        }
        let recovery_key = paper.key.signing_key();
        let attested = self.attest().await?;
        let receipt = self
            .send_recovery(&paper.subject, &recovery_key, RecoveryAction::Unlock, None)
            .await?;
        let word = self.check_keys(
            &receipt,
            &self.key(),
            &recovery_key.public().uri(),
            &attested,
        )?;
        Ok(KeysChanged {
            key: word.pinned_key,
            receipt,
        })
    }

    /// Makes this new wallet the subject's only one. Every template made under the lost κ is
    /// destroyed, and a new recovery key takes the place of the used one: enrol again, and write
    /// the new one down.
    pub async fn replace_device(&mut self, paper: &RecoveryPaper) -> Result<KeysChanged> {
        if paper.service != self.state.service {
            return Err(Error::Invalid(
                "the recovery key is for another service".to_owned(),
            ));
        }
        if !self.state.enrolments.is_empty() || !self.state.consents.is_empty() {
            return Err(Error::Invalid(
                "this wallet is in use: take over with a new one (`init`)".to_owned(),
            ));
        }
        // An earlier try may have arrived: its recovery key must not be forgotten for another.
        self.reconcile().await?;
        if self.state.subject == paper.subject {
            return Err(Error::Invalid(
                "this wallet has taken over that subject already".to_owned(),
            ));
        }
        let attested = self.attest().await?;
        // First on disk: if the answer is lost, these keys may already be the subject's.
        let fresh = Secret::random(self.entropy());
        let new_recovery_key = fresh.signing_key().public().uri();
        self.state.takeover = Some(Takeover {
            subject: paper.subject.clone(),
            recovery: RecoveryKey {
                public: new_recovery_key.clone(),
                secret: Some(fresh),
            },
        });
        self.save()?;
        let action = RecoveryAction::ReplaceDevice {
            new_key: self.key(),
            new_recovery_key: new_recovery_key.clone(),
        };
        let recovery_key = paper.key.signing_key();
        let receipt = self
            .send_recovery(&paper.subject, &recovery_key, action, Some(&self.identity))
            .await?;
        self.adopt_takeover()?;
        let word = self.check_keys(&receipt, &self.key(), &new_recovery_key, &attested)?;
        Ok(KeysChanged {
            key: word.pinned_key,
            receipt,
        })
    }

    pub(crate) fn adopt_takeover(&mut self) -> Result<()> {
        if let Some(Takeover { subject, recovery }) = self.state.takeover.take() {
            self.state.subject = subject;
            self.state.recovery = recovery;
            self.save()?;
        }
        Ok(())
    }

    async fn send_recovery(
        &self,
        subject: &SubjectId,
        recovery_key: &SigningKey,
        action: RecoveryAction,
        device: Option<&SigningKey>,
    ) -> Result<blindprint_core::Jws> {
        let signer = Signer {
            subject,
            service: &self.state.service,
            key: recovery_key,
        };
        let statement = Recovery {
            sub: subject.clone(),
            service: self.state.service.clone(),
            action,
            nonce: self.client.nonce(signer).await?.nonce,
            iat: self.now(),
        };
        let recovery = Recover {
            recovery: sign(recovery_key, &statement)?,
            possession: device.map(|key| sign(key, &statement)).transpose()?,
        };
        self.client.recover(signer, &recovery).await
    }
}
