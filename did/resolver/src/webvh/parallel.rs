use serde_json::json;

use super::{Location, Log, LogError, hash};
use crate::{Did, Document};

/// The parallel did:web document of a log's present version (did:webvh 1.0, "Publishing a Parallel
/// did:web DID"), for `did.json` beside `did.jsonl`: the same with the did:web DID in place of the
/// did:webvh one, which it names in `alsoKnownAs`, and with the implicit services spelled out.
pub fn did_web(log: &Log) -> Result<Document, LogError> {
    let invalid = |_| LogError::Form("the location is not one of the web");
    let own = format!("did:webvh:{}:", log.scid());
    let location: Location = log.did().as_str()[own.len()..].parse().map_err(invalid)?;
    let web = location.did_web().map_err(invalid)?;

    let mut state = log.document().to_value();
    hash::replace(&mut state, &own, "did:web:");
    let mut document = Document::from_value(state, &web)
        .map_err(|_| LogError::Form("the state is not a DID document"))?;
    document.also_known_as.push(log.did().to_string());
    let mut names = Vec::new();
    for name in std::mem::take(&mut document.also_known_as) {
        if name != web.as_str() && !names.contains(&name) {
            names.push(name);
        }
    }
    document.also_known_as = names;
    if !log.is_deactivated() {
        add_implicit_services(&mut document, &web, &location).map_err(invalid)?;
    }
    Ok(document)
}

fn add_implicit_services(
    document: &mut Document,
    web: &Did,
    location: &Location,
) -> Result<(), crate::ResolutionError> {
    let files = location.files()?;
    let services = [
        json!({
            "id": format!("{web}#files"),
            "type": "relativeRef",
            "serviceEndpoint": files.as_str(),
        }),
        json!({
            "@context": "https://identity.foundation/linked-vp/contexts/v1",
            "id": format!("{web}#whois"),
            "type": "LinkedVerifiablePresentation",
            "serviceEndpoint": format!("{files}whois.vp"),
        }),
    ];
    for service in services {
        let service: crate::Service = serde_json::from_value(service)
            .map_err(|_| crate::ResolutionError::Internal("a service has another form"))?;
        if document.service(&service.id).is_none() {
            document.service.push(service);
        }
    }
    Ok(())
}
