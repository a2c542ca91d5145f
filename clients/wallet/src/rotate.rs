use blindprint_core::{
    Jws, KeyUri,
    statement::{KeyReceipt, KeyRotation},
    wire::RotateKey,
};

use crate::{Attested, Error, Result, Wallet, secret::Secret, sign};

/// A change of keys that the enclave confirmed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KeysChanged {
    /// The key that signs from now on.
    pub key: KeyUri,
    /// The enclave's signed word.
    pub receipt: Jws,
}

impl Wallet {
    /// Replaces the identity key by a fresh one; the subject and its enrolments stay.
    pub async fn rotate(&mut self) -> Result<KeysChanged> {
        // An earlier try may have arrived: its key must not be forgotten for another.
        self.reconcile().await?;
        let attested = self.attest().await?;
        let nonce = self.client.nonce(self.signer()).await?.nonce;
        // First on disk: if the answer is lost, only this key still speaks for the subject.
        let next = Secret::random(self.entropy());
        let next_key = next.signing_key();
        self.state.next_identity = Some(next);
        self.save()?;
        let statement = KeyRotation {
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            new_key: next_key.public().uri(),
            nonce,
            iat: self.now(),
        };
        let rotation = RotateKey {
            rotation: self.sign(&statement)?,
            possession: sign(&next_key, &statement)?,
        };
        let receipt = self.client.rotate_key(self.signer(), &rotation).await?;
        self.check_keys(
            &receipt,
            &statement.new_key,
            &self.state.recovery.public,
            &attested,
        )?;
        self.adopt_next_identity()?;
        Ok(KeysChanged {
            key: self.key(),
            receipt,
        })
    }

    pub(crate) fn adopt_next_identity(&mut self) -> Result<()> {
        if let Some(next) = self.state.next_identity.take() {
            self.identity = next.signing_key();
            self.state.identity = next;
            self.save()?;
        }
        Ok(())
    }

    pub(crate) fn check_keys(
        &self,
        receipt: &Jws,
        key: &KeyUri,
        recovery_key: &KeyUri,
        attested: &Attested,
    ) -> Result<KeyReceipt> {
        let word = attested.believe::<KeyReceipt>(receipt)?;
        let fits = word.iss == self.state.service
            && word.sub == self.state.subject
            && word.pinned_key == *key
            && word.recovery_key == *recovery_key;
        if fits {
            Ok(word)
        } else {
            Err(Error::Unbelievable("the receipt is for other keys"))
        }
    }
}
