//! Whether what was issued still stands.

use blindprint_did::jwt::UnverifiedJwt;
use serde_json::{Map, Value};

use super::{
    Check, Relationship, Verifier,
    secured::{self, Secured, verify_token},
};
use crate::{
    Credential, Document, VerifyError, credential, error,
    status::{
        BitstringStatusList, MAX_ENCODED, StatusEntry, StatusPurpose, TokenStatus,
        TokenStatusEntry, TokenStatusList,
    },
};

/// How many status entries a credential may have; each may cost a fetch.
const MOST_ENTRIES: usize = 4;

impl Verifier {
    /// Reads every list that the credential names.
    pub(super) async fn bitstring_status(
        &self,
        credential: &Credential,
        done: &mut Vec<Check>,
    ) -> Result<(), VerifyError> {
        let members = credential.document().members();
        let entries = credential::objects(members, "credentialStatus")?;
        if entries.len() > MOST_ENTRIES {
            return Err(VerifyError::TooLarge);
        }
        if entries.is_empty() {
            done.push(Check::NoStatus);
        }
        for entry in entries {
            let entry = StatusEntry::parse(entry)?;
            let fetched = self
                .status_lists
                .fetch(&entry.list, "application/vc, application/vc+jwt;q=0.9")
                .await?;
            let list = self
                .bitstring_list(&fetched.body, &entry, credential.issuer())
                .await
                .map_err(of_list)?;
            if list.is_set(entry.index)? {
                return Err(match entry.purpose {
                    StatusPurpose::Revocation => VerifyError::Revoked,
                    StatusPurpose::Suspension => VerifyError::Suspended,
                });
            }
            done.push(Check::Status {
                purpose: entry.purpose,
            });
        }
        Ok(())
    }

    async fn bitstring_list(
        &self,
        body: &[u8],
        entry: &StatusEntry,
        issuer: &str,
    ) -> Result<BitstringStatusList, VerifyError> {
        let secured = if body.trim_ascii_start().starts_with(b"{") {
            let document = Document::parse_within(body, MAX_ENCODED + Document::MAX_LEN)?;
            Secured::data_integrity(&self.contexts, document)?
        } else {
            Secured::credential_jwt(&self.contexts, text(body)?)?
        };
        // Before a key is looked for: whoever serves the list must not choose whom we ask for it.
        if secured.controller() != issuer {
            return Err(VerifyError::WrongStatusList("issuer"));
        }
        let (list, _, _) = self.issued(secured).await?;
        BitstringStatusList::of_credential(&list, entry)
    }

    /// Reads the list that an SD-JWT's claims name.
    pub(super) async fn token_status(
        &self,
        claims: &Map<String, Value>,
        issuer: &str,
        done: &mut Vec<Check>,
    ) -> Result<(), VerifyError> {
        let Some(status) = claims.get("status") else {
            done.push(Check::NoStatus);
            return Ok(());
        };
        let entry = TokenStatusEntry::parse(status)?;
        let fetched = self
            .status_lists
            .fetch(&entry.list, "application/statuslist+jwt")
            .await?;
        let list = self
            .token_list(&fetched.body, &entry, issuer)
            .await
            .map_err(of_list)?;
        match list.status(entry.index)? {
            TokenStatus::Valid => {}
            TokenStatus::Invalid => return Err(VerifyError::Revoked),
            TokenStatus::Suspended => return Err(VerifyError::Suspended),
            TokenStatus::Other(status) => {
                return Err(VerifyError::UnknownStatus(status.to_string()));
            }
        }
        done.extend(
            [StatusPurpose::Revocation, StatusPurpose::Suspension]
                .map(|purpose| Check::Status { purpose }),
        );
        Ok(())
    }

    /// draft-ietf-oauth-status-list section 8.3.
    async fn token_list(
        &self,
        body: &[u8],
        entry: &TokenStatusEntry,
        issuer: &str,
    ) -> Result<TokenStatusList, VerifyError> {
        let token = UnverifiedJwt::parse(text(body)?, 2 * MAX_ENCODED).map_err(error::of_token)?;
        let kid = token
            .kid()
            .ok_or(VerifyError::MalformedProof("there is no kid"))?;
        let method = secured::absolute(kid.to_owned(), Some(issuer))?;
        // Before a key is looked for: whoever serves the list must not choose whom we ask for it.
        let same_issuer = token.claims().get("iss").is_none_or(|iss| iss == issuer)
            && method.split_once('#').map(|(did, _)| did) == Some(issuer);
        if !same_issuer {
            return Err(VerifyError::WrongStatusList("issuer"));
        }
        let key = self
            .keys
            .key_for(&method, Relationship::AssertionMethod)
            .await?;
        if key.controller != issuer {
            return Err(VerifyError::WrongStatusList("issuer"));
        }
        let token = verify_token(token, &key.key, &["statuslist+jwt"])?;
        let claims = token.claims();
        if claims.get("sub").and_then(Value::as_str) != Some(&entry.list) {
            return Err(VerifyError::WrongStatusList("sub"));
        }
        let issued = secured::numeric_date(claims, "iat")?
            .ok_or(VerifyError::Malformed("there is no iat"))?;
        self.holds(Some(issued), secured::numeric_date(claims, "exp")?)?;
        TokenStatusList::of_claims(claims)
    }
}

fn text(body: &[u8]) -> Result<&str, VerifyError> {
    std::str::from_utf8(body.trim_ascii())
        .map_err(|_| VerifyError::Malformed("the list is no text"))
}

/// What is wrong with a list is not wrong with the credential; what says which list it is, and that
/// something is unavailable, stays as it is.
fn of_list(error: VerifyError) -> VerifyError {
    match error {
        VerifyError::WrongStatusList(_)
        | VerifyError::StatusListTooShort
        | VerifyError::StatusListTooLong => error,
        error if error.is_unavailable() => error,
        error => VerifyError::StatusListInvalid(Box::new(error)),
    }
}
