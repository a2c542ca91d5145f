use blindprint_core::profiles;

use super::*;

#[test]
fn the_record_of_processing_says_who_what_and_how_long() {
    let service = "https://id.example".parse().unwrap();
    let mut controller = crate::controller_of(&service);
    controller.officer = Some("Dr. Careful, dpo@id.example".to_owned());
    controller.dpia = Some("https://id.example/dpia".to_owned());
    let shop = Recipient {
        audience: "https://shop.example".parse().unwrap(),
        name: "The Shop".to_owned(),
    };
    let retention = Retention {
        of: "idle enrolments".to_owned(),
        days: 400,
    };
    let library = Library::embedded();
    let sources = Sources {
        service: &service,
        controller: &controller,
        library: &library,
        profiles: profiles(),
        recipients: &[shop],
        retention: &[retention],
        now: UnixTime(1_800_000_000),
    };
    let record = render(&sources).unwrap();
    assert_eq!(record["@type"], "dpv:DataProcessingRecord");
    let processes = record["dpv:hasProcess"].as_array().unwrap();
    assert_eq!(processes.len(), 3);
    let sharing = processes
        .iter()
        .find(|process| process["dct:description"] == "sharing")
        .unwrap();
    assert_eq!(sharing["dpv:hasRecipient"][0]["dpv:hasName"], "The Shop");
    assert_eq!(
        sharing["dpv:hasStorageCondition"][2]["dpv:hasDuration"]["schema:duration"],
        "P400D"
    );
    let text = markdown(&sources).unwrap();
    for said in [
        "Dr. Careful",
        "https://id.example/dpia",
        "The Shop (https://shop.example)",
        "idle enrolments: 400 days",
        "face-dlib128-v1",
        "## Uniqueness\n\n- Purpose: making sure that nobody enrols twice\n- Offered: no",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}
