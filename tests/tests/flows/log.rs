use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use blindprint_log::WitnessVerifier;
use blindprint_tests::{Person, Process, Service, block_on, insist, program};
use blindprint_wallet::{Error, LogReport, Materials};

/// What a person's own entries say, without the times.
fn kinds(report: &LogReport) -> Vec<&'static str> {
    report.own.iter().map(|event| event.kind).collect()
}

#[test]
fn what_happened_to_a_person_is_in_the_log_and_their_wallet_verifies_it() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(2);
    let mut alice = block_on(Person::new("L001", &service, &materials));
    block_on(async {
        alice.consent(&invitation).await.unwrap();
        alice.enrol(&invitation).await.unwrap();
        assert!(alice.show_themselves().await.unwrap().verdict.matched);
    });
    let first = block_on(alice.wallet.verify_log(true, &[])).unwrap();
    assert_eq!(
        kinds(&first),
        ["consent.given", "enrolment.registered", "verdict"]
    );
    assert_eq!(first.extends, None);
    let read = first.read.as_ref().unwrap();
    assert_eq!(read.values().sum::<u64>(), first.size);
    assert!(
        read["config.changed"] == 1 && read["key.changed"] >= 1,
        "{read:?}"
    );
    assert!(first.own[2].what.contains("match for https://shop.example"));

    block_on(async {
        let consent = alice.wallet.consents()[0].id;
        alice.wallet.withdraw(consent).await.unwrap();
    });
    let second = block_on(alice.wallet.verify_log(true, &[])).unwrap();
    assert_eq!(second.extends, Some(first.size));
    assert_eq!(
        kinds(&second)[3..],
        ["consent.withdrawn", "enrolment.erased"]
    );
    assert_eq!(
        second.read.unwrap().values().sum::<u64>(),
        second.size - first.size,
        "an audit goes on where the last one ended"
    );

    // Somebody else's entries are nobody's but theirs.
    let mut bob = block_on(Person::new("L002", &service, &materials));
    block_on(bob.consent(&invitation)).unwrap();
    let own = block_on(bob.wallet.verify_log(false, &[])).unwrap();
    assert_eq!(kinds(&own), ["consent.given"]);

    let proof = block_on(service.client().offline_proof(own.own[0].index)).unwrap();
    let proven = bob.wallet.verify_receipt(proof.as_bytes(), &[]).unwrap();
    assert_eq!(
        (proven.kind, proven.index),
        ("consent.given", own.own[0].index)
    );
    let altered = proof.replacen("index ", "index 1", 1);
    assert!(bob.wallet.verify_receipt(altered.as_bytes(), &[]).is_err());
}

/// The database's files, as an operator could copy them.
fn copy_database(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in [
        "blindprint.sqlite",
        "blindprint.sqlite-wal",
        "blindprint.sqlite-shm",
    ] {
        let (from, to) = (from.join(name), to.join(name));
        if from.is_file() {
            fs::copy(&from, &to).unwrap();
        } else if to.is_file() {
            fs::remove_file(&to).unwrap();
        }
    }
}

fn restart(service: &mut Service) {
    service.launch_again();
    service.wait();
}

fn refuted(verified: Result<LogReport, Error>, why: &str) {
    match verified {
        Err(Error::LogRefuted(said)) => assert!(said.contains(why), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_log_that_was_set_back_rewritten_or_altered_is_found_out() {
    let mut service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(9);
    let mut alice = block_on(Person::new("L001", &service, &materials));
    block_on(alice.consent(&invitation)).unwrap();
    block_on(alice.wallet.verify_log(true, &[])).unwrap();
    let past = tempfile::tempdir().unwrap();
    service.kill(Process::Server);
    copy_database(&service.data(), past.path());
    restart(&mut service);

    let mut bob = block_on(Person::new("L002", &service, &materials));
    block_on(bob.consent(&invitation)).unwrap();
    for person in [&mut alice, &mut bob] {
        block_on(person.wallet.verify_log(true, &[])).unwrap();
    }
    let present = tempfile::tempdir().unwrap();
    service.kill(Process::Server);
    copy_database(&service.data(), present.path());

    // Set back: the server itself signs nothing more.
    copy_database(past.path(), &service.data());
    restart(&mut service);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !service.log().contains("put the right database back") {
        assert!(Instant::now() < deadline, "{}", service.log());
        thread::sleep(Duration::from_millis(200));
    }
    refuted(
        block_on(alice.wallet.verify_log(false, &[])),
        "shorter than it was",
    );

    // Set back by somebody who knows what else to take away, and written anew.
    service.kill(Process::Server);
    fs::remove_file(service.data().join("log-head")).unwrap();
    restart(&mut service);
    let mut carol = block_on(Person::new("L003", &service, &materials));
    block_on(carol.consent(&invitation)).unwrap();
    let mut dave = block_on(Person::new("L004", &service, &materials));
    block_on(dave.consent(&invitation)).unwrap();
    block_on(carol.wallet.verify_log(true, &[])).unwrap();
    for full in [false, true] {
        let refutation = block_on(alice.wallet.verify_log(full, &[]));
        assert!(
            matches!(refutation, Err(Error::LogRefuted(_))),
            "{refutation:?}"
        );
    }
    let (believed, other) = alice.wallet.log_evidence().unwrap();
    assert_ne!(believed, other);

    // As it was, all is well again.
    service.kill(Process::Server);
    copy_database(present.path(), &service.data());
    fs::remove_file(service.data().join("log-head")).unwrap();
    restart(&mut service);
    block_on(alice.wallet.verify_log(true, &[])).unwrap();
    refuted(block_on(carol.wallet.verify_log(false, &[])), "");
}

/// `blindprint-witness serve`. Ends with this value.
struct Witness {
    process: Child,
    folder: tempfile::TempDir,
    key: WitnessVerifier,
    port: u16,
}

impl Witness {
    /// One that has a key, and waits to be told which log to watch.
    fn made() -> (tempfile::TempDir, WitnessVerifier, u16) {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(program("blindprint-witness"))
            .args(["keygen", "--name", "witness.example", "--key-file"])
            .arg(folder.path().join("key"))
            .output()
            .unwrap();
        let text = String::from_utf8(made.stdout).unwrap();
        let key = text.split_whitespace().find_map(|word| word.parse().ok());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (folder, key.unwrap(), port)
    }

    fn watch(made: (tempfile::TempDir, WitnessVerifier, u16), log: &str) -> Self {
        let (folder, key, port) = made;
        let process = launch(folder.path(), port, log);
        Self {
            process,
            folder,
            key,
            port,
        }
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(folder: &Path, port: u16, log: &str) -> Child {
    let state: PathBuf = folder.join("state");
    Command::new(program("blindprint-witness"))
        .args(["serve", "--log", log, "--listen"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("--key-file")
        .arg(folder.join("key"))
        .arg("--state")
        .arg(state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn an_enclave_that_requires_a_witness_serves_while_it_has_one() {
    let made = Witness::made();
    let (key, port) = (made.1.clone(), made.2);
    let witnesses = format!(
        "transparency.witnesses=[{{ vkey = \"{key}\", url = \"http://127.0.0.1:{port}\" }}]"
    );
    let required = format!("enclave.witness=\"{key}\"");
    let settings = [
        witnesses.as_str(),
        required.as_str(),
        "enclave.witness_seconds=6",
    ];
    let mut service = Service::start_with(None, &settings);
    let log = block_on(service.client().log_description()).unwrap();
    let mut witness = Witness::watch(made, &log.key);
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(2);
    let mut alice = block_on(Person::new("L001", &service, &materials));
    block_on(async {
        alice.consent(&invitation).await.unwrap();
        insist(&mut alice, async |alice| alice.enrol(&invitation).await).await;
        let shown = insist(&mut alice, async |alice| alice.show_themselves().await).await;
        assert!(shown.verdict.matched);
    });
    let asked = std::slice::from_ref(&witness.key);
    let report = insist_on_log(&mut alice, asked);
    assert!(report.witnessed.contains_key("witness.example"));
    assert!(report.read.unwrap()["enclave.mark"] >= 1);

    // Nobody countersigns: within its time the enclave serves no more, and tells when it does again.
    witness.end();
    let deadline = Instant::now() + Duration::from_mins(1);
    while block_on(alice.show_themselves()).is_ok() {
        assert!(
            Instant::now() < deadline,
            "it serves on without its witness"
        );
        thread::sleep(Duration::from_secs(1));
    }
    witness.process = launch(witness.folder.path(), witness.port, &log.key);
    let shown = block_on(insist(&mut alice, async |alice| {
        alice.show_themselves().await
    }));
    assert!(shown.verdict.matched);
    service.kill(Process::Enclave);
    let shown = block_on(insist(&mut alice, async |alice| {
        alice.show_themselves().await
    }));
    assert!(shown.verdict.matched);
    assert!(!service.log().contains("panicked"), "{}", service.log());
}

/// A checkpoint is signed before it is countersigned.
fn insist_on_log(person: &mut Person, witnesses: &[WitnessVerifier]) -> LogReport {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match block_on(person.wallet.verify_log(true, witnesses)) {
            Ok(report) => return report,
            Err(Error::LogRefuted(why)) if why.contains("not cosigned") => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(Instant::now() < deadline, "it is never countersigned");
        thread::sleep(Duration::from_millis(200));
    }
}
