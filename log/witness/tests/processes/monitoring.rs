//! What a monitor finds out about logs that lie.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use serde_json::Value;

use crate::{Served, Serving, Story, run};

/// One look: the exit code and the report.
fn look(story: &Story, more: &[&str]) -> (i32, Value) {
    let vkey = story.vkey();
    let arguments = [&["monitor", "--once", "--json", "--log", &vkey], more].concat();
    let (code, text) = run(&arguments);
    let report = text.lines().next().unwrap_or_default();
    (
        code,
        serde_json::from_str(report).unwrap_or(Value::String(text)),
    )
}

/// A log that misbehaves, and how.
#[track_caller]
fn convicts(story: &Story, fault: &str, more: &[&str]) -> Value {
    let (code, report) = look(story, more);
    assert_eq!(code, 3, "{report}");
    let faults: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    assert!(
        faults.iter().any(|found| found["fault"] == fault),
        "{report}"
    );
    report
}

#[track_caller]
fn good(story: &Story, more: &[&str]) {
    let (code, report) = look(story, more);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["size"], story.tree.size());
}

fn evidence(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("evidence-")
        })
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn an_honest_log_is_good_however_it_grows() {
    let mut story = Story::of(0);
    let served = Served::new(&story);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    for more in [1, 0, 254, 1, 1, 300] {
        story.grow(more);
        served.show(&story);
        good(&story, &["--url", &served.url, "--state", state]);
    }
    assert!(evidence(folder.path()).is_empty());
}

#[test]
fn a_log_that_shrinks_is_convicted_by_what_it_signed_before() {
    let story = Story::of(300);
    let served = Served::new(&story);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    good(&story, &["--url", &served.url, "--state", state]);
    served.show(&story.fork(299, 0));
    convicts(
        &story,
        "truncated",
        &["--url", &served.url, "--state", state],
    );
    let evidence = evidence(folder.path());
    assert_eq!(evidence.len(), 1);
    let kept: Value = serde_json::from_str(&evidence[0]).unwrap();
    let notes = kept["findings"][0]["seen"].as_array().unwrap();
    let before = story.head().to_string();
    assert!(notes.iter().any(|seen| seen["note"] == before.as_str()));
    assert_eq!(notes.len(), 2);
}

#[test]
fn a_log_that_rewrites_its_past_is_convicted() {
    let story = Story::of(300);
    let served = Served::new(&story);
    for (kept, more) in [(299, 1), (0, 300), (299, 40), (100, 600)] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().to_str().unwrap();
        served.show(&story);
        good(&story, &["--url", &served.url, "--state", state]);
        served.show(&story.fork(kept, more));
        convicts(&story, "forked", &["--url", &served.url, "--state", state]);
        assert_eq!(evidence(folder.path()).len(), 1);
    }
}

#[test]
fn two_observers_who_are_shown_two_histories_convict() {
    let story = Story::of(300);
    let served = Served::new(&story);
    for (kept, more) in [(299, 1), (299, 40), (100, 100), (0, 1)] {
        let other = Served::new(&story.fork(kept, more));
        let report = convicts(
            &story,
            "forked",
            &["--url", &served.url, "--other", &other.url],
        );
        let seen = report["findings"][0]["seen"].as_array().unwrap();
        assert_eq!(seen.len(), 2, "both notes, to convict with");
    }
    let slower = Served::new(&story.fork(40, 0));
    good(&story, &["--url", &served.url, "--other", &slower.url]);
}

#[test]
fn entries_in_another_order_changed_or_left_out_are_noticed() {
    let story = Story::of(300);
    let served = Served::new(&story);
    let head = story.head().to_string();
    let mut reordered = story.entries.clone();
    reordered.swap(17, 280);
    let mut changed = story.entries.clone();
    changed[299] = story.fork(0, 1).entries.remove(0);
    let mut replaced = story.entries.clone();
    replaced.remove(5);
    replaced.push(story.entries[5].clone());
    let mut unreadable = story.entries.clone();
    unreadable[3] = b"{}".to_vec();
    for entries in [reordered, changed, replaced, unreadable] {
        served.show_under(head.clone(), entries);
        convicts(&story, "altered", &["--url", &served.url]);
    }
    let mut left_out = story.entries.clone();
    left_out.pop();
    served.show_under(head, left_out);
    let (code, report) = look(&story, &["--url", &served.url]);
    assert_eq!(code, 4, "it withholds what it signed: {report}");
}

#[test]
fn a_checkpoint_of_somebody_else_is_no_checkpoint() {
    let story = Story::of(3);
    let served = Served::new(&Story::of(3));
    convicts(&story, "unsigned", &["--url", &served.url]);
}

#[test]
fn demanded_cosignatures_are_looked_for() {
    let story = Story::of(20);
    let served = Served::new(&story);
    let folder = tempfile::tempdir().unwrap();
    let witness = Serving::start(folder.path(), &[story.vkey()]);
    let vkey = witness.vkey.to_string();
    let demanded = ["--url", &served.url, "--witness", &vkey];
    let (code, report) = look(&story, &demanded);
    assert_eq!(code, 4, "{report}");
    assert_eq!(report["findings"][0]["fault"], "uncosigned");

    let (status, line) = witness.cosign(&story.request(0, 20)).unwrap();
    assert_eq!(status, 200);
    let cosigned = story.head().with_cosignature(&line, &witness.vkey).unwrap();
    served.show_under(cosigned.to_string(), story.entries.clone());
    good(&story, &demanded);
    thread::sleep(Duration::from_millis(1100));
    let (code, report) = look(&story, &[&demanded[..], &["--max-age", "0"]].concat());
    assert_eq!(code, 4, "{report}");
}

#[test]
fn a_monitor_that_goes_on_ends_when_the_log_forks() {
    let mut story = Story::of(30);
    let served = Served::new(&story);
    let slower = Served::new(&story);
    let process = Command::new(env!("CARGO_BIN_EXE_blindprint-witness"))
        .args(["monitor", "--every", "0", "--json", "--log", &story.vkey()])
        .args(["--url", &served.url, "--other", &slower.url])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(50));
        story.grow(10);
        served.show(&story);
    }
    thread::sleep(Duration::from_millis(200));
    // Behind what was read already.
    slower.show(&story.fork(35, 4));
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["findings"][0]["fault"], "forked");
}

#[test]
fn nobody_there_is_not_misbehaviour() {
    let story = Story::of(3);
    let (code, report) = look(&story, &["--url", "http://127.0.0.1:9/log"]);
    assert_eq!(code, 4, "{report}");
    assert_eq!(report["findings"][0]["fault"], "unreachable");
}
