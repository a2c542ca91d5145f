use blindprint_core::SystemEntropy;

use super::*;
use crate::{Commitment, Kind, LogKey, Salt, Tree, WitnessKey};

fn entry(n: u8) -> Entry {
    let salt = Salt::from_bytes(&[n; 32]);
    Entry::committed(
        Kind::Verdict,
        UnixTime(1_760_000_000),
        Commitment::to(&salt, b"event"),
    )
    .unwrap()
}

struct World {
    log: LogKey,
    witness: WitnessKey,
    tree: Tree,
    head: SignedCheckpoint,
}

fn world() -> World {
    let log = LogKey::generate("example.org/log", &SystemEntropy).unwrap();
    let witness = WitnessKey::generate("witness.example", &SystemEntropy).unwrap();
    let mut tree = Tree::default();
    for n in 0..11 {
        tree.append(&entry(n));
    }
    let head = log.sign(tree.size(), tree.root()).unwrap();
    let answer = witness.cosign(&head, UnixTime(1_760_000_009)).unwrap();
    let head = head
        .with_cosignature(&answer.to_string(), &witness.verifier())
        .unwrap();
    World {
        log,
        witness,
        tree,
        head,
    }
}

#[test]
fn a_proof_is_verified_with_two_keys_and_nothing_else() {
    let World {
        log,
        witness,
        tree,
        head,
    } = world();
    for n in 0..11 {
        let proof =
            OfflineProof::new(&entry(n), tree.inclusion(n.into(), 11).unwrap(), &head).unwrap();
        let text = serde_json::to_string(&proof).unwrap();
        let read: OfflineProof = serde_json::from_str(&text).unwrap();
        assert_eq!(read.to_string(), proof.to_string());
        let proven = read.verify(&log.verifier(), &[witness.verifier()]).unwrap();
        assert_eq!(proven.entry, entry(n));
        assert_eq!(proven.index, u64::from(n));
        assert_eq!(&proven.checkpoint, head.checkpoint());
        assert_eq!(proven.witnessed, [UnixTime(1_760_000_009)]);
    }
}

#[test]
fn a_proof_of_what_is_not_there_is_neither_made_nor_believed() {
    let World {
        log,
        witness,
        tree,
        head,
    } = world();
    let inclusion = tree.inclusion(3, 11).unwrap();
    assert_eq!(
        OfflineProof::new(&entry(4), inclusion.clone(), &head).unwrap_err(),
        LogError::NotIncluded
    );
    assert_eq!(
        OfflineProof::new(&entry(3), tree.inclusion(3, 10).unwrap(), &head).unwrap_err(),
        LogError::NotIncluded
    );
    let text = OfflineProof::new(&entry(3), inclusion, &head)
        .unwrap()
        .to_string();
    let stranger = WitnessKey::generate("witness.example", &SystemEntropy).unwrap();
    let parse = |text: &str| text.parse::<OfflineProof>();
    assert_eq!(
        parse(&text)
            .unwrap()
            .verify(&log.verifier(), &[stranger.verifier()]),
        Err(LogError::NotCosigned)
    );
    let other = LogKey::generate("example.org/log", &SystemEntropy).unwrap();
    assert_eq!(
        parse(&text).unwrap().verify(&other.verifier(), &[]),
        Err(LogError::Signature)
    );
    // Whatever character is changed, it proves nothing, or the very same.
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let proven =
            parse(&changed).and_then(|proof| proof.verify(&log.verifier(), &[witness.verifier()]));
        assert!(proven.is_err(), "changed at {at}");
    }
}

#[test]
fn a_proof_has_one_spelling() {
    let World { tree, head, .. } = world();
    let text = OfflineProof::new(&entry(3), tree.inclusion(3, 11).unwrap(), &head)
        .unwrap()
        .to_string();
    for bad in [
        String::new(),
        text.replace("@v1", "@v2"),
        text.replace("index 3", "index 03"),
        text.replace("index 3", "index +3"),
        text.replace("index 3\n", ""),
        text.replace("extra ", "Extra "),
        text.replace("\n\n", "\n"),
        text.replacen("\n\n", "\n\n\n", 1),
        text.replace('\n', "\r\n"),
        format!("{text}{}", " ".repeat(OfflineProof::MAX_LEN)),
    ] {
        assert!(bad.parse::<OfflineProof>().is_err(), "{bad}");
    }
}
