//! Child processes: started again when they die, stopped with the service, killed with it.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use blindprint_server::process::{ARGUMENT, Binary, Spec, Supervisor};

const PROGRAM: &str = env!("CARGO_BIN_EXE_blindprint");

fn shell(folder: &Path, script: &str) -> Spec {
    Spec {
        name: "shell".to_owned(),
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".into(), script.into()],
        socket: folder.join("socket"),
        after: None,
    }
}

fn is_alive(pid: &str) -> bool {
    // A zombie has ended, whoever has not yet asked how.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z"))
    })
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within 15 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test]
async fn a_process_that_dies_is_started_again_without_its_stale_socket() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let socket = folder.path().join("socket");
    let script = format!(
        "test -e {socket} && echo stale >> {runs}; echo run >> {runs}; touch {socket}; exit 1",
        runs = runs.display(),
        socket = socket.display(),
    );
    let specs = vec![shell(folder.path(), &script)];
    let supervisor = Supervisor::start(PROGRAM.into(), specs).unwrap();
    eventually("three runs", || read(&runs).lines().count() >= 3).await;
    supervisor.stop().await;
    let count = read(&runs).lines().count();
    assert!(!read(&runs).contains("stale"));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        read(&runs).lines().count(),
        count,
        "it was stopped for good"
    );
}

#[tokio::test]
async fn a_process_waits_for_what_it_depends_on() {
    let folder = tempfile::tempdir().unwrap();
    let (ready, ran) = (folder.path().join("ready"), folder.path().join("ran"));
    let spec = Spec {
        after: Some(ready.clone()),
        ..shell(
            folder.path(),
            &format!("touch {}; exec sleep 100", ran.display()),
        )
    };
    let supervisor = Supervisor::start(PROGRAM.into(), vec![spec]).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!ran.exists());
    std::fs::write(&ready, "").unwrap();
    eventually("the start", || ran.exists()).await;
    supervisor.stop().await;
}

#[tokio::test]
async fn stopping_ends_even_what_does_not_listen() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!(
        "trap '' TERM; echo $$ > {}; while :; do sleep 0.1; done",
        pid.display()
    );
    let specs = vec![shell(folder.path(), &script)];
    let supervisor = Supervisor::start(PROGRAM.into(), specs).unwrap();
    eventually("the start", || read(&pid).ends_with('\n')).await;
    let pid = read(&pid).trim().to_owned();
    assert!(is_alive(&pid));
    supervisor.stop().await;
    assert!(!is_alive(&pid));
}

#[tokio::test]
async fn children_die_with_a_killed_parent() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let inner = format!("echo $$ > {}; exec sleep 300", pid.display());
    let script = format!("{PROGRAM} {ARGUMENT} $$ /bin/sh -c '{inner}' & wait");
    let mut parent = Command::new("/bin/sh")
        .args(["-c", &script])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the start", || read(&pid).ends_with('\n')).await;
    let pid = read(&pid).trim().to_owned();
    assert!(is_alive(&pid));
    // SIGKILL: nothing of the parent's own runs any more.
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("the child's end", || !is_alive(&pid)).await;
}

#[test]
fn a_child_whose_server_is_gone_does_not_start() {
    let refused = Command::new(PROGRAM)
        .args([ARGUMENT, "1", "/bin/true"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
}

#[tokio::test]
async fn only_a_measurement_is_a_measurement() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Binary::find(None, "blindprint-no-such-program").is_err());
    let program = |name: &str, script: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Binary::find(Some(&path), "").unwrap()
    };
    let hex = "ab".repeat(48);
    let good = program("good", &format!("echo {hex}"))
        .measurement()
        .await
        .unwrap();
    assert_eq!(good.to_string(), hex);
    assert!(program("short", "echo abcd").measurement().await.is_err());
    assert!(
        program("failing", &format!("echo {hex}; exit 1"))
            .measurement()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn children_do_not_see_the_servers_environment() {
    // Cargo tells every test where its package lies.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("env > {}; exec sleep 100", seen.display());
    let supervisor = Supervisor::start(PROGRAM.into(), vec![shell(folder.path(), &script)]);
    eventually("the list", || read(&seen).contains("PATH=")).await;
    supervisor.unwrap().stop().await;
    assert!(!read(&seen).contains("CARGO"), "{}", read(&seen));
    let telling = folder.path().join("telling");
    let script = format!("#!/bin/sh\nenv > {}\n", seen.display());
    std::fs::write(&telling, script).unwrap();
    std::fs::set_permissions(&telling, std::fs::Permissions::from_mode(0o700)).unwrap();
    let binary = Binary::find(Some(&telling), "").unwrap();
    assert!(binary.measurement().await.is_err());
    assert!(!read(&seen).contains("CARGO"), "{}", read(&seen));
}
