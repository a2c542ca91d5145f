//! The service's native API, one method an endpoint. These say what is sent and read; whether an
//! answer is believed is decided by the flows, which verify its signature.

use std::time::Duration;

use blindprint_core::{
    Audience, ConsentId, Digest, EnrolmentId, Jws, Nonce,
    problem::ProblemCode,
    wire::{
        AppendToDid, Challenge, CredentialOffer, Enrolled, EraseEnrolment, GiveConsent, HostDid,
        HostedDid, Invitation, Invite, NonceIssued, Notices, OfferCredential, RECOVERY_HEADER,
        Receipt, RecordedConsent, Recover, RotateKey, STATEMENT_HEADER, SUBMISSION_MEDIA_TYPE,
        Service, StartAuthentication, Subject, VerdictIssued, WithdrawConsent,
    },
};
use uuid::Uuid;

use super::{Answer, Call, Client, Signer};
use crate::{Error, Result};

/// Largest notice, in bytes.
const NOTICE_LIMIT: usize = 256 * 1024;
/// Largest attestation document, in bytes (AWS Nitro's are below 16 KiB).
const ATTESTATION_LIMIT: usize = 32 * 1024;
/// Largest log of a hosted DID, in bytes.
const LOG_LIMIT: usize = 1 << 20;
/// Longest download of one part of the public material.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(10);

impl Client {
    /// `GET /readyz`: whether the service, its enclave and its matchers can serve.
    pub async fn ready(&self) -> Result<()> {
        self.send(&Call::get("/readyz")).await.map(drop)
    }

    /// `GET /v1/service`
    pub async fn service(&self) -> Result<Service> {
        self.send(&Call::get("/v1/service")).await?.json()
    }

    /// `GET /v1/attestation`: the document, not yet verified.
    pub async fn attestation(&self, nonce: &Nonce) -> Result<Vec<u8>> {
        let call = Call::get(format!("/v1/attestation?nonce={nonce}"))
            .up_to(ATTESTATION_LIMIT, Duration::from_secs(30));
        Ok(self.send(&call).await?.body)
    }

    /// `GET /v1/keys/{key}/{part}`: bytes, not yet compared with their digest.
    pub(crate) async fn material(
        &self,
        key: &Digest,
        part: &str,
        limit: usize,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Vec<u8>> {
        let call = Call::get(format!("/v1/keys/{key}/{part}")).up_to(limit, DOWNLOAD_TIMEOUT);
        Ok(self.send_watched(&call, progress).await?.body)
    }

    /// `GET /v1/notices`, with those about sharing with `audience`.
    pub async fn notices(&self, audience: Option<&Audience>) -> Result<Notices> {
        let call = Call::get(format!("/v1/notices{}", about(audience)));
        self.send(&call).await?.json()
    }

    /// `GET /v1/notices/{digest}`: the text, not yet compared with its digest.
    pub async fn notice(&self, digest: &Digest, audience: Option<&Audience>) -> Result<Vec<u8>> {
        let call = Call::get(format!("/v1/notices/{digest}{}", about(audience)))
            .up_to(NOTICE_LIMIT, Duration::from_secs(30));
        Ok(self.send(&call).await?.body)
    }

    /// `GET /v1/consents/{id}/record`
    pub async fn consent_record(
        &self,
        signer: Signer<'_>,
        id: ConsentId,
    ) -> Result<RecordedConsent> {
        let call = Call::get(format!("/v1/consents/{id}/record")).signed(signer);
        self.send(&call).await?.json()
    }

    /// `GET /v1/subjects/me`
    pub async fn subject(&self, signer: Signer<'_>) -> Result<Subject> {
        self.send(&Call::get("/v1/subjects/me").signed(signer))
            .await?
            .json()
    }

    /// `POST /v1/nonces`
    pub async fn nonce(&self, signer: Signer<'_>) -> Result<NonceIssued> {
        let call = Call::post("/v1/nonces")
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await?.json()
    }

    /// `POST /v1/credential-offers`
    pub async fn offer_credential(
        &self,
        signer: Signer<'_>,
        wanted: &OfferCredential,
    ) -> Result<CredentialOffer> {
        let call = Call::post("/v1/credential-offers")
            .json(wanted)
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await?.json()
    }

    /// `POST /v1/dids`
    pub async fn host_did(
        &self,
        signer: Signer<'_>,
        name: String,
        entry: String,
    ) -> Result<HostedDid> {
        let call = Call::post("/v1/dids")
            .json(&HostDid { name, entry })
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await?.json()
    }

    /// `POST /v1/dids/{name}/entries`
    pub async fn append_to_did(
        &self,
        signer: Signer<'_>,
        name: &str,
        entry: String,
    ) -> Result<HostedDid> {
        let call = Call::post(format!("/v1/dids/{name}/entries"))
            .json(&AppendToDid { entry })
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await?.json()
    }

    /// `GET /dids/{name}/did.jsonl`: the log, not yet verified; `None` if there is none.
    pub async fn hosted_log(&self, name: &str) -> Result<Option<String>> {
        let call =
            Call::get(format!("/dids/{name}/did.jsonl")).up_to(LOG_LIMIT, Duration::from_secs(30));
        match self.send(&call).await {
            Ok(answer) => String::from_utf8(answer.body)
                .map(Some)
                .map_err(|_| Error::ServiceFailed("a DID's log is not text".to_owned())),
            Err(refused) if refused.is(ProblemCode::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// `POST /v1/consents`
    pub async fn give_consent(
        &self,
        signer: Signer<'_>,
        id: ConsentId,
        (consent, record): (Jws, serde_json::Value),
        invitation: Option<&str>,
    ) -> Result<Jws> {
        let call = Call::post("/v1/consents")
            .json(&GiveConsent { consent, record })
            .signed(signer)
            .invited(invitation)
            .idempotent(id.0);
        receipt(&self.send(&call).await?)
    }

    /// `POST /v1/consents/{id}/withdrawal`
    pub async fn withdraw_consent(
        &self,
        signer: Signer<'_>,
        id: ConsentId,
        withdrawal: Jws,
    ) -> Result<Jws> {
        let call = Call::post(format!("/v1/consents/{id}/withdrawal"))
            .json(&WithdrawConsent { withdrawal })
            .signed(signer)
            .idempotent(self.entropy.uuid());
        receipt(&self.send(&call).await?)
    }

    /// `POST /v1/enrolments`. The same id with the same bytes is one enrolment however often it is sent.
    pub async fn enrol(
        &self,
        signer: Signer<'_>,
        id: EnrolmentId,
        statement: &Jws,
        recovery: Option<&Jws>,
        submission: Vec<u8>,
        invitation: Option<&str>,
    ) -> Result<Jws> {
        let mut call = Call::post("/v1/enrolments")
            .binary(SUBMISSION_MEDIA_TYPE, submission)
            .header(STATEMENT_HEADER, statement.as_str())
            .signed(signer)
            .invited(invitation)
            .idempotent(id.0);
        if let Some(recovery) = recovery {
            call = call.header(RECOVERY_HEADER, recovery.as_str());
        }
        self.send(&call)
            .await?
            .json()
            .map(|answer: Enrolled| answer.receipt)
    }

    /// `POST /v1/enrolments/{id}/erasure`
    pub async fn erase_enrolment(
        &self,
        signer: Signer<'_>,
        id: EnrolmentId,
        erasure: Jws,
    ) -> Result<Jws> {
        let call = Call::post(format!("/v1/enrolments/{id}/erasure"))
            .json(&EraseEnrolment { erasure })
            .signed(signer)
            .idempotent(self.entropy.uuid());
        receipt(&self.send(&call).await?)
    }

    /// `POST /v1/authentications`
    pub async fn start_authentication(
        &self,
        signer: Signer<'_>,
        start: &StartAuthentication,
    ) -> Result<Challenge> {
        let call = Call::post("/v1/authentications")
            .json(start)
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await?.json()
    }

    /// `POST /v1/authentications/{challenge}/probe`
    pub async fn submit_probe(
        &self,
        signer: Signer<'_>,
        challenge: &Nonce,
        statement: &Jws,
        submission: Vec<u8>,
    ) -> Result<Jws> {
        let call = Call::post(format!("/v1/authentications/{challenge}/probe"))
            .binary(SUBMISSION_MEDIA_TYPE, submission)
            .header(STATEMENT_HEADER, statement.as_str())
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call)
            .await?
            .json()
            .map(|answer: VerdictIssued| answer.verdict)
    }

    /// `GET /v1/authentications/{challenge}`: the verdict again, after a lost answer.
    pub async fn verdict(&self, signer: Signer<'_>, challenge: &Nonce) -> Result<Jws> {
        let call = Call::get(format!("/v1/authentications/{challenge}")).signed(signer);
        self.send(&call)
            .await?
            .json()
            .map(|answer: VerdictIssued| answer.verdict)
    }

    /// `POST /v1/subjects/me/key`
    pub async fn rotate_key(&self, signer: Signer<'_>, rotation: &RotateKey) -> Result<Jws> {
        let call = Call::post("/v1/subjects/me/key")
            .json(rotation)
            .signed(signer)
            .idempotent(self.entropy.uuid());
        receipt(&self.send(&call).await?)
    }

    /// `POST /v1/subjects/me/recovery`
    pub async fn recover(&self, signer: Signer<'_>, recovery: &Recover) -> Result<Jws> {
        let call = Call::post("/v1/subjects/me/recovery")
            .json(recovery)
            .signed(signer)
            .idempotent(self.entropy.uuid());
        receipt(&self.send(&call).await?)
    }

    /// `GET /metrics`, as the operator with this token: Prometheus text.
    pub async fn metrics(&self, token: &str) -> Result<String> {
        let call = Call::get("/metrics").header("authorization", format!("Bearer {token}"));
        let body = self.send(&call).await?.body;
        String::from_utf8(body)
            .map_err(|_| Error::ServiceFailed("its metrics are not text".to_owned()))
    }

    /// `POST /v1/invitations`, as the operator with this token.
    pub async fn invite(&self, token: &str, invite: &Invite) -> Result<Invitation> {
        let call = Call::post("/v1/invitations")
            .json(invite)
            .header("authorization", format!("Bearer {token}"))
            .idempotent(Uuid::from_bytes(self.entropy.bytes()));
        self.send(&call).await?.json()
    }
}

fn receipt(answer: &Answer) -> Result<Jws> {
    answer.json().map(|Receipt { receipt }| receipt)
}

/// The query that names a relying party.
fn about(audience: Option<&Audience>) -> String {
    let encoded = |audience: &Audience| {
        url::form_urlencoded::byte_serialize(audience.as_str().as_bytes()).collect::<String>()
    };
    audience.map_or_else(String::new, |audience| {
        format!("?audience={}", encoded(audience))
    })
}
