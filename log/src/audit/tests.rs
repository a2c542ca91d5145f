use blindprint_core::{Nonce, UnixTime};
use proptest::prelude::*;

use super::*;
use crate::{Kind, Tree};

fn entry(n: u16) -> Entry {
    let mut handle = [0; 32];
    handle[..2].copy_from_slice(&n.to_be_bytes());
    Entry::tombstone(
        Kind::EnrolmentErased,
        UnixTime(n.into()),
        vec![Nonce::from_bytes(handle)],
        None,
    )
    .unwrap()
}

fn entries(count: u16) -> Vec<Entry> {
    (0..count).map(entry).collect()
}

fn tree(entries: &[Entry]) -> Tree {
    let mut tree = Tree::default();
    for entry in entries {
        tree.append(entry);
    }
    tree
}

fn head(tree: &Tree, size: usize) -> Checkpoint {
    Checkpoint::new(
        "example.org/log",
        size as u64,
        tree.root_at(size as u64).unwrap(),
    )
    .unwrap()
}

/// What a host that serves `shown` makes an auditor believe.
fn audit(
    from: Frontier,
    seen: &[Checkpoint],
    head: &Checkpoint,
    shown: &[Entry],
) -> Result<(Frontier, Vec<(u64, Entry)>), LogError> {
    let mut audit = Audit::begin(from, seen, head)?;
    let mut read = Vec::new();
    while let Some(path) = audit.wants() {
        let start = usize::try_from(path.start()).unwrap();
        let bundle: Vec<_> = shown
            .iter()
            .skip(start)
            .take(path.width().into())
            .map(Entry::encode)
            .collect();
        read.extend(audit.take(&TilePath::encode_entries(&bundle)?)?);
    }
    audit.finish().map(|frontier| (frontier, read))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_honest_log_passes_from_wherever_it_is_known(
        count in 1_u16..700,
        from in any::<prop::sample::Index>(),
        seen in any::<prop::sample::Index>(),
    ) {
        let entries = entries(count);
        let tree = tree(&entries);
        let from = from.index(entries.len() + 1);
        let seen = head(&tree, seen.index(entries.len() + 1));
        let head = head(&tree, entries.len());
        let known = tree.frontier_at(from as u64).unwrap();
        let (frontier, read) = audit(known, &[seen], &head, &entries).unwrap();
        prop_assert_eq!(frontier.root(), tree.root());
        let expected: Vec<_> = (0_u64..).zip(entries).skip(from).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn whatever_is_changed_before_the_head_is_found(
        count in 2_u16..600,
        from in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in any::<prop::sample::Index>(),
        change in 0..4,
    ) {
        let honest = entries(count);
        let tree = tree(&honest);
        let from = from.index(honest.len());
        let at = from + at.index(honest.len() - from);
        let with = from + with.index(honest.len() - from);
        let mut shown = honest.clone();
        match change {
            0 => shown[at] = entry(9999),
            1 => shown.swap(at, with),
            // Left out, with something else at the end.
            2 => { shown.remove(at); shown.push(entry(9999)); }
            _ => shown.insert(at, entry(9999)),
        }
        let known = tree.frontier_at(from as u64).unwrap();
        let outcome = audit(known, &[], &head(&tree, honest.len()), &shown);
        if shown[from..honest.len()] == honest[from..] {
            prop_assert!(outcome.is_ok());
        } else {
            prop_assert_eq!(outcome.unwrap_err(), LogError::Altered);
        }
    }

    #[test]
    fn a_log_that_signs_two_histories_is_found_out(
        count in 1_u16..400,
        more in 1_u16..300,
        at in any::<prop::sample::Index>(),
    ) {
        let first = entries(count);
        let mut second = entries(count + more);
        second[at.index(first.len())] = entry(9999);
        let seen = head(&tree(&first), first.len());
        let forked = tree(&second);
        // Everything that it shows now fits what it signs now.
        let now = head(&forked, second.len());
        prop_assert_eq!(
            audit(Frontier::default(), std::slice::from_ref(&seen), &now, &second).unwrap_err(),
            LogError::Forked
        );
        // From what is remembered of the first history, nothing leads there.
        let known = tree(&first).frontier_at(seen.size()).unwrap();
        prop_assert_eq!(audit(known, &[seen], &now, &second).unwrap_err(), LogError::Altered);
    }
}

#[test]
fn a_shorter_log_and_missing_entries_are_found() {
    let entries = entries(300);
    let tree = tree(&entries);
    let (before, after) = (head(&tree, 200), head(&tree, 300));
    assert_eq!(
        audit(
            Frontier::default(),
            std::slice::from_ref(&after),
            &before,
            &entries
        )
        .unwrap_err(),
        LogError::Truncated
    );
    assert_eq!(
        audit(tree.frontier_at(300).unwrap(), &[], &before, &entries).unwrap_err(),
        LogError::Truncated
    );
    assert!(matches!(
        audit(Frontier::default(), &[], &after, &entries[..299]).unwrap_err(),
        LogError::Malformed(_)
    ));
    let unfinished = Audit::begin(Frontier::default(), &[], &after).unwrap();
    assert_eq!(unfinished.finish(), Err(LogError::Unfinished));
    // A head of the same size with another root, before anything is read.
    let mut other = entries;
    other[0] = entry(9999);
    let other = self::tree(&other);
    assert_eq!(
        Audit::begin(Frontier::default(), &[after], &head(&other, 300)).unwrap_err(),
        LogError::Forked
    );
    let known = other.frontier_at(200).unwrap();
    assert_eq!(
        Audit::begin(known, &[before], &head(&other, 200)).unwrap_err(),
        LogError::Forked
    );
}

#[test]
fn nothing_is_taken_when_nothing_is_wanted() {
    let entries = entries(3);
    let tree = tree(&entries);
    let mut audit = Audit::begin(tree.frontier_at(3).unwrap(), &[], &head(&tree, 3)).unwrap();
    assert_eq!(audit.wants(), None);
    assert_eq!(audit.take(b"\0\0"), Err(LogError::OutOfRange));
    assert_eq!(audit.finish().unwrap().root(), tree.root());
}
