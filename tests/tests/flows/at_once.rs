use std::sync::Arc;

use blindprint_core::problem::ProblemCode;
use blindprint_did::{KeyType, SigningKey};
use blindprint_tests::{Person, Service, block_on};
use blindprint_wallet::{Error, Materials, Passphrase, Wallet};

#[test]
fn what_happens_at_once_happens_once() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let people = ["L001", "L002"].map(|label| block_on(Person::new(label, &service, &materials)));
    let (for_two, for_one) = (service.invitation(2), service.invitation(1));
    let (winner, loser) = block_on(two_people_with_one_invitation(people, &for_two, &for_one));
    block_on(one_probe_twice(&winner));
    block_on(one_person_on_two_devices(loser, &for_two, &materials));
}

/// A single use lets in one of them.
async fn two_people_with_one_invitation(
    people: [Person; 2],
    for_two: &str,
    for_one: &str,
) -> (Person, Person) {
    let [mut alice, mut bob] = people;
    alice.consent(for_two).await.unwrap();
    bob.consent(for_two).await.unwrap();
    let (first, second) = tokio::join!(alice.enrol(for_one), bob.enrol(for_one));
    match (first, second) {
        (Ok(_), Err(Error::InvitationNeeded)) => (alice, bob),
        (Err(Error::InvitationNeeded), Ok(_)) => (bob, alice),
        other => panic!("{other:?}"),
    }
}

/// One verdict, whoever asks for it.
async fn one_probe_twice(person: &Person) {
    let wallet = &person.wallet;
    let audience = "https://shop.example".parse().unwrap();
    let challenged = wallet
        .challenge(
            person.enrolled().unwrap(),
            audience,
            "81f3a2c4e5".to_owned(),
        )
        .await
        .unwrap();
    let probe = wallet
        .prepare_probe(&challenged, person.capture(2), &())
        .await
        .unwrap();
    let send = || wallet.submit_probe(&challenged, &probe);
    let answers = tokio::join!(send(), send(), send(), send());
    let mut verdicts = Vec::new();
    for answer in [answers.0, answers.1, answers.2, answers.3, send().await] {
        match answer {
            Ok(shown) => verdicts.push(shown.jws),
            Err(refusal) => assert!(
                refusal.is(ProblemCode::Conflict) || matches!(refusal, Error::Busy { .. }),
                "{refusal:?}"
            ),
        }
    }
    assert!(
        verdicts.len() > 1,
        "the last sender comes when the verdict is there"
    );
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]));
}

/// One profile, one enrolment: whichever device is first.
async fn one_person_on_two_devices(phone: Person, invitation: &str, materials: &Arc<Materials>) {
    let passphrase = || Passphrase::new("a passphrase for tests".to_owned()).unwrap();
    let backup = phone.folder.path().join("backup.age");
    phone.wallet.export(&backup, Some(&passphrase())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::import(
        &backup,
        &folder.path().join("wallet.age"),
        passphrase(),
        Person::surroundings(materials),
    )
    .unwrap();
    let label = phone.label;
    let key = SigningKey::from_secret(KeyType::Ed25519, &phone.key.to_secret()).unwrap();
    let mut devices = [
        phone,
        Person {
            wallet,
            key,
            label,
            folder,
        },
    ];
    let [phone, tablet] = &mut devices;
    let (first, second) = tokio::join!(phone.enrol(invitation), tablet.enrol(invitation));
    let (registered, refusal) = match (first, second) {
        (Ok(id), Err(refusal)) | (Err(refusal), Ok(id)) => (id, refusal),
        other => panic!("{other:?}"),
    };
    assert!(refusal.is(ProblemCode::Conflict), "{refusal:?}");
    let status = devices[0].wallet.status().await.unwrap();
    let ids: Vec<_> = status
        .enrolments
        .iter()
        .map(|enrolment| enrolment.id)
        .collect();
    assert_eq!(ids, [registered]);
    let winner = devices
        .iter()
        .find(|device| device.enrolled().is_some())
        .unwrap();
    assert!(winner.show_themselves().await.unwrap().verdict.matched);
}
