//! The demo, with as few people as it takes: all eight attacks against the real service.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

#[test]
fn the_demo_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Command::new(blindprint_tests::program("blindprint-demo"))
        .env("PEOPLE", "3")
        .env_remove("PHOTOS")
        .env_remove("KEEP")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&demo.stdout);
    assert!(
        demo.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&demo.stderr)
    );
    assert_eq!(
        said.lines().last(),
        Some(
            "demo: enrolled 3, genuine accepted 3/3, impostors refused 3/3, attacks refused 8/8, \
              credential verified, and refused once erased, erasure proved"
        )
    );
    let picture = std::fs::read_to_string(folder.path().join("demo.svg")).unwrap();
    assert!(picture.starts_with("<svg"), "{picture:.80}");
}
