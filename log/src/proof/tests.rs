use proptest::prelude::*;

use super::*;
use crate::{
    Tree,
    frontier::tests::{LEAVES, known_tree},
};

fn hashes(path: &[TreeHash]) -> Vec<String> {
    path.iter()
        .map(|hash| hex::encode(hash.as_bytes()))
        .collect()
}

#[test]
fn the_proofs_are_those_of_certificate_transparency() {
    let tree = known_tree();
    let inclusion = |index, size| hashes(&tree.inclusion(index, size).unwrap().path);
    assert!(inclusion(0, 1).is_empty());
    assert_eq!(
        inclusion(0, 8),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    assert_eq!(
        inclusion(5, 8),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        inclusion(2, 3),
        ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
    );
    let consistency = |older, newer| hashes(&tree.consistency(older, newer).unwrap().path);
    assert!(consistency(1, 1).is_empty());
    assert!(consistency(0, 8).is_empty());
    assert_eq!(consistency(1, 8), inclusion(0, 8));
    assert_eq!(
        consistency(6, 8),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        consistency(2, 5),
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ]
    );
}

#[test]
fn what_no_tree_has_is_refused_before_it_is_computed() {
    let hash = TreeHash::EMPTY;
    for (index, size) in [
        (0, 0),
        (1, 1),
        (0, MAX_SIZE + 1),
        (u64::MAX, u64::MAX),
        (0, u64::MAX),
    ] {
        let proof = InclusionProof {
            index,
            size,
            path: vec![hash; 48],
        };
        assert_eq!(proof.verify(hash, hash), Err(LogError::OutOfRange));
        assert!(InclusionProof::needs(index, size).is_err());
    }
    for (older, newer) in [(1, 0), (0, MAX_SIZE + 1), (1, u64::MAX)] {
        let proof = ConsistencyProof {
            older,
            newer,
            path: vec![hash; 48],
        };
        assert_eq!(proof.verify(hash, hash), Err(LogError::OutOfRange));
        assert!(ConsistencyProof::needs(older, newer).is_err());
    }
    let long = InclusionProof {
        index: 0,
        size: MAX_SIZE,
        path: vec![hash; 64],
    };
    assert_eq!(long.verify(hash, hash), Err(LogError::TooLong));
    assert!(InclusionProof::of(0, 8, vec![hash; 2]).is_err());
    assert!(ConsistencyProof::of(1, 8, vec![hash; 4]).is_err());
}

#[test]
fn every_tree_extends_the_empty_one_by_an_empty_proof() {
    let tree = known_tree();
    let proof = tree.consistency(0, 8).unwrap();
    assert_eq!(proof.verify(TreeHash::EMPTY, tree.root()), Ok(()));
    assert_eq!(
        proof.verify(tree.root(), tree.root()),
        Err(LogError::Inconsistent)
    );
    let padded = ConsistencyProof {
        path: vec![TreeHash::EMPTY],
        ..proof
    };
    assert_eq!(
        padded.verify(TreeHash::EMPTY, tree.root()),
        Err(LogError::Inconsistent)
    );
    let nothing = tree.consistency(0, 0).unwrap();
    assert_eq!(nothing.verify(TreeHash::EMPTY, TreeHash::EMPTY), Ok(()));
    assert!(nothing.verify(TreeHash::EMPTY, tree.root()).is_err());
}

fn trees() -> impl Strategy<Value = (Tree, Vec<Vec<u8>>)> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 1..70).prop_map(
        |mut entries| {
            // No two of them alike, so that each has one place.
            for (n, entry) in (0_u8..).zip(&mut entries) {
                entry.push(n);
            }
            let mut tree = Tree::default();
            for entry in &entries {
                tree.append_bytes(entry);
            }
            (tree, entries)
        },
    )
}

/// One change to a list of hashes, `None` if it leaves it as it is.
fn mutated(path: &[TreeHash], kind: u8, at: usize, bit: u8) -> Option<Vec<TreeHash>> {
    let mut changed = path.to_vec();
    match kind {
        0 if !path.is_empty() => {
            let at = at % path.len();
            let mut bytes = *changed[at].as_bytes();
            bytes[usize::from(bit) / 8] ^= 1 << (bit % 8);
            changed[at] = TreeHash::from_bytes(bytes);
        }
        1 => changed.insert(at % (path.len() + 1), TreeHash::from_bytes([bit; 32])),
        2 if !path.is_empty() => {
            changed.remove(at % path.len());
        }
        3 if path.len() > 1 => changed.swap(at % path.len(), (at + 1) % path.len()),
        _ => return None,
    }
    (changed != path).then_some(changed)
}

proptest! {
    #[test]
    fn an_entry_is_proven_where_it_is_and_nowhere_else(
        (tree, entries) in trees(),
        at in any::<prop::sample::Index>(),
        size in any::<prop::sample::Index>(),
        (kind, where_, bit) in (0_u8..4, any::<usize>(), any::<u8>()),
    ) {
        let at = at.index(entries.len());
        let size = (at + 1 + size.index(entries.len() - at)) as u64;
        let root = tree.root_at(size).unwrap();
        let leaf = TreeHash::of_entry(&entries[at]);
        let proof = tree.inclusion(at as u64, size).unwrap();
        prop_assert_eq!(proof.verify(leaf, root), Ok(()));
        let text = serde_json::to_string(&proof).unwrap();
        prop_assert_eq!(&serde_json::from_str::<InclusionProof>(&text).unwrap(), &proof);

        if let Some(path) = mutated(&proof.path, kind, where_, bit) {
            let changed = InclusionProof { path, ..proof.clone() };
            prop_assert!(changed.verify(leaf, root).is_err());
        }
        prop_assert!(proof.verify(TreeHash::of_entry(b"another entry"), root).is_err());
        prop_assert!(proof.verify(leaf, TreeHash::from_bytes([bit; 32])).is_err());
        for (other, entry) in entries[..usize::try_from(size).unwrap()].iter().enumerate() {
            if other != at {
                let moved = InclusionProof { index: other as u64, ..proof.clone() };
                prop_assert!(moved.verify(leaf, root).is_err());
                prop_assert!(proof.verify(TreeHash::of_entry(entry), root).is_err());
            }
        }
    }

    #[test]
    fn a_tree_is_proven_to_extend_what_it_extends_and_nothing_else(
        (tree, entries) in trees(),
        older in any::<prop::sample::Index>(),
        altered in any::<prop::sample::Index>(),
        (kind, where_, bit) in (0_u8..4, any::<usize>(), any::<u8>()),
    ) {
        let newer = tree.size();
        let older = older.index(entries.len() + 1) as u64;
        let proof = tree.consistency(older, newer).unwrap();
        let (then, now) = (tree.root_at(older).unwrap(), tree.root());
        prop_assert_eq!(proof.verify(then, now), Ok(()));

        if let Some(path) = mutated(&proof.path, kind, where_, bit) {
            let changed = ConsistencyProof { path, ..proof.clone() };
            prop_assert!(changed.verify(then, now).is_err());
        }
        // Another history of the same length: no proof that either tree could make fits both roots.
        let altered = altered.index(entries.len());
        let mut forked = Tree::default();
        for (at, entry) in entries.iter().enumerate() {
            let mut entry = entry.clone();
            if at == altered {
                entry.push(bit);
            }
            forked.append_bytes(&entry);
        }
        if (altered as u64) < older {
            prop_assert_eq!(proof.verify(then, forked.root()), Err(LogError::Inconsistent));
            let theirs = forked.consistency(older, newer).unwrap();
            prop_assert_eq!(theirs.verify(then, forked.root()), Err(LogError::Inconsistent));
        } else if older > 0 {
            prop_assert_eq!(proof.verify(then, forked.root()), Err(LogError::Inconsistent));
        }
    }
}

#[test]
fn a_reordered_tree_has_another_root() {
    let mut reordered = Tree::default();
    for leaf in LEAVES.iter().rev() {
        reordered.append_bytes(&hex::decode(leaf).unwrap());
    }
    assert_ne!(reordered.root(), known_tree().root());
}
