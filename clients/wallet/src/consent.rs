//! Notices and consents: what is shown, what is signed, and taking it back.

mod history;

use blindprint_consent::record::{self, Fields};
use blindprint_core::{
    Audience, ConsentId, Digest, UnixTime, label,
    statement::{Consent, ConsentReceipt, ConsentState, Decision, Purpose, Withdrawal},
    wire::{NoticeSummary, RecordedConsent},
};
use blindprint_did::jws_digest;

pub use history::{ConsentHistory, ConsentLink, LinkKind};

use crate::{Attested, ConsentView, Error, Result, Wallet, state::ConsentRecord};

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
        self.decision == Decision::Given
            && self.given.is_some()
            && self.withdrawn.is_none()
            && now < self.expires
    }

    /// How it stands, as far as this wallet knows.
    pub(crate) fn state(&self, now: UnixTime) -> ConsentState {
        match self.decision {
            Decision::Refused => ConsentState::Refused,
            Decision::Given if self.withdrawn.is_some() => ConsentState::Withdrawn,
            Decision::Given if now >= self.expires => ConsentState::Expired,
            Decision::Given if self.given.is_none() => ConsentState::Requested,
            Decision::Given => ConsentState::Given,
        }
    }

    fn expected_state(&self) -> ConsentState {
        match self.decision {
            Decision::Given => ConsentState::Given,
            Decision::Refused => ConsentState::Refused,
        }
    }
}

impl Wallet {
    /// The notice in force for `purpose`, in `language` if there is one, else in any. For sharing there is
    /// [`Wallet::sharing_notice`].
    pub async fn notice(&self, purpose: Purpose, language: &str) -> Result<Notice> {
        self.notice_about(purpose, None, language).await
    }

    /// What is told before verdicts are shared with `audience`.
    pub async fn sharing_notice(&self, audience: &Audience, language: &str) -> Result<Notice> {
        self.notice_about(Purpose::Sharing, Some(audience), language)
            .await
    }

    async fn notice_about(
        &self,
        purpose: Purpose,
        audience: Option<&Audience>,
        language: &str,
    ) -> Result<Notice> {
        let mut notices = self.client.notices(audience).await?.notices;
        notices.retain(|notice| {
            let about = notice.recipient.as_ref().map(|it| &it.audience);
            notice.purpose == purpose && about == audience
        });
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
        let bytes = self.client.notice(&summary.digest, audience).await?;
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
    /// note. The person must have read the notice and agreed. A subject's first answer needs the
    /// same `invitation` as the enrolment that follows, where the service asks for one.
    pub async fn give_consent(
        &mut self,
        notice: &Notice,
        seconds: i64,
        invitation: Option<&str>,
    ) -> Result<ConsentView> {
        let given = self.now();
        let answer = (Decision::Given, given, given.plus(seconds));
        self.sign_answer(notice, answer, invitation).await
    }

    /// Signs that the person says no to what `notice` says, and has it recorded. Nothing follows from it
    /// but that the operator can show that they were told and refused.
    pub async fn refuse_consent(
        &mut self,
        notice: &Notice,
        invitation: Option<&str>,
    ) -> Result<ConsentView> {
        let at = self.now();
        self.sign_answer(notice, (Decision::Refused, at, at), invitation)
            .await
    }

    async fn sign_answer(
        &mut self,
        notice: &Notice,
        (decision, given, expires): (Decision, UnixTime, UnixTime),
        invitation: Option<&str>,
    ) -> Result<ConsentView> {
        let attested = self.attest().await?;
        let controller = self.client.service().await?.controller;
        let previous = self.status().await?.head;
        let fields = Fields {
            id: ConsentId::random(self.entropy()),
            subject: self.state.subject.clone(),
            service: self.state.service.clone(),
            decision,
            given,
            expires,
        };
        let summary = &notice.summary;
        let unusable = |error: blindprint_consent::Error| Error::ServiceFailed(error.to_string());
        let record = record::render(&fields, summary, &controller).map_err(unusable)?;
        let consent = Consent {
            id: fields.id,
            sub: fields.subject,
            service: fields.service,
            decision,
            purpose: summary.purpose,
            recipient: summary.recipient.as_ref().map(|it| it.audience.clone()),
            notice: summary.digest,
            record: record::digest(&record).map_err(unusable)?,
            previous,
            given,
            expires,
        };
        let jws = self.sign(&consent)?;
        // First on disk: what was signed in the person's name must not be forgotten.
        self.state.consents.push(ConsentRecord {
            id: consent.id,
            purpose: consent.purpose,
            recipient: consent.recipient,
            decision,
            notice: consent.notice,
            expires,
            consent: jws,
            record,
            invitation: invitation.map(str::to_owned),
            given: None,
            withdrawal: None,
            withdrawn: None,
        });
        self.save()?;
        self.send_consent(consent.id, &attested).await?;
        self.consent_view(consent.id)
    }

    /// Has the enclave take note of an answer that is on disk, if it has not yet.
    pub(crate) async fn send_consent(&mut self, id: ConsentId, attested: &Attested) -> Result<()> {
        let record = self.consent_mut(id)?.clone();
        let receipt = self
            .client
            .give_consent(
                self.signer(),
                record.id,
                (record.consent.clone(), record.record.clone()),
                record.invitation.as_deref(),
            )
            .await?;
        let word = attested.believe::<ConsentReceipt>(&receipt)?;
        let statement = jws_digest(&record.consent);
        if word.state != record.expected_state() || !self.fits_consent(&word, id, statement) {
            return Err(Error::Unbelievable("the receipt is for another consent"));
        }
        self.consent_mut(id)?.given = Some(receipt);
        self.save()
    }

    /// Takes a consent back. The enclave opens nothing under it from then on.
    pub async fn withdraw(&mut self, id: ConsentId) -> Result<ConsentView> {
        let known = self.consent_mut(id)?.clone();
        let attested = self.attest().await?;
        let withdrawal = match known.withdrawal {
            // Sent before, and the answer was lost: another statement would be another link.
            Some(signed) => signed,
            None => self.sign(&Withdrawal {
                sub: self.state.subject.clone(),
                service: self.state.service.clone(),
                consent: id,
                iat: self.now(),
            })?,
        };
        self.consent_mut(id)?.withdrawal = Some(withdrawal.clone());
        self.save()?;
        let receipt = self
            .client
            .withdraw_consent(self.signer(), id, withdrawal)
            .await?;
        let word = attested.believe::<ConsentReceipt>(&receipt)?;
        let statement = jws_digest(&known.consent);
        if word.state != ConsentState::Withdrawn || !self.fits_consent(&word, id, statement) {
            return Err(Error::Unbelievable("the receipt is for another consent"));
        }
        self.consent_mut(id)?.withdrawn = Some(receipt);
        // Without a live consent the enclave has destroyed the templates; κ goes too.
        if known.purpose == Purpose::Authentication
            && self.live_consent(Purpose::Authentication).is_err()
        {
            self.state.enrolments.clear();
        }
        self.save()?;
        self.consent_view(id)
    }

    /// A consent's record as the service keeps it, which is the one that this wallet signed for.
    pub async fn consent_record(&self, id: ConsentId) -> Result<RecordedConsent> {
        let kept = self.client.consent_record(self.signer(), id).await?;
        let signed = blindprint_did::verify::<Consent>(&kept.consent)
            .map_err(|_| Error::Unbelievable("the consent's signature does not hold"))?;
        let fits = signed.statement().id == id
            && signed.statement().sub == self.state.subject
            && record::digest(&kept.record).ok() == Some(signed.statement().record);
        let own = self.state.consents.iter().find(|own| own.id == id);
        if !fits || own.is_some_and(|own| own.consent != kept.consent) {
            return Err(Error::Unbelievable(
                "the record is not the one that was signed for",
            ));
        }
        Ok(kept)
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
