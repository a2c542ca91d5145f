//! Notices and consents: what is shown, what is signed, and taking it back.

use blindprint_core::{
    ConsentId, Digest, UnixTime, label,
    statement::{Consent, ConsentReceipt, ConsentState, Decision, Purpose, Withdrawal},
    wire::NoticeSummary,
};
use blindprint_did::jws_digest;

use crate::{ConsentView, Error, Result, Wallet, state::ConsentRecord};

/// A notice whose text has the digest that a consent will name.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it is.
    pub summary: NoticeSummary,
    /// What the person reads before consenting.
    pub text: String,
}

impl ConsentRecord {
    pub(crate) fn is_live(&self, now: UnixTime) -> bool {
        self.given.is_some() && self.withdrawn.is_none() && now < self.expires
    }
}

impl Wallet {
    /// The notice in force for `purpose`, in `language` if there is one, else in any.
    pub async fn notice(&self, purpose: Purpose, language: &str) -> Result<Notice> {
        let mut notices = self.client.notices().await?.notices;
        notices.retain(|notice| notice.purpose == purpose);
        let at = notices
            .iter()
            .position(|notice| notice.language == language)
            .unwrap_or(0);
        if notices.is_empty() {
            return Err(Error::ServiceFailed(
                "it has no notice for this purpose".to_owned(),
            ));
        }
        let summary = notices.swap_remove(at);
        let bytes = self.client.notice(&summary.digest).await?;
        if Digest::of(label::NOTICE, &bytes) != summary.digest {
            return Err(Error::Unbelievable(
                "the notice's text is not the one that is named",
            ));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| Error::Unbelievable("the notice is not text"))?;
        Ok(Notice { summary, text })
    }

    /// Signs the person's consent to what `notice` says, for `seconds`, and has the enclave take
    /// note. The person must have read the notice and agreed. A subject's first consent needs the
    /// same `invitation` as the enrolment that follows, where the service asks for one.
    pub async fn give_consent(
        &mut self,
        notice: &Notice,
        seconds: i64,
        invitation: Option<&str>,
    ) -> Result<ConsentView> {
        let attested = self.attest().await?;
        let given = self.now();
        let previous = self.status().await?.head;
        let record = serde_json::json!({
            "@type": "dpv:ConsentRecord",
            "notice": notice.summary.digest,
        });
        let consent = Consent {
            id: ConsentId::random(self.entropy()),
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            decision: Decision::Given,
            purpose: notice.summary.purpose,
            recipient: None,
            notice: notice.summary.digest,
            record: Digest::of(label::CONSENT_RECORD, record.to_string().as_bytes()),
            previous,
            given,
            expires: given.plus(seconds),
        };
        let jws = self.sign(&consent)?;
        // First on disk: what was signed in the person's name must not be forgotten.
        self.state.consents.push(ConsentRecord {
            id: consent.id,
            purpose: consent.purpose,
            notice: consent.notice,
            expires: consent.expires,
            consent: jws.clone(),
            record: record.clone(),
            invitation: invitation.map(str::to_owned),
            given: None,
            withdrawn: None,
        });
        self.save()?;
        let statement = jws_digest(&jws);
        let receipt = self
            .client
            .give_consent(self.signer(), consent.id, (jws, record), invitation)
            .await?;
        let word = attested.believe::<ConsentReceipt>(&receipt)?;
        if word.state != ConsentState::Given || !self.fits_consent(&word, consent.id, statement) {
            return Err(Error::Unbelievable("the receipt is for another consent"));
        }
        self.consent_mut(consent.id)?.given = Some(receipt);
        self.save()?;
        self.consent_view(consent.id)
    }

    /// Takes a consent back. The enclave opens nothing under it from then on.
    pub async fn withdraw(&mut self, id: ConsentId) -> Result<ConsentView> {
        let record = jws_digest(&self.consent_mut(id)?.consent);
        let attested = self.attest().await?;
        let withdrawal = self.sign(&Withdrawal {
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            consent: id,
            iat: self.now(),
        })?;
        let receipt = self
            .client
            .withdraw_consent(self.signer(), id, withdrawal)
            .await?;
        let word = attested.believe::<ConsentReceipt>(&receipt)?;
        if word.state != ConsentState::Withdrawn || !self.fits_consent(&word, id, record) {
            return Err(Error::Unbelievable("the receipt is for another consent"));
        }
        self.consent_mut(id)?.withdrawn = Some(receipt);
        // Without a live consent the enclave has destroyed the templates; κ goes too.
        if self.live_consent(Purpose::Authentication).is_err() {
            self.state.enrolments.clear();
        }
        self.save()?;
        self.consent_view(id)
    }

    /// The newest consent that is live for `purpose`.
    pub(crate) fn live_consent(&self, purpose: Purpose) -> Result<&ConsentRecord> {
        let now = self.now();
        self.state
            .consents
            .iter()
            .rev()
            .find(|record| record.purpose == purpose && record.is_live(now))
            .ok_or(Error::NoConsent)
    }

    fn consent_mut(&mut self, id: ConsentId) -> Result<&mut ConsentRecord> {
        self.state
            .consents
            .iter_mut()
            .find(|record| record.id == id)
            .ok_or_else(|| Error::Invalid(format!("this wallet knows no consent {id}")))
    }

    fn consent_view(&self, id: ConsentId) -> Result<ConsentView> {
        self.consents()
            .into_iter()
            .find(|consent| consent.id == id)
            .ok_or_else(|| Error::Invalid(format!("this wallet knows no consent {id}")))
    }
}
