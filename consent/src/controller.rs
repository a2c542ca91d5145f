//! Who is responsible.

use blindprint_core::{ServiceId, wire::Controller};
use serde_json::{Map, Value, json};

use crate::{Error, Language, Result};

/// Longest text of one member, in characters.
const LONGEST: usize = 400;
const MOST_LOCATIONS: usize = 16;

/// The controller as far as the service's own address tells: its host is the name, and the rest is
/// for the operator to say.
pub fn default(service: &ServiceId) -> Controller {
    let origin = service.as_str();
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    Controller {
        name: host.to_owned(),
        address: None,
        contact: None,
        officer: None,
        authority: None,
        dpia: None,
        storage_locations: vec!["EU".to_owned()],
        jurisdiction: "EU".to_owned(),
    }
}

/// Checks what types cannot: that texts are single lines that people can read, and that places have
/// terms.
pub fn check(controller: &Controller) -> Result<()> {
    let line = |text: &str| {
        !text.trim().is_empty() && text.chars().count() <= LONGEST && !has_control(text)
    };
    if !line(&controller.name) {
        return Err(Error::Controller(
            "name is one line of at most 400 characters",
        ));
    }
    let texts = [
        &controller.address,
        &controller.contact,
        &controller.officer,
        &controller.authority,
        &controller.dpia,
    ];
    if !texts.into_iter().flatten().all(|text| line(text)) {
        return Err(Error::Controller(
            "address, contact, officer, authority and dpia are one line each, of at most 400 characters",
        ));
    }
    let locations = &controller.storage_locations;
    if locations.is_empty() || locations.len() > MOST_LOCATIONS {
        return Err(Error::Controller("storage_locations are 1 to 16 places"));
    }
    if !locations
        .iter()
        .chain([&controller.jurisdiction])
        .all(|place| is_place(place))
    {
        return Err(Error::Controller(
            "storage_locations and jurisdiction are EU, EEA or countries as in ISO 3166-1 alpha-2",
        ));
    }
    Ok(())
}

pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn is_place(place: &str) -> bool {
    place == "EEA" || (place.len() == 2 && place.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// The term of a place.
pub(crate) fn term(place: &str) -> String {
    format!("loc:{place}")
}

/// The controller in DPV terms.
pub(crate) fn render(service: &ServiceId, controller: &Controller) -> Value {
    let mut node = Map::new();
    let mut put = |key: &str, value: Value| node.insert(key.to_owned(), value);
    put("@id", json!(service));
    put("@type", json!("dpv:DataController"));
    put("dpv:hasIdentifier", json!(service));
    put("dpv:hasName", json!(controller.name));
    if let Some(address) = &controller.address {
        put("dpv:hasAddress", json!(address));
    }
    if let Some(contact) = &controller.contact {
        put("dpv:hasContact", json!(contact));
    }
    if let Some(officer) = &controller.officer {
        put(
            "dpv:hasDataProtectionOfficer",
            json!({ "@type": "dpv:DataProtectionOfficer", "dpv:hasName": officer }),
        );
    }
    if let Some(authority) = &controller.authority {
        put(
            "dpv:hasAuthority",
            json!({ "@type": "dpv:DataProtectionAuthority", "dpv:hasName": authority }),
        );
    }
    Value::Object(node)
}

/// The controller as a list in Markdown, for the end of a notice.
pub(crate) fn details(controller: &Controller, dpia: Option<&str>, language: Language) -> String {
    let words = Words::of(language);
    let known = [
        (words.operator, Some(controller.name.as_str())),
        (words.address, controller.address.as_deref()),
        (words.contact, controller.contact.as_deref()),
        (words.officer, controller.officer.as_deref()),
        (words.authority, controller.authority.as_deref()),
        (words.dpia, dpia),
    ];
    let mut lines: Vec<String> = known
        .into_iter()
        .filter_map(|(label, text)| Some(format!("- {label} {}", text?)))
        .collect();
    if controller.contact.is_none() && controller.address.is_none() {
        lines.push(String::new());
        lines.push(words.silent.to_owned());
    }
    lines.join("\n")
}

struct Words {
    operator: &'static str,
    address: &'static str,
    contact: &'static str,
    officer: &'static str,
    authority: &'static str,
    dpia: &'static str,
    silent: &'static str,
}

impl Words {
    const fn of(language: Language) -> Self {
        match language {
            Language::En => Self {
                operator: "Operator:",
                address: "Address:",
                contact: "Contact:",
                officer: "Data protection officer:",
                authority: "Data protection authority:",
                dpia: "Assessment of the risks (DPIA):",
                silent: "The operator gives no contact here. Ask them for it before you agree.",
            },
            Language::De => Self {
                operator: "Betreiber:",
                address: "Anschrift:",
                contact: "Kontakt:",
                officer: "Beauftragte für Datenschutz:",
                authority: "Behörde für Datenschutz:",
                dpia: "Abschätzung der Risiken (DSFA):",
                silent: "Der Betreiber nennt hier keinen Kontakt. Fragen Sie ihn danach, bevor Sie zustimmen.",
            },
            Language::Fr => Self {
                operator: "Responsable :",
                address: "Adresse :",
                contact: "Contact :",
                officer: "Délégué à la protection des données :",
                authority: "Autorité de protection des données :",
                dpia: "Analyse des risques (AIPD) :",
                silent: "Le responsable ne donne pas de contact ici. Demandez-le avant d'accepter.",
            },
            Language::Es => Self {
                operator: "Responsable:",
                address: "Dirección:",
                contact: "Contacto:",
                officer: "Delegado de protección de datos:",
                authority: "Autoridad de protección de datos:",
                dpia: "Evaluación de los riesgos (EIPD):",
                silent: "El responsable no da aquí ningún contacto. Pídalo antes de aceptar.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_controller_is_checked() {
        let fine = default(&"https://id.example:8443".parse().unwrap());
        assert_eq!(fine.name, "id.example:8443");
        check(&fine).unwrap();
        for spoil in [
            |it: &mut Controller| it.name = " ".to_owned(),
            |it: &mut Controller| it.name = "a\nb".to_owned(),
            |it: &mut Controller| it.contact = Some("x".repeat(401)),
            |it: &mut Controller| it.jurisdiction = "Germany".to_owned(),
            |it: &mut Controller| it.jurisdiction = "eu".to_owned(),
            |it: &mut Controller| it.storage_locations.clear(),
            |it: &mut Controller| it.storage_locations.push("US#".to_owned()),
        ] {
            let mut spoilt = fine.clone();
            spoil(&mut spoilt);
            assert!(check(&spoilt).is_err(), "{spoilt:?}");
        }
    }

    #[test]
    fn a_silent_operator_is_said_to_be_silent() {
        let mut controller = default(&"https://id.example".parse().unwrap());
        for language in Language::ALL {
            let silent = Words::of(language).silent;
            assert!(details(&controller, None, language).contains(silent));
        }
        controller.contact = Some("privacy@id.example".to_owned());
        let text = details(&controller, Some("https://id.example/dpia"), Language::En);
        assert_eq!(
            text,
            "- Operator: id.example\n- Contact: privacy@id.example\n\
             - Assessment of the risks (DPIA): https://id.example/dpia"
        );
    }
}
