//! What a relying party does with a verdict. It needs no wallet, only the service's address and
//! what it believes about enclaves.

use blindprint_core::{Audience, Jws, SubjectId, statement::Verdict};

use crate::{Attested, Error, Result};

/// What a relying party knows about the verdict it waits for.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedVerdict<'a> {
    /// The relying party's own name.
    pub audience: &'a Audience,
    /// The nonce it gave, fresh for this login.
    pub nonce: &'a str,
    /// Who is expected; `None` if anybody may log in.
    pub subject: Option<&'a SubjectId>,
}

/// Verifies a verdict: that the attested enclave signed it, under attested parameters and
/// threshold, for exactly this relying party and nonce. Whether it *matched* is in the result.
///
/// The nonce makes it fresh: accept each nonce once.
pub fn verify_verdict(
    jws: &Jws,
    attested: &Attested,
    expected: &ExpectedVerdict<'_>,
) -> Result<Verdict> {
    let verdict: Verdict = attested.believe(jws)?;
    let profile = verdict.profile.profile();
    let checks = [
        (
            verdict.iss == attested.service,
            "the verdict is by another service",
        ),
        (
            verdict.aud == *expected.audience,
            "the verdict is for another audience",
        ),
        (
            verdict.nonce == expected.nonce,
            "the verdict answers another nonce",
        ),
        (
            expected
                .subject
                .is_none_or(|subject| verdict.sub == *subject),
            "the verdict is about another subject",
        ),
        (
            verdict.key == attested.key,
            "the verdict is under another key",
        ),
        (
            verdict.parameters == blindprint_template::PARAMETERS.name,
            "the verdict is under other parameters",
        ),
        (
            verdict.tau == profile.tau,
            "the verdict applies another threshold",
        ),
        (
            verdict.amr == profile.modality.amr(),
            "the verdict names another modality",
        ),
    ];
    match checks.into_iter().find(|(holds, _)| !holds) {
        Some((_, why)) => Err(Error::Unbelievable(why)),
        None => Ok(verdict),
    }
}
