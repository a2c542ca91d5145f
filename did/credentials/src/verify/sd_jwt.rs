//! SD-JWT VC with and without key binding.

use blindprint_did::{PublicKey, jwt::UnverifiedJwt};
use serde_json::{Map, Value};

use super::{
    Check, CredentialChecks, Format, PresentationChecks, Relationship, VerifiedCredential,
    VerifiedPresentation, Verifier, bound,
    secured::{absolute, audiences, numeric_date, verify_token},
};
use crate::{VerifyError, error, sd_jwt::SdJwt};

/// The present type and the one before it (draft-ietf-oauth-sd-jwt-vc section 2.2.1).
const TYPES: [&str; 2] = ["dc+sd-jwt", "vc+sd-jwt"];

impl Verifier {
    /// Everything but key binding.
    pub(super) async fn sd_jwt(
        &self,
        token: &SdJwt,
        checks: &CredentialChecks,
    ) -> Result<VerifiedCredential, VerifyError> {
        let unverified = token.token()?;
        let payload = unverified.claims();
        let issuer = required(payload, "iss")?;
        let vct = required(payload, "vct")?;
        let valid_until = numeric_date(payload, "exp")?;
        let (issued, not_before) = (numeric_date(payload, "iat")?, numeric_date(payload, "nbf")?);
        let kid = unverified
            .kid()
            .ok_or(VerifyError::MalformedProof("there is no kid"))?;
        let method = absolute(kid.to_owned(), Some(&issuer))?;
        if method.split_once('#').map(|(did, _)| did) != Some(&issuer) {
            return Err(VerifyError::NotTheIssuersKey);
        }
        let claims = token.claims()?;
        let holder_key = token.holder_key()?;
        let resolved = self
            .keys
            .key_for(&method, Relationship::AssertionMethod)
            .await?;
        if resolved.controller != issuer {
            return Err(VerifyError::NotTheIssuersKey);
        }
        verify_token(unverified, &resolved.key, &TYPES)?;
        let mut done = vec![Check::Proof { method }];
        self.holds(issued.max(not_before), valid_until)?;
        done.push(Check::Validity);
        if checks.status {
            self.token_status(&claims, &issuer, &mut done).await?;
        } else {
            done.push(Check::StatusUnchecked);
        }
        Ok(VerifiedCredential {
            format: Format::SdJwt,
            holder: claims.get("sub").and_then(Value::as_str).map(str::to_owned),
            issuer,
            types: vec![vct],
            claims,
            holder_key,
            valid_until,
            checks: done,
        })
    }

    pub(super) async fn sd_jwt_presentation(
        &self,
        token: &SdJwt,
        checks: &PresentationChecks,
    ) -> Result<VerifiedPresentation, VerifyError> {
        let mut done = Vec::new();
        match token.key_binding() {
            None if checks.unsigned && !checks.holder_binding => {}
            None => return Err(VerifyError::NoKeyBinding),
            Some(binding) => {
                let holder = token.holder_key()?.ok_or(VerifyError::KeyBinding)?;
                self.key_binding(binding, &holder, &token.sd_hash(), checks, &mut done)?;
            }
        }
        let format = match token.key_binding() {
            Some(_) => Format::SdJwt,
            None => Format::Unsigned,
        };
        let credential = self.sd_jwt(token, &checks.credentials).await?;
        Ok(VerifiedPresentation {
            format,
            holder: None,
            credentials: vec![credential],
            checks: done,
        })
    }

    /// RFC 9901 section 7.3.
    fn key_binding(
        &self,
        binding: &str,
        holder: &PublicKey,
        sd_hash: &str,
        checks: &PresentationChecks,
        done: &mut Vec<Check>,
    ) -> Result<(), VerifyError> {
        let token = UnverifiedJwt::parse(binding, SdJwt::MAX_LEN).map_err(error::of_token)?;
        let token = verify_token(token, holder, &["kb+jwt"]).map_err(|error| match error {
            VerifyError::Signature | VerifyError::WrongKeyType => VerifyError::KeyBinding,
            error => error,
        })?;
        let claims = token.claims();
        if required(claims, "sd_hash")? != sd_hash {
            return Err(VerifyError::SdHash);
        }
        let made = numeric_date(claims, "iat")?.ok_or(VerifyError::Malformed("there is no iat"))?;
        self.recent(made, checks.max_age)?;
        let expires = numeric_date(claims, "exp")?;
        if expires.is_some_and(|expires| expires <= self.clock.now()) {
            return Err(VerifyError::ProofExpired);
        }
        let nonce = required(claims, "nonce")?;
        done.push(Check::HolderBinding);
        bound(checks, Some(&nonce), &audiences(claims), done)
    }
}

fn required(claims: &Map<String, Value>, name: &str) -> Result<String, VerifyError> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or(VerifyError::Malformed("a required claim is missing"))
}
