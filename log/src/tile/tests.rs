use proptest::prelude::*;

use super::*;
use crate::Tree;

#[test]
fn a_tile_has_the_path_of_the_specification() {
    for (tile, path) in [
        (TilePath::hashes(0, 0, 256), "tile/0/000"),
        (TilePath::hashes(3, 999, 1), "tile/3/999.p/1"),
        (TilePath::hashes(1, 1_234_067, 256), "tile/1/x001/x234/067"),
        (TilePath::entries(273, 112), "tile/entries/273.p/112"),
        (TilePath::entries(1000, 256), "tile/entries/x001/000"),
    ] {
        let tile = tile.unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
}

#[test]
fn a_tile_has_one_path() {
    for bad in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001/x002",
        "tile/0/001/002",
        "tile/0/x1/002",
        "tile/0/xx01/002",
        "tile/0/+01",
        "tile/0/-01",
        "tile/00/000",
        "tile/+0/000",
        "tile/6/000",
        "tile/64/000",
        "tile/256/000",
        "tile/data/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/1",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/5/001",
    ] {
        assert!(bad.parse::<TilePath>().is_err(), "{bad}");
    }
    assert!(TilePath::hashes(0, 0, 0).is_err());
    assert!(TilePath::hashes(0, u64::MAX, 1).is_err());
    assert!(TilePath::hashes(255, 0, 1).is_err());
    assert!(TilePath::entries(0, 257).is_err());
}

/// The example of C2SP tlog-tiles: a tree of 70,000 entries.
#[test]
fn a_tree_has_the_tiles_of_the_specification() {
    let size = 70_000;
    for there in [
        TilePath::hashes(0, 272, 256),
        TilePath::hashes(0, 273, 112),
        TilePath::hashes(1, 0, 256),
        TilePath::hashes(1, 1, 17),
        TilePath::hashes(2, 0, 1),
        TilePath::entries(273, 112),
    ] {
        assert!(there.unwrap().is_within(size));
    }
    for beyond in [
        TilePath::hashes(0, 273, 113),
        TilePath::hashes(0, 274, 1),
        TilePath::hashes(1, 1, 18),
        TilePath::hashes(2, 0, 2),
        TilePath::hashes(3, 0, 1),
        TilePath::entries(273, 113),
    ] {
        assert!(!beyond.unwrap().is_within(size));
    }
    assert_eq!(
        TilePath::bundle_of(69_999, size),
        TilePath::entries(273, 112)
    );
    assert_eq!(TilePath::bundle_of(0, size), TilePath::entries(0, 256));
    assert!(TilePath::bundle_of(70_000, size).is_err());
}

#[test]
fn a_tile_above_the_leaves_holds_the_roots_of_full_tiles_below() {
    let mut tree = Tree::default();
    for n in 0..600_u16 {
        tree.append_bytes(&n.to_be_bytes());
    }
    let above = TilePath::hashes(1, 0, 2).unwrap();
    let roots = above.decode_hashes(&tree.tile(&above).unwrap()).unwrap();
    let mut below = Tree::default();
    for n in 256..512_u16 {
        below.append_bytes(&n.to_be_bytes());
    }
    assert_eq!(roots, [tree.root_at(256).unwrap(), below.root()]);
    // It is what tlog_tiles makes of the same leaves.
    let leaves = tree.tile(&TilePath::hashes(0, 0, 256).unwrap()).unwrap();
    assert_eq!(
        TreeHash::from(tlog_tiles::Tile::subtree_hash(&leaves)),
        roots[0]
    );
    assert!(tree.tile(&TilePath::hashes(1, 0, 3).unwrap()).is_err());
}

#[test]
fn a_bundle_is_entries_behind_their_lengths() {
    let path = TilePath::entries(0, 2).unwrap();
    let bundle = TilePath::encode_entries(&["a", "bcd"]).unwrap();
    assert_eq!(bundle, b"\x00\x01a\x00\x03bcd");
    assert_eq!(
        path.decode_entries(&bundle).unwrap(),
        [&b"a"[..], &b"bcd"[..]]
    );
    for bad in [
        &b""[..],
        b"\x00",
        b"\x00\x01a",
        b"\x00\x01a\x00",
        b"\x00\x01a\x00\x04bcd",
        b"\x00\x01a\x00\x03bcdx",
        b"\x00\x01a\x00\x03bcd\x00\x00",
        b"\x00\x01a\xff\xffbcd",
    ] {
        assert!(path.decode_entries(bad).is_err());
    }
    assert!(
        TilePath::hashes(0, 0, 2)
            .unwrap()
            .decode_entries(&bundle)
            .is_err()
    );
    assert!(path.decode_hashes(&[0; 64]).is_err());
    assert!(path.needs().is_err());
    assert!(TilePath::encode_entries(&[vec![0; Entry::MAX_LEN + 1]]).is_err());
    assert!(TilePath::encode_entries::<&str>(&[]).is_err());
    assert!(TilePath::encode_hashes(&[]).is_err());
}

proptest! {
    #[test]
    fn paths_round_trip(level in prop::option::of(0_u8..6), index in any::<u64>(), width in 1_u16..=256) {
        let level_above = u32::from(level.unwrap_or(0)) + 1;
        let index = index % (MAX_SIZE >> (8 * level_above));
        let path = match level {
            Some(level) => TilePath::hashes(level, index, width),
            None => TilePath::entries(index, width),
        }.unwrap();
        let text = path.to_string();
        prop_assert!(text.len() <= TilePath::MAX_LEN);
        prop_assert_eq!(text.parse(), Ok(path));
        prop_assert!(path.is_within(MAX_SIZE));
    }

    #[test]
    fn bundles_round_trip(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..=256)) {
        let bundle = TilePath::encode_entries(&entries).unwrap();
        let path = TilePath::entries(7, u16::try_from(entries.len()).unwrap()).unwrap();
        prop_assert_eq!(path.decode_entries(&bundle).unwrap(), entries);
    }
}
