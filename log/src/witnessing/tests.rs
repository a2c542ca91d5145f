use blindprint_core::SystemEntropy;

use super::*;
use crate::{LogKey, Tree};

#[test]
fn a_request_to_cosign_reads_as_it_was_written() {
    let log = LogKey::generate("example.org/log", &SystemEntropy).unwrap();
    let mut tree = Tree::default();
    for n in 0..21_u8 {
        tree.append_bytes(&[n]);
    }
    let head = log.sign(21, tree.root()).unwrap();
    for old in [0, 1, 5, 20, 21] {
        let request = AddCheckpoint::new(tree.consistency(old, 21).unwrap(), &head).unwrap();
        let text = request.to_string();
        let AddCheckpoint {
            old_size,
            path,
            checkpoint,
        } = text.parse().unwrap();
        assert_eq!(old_size, old);
        let read = checkpoint.verify(&log.verifier()).unwrap();
        let last = log.sign(old, tree.root_at(old).unwrap()).unwrap();
        let last = (old > 0).then(|| last.checkpoint().clone());
        assert_eq!(
            AddCheckpoint::check(old_size, path.clone(), last.as_ref(), &read),
            Ok(())
        );
        let longer = [path, vec![TreeHash::EMPTY]].concat();
        assert!(AddCheckpoint::check(old_size, longer, last.as_ref(), &read).is_err());
    }
    assert!(AddCheckpoint::new(tree.consistency(3, 20).unwrap(), &head).is_err());
}

#[test]
fn a_request_to_cosign_has_one_spelling() {
    let log = LogKey::generate("example.org/log", &SystemEntropy).unwrap();
    let head = log.sign(0, TreeHash::EMPTY).unwrap();
    let good = format!("old 0\n\n{head}");
    assert!(good.parse::<AddCheckpoint>().is_ok());
    for bad in [
        String::new(),
        "old 0\n".to_owned(),
        good.replace("old 0", "old 00"),
        good.replace("old 0", "old -1"),
        good.replace("old 0", "0"),
        good.replace("old 0", "old 0\nAAAA"),
        good.replacen("\n\n", "\n\n\n", 1),
        format!("{good}{}", " ".repeat(AddCheckpoint::MAX_LEN)),
    ] {
        assert!(bad.parse::<AddCheckpoint>().is_err(), "{bad}");
    }
}
