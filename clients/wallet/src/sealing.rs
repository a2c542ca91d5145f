//! From a capture to an upload: keyed code, encryption, proof. Off the async threads, since it
//! takes seconds of all cores.

use std::{sync::Arc, time::Instant};

use blindprint_core::{Binding, Entropy, Profile, ProfileId, profiles};
use blindprint_face::Embedding;
use blindprint_template::{BiometricCode, EncodingKey};

use crate::{Error, Material, Observer, Result, Stages, Step};

pub(crate) struct Sealed {
    pub(crate) submission: Vec<u8>,
    pub(crate) stages: Stages,
}

/// The profile that was asked for, if `capture` fits it, or the first one that it fits.
pub(crate) fn profile_for(capture: &Embedding, wanted: Option<ProfileId>) -> Result<ProfileId> {
    let fits = |profile: &Profile| {
        profile.modality == capture.modality()
            && profile.model == capture.model()
            && usize::from(profile.dimension) == capture.values().len()
    };
    let found = match wanted {
        Some(profile) => Some(profile).filter(|profile| fits(profile.profile())),
        None => profiles()
            .iter()
            .find(|profile| fits(profile))
            .map(Profile::id),
    };
    found.ok_or_else(|| {
        Error::Invalid(format!(
            "no{} profile takes a {} capture of {} values made by {}",
            wanted.map_or_else(String::new, |profile| format!("t {profile}: this")),
            capture.modality(),
            capture.values().len(),
            capture.model()
        ))
    })
}

pub(crate) fn encode(
    profile: ProfileId,
    key: &EncodingKey,
    capture: &Embedding,
) -> Result<BiometricCode> {
    blindprint_template::encode(profile, key, capture.values())
        .map_err(|e| Error::Invalid(e.to_string()))
}

/// Encodes and seals `capture` for `binding` and nothing else.
pub(crate) async fn seal(
    capture: Embedding,
    key: EncodingKey,
    binding: Binding,
    material: Arc<Material>,
    entropy: Arc<dyn Entropy>,
    observer: &dyn Observer,
) -> Result<Sealed> {
    let aborted = |_| Error::Encryption("the work was aborted".to_owned());
    observer.step(Step::Encode);
    let started = Instant::now();
    let profile = binding.profile;
    let code = tokio::task::spawn_blocking(move || encode(profile, &key, &capture))
        .await
        .map_err(aborted)??;
    let encoded = Instant::now();
    observer.step(Step::Prove);
    let submission = tokio::task::spawn_blocking(move || {
        blindprint_template::seal(
            &code,
            &material.public_key,
            &material.crs,
            &binding,
            &*entropy,
        )
        .map(|submission| submission.encode())
        .map_err(|e| Error::Encryption(e.to_string()))
    })
    .await
    .map_err(aborted)??;
    let stages = Stages {
        encode: encoded - started,
        prove: encoded.elapsed(),
        service: std::time::Duration::ZERO,
    };
    Ok(Sealed { submission, stages })
}
