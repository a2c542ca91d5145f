use proptest::prelude::*;

use super::*;
use crate::Tree;

/// The leaves and roots that the tests of Certificate Transparency use
/// (certificate-transparency, `merkletree/merkle_tree_test.cc`).
pub const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// The tree of [`LEAVES`].
pub fn known_tree() -> Tree {
    let mut tree = Tree::default();
    for leaf in LEAVES {
        tree.append_bytes(&hex::decode(leaf).unwrap());
    }
    tree
}

#[test]
fn the_roots_are_those_of_certificate_transparency() {
    assert_eq!(
        hex::encode(TreeHash::EMPTY.as_bytes()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(Frontier::default().root(), TreeHash::EMPTY);
    let mut frontier = Frontier::default();
    let tree = known_tree();
    for (size, (leaf, root)) in (1..).zip(LEAVES.iter().zip(ROOTS)) {
        let stored = frontier
            .append(TreeHash::of_entry(&hex::decode(leaf).unwrap()))
            .unwrap();
        assert_eq!(hex::encode(frontier.root().as_bytes()), root);
        assert_eq!(tree.root_at(size).unwrap(), frontier.root());
        // What is stored is stored in one piece after another, each under the position it has.
        for (position, node) in stored {
            assert_eq!(tree.read(&[position]), Ok(vec![node]));
        }
    }
}

#[test]
fn a_frontier_has_a_node_for_each_bit_of_its_size() {
    let tree = known_tree();
    for size in 0..=8 {
        let frontier = tree.frontier_at(size).unwrap();
        let text = serde_json::to_string(&frontier).unwrap();
        assert_eq!(serde_json::from_str::<Frontier>(&text).unwrap(), frontier);
    }
    let hash = TreeHash::EMPTY;
    for bad in [
        r#"{"size":1,"nodes":[]}"#.to_owned(),
        format!(r#"{{"size":0,"nodes":["{hash}"]}}"#),
        format!(r#"{{"size":2,"nodes":["{hash}","{hash}"]}}"#),
        format!(r#"{{"size":1,"nodes":["{hash}"],"x":1}}"#),
        format!(r#"{{"size":{},"nodes":["{hash}"]}}"#, 1_u64 << 63),
    ] {
        assert!(serde_json::from_str::<Frontier>(&bad).is_err(), "{bad}");
    }
    let mut full = Frontier::of(MAX_SIZE, vec![hash]).unwrap();
    assert_eq!(full.append(hash), Err(LogError::OutOfRange));
    assert_eq!(Frontier::needs(MAX_SIZE + 1), Err(LogError::OutOfRange));
}

proptest! {
    #[test]
    fn a_frontier_goes_on_wherever_it_is_picked_up(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 1..80),
        at in any::<prop::sample::Index>(),
    ) {
        let mut tree = Tree::default();
        for entry in &entries {
            tree.append_bytes(entry);
        }
        let at = at.index(entries.len());
        let mut frontier = tree.frontier_at(at as u64).unwrap();
        for entry in &entries[at..] {
            frontier.append(TreeHash::of_entry(entry)).unwrap();
        }
        prop_assert_eq!(frontier.root(), tree.root());
        prop_assert_eq!(frontier, tree.frontier_at(tree.size()).unwrap());
    }
}
