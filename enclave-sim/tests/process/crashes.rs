use std::{sync::Mutex, thread, time::Duration};

use blindprint_core::{
    Entropy, Jws, SystemEntropy,
    statement::{ConsentReceipt, ConsentState, EnrolmentReceipt, Purpose, SubjectErasureReceipt},
};
use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse, Refusal};

use crate::host::{AUDIENCE, Client, Host, Matcher, Untouched, Wallet, read};

/// What one wallet did, and how far it was told that it was done.
struct Story {
    wallet: Wallet,
    consent: (blindprint_core::ConsentId, Jws),
    register: EnclaveRequest,
    registered: Option<EnrolmentReceipt>,
    withdrawn: bool,
    /// What asked for an erasure of everything, and the answer if one came.
    forgotten: Option<(Jws, Option<SubjectErasureReceipt>)>,
}

/// One wallet after another enrols; every other one withdraws and some have themselves forgotten,
/// until the process is gone.
fn live(
    client: &mut Client,
    matcher: &Matcher,
    host: &Host,
    stories: &Mutex<Vec<Story>>,
) -> Option<()> {
    for number in 0.. {
        let wallet = Wallet::new();
        let consent = wallet.consent();
        client
            .try_ask(&EnclaveRequest::GiveConsent {
                consent: consent.1.clone(),
            })
            .ok()?;
        let issued = client
            .try_ask(&EnclaveRequest::IssueNonce {
                subject: wallet.subject.clone(),
            })
            .ok()?;
        let EnclaveResponse::Nonce { nonce, .. } = issued else {
            panic!("{issued:?}")
        };
        let (enrolment, jws) = wallet.enrolment(&consent.1, host.key, nonce);
        let register = EnclaveRequest::Register {
            enrolment: jws,
            recovery: None,
            checks: vec![matcher.check(&enrolment)],
        };
        let mut story = Story {
            wallet,
            consent,
            register,
            registered: None,
            withdrawn: false,
            forgotten: None,
        };
        let answer = client.try_ask(&story.register);
        if let Ok(answer) = &answer {
            let EnclaveResponse::Receipt { receipt } = answer else {
                panic!("{answer:?}")
            };
            story.registered = Some(read(receipt));
        }
        let withdrawal = story.wallet.withdrawal(story.consent.0);
        if answer.is_ok() && number % 2 == 0 {
            story.withdrawn = client
                .try_ask(&EnclaveRequest::Withdraw { withdrawal })
                .is_ok();
            // A withdrawal without an answer may have happened or not; only others say anything.
            if !story.withdrawn {
                return None;
            }
        }
        if answer.is_ok() && number % 4 == 1 {
            let erasure = story.wallet.subject_erasure();
            let erase = EnclaveRequest::EraseSubject {
                erasure: erasure.clone(),
            };
            let receipt = match client.try_ask(&erase) {
                Ok(EnclaveResponse::Receipt { receipt }) => Some(read(&receipt)),
                Ok(answer) => panic!("{answer:?}"),
                Err(_) => None,
            };
            story.forgotten = Some((erasure, receipt));
        }
        let cut_off = answer.is_err();
        stories.lock().unwrap().push(story);
        if cut_off {
            return None;
        }
    }
    None
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kills_at_random_moments() {
    let host = Host::new();
    let matcher = Matcher::new(&host);
    let stories = Mutex::new(vec![]);
    for _ in 0..8 {
        let process = host.start();
        matcher.enter(&mut process.connect());
        thread::scope(|scope| {
            for _ in 0..3 {
                let mut client = process.connect();
                let (matcher, host, stories) = (&matcher, &host, &stories);
                scope.spawn(move || live(&mut client, matcher, host, stories));
            }
            let [random] = (&SystemEntropy as &dyn Entropy).bytes::<1>();
            thread::sleep(Duration::from_millis(40 + u64::from(random)));
            process.kill();
        });
    }
    let stories = stories.into_inner().unwrap();
    let acknowledged = stories
        .iter()
        .filter(|story| story.registered.is_some())
        .count();
    assert!(
        acknowledged > 8,
        "the kills came too early to say anything: {acknowledged}"
    );

    let process = host.start();
    let mut client = process.connect();
    matcher.enter(&mut client);
    for Story {
        wallet,
        consent,
        register,
        registered,
        withdrawn,
        forgotten,
    } in stories
    {
        if let Some((erasure, told)) = forgotten {
            // Once somebody asked for it, it is done at the latest when they ask again.
            let erase = EnclaveRequest::EraseSubject { erasure };
            let receipt = client.receipt::<SubjectErasureReceipt>(erase.clone());
            let receipt = receipt.unwrap();
            assert!(told.is_none_or(|told| told == receipt), "the same answer");
            assert_eq!(client.receipt(erase), Ok(receipt));
            let again = client.receipt::<EnrolmentReceipt>(register);
            assert_eq!(again, Err(Refusal::Unknown));
            continue;
        }
        let again = client.receipt::<EnrolmentReceipt>(register);
        match (&registered, withdrawn) {
            (Some(receipt), false) => assert_eq!(
                again.as_ref(),
                Ok(receipt),
                "the same receipt, not a second one"
            ),
            (Some(_), true) => assert!(matches!(again, Err(Refusal::NoConsent)), "{again:?}"),
            // Cut off: it happened and gets its receipt, or it did not and its nonce died.
            (None, _) => assert!(
                matches!(again, Ok(_) | Err(Refusal::ChallengeGone)),
                "{again:?}"
            ),
        }
        if let (Some(receipt), true) = (&registered, withdrawn) {
            let challenge = EnclaveRequest::Challenge {
                subject: wallet.subject.clone(),
                enrolment: receipt.enrolment,
                audience: AUDIENCE.parse().unwrap(),
                nonce: "relying-party".to_owned(),
                purpose: Purpose::Authentication,
            };
            assert_eq!(
                client.ask(challenge),
                EnclaveResponse::Refused(Refusal::NoConsent)
            );
            let given_again = client
                .receipt::<ConsentReceipt>(EnclaveRequest::GiveConsent { consent: consent.1 });
            assert_eq!(
                given_again.unwrap_err(),
                Refusal::Conflict,
                "a withdrawn consent stays withdrawn"
            );
        }
    }
}

#[test]
fn on_a_full_disk_nothing_changes_and_reads_go_on() {
    let host = Host::new();
    let process = host.start_with_file_limit(8);
    let mut client = process.connect();
    let mut given = vec![];
    let refused = loop {
        let wallet = Wallet::new();
        let consent = wallet.consent();
        match client.receipt::<ConsentReceipt>(EnclaveRequest::GiveConsent {
            consent: consent.1.clone(),
        }) {
            Ok(_) => given.push((wallet, consent)),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Storage);
                break (wallet, consent);
            }
        }
        assert!(given.len() < 100, "the limit does not bite");
    };
    assert!(!given.is_empty());
    let untouched = Untouched::file(host.file("registry.sealed"));
    let (wallet, consent) = refused;
    for _ in 0..3 {
        let again = client.receipt::<ConsentReceipt>(EnclaveRequest::GiveConsent {
            consent: consent.1.clone(),
        });
        assert_eq!(again.unwrap_err(), Refusal::Storage);
        let unknown = client.ask(EnclaveRequest::IssueNonce {
            subject: wallet.subject.clone(),
        });
        assert_eq!(
            unknown,
            EnclaveResponse::Refused(Refusal::Unknown),
            "nothing was changed"
        );
        client.nonce(&given[0].0.subject);
        assert!(matches!(
            client.ask(EnclaveRequest::Health),
            EnclaveResponse::Healthy { .. }
        ));
        untouched.check();
    }
    process.kill();

    let process = host.start();
    let mut client = process.connect();
    for (wallet, _) in &given {
        client.nonce(&wallet.subject);
    }
    let receipt: ConsentReceipt = client
        .receipt(EnclaveRequest::GiveConsent { consent: consent.1 })
        .unwrap();
    assert_eq!(receipt.state, ConsentState::Given);
}
