//! Status lists: signed when they are asked for, and kept until what they say has changed or half of
//! the time is over for which a reader may rely on them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use blindprint_core::{Clock, ServiceId, UnixTime};
use blindprint_credentials::{
    Contexts, IssueError, Signer, Suite,
    status::{
        BitstringStatusList, StatusEntry as BitstringEntry, StatusPurpose, TokenStatus,
        TokenStatusEntry, TokenStatusList,
    },
};
use blindprint_did::KeyType;

use super::{
    CurrentIssuer, Issuer, IssuerMethod,
    issued::{LIST_ENTRIES, ListId, ListKind, Standing, StatusEntry},
};
use crate::{Error, Result, store::Store};

/// Bits of an entry in a Token Status List: enough for suspension.
const TOKEN_BITS: u8 = 2;
/// Signed lists that are kept at most.
const MOST_KEPT: usize = 256;

/// What is published of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListForm {
    /// A Bitstring Status List credential with a Data Integrity proof.
    Credential(StatusPurpose),
    /// The same as `vc+jwt`.
    CredentialJwt(StatusPurpose),
    /// A Token Status List.
    Token,
}

impl ListForm {
    const fn kind(self) -> ListKind {
        match self {
            Self::Credential(_) | Self::CredentialJwt(_) => ListKind::Bitstring,
            Self::Token => ListKind::Token,
        }
    }

    /// What it is served as.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Credential(_) => "application/vc",
            Self::CredentialJwt(_) => "application/vc+jwt",
            Self::Token => "application/statuslist+jwt",
        }
    }
}

/// A signed list.
#[derive(Debug, PartialEq, Eq)]
pub struct SignedList {
    /// The text.
    pub body: String,
    version: u64,
    signed_by: String,
    at: UnixTime,
}

/// The lists that this service publishes.
pub struct StatusLists {
    service: ServiceId,
    ttl: u32,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    issuer: Arc<CurrentIssuer>,
    contexts: Contexts,
    kept: Mutex<HashMap<(ListId, ListForm), Arc<SignedList>>>,
}

impl StatusLists {
    /// The lists of this service, on which readers may rely for `ttl` seconds.
    pub fn new(
        service: ServiceId,
        ttl: u32,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        issuer: Arc<CurrentIssuer>,
    ) -> Self {
        Self {
            service,
            ttl,
            store,
            clock,
            issuer,
            contexts: Contexts::standard(),
            kept: Mutex::default(),
        }
    }

    /// A list; `None` if there is none of this number in this form.
    pub async fn signed(&self, id: ListId, form: ListForm) -> Result<Option<Arc<SignedList>>> {
        let record = self.store.status_list(id).await?;
        let Some(record) = record.filter(|record| record.kind == form.kind()) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let issuer = self.issuer.now();
        let fresh = |list: &&Arc<SignedList>| {
            let age = now.since(list.at);
            // Signed with keys that have been disowned since, it would verify no more.
            list.version == record.version
                && list.signed_by == issuer.version()
                && age >= 0
                && age <= i64::from(self.ttl / 2)
        };
        if let Some(list) = self.kept().get(&(id, form)).filter(fresh) {
            return Ok(Some(Arc::clone(list)));
        }
        let (version, marked) = self.store.marked_entries(id).await?;
        let body = self
            .sign(&issuer, (id, record.issuer), form, &marked, now)
            .map_err(|error| Error::broken("signing a status list")(error.into()))?;
        let list = Arc::new(SignedList {
            body,
            version,
            signed_by: issuer.version().to_owned(),
            at: now,
        });
        let mut kept = self.kept();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert((id, form), Arc::clone(&list));
        Ok(Some(list))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<(ListId, ListForm), Arc<SignedList>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sign(
        &self,
        issuer: &Issuer,
        (id, method): (ListId, IssuerMethod),
        form: ListForm,
        marked: &[(u32, Standing)],
        now: UnixTime,
    ) -> Result<String, IssueError> {
        let key = issuer.credential_key(KeyType::Ed25519);
        // A copy is handed out for half the time and then relied on for all of it.
        let until = now.plus(2 * i64::from(self.ttl));
        let jose = issuer.jose_method_of(method, key);
        let did = issuer.did_of(method).as_str();
        match form {
            ListForm::Credential(purpose) => {
                let credential = self.credential((id, did), purpose, marked, (now, until))?;
                let method = issuer.multikey_method_of(method, key);
                let signer = Signer::new(key, &method, &self.contexts)?;
                let signed = signer.credential(credential, Suite::EddsaJcs2022, now)?;
                Ok(signed.to_string())
            }
            ListForm::CredentialJwt(purpose) => {
                let credential = self.credential((id, did), purpose, marked, (now, until))?;
                Signer::new(key, &jose, &self.contexts)?.credential_jwt(&credential)
            }
            ListForm::Token => {
                let statuses = marked.iter().map(|(index, standing)| {
                    let status = match standing {
                        Standing::Valid => TokenStatus::Valid,
                        Standing::Suspended => TokenStatus::Suspended,
                        Standing::Revoked => TokenStatus::Invalid,
                    };
                    (u64::from(*index), status)
                });
                let list = TokenStatusList::of(TOKEN_BITS, LIST_ENTRIES.into(), statuses)?;
                let uri = self.token_uri(id);
                Signer::new(key, &jose, &self.contexts)?
                    .token_status_list(&uri, &list, now, until, self.ttl)
            }
        }
    }

    fn credential(
        &self,
        (id, did): (ListId, &str),
        purpose: StatusPurpose,
        marked: &[(u32, Standing)],
        (from, until): (UnixTime, UnixTime),
    ) -> Result<blindprint_credentials::Credential, IssueError> {
        let meant = match purpose {
            StatusPurpose::Revocation => Standing::Revoked,
            StatusPurpose::Suspension => Standing::Suspended,
        };
        let set = marked
            .iter()
            .filter(|(_, standing)| *standing == meant)
            .map(|(index, _)| u64::from(*index));
        let list = BitstringStatusList::of(LIST_ENTRIES.into(), set)?;
        let url = self.bitstring_url(id, purpose);
        list.credential(&url, did, purpose, from, until, self.ttl)
    }

    /// What a VCDM credential says of where its status is told.
    pub fn bitstring_entries(&self, entry: StatusEntry) -> [BitstringEntry; 2] {
        [StatusPurpose::Revocation, StatusPurpose::Suspension].map(|purpose| BitstringEntry {
            purpose,
            index: entry.index.into(),
            list: self.bitstring_url(entry.list, purpose),
        })
    }

    /// What an SD-JWT says of where its status is told.
    pub fn token_entry(&self, entry: StatusEntry) -> TokenStatusEntry {
        TokenStatusEntry {
            index: entry.index.into(),
            list: self.token_uri(entry.list),
        }
    }

    /// The list and form that one of our own addresses names.
    pub fn at(&self, url: &str, accept: &str) -> Option<(ListId, ListForm)> {
        let path = url
            .strip_prefix(self.service.as_str())?
            .strip_prefix("/status-lists/")?;
        match path.split_once('/') {
            None => Some((path.parse().ok()?, ListForm::Token)),
            Some((id, purpose)) => Some((id.parse().ok()?, credential_form(purpose, accept)?)),
        }
    }

    fn bitstring_url(&self, id: ListId, purpose: StatusPurpose) -> String {
        format!("{}/status-lists/{id}/{}", self.service, purpose.as_str())
    }

    fn token_uri(&self, id: ListId) -> String {
        format!("{}/status-lists/{id}", self.service)
    }
}

/// The form of a Bitstring Status List credential for this purpose that a reader accepts.
pub fn credential_form(purpose: &str, accept: &str) -> Option<ListForm> {
    let purpose = [StatusPurpose::Revocation, StatusPurpose::Suspension]
        .into_iter()
        .find(|known| known.as_str() == purpose)?;
    let jwt = accept
        .split(',')
        .filter_map(|media_type| media_type.split(';').next())
        .map(str::trim)
        .find(|media_type| {
            ["application/vc", "application/vc+jwt", "application/jwt"].contains(media_type)
        })
        .is_some_and(|media_type| media_type != "application/vc");
    Some(if jwt {
        ListForm::CredentialJwt(purpose)
    } else {
        ListForm::Credential(purpose)
    })
}
