use std::path::PathBuf;

use blindprint_consent::{Library, check_controller, controller_of};
use blindprint_core::{ServiceId, wire::Controller};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// `[controller]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControllerSection {
    /// Legal name of who decides why and how people's data is processed. Default: the host of the
    /// public URL.
    pub name: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Where people write to: an email address or a link.
    pub contact: Option<String>,
    /// The data protection officer, with contact.
    pub officer: Option<String>,
    /// The data protection authority that oversees the controller.
    pub authority: Option<String>,
    /// Where the data protection impact assessment is found.
    pub dpia: Option<String>,
    /// Where data is stored: `EU`, `EEA` or countries as in ISO 3166-1 alpha-2.
    pub storage_locations: Vec<String>,
    /// Whose law applies, as there.
    pub jurisdiction: String,
    /// A folder of notices besides those that the program carries.
    pub notices: Option<PathBuf>,
    /// How long consents hold after a notice has changed materially, in days.
    pub reconsent_days: u32,
}

impl Default for ControllerSection {
    fn default() -> Self {
        Self {
            name: None,
            address: None,
            contact: None,
            officer: None,
            authority: None,
            dpia: None,
            storage_locations: vec!["EU".to_owned()],
            jurisdiction: "EU".to_owned(),
            notices: None,
            reconsent_days: 30,
        }
    }
}

impl ControllerSection {
    /// The same for notices and records.
    pub fn controller(&self, service: &ServiceId) -> Result<Controller> {
        let controller = Controller {
            name: self
                .name
                .clone()
                .unwrap_or_else(|| controller_of(service).name),
            address: self.address.clone(),
            contact: self.contact.clone(),
            officer: self.officer.clone(),
            authority: self.authority.clone(),
            dpia: self.dpia.clone(),
            storage_locations: self.storage_locations.clone(),
            jurisdiction: self.jurisdiction.clone(),
        };
        check_controller(&controller)
            .map_err(|error| Error::Setup(format!("configuration: controller: {error}")))?;
        Ok(controller)
    }

    /// The notices that people are shown.
    pub fn library(&self) -> Result<Library> {
        match &self.notices {
            None => Ok(Library::embedded()),
            Some(folder) => Library::with_folder(folder)
                .map_err(|error| Error::Setup(format!("controller.notices: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_controller_is_what_people_read() {
        let service = "https://id.example".parse().unwrap();
        let silent = ControllerSection::default();
        assert_eq!(silent.controller(&service).unwrap().name, "id.example");
        let named = ControllerSection {
            name: Some("Example GmbH".to_owned()),
            jurisdiction: "DE".to_owned(),
            ..ControllerSection::default()
        };
        let controller = named.controller(&service).unwrap();
        assert_eq!(
            (&*controller.name, &*controller.jurisdiction),
            ("Example GmbH", "DE")
        );
        let nowhere = ControllerSection {
            storage_locations: vec!["the cloud".to_owned()],
            ..ControllerSection::default()
        };
        let error = nowhere.controller(&service).unwrap_err().to_string();
        assert!(error.contains("storage_locations"), "{error}");
    }

    #[test]
    fn notices_come_from_a_folder_too() {
        let folder = tempfile::tempdir().unwrap();
        let section = ControllerSection {
            notices: Some(folder.path().to_owned()),
            ..ControllerSection::default()
        };
        let embedded = ControllerSection::default()
            .library()
            .unwrap()
            .iter()
            .count();
        assert_eq!(section.library().unwrap().iter().count(), embedded);
        std::fs::write(folder.path().join("a-1.en.md"), "# Title\n").unwrap();
        let error = section.library().unwrap_err().to_string();
        assert!(error.contains("a-1.en.md"), "{error}");
    }
}
