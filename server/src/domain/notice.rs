//! What people are told before they decide, and whom it is about.

use blindprint_consent::{Library, Notice, Source, controller_of, processing::Retention};
use blindprint_core::{
    Audience, Digest, ServiceId, UnixTime,
    statement::Purpose,
    wire::{Controller, Recipient},
};

use super::{
    Service,
    retention::{Kept, Policy},
};
use crate::{Error, Result};

/// The notices of one service.
#[derive(Debug, Clone)]
pub struct Notices {
    library: Library,
    service: ServiceId,
    controller: Controller,
    reconsent_days: u32,
    retention: Vec<Retention>,
}

/// A file that was published, and must stay as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// `id-version.language`.
    pub name: String,
    /// Digest of the whole file.
    pub digest: Digest,
    /// Since when it is in force.
    pub published: UnixTime,
}

/// What is not as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Altered {
    /// The file says something else.
    Changed(String),
    /// There is no such file any more.
    Removed(String),
}

impl Notices {
    /// Those in `library`, about what `controller` does at `service`.
    pub fn new(
        library: Library,
        service: ServiceId,
        controller: Controller,
        reconsent_days: u32,
    ) -> Self {
        Self {
            library,
            service,
            controller,
            reconsent_days,
            retention: Vec::new(),
        }
    }

    /// Those that the program carries, about a controller who says nothing of themselves.
    pub fn embedded(service: &ServiceId) -> Self {
        Self::new(
            Library::embedded(),
            service.clone(),
            controller_of(service),
            30,
        )
    }

    /// The same, where things are kept as `policy` says.
    #[must_use]
    pub fn keeping(mut self, policy: &Policy) -> Self {
        let kept = Kept::ALL.into_iter();
        self.retention = kept
            .filter_map(|kept| {
                Some(Retention {
                    of: kept.as_str().to_owned(),
                    days: policy.days(kept)?,
                })
            })
            .collect();
        self
    }

    /// How long things are kept.
    pub fn retention(&self) -> &[Retention] {
        &self.retention
    }

    /// Who is responsible.
    pub const fn controller(&self) -> &Controller {
        &self.controller
    }

    /// What they are made of.
    pub const fn library(&self) -> &Library {
        &self.library
    }

    /// Those that new consents may name: about sharing with `recipient` if there is one, and about
    /// what has no recipient.
    pub fn in_force(&self, recipient: Option<&Recipient>, now: UnixTime) -> Result<Vec<Notice>> {
        self.library
            .in_force(now)
            .filter(|source| recipient.is_some() || source.purpose() != Purpose::Sharing)
            .map(|source| self.publish(source, recipient))
            .collect()
    }

    /// The notice in force with this digest.
    pub fn find(
        &self,
        digest: Digest,
        recipient: Option<&Recipient>,
        now: UnixTime,
    ) -> Result<Option<Notice>> {
        let mut notices = self.in_force(recipient, now)?.into_iter();
        Ok(notices.find(|notice| notice.summary.digest == digest))
    }

    /// Until when a consent under this version of a notice must be given anew; `None` while it informs.
    pub fn reconsent_by(&self, name: &str, version: u32, now: UnixTime) -> Option<UnixTime> {
        let since = self.library.outdated(name, version, now)?;
        Some(since.plus(i64::from(self.reconsent_days) * 86_400))
    }

    fn publish(&self, source: &Source, recipient: Option<&Recipient>) -> Result<Notice> {
        let recipient = recipient.filter(|_| source.purpose() == Purpose::Sharing);
        source
            .publish(&self.service, &self.controller, recipient)
            .map_err(|error| Error::broken("publishing a notice")(error.into()))
    }

    fn published(&self, now: UnixTime) -> Vec<PublishedFile> {
        self.library
            .published(now)
            .map(|source| PublishedFile {
                name: source.name(),
                digest: source.digest(),
                published: source.published(),
            })
            .collect()
    }
}

impl Service {
    /// Notes what is in force from now on, so that it stays what it is. A published file that was changed
    /// or removed is an error: consents name what it said.
    pub async fn publish_notices(&self) -> Result<()> {
        let now = self.clock.now();
        let altered = self
            .store
            .publish_notices(&self.notices.published(now))
            .await?;
        if let Some(first) = altered.first() {
            let (file, what) = match first {
                Altered::Changed(file) => (file, "was changed"),
                Altered::Removed(file) => (file, "is missing"),
            };
            return Err(Error::Setup(format!(
                "the notice {file} {what} after it was published ({} such files). People consented to \
                 what it said: restore the file, and write what is new into a higher version",
                altered.len()
            )));
        }
        // Without a recipient there are few; those about sharing are kept with the first consent.
        for notice in self.notices.in_force(None, now)? {
            self.store.keep_notice(&notice).await?;
        }
        Ok(())
    }

    /// The notices in force, and those about sharing with `audience`.
    pub async fn notices_for(&self, audience: Option<&Audience>) -> Result<Vec<Notice>> {
        let recipient = self.recipient(audience).await?;
        self.notices.in_force(recipient.as_ref(), self.clock.now())
    }

    /// One notice, also one that is no longer in force if anybody may have consented to it.
    pub async fn notice(
        &self,
        digest: Digest,
        audience: Option<&Audience>,
    ) -> Result<Option<Notice>> {
        let recipient = self.recipient(audience).await?;
        let now = self.clock.now();
        match self.notices.find(digest, recipient.as_ref(), now)? {
            Some(notice) => Ok(Some(notice)),
            None => self.store.notice(digest).await,
        }
    }

    /// How people call `audience`: as the operator registered it, or by itself.
    pub(super) async fn recipient(&self, audience: Option<&Audience>) -> Result<Option<Recipient>> {
        let Some(audience) = audience else {
            return Ok(None);
        };
        let parties = self.store.relying_parties().await?;
        let known = parties
            .into_iter()
            .find(|party| party.known.audience == *audience);
        Ok(Some(Recipient {
            audience: audience.clone(),
            name: known.map_or_else(|| audience.to_string(), |party| party.known.name),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn shop(name: &str) -> Recipient {
        Recipient {
            audience: "https://shop.example".parse().unwrap(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn sharing_is_explained_for_one_recipient_at_a_time() {
        let notices = Notices::embedded(&"https://id.example".parse().unwrap());
        let general = notices.in_force(None, NOW).unwrap();
        assert_eq!(
            general.len(),
            8,
            "authentication and uniqueness, four languages"
        );
        let shop_ones = notices.in_force(Some(&shop("Shop")), NOW).unwrap();
        assert_eq!(shop_ones.len(), 12);
        let sharing = shop_ones
            .iter()
            .find(|notice| notice.summary.purpose == Purpose::Sharing)
            .unwrap();
        let find = |recipient: Option<&Recipient>| {
            let found = notices.find(sharing.summary.digest, recipient, NOW);
            found.unwrap().is_some()
        };
        assert!(find(Some(&shop("Shop"))));
        assert!(!find(Some(&shop("Another name"))));
        assert!(!find(None));
    }

    #[test]
    fn nothing_needs_to_be_given_anew_while_the_notice_informs() {
        let notices = Notices::embedded(&"https://id.example".parse().unwrap());
        assert_eq!(notices.reconsent_by("authentication", 1, NOW), None);
    }
}
