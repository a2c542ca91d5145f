use std::fs;

use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse};

use crate::host::{Host, Untouched, Wallet};

/// A host whose enclave has written two states, and the bytes of both.
fn after_two_consents() -> (Host, Vec<u8>, Vec<u8>) {
    let host = Host::new();
    let mut states = [(); 2].map(|()| {
        let process = host.start();
        let consent = Wallet::new().consent().1;
        let answer = process
            .connect()
            .ask(EnclaveRequest::GiveConsent { consent });
        assert!(matches!(answer, EnclaveResponse::Receipt { .. }));
        assert_eq!(process.stop(), Some(0));
        fs::read(host.file("registry.sealed")).unwrap()
    });
    let (old, new) = (
        std::mem::take(&mut states[0]),
        std::mem::take(&mut states[1]),
    );
    (host, old, new)
}

#[test]
fn an_older_state_is_recognised() {
    let (host, old, new) = after_two_consents();
    let registry = host.file("registry.sealed");
    fs::write(&registry, old).unwrap();
    let untouched = Untouched::file(registry.clone());
    assert!(host.fail().contains(
        "rollback detected: the sealed state is number 1, the hardware has seen number 2"
    ));
    untouched.check();
    fs::remove_file(&registry).unwrap();
    assert!(host.fail().contains("rollback detected"));
    let keys = fs::read(host.file("keys.sealed")).unwrap();
    fs::remove_file(host.file("keys.sealed")).unwrap();
    assert!(
        host.fail().contains("no sealed keys"),
        "new keys would make everything else worthless"
    );
    fs::write(host.file("keys.sealed"), keys).unwrap();
    fs::write(&registry, new).unwrap();
    host.start();
}

#[test]
fn damaged_files_are_refused_and_left_as_they_are() {
    let (host, _, _) = after_two_consents();
    let flip = |at: usize| {
        move |bytes: &mut Vec<u8>| {
            let at = at % bytes.len();
            bytes[at] ^= 1;
        }
    };
    type Damage = Box<dyn Fn(&mut Vec<u8>)>;
    let cases: [(&str, Damage, &str); 11] = [
        ("registry.sealed", Box::new(flip(0)), "not a sealed file"),
        ("registry.sealed", Box::new(flip(7)), "another version"),
        ("registry.sealed", Box::new(flip(16)), "damaged"),
        ("registry.sealed", Box::new(flip(200)), "damaged"),
        (
            "registry.sealed",
            Box::new(|bytes| bytes.truncate(60)),
            "not a sealed file",
        ),
        (
            "registry.sealed",
            Box::new(|bytes| bytes.truncate(300)),
            "damaged",
        ),
        (
            "registry.sealed",
            Box::new(|bytes| bytes.push(0)),
            "damaged",
        ),
        ("keys.sealed", Box::new(flip(500)), "damaged"),
        ("keys.sealed", Box::new(Vec::clear), "not a sealed file"),
        ("crs", Box::new(flip(100_000)), "not the public material"),
        (
            "../hardware/nvram",
            Box::new(|bytes| bytes.fill(7)),
            "counter is damaged",
        ),
    ];
    for (name, damage, complaint) in cases {
        let path = host.file(name);
        let intact = fs::read(&path).unwrap();
        let mut bytes = intact.clone();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let untouched = Untouched::file(path.clone());
        let said = host.fail();
        assert!(said.contains(complaint), "{name}: {said}");
        untouched.check();
        fs::write(&path, intact).unwrap();
    }
    fs::copy(host.file("keys.sealed"), host.file("spare")).unwrap();
    fs::copy(host.file("registry.sealed"), host.file("keys.sealed")).unwrap();
    assert!(host.fail().contains("another sealed file"));
    fs::rename(host.file("spare"), host.file("keys.sealed")).unwrap();
    host.start();
}

#[test]
fn a_folder_belongs_to_one_service_one_process_and_one_machine() {
    let mut host = Host::new();
    let process = host.start();
    assert!(host.fail().contains("another enclave uses this folder"));
    drop(process);
    host.config.service = "https://another.example".parse().unwrap();
    assert!(
        host.fail()
            .contains("belongs to the service https://blindprint.example")
    );
    host.config.service = crate::host::SERVICE.parse().unwrap();
    let key = host.config.hardware.join("sealing-key");
    fs::write(&key, [0; 32]).unwrap();
    assert!(host.fail().contains("sealed on other hardware"));
}
