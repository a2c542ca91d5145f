use std::sync::Arc;

use blindprint_tests::{Person, Process, Service, block_on, capture, insist};
use blindprint_wallet::Materials;

/// Two matchers that must agree, and the enclave evaluates once more.
#[test]
fn two_matchers_and_the_enclave_agree() {
    let settings = [
        "matcher.count=2",
        "enclave.matchers_needed=2",
        "enclave.recompute=true",
    ];
    let mut service = Service::start_with(None, &settings);
    let materials = Arc::new(Materials::in_memory());
    let mut alice = block_on(Person::new("L001", &service, &materials));
    let invitation = service.invitation(1);
    block_on(async {
        alice.consent(&invitation).await.unwrap();
        alice.enrol(&invitation).await.unwrap();
        assert!(alice.show_themselves().await.unwrap().verdict.matched);
        let other = alice.show(capture("L002_1")).await.unwrap();
        assert!(!other.verdict.matched);
    });
    // One alone is not enough; it comes back.
    service.kill(Process::Matcher);
    let again = block_on(insist(&mut alice, async |alice| {
        alice.show_themselves().await
    }));
    assert!(again.verdict.matched);
}
