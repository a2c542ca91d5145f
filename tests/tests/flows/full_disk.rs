use std::sync::Arc;

use blindprint_core::{problem::ProblemCode, statement::Purpose};
use blindprint_tests::{Person, Process, Service, SmallDisk, block_on};
use blindprint_wallet::{Error, Materials, Result};

/// Room for the keys and little else.
const MEBIBYTES: u32 = 64;

#[test]
fn a_full_disk_loses_nothing_and_serves_again_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(MEBIBYTES) else {
        eprintln!("skipped: nobody may make namespaces here, so there is no disk to fill");
        return;
    };
    let mut service = Service::start_with(Some(disk), &[]);
    let materials = Arc::new(Materials::in_memory());
    let mut alice = block_on(Person::new("L001", &service, &materials));
    let mut bob = block_on(Person::new("L002", &service, &materials));
    let invitation = service.invitation(2);
    block_on(async {
        alice.consent(&invitation).await.unwrap();
        alice.enrol(&invitation).await.unwrap();
        bob.consent(&invitation).await.unwrap();
    });

    service.disk().fill();
    block_on(async {
        for _ in 0..3 {
            full(bob.enrol(&invitation).await);
            full(alice.show_themselves().await);
            let consent = alice.wallet.consents()[0].id;
            full(alice.wallet.withdraw(consent).await);
            // What needs no room goes on; a signed request needs some, to be remembered by.
            alice
                .wallet
                .notice(Purpose::Authentication, "en")
                .await
                .unwrap();
            full(alice.wallet.status().await);
        }
    });

    service.disk().free();
    block_on(works(&alice, &mut bob, &invitation));

    service.disk().fill();
    service.kill(Process::Server);
    service.disk().free();
    service.launch_again();
    service.wait();
    block_on(async {
        for person in [&alice, &bob] {
            assert!(person.show_themselves().await.unwrap().verdict.matched);
        }
    });
    assert!(!service.log().contains("panicked"), "{}", service.log());
}

async fn works(alice: &Person, bob: &mut Person, invitation: &str) {
    assert!(alice.show_themselves().await.unwrap().verdict.matched);
    bob.wallet.reconcile().await.unwrap();
    if bob.enrolled().is_none() {
        bob.enrol(invitation).await.unwrap();
    }
    assert!(bob.show_themselves().await.unwrap().verdict.matched);
}

/// That there is no room, and that is said.
fn full<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    let said = match &error {
        Error::ServiceFailed(why) => why.starts_with(ProblemCode::InsufficientStorage.title()),
        Error::Busy { .. } => true,
        _ => false,
    };
    assert!(said, "{error:?}");
}
