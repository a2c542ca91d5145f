use serde::{Deserialize, Serialize};

use crate::{
    Audience, Digest, EnrolmentId, Nonce, ProfileId, ServiceId, SubjectId,
    statement::{Enrolment, Probe, Purpose},
};

/// What an encrypted code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Stored at enrolment and compared with later.
    Template,
    /// Compared once with a template.
    Probe,
}

/// The request that a proof belongs to. Its digest is the metadata of the zero-knowledge proof,
/// so a proof made for one request verifies for no other (no replay, no transplant).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Template or probe.
    pub role: Role,
    /// Who enrols or authenticates.
    pub subject: SubjectId,
    /// The service addressed.
    pub service: ServiceId,
    /// The enrolment made or compared with.
    pub enrolment: EnrolmentId,
    /// The registered template that a probe is compared with; `None` for a template.
    pub template: Option<Digest>,
    /// The enclave's nonce (enrolment) or challenge (authentication).
    pub challenge: Nonce,
    /// What the comparison is for.
    pub purpose: Purpose,
    /// The relying party; `None` for a template.
    pub audience: Option<Audience>,
    /// The profile that the code was made under.
    pub profile: ProfileId,
    /// The public material that it is encrypted under.
    pub key: Digest,
}

impl Binding {
    /// `SHA-256` over the fields in the order above, each behind its length (four bytes, big endian).
    /// An absent field has length 0.
    ///
    /// # Panics
    /// Never: ids are bounded far below the lengths that four bytes hold.
    pub fn digest(&self) -> Digest {
        let role: &[u8] = match self.role {
            Role::Template => b"template",
            Role::Probe => b"probe",
        };
        let fields: [&[u8]; 10] = [
            role,
            self.subject.as_str().as_bytes(),
            self.service.as_str().as_bytes(),
            self.enrolment.0.as_bytes(),
            self.template
                .as_ref()
                .map_or(&[], |digest| digest.as_bytes().as_slice()),
            self.challenge.as_bytes(),
            self.purpose.as_str().as_bytes(),
            self.audience
                .as_ref()
                .map_or(&[], |audience| audience.as_str().as_bytes()),
            self.profile.as_str().as_bytes(),
            self.key.as_bytes(),
        ];
        let lengths = fields.map(|field| {
            u32::try_from(field.len())
                .expect("ids are bounded far below 4 GiB")
                .to_be_bytes()
        });
        let mut parts: Vec<&[u8]> = Vec::with_capacity(2 * fields.len());
        for (length, field) in lengths.iter().zip(fields) {
            parts.extend([length.as_slice(), field]);
        }
        Digest::of_parts("blindprint/binding/v1", &parts)
    }
}

impl Enrolment {
    /// What the template's proof must be bound to.
    pub fn binding(&self) -> Binding {
        Binding {
            role: Role::Template,
            subject: self.sub.clone(),
            service: self.service.clone(),
            enrolment: self.enrolment,
            template: None,
            challenge: self.nonce,
            purpose: self.purpose,
            audience: None,
            profile: self.profile,
            key: self.key,
        }
    }
}

impl Probe {
    /// What the probe's proof must be bound to.
    pub fn binding(&self) -> Binding {
        Binding {
            role: Role::Probe,
            subject: self.sub.clone(),
            service: self.service.clone(),
            enrolment: self.enrolment,
            template: Some(self.template),
            challenge: self.challenge,
            purpose: self.purpose,
            audience: Some(self.audience.clone()),
            profile: self.profile,
            key: self.key,
        }
    }
}
