//! A witness that is killed at any instant has not forgotten what it answered.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use crate::{Serving, Story};

const ROUNDS: u64 = 12;

#[test]
fn what_was_cosigned_before_a_kill_is_remembered_after_it() {
    let story = Story::of(4000);
    let folder = tempfile::tempdir().unwrap();
    let mut size = 1;
    let first = Serving::start(folder.path(), &[story.vkey()]);
    assert_eq!(first.cosign(&story.request(0, size)).unwrap().0, 200);
    first.kill();
    for round in 0..ROUNDS {
        let serving = Serving::start(folder.path(), &[story.vkey()]);
        let from = remembered(&serving, &story);
        assert!(
            from >= size,
            "{from} entries after {size} were acknowledged"
        );
        assert!(from <= size + 1, "only one more was asked for");
        refuses_forks(&serving, &story, from);
        size = from;

        let acknowledged = AtomicU64::new(size);
        let url = format!("{}/add-checkpoint", serving.url);
        thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    let last = acknowledged.load(Ordering::SeqCst);
                    match crate::post(&url, &story.request(last, last + 1)) {
                        Some((200, _)) => acknowledged.store(last + 1, Ordering::SeqCst),
                        Some(other) => panic!("{other:?}"),
                        None => return,
                    }
                }
            });
            thread::sleep(Duration::from_millis(30 + 17 * round));
            serving.kill();
        });
        size = acknowledged.into_inner();
    }
    assert!(size > ROUNDS, "it got to work: {size}");
}

/// What the witness says that it cosigned last.
fn remembered(serving: &Serving, story: &Story) -> u64 {
    match serving.cosign(&story.request(0, 4000)).unwrap() {
        (409, size) => size.trim_end().parse().unwrap(),
        (status, text) => panic!("{status} {text}"),
    }
}

fn refuses_forks(serving: &Serving, story: &Story, size: u64) {
    let kept = usize::try_from(size / 2).unwrap();
    let fork = story.fork(kept, 4000 - kept);
    let (status, _) = serving.cosign(&fork.request(size, size)).unwrap();
    assert_eq!(status, 409);
    let (status, _) = serving.cosign(&fork.request(size, 4000)).unwrap();
    assert_eq!(status, 422);
}

#[test]
fn it_stops_when_told_and_goes_on() {
    let story = Story::of(10);
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[story.vkey()]);
    let (status, line) = serving.cosign(&story.request(0, 7)).unwrap();
    assert_eq!(status, 200);
    let head = story.head_at(7);
    let head = head.with_cosignature(&line, &serving.vkey).unwrap();
    assert!(head.cosigned(&serving.vkey).is_ok());
    let vkey = serving.vkey.clone();
    serving.stop();
    let serving = Serving::start(folder.path(), &[story.vkey()]);
    assert_eq!(serving.vkey, vkey);
    let (status, _) = serving.cosign(&story.request(7, 10)).unwrap();
    assert_eq!(status, 200);
}
