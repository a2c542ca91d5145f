use blindprint_core::SystemEntropy;
use secrecy::SecretBox;

use super::*;
use crate::{LogKey, Tree, WitnessKey, frontier::tests::known_tree};

/// Made with Node.js's `crypto` from the seeds of 32 bytes 1 and of 32 bytes 2, over the tree of the
/// eight leaves of Certificate Transparency's tests.
const LOG: &str = "example.org/log+8f13f9e4+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const WITNESS: &str = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
const NOTE: &str = "example.org/log
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— example.org/log jxP55G6Zs1UU7O1xDCfHuMRHt2rB4HropGmtwtAT3UlkOzJPzDqhL/TLaCgNKCGPvEH7vvELl/kzngRTBKi/yN+3fQw=
— witness.example/w1 3xwKNQAAAABo53gARxEmxqxUdEWwH13b33UXhKyHEZUpq0st4heHi3gdLSuLh/aEXj5r8wQ3BgiNKvjXI7OoAc1d768BOJA+Uc/bAg==
";
const AT: UnixTime = UnixTime(1_760_000_000);

fn log() -> LogKey {
    LogKey::from_seed("example.org/log", &SecretBox::new(Box::new([1; 32]))).unwrap()
}

fn witness() -> WitnessKey {
    WitnessKey::from_seed("witness.example/w1", &SecretBox::new(Box::new([2; 32]))).unwrap()
}

fn signed() -> SignedCheckpoint {
    let tree = known_tree();
    log().sign(tree.size(), tree.root()).unwrap()
}

#[test]
fn checkpoints_and_cosignatures_are_those_of_another_implementation() {
    assert_eq!(log().verifier().to_string(), LOG);
    assert_eq!(witness().verifier().to_string(), WITNESS);
    let head = signed();
    let answer = witness().cosign(&head, AT).unwrap().to_string();
    let cosigned = head
        .with_cosignature(&answer, &witness().verifier())
        .unwrap();
    assert_eq!(cosigned.to_string(), NOTE);

    let read: CheckpointNote = NOTE.parse().unwrap();
    assert_eq!(read.origin(), "example.org/log");
    let read = read.verify(&LOG.parse().unwrap()).unwrap();
    assert_eq!(read.cosigned(&WITNESS.parse().unwrap()), Ok(AT));
    assert_eq!(read.checkpoint().size(), 8);
    assert_eq!(read.checkpoint().root(), known_tree().root());
    assert_eq!(read.to_string(), NOTE);
}

#[test]
fn a_checkpoint_counts_only_if_its_log_signed_it() {
    let parse = |text: &str| text.parse::<CheckpointNote>().unwrap();
    let other = LogKey::generate("example.org/log", &SystemEntropy).unwrap();
    assert_eq!(
        parse(NOTE).verify(&other.verifier()).unwrap_err(),
        LogError::Signature
    );
    let elsewhere = LogKey::from_seed("example.net/log", &log().to_seed()).unwrap();
    assert_eq!(
        parse(NOTE).verify(&elsewhere.verifier()).unwrap_err(),
        LogError::Origin
    );
    for (from, to) in [
        ("\n8\n", "\n9\n"),
        ("XcnaeacG", "XcnaeacH"),
        ("jxP55G6Z", "jxP55G6a"),
    ] {
        assert_eq!(
            parse(&NOTE.replace(from, to))
                .verify(&log().verifier())
                .unwrap_err(),
            LogError::Signature
        );
    }
    // The key's own signature, as another use of a key.
    let as_witness = NOTE.replace("— example.org/log jxP5", "— example.org/log jxP6");
    assert_eq!(
        parse(&as_witness).verify(&log().verifier()).unwrap_err(),
        LogError::Signature
    );
}

#[test]
fn a_cosignature_covers_its_time() {
    let verify = |text: &str| {
        text.parse::<CheckpointNote>()
            .unwrap()
            .verify(&log().verifier())
            .unwrap()
            .cosigned(&witness().verifier())
    };
    assert_eq!(verify(NOTE), Ok(AT));
    // One second later.
    assert_eq!(
        verify(&NOTE.replace("AAAABo53gARx", "AAAABo53gBRx")),
        Err(LogError::Signature)
    );
    let without = NOTE.split_inclusive('\n').take(5).collect::<String>();
    assert_eq!(verify(&without), Err(LogError::NotCosigned));
    assert!(witness().cosign(&signed(), UnixTime(-1)).is_err());
}

#[test]
fn a_newer_cosignature_takes_the_place_of_an_older_one() {
    let (witness, other) = (
        witness(),
        WitnessKey::generate("witness.example/w2", &SystemEntropy).unwrap(),
    );
    let mut head = signed();
    for (key, at) in [(&witness, AT), (&other, AT), (&witness, AT.plus(9))] {
        let answer = key.cosign(&head, at).unwrap().to_string();
        head = head.with_cosignature(&answer, &key.verifier()).unwrap();
    }
    assert_eq!(head.to_string().lines().count(), 7);
    assert_eq!(head.cosigned(&witness.verifier()), Ok(AT.plus(9)));
    assert_eq!(head.cosigned(&other.verifier()), Ok(AT));
    // An answer that the witness did not make.
    let stranger = WitnessKey::generate("witness.example/w1", &SystemEntropy).unwrap();
    let forged = stranger.cosign(&head, AT).unwrap().to_string();
    for bad in [
        forged.as_str(),
        "",
        "\n",
        "— witness.example/w1 AAAA\n",
        "no line",
    ] {
        assert!(
            head.clone()
                .with_cosignature(bad, &witness.verifier())
                .is_err(),
            "{bad}"
        );
    }
    // Of several lines, the witness's counts.
    let both = format!("{forged}{}", witness.cosign(&head, AT).unwrap());
    let head = head.with_cosignature(&both, &witness.verifier()).unwrap();
    assert_eq!(head.cosigned(&witness.verifier()), Ok(AT));
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let body = NOTE.split("\n\n").next().unwrap();
    for bad in [
        String::new(),
        body.to_owned(),
        NOTE.trim_end().to_owned(),
        NOTE.replace("\n8\n", "\n08\n"),
        NOTE.replace("\n8\n", "\n+8\n"),
        NOTE.replace("\n8\n", "\n-8\n"),
        NOTE.replace("\n8\n", "\n18446744073709551616\n"),
        NOTE.replace("\n8\n", &format!("\n{}\n", MAX_SIZE + 1)),
        NOTE.replace("\n8\n", "\n0\n"),
        NOTE.replace("Qyg=\n", "Qyg\n"),
        NOTE.replace("Qyg=\n", "Qyh=\n"),
        NOTE.replace('\n', "\r\n"),
        NOTE.replace("— example", "- example"),
        format!("\n{NOTE}"),
        format!("{NOTE}\n"),
        format!("{body}\n\n{}", "— a AAAAAAA=\n".repeat(101)),
        format!("{body}\n\n{}", "— a AAAAAAA=\n".repeat(2000)),
    ] {
        assert!(bad.parse::<CheckpointNote>().is_err(), "{bad}");
    }
    // Lines that other logs add are kept, and signed.
    let extended = NOTE.replace("Qyg=\n", "Qyg=\nextension\n");
    let read: CheckpointNote = extended.parse().unwrap();
    assert_eq!(read.to_string(), extended);
    assert_eq!(
        read.verify(&log().verifier()).unwrap_err(),
        LogError::Signature
    );
}

#[test]
fn a_key_is_for_one_use_and_has_one_spelling() {
    assert!(LOG.parse::<LogVerifier>().is_ok());
    assert!(WITNESS.parse::<WitnessVerifier>().is_ok());
    assert!(LOG.parse::<WitnessVerifier>().is_err());
    assert!(WITNESS.parse::<LogVerifier>().is_err());
    let json = serde_json::to_string(&log().verifier()).unwrap();
    assert_eq!(
        serde_json::from_str::<LogVerifier>(&json).unwrap(),
        log().verifier()
    );
    // The point of order 1, under its right id.
    let mut weak = vec![1, 1];
    weak.resize(33, 0);
    let weak = format!(
        "example.org/log+{:08x}+{}",
        signed_note::key_id("example.org/log", &weak),
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &weak)
    );
    for bad in [
        "",
        "example.org/log",
        &LOG.replace("8f13f9e4", "8f13f9e5"),
        &LOG.replace("8f13f9e4", "8F13F9E4"),
        &LOG.replace("example", "exemple"),
        &LOG[..LOG.len() - 4],
        &format!("{LOG} "),
        &format!("{}{LOG}", "a".repeat(300)),
        &weak,
    ] {
        assert!(bad.parse::<LogVerifier>().is_err(), "{bad}");
    }
    for name in ["", "a b", "a+b", "a\nb", "ä", &"a".repeat(256)] {
        assert!(LogKey::generate(name, &SystemEntropy).is_err(), "{name}");
    }
}

#[test]
fn later_heads_extend_earlier_ones() {
    let mut tree = known_tree();
    let head = |tree: &Tree| {
        log()
            .sign(tree.size(), tree.root())
            .unwrap()
            .checkpoint()
            .clone()
    };
    let older = head(&tree);
    tree.append_bytes(b"more");
    let newer = head(&tree);
    let proof = tree.consistency(8, 9).unwrap();
    assert_eq!(newer.extends(&older, &proof), Ok(()));
    assert_eq!(
        older.extends(&older, &tree.consistency(8, 8).unwrap()),
        Ok(())
    );
    assert_eq!(older.extends(&newer, &proof), Err(LogError::Truncated));
    assert_eq!(
        newer.extends(&older, &tree.consistency(7, 9).unwrap()),
        Err(LogError::Inconsistent)
    );
    let mut forked = Tree::default();
    for n in 0..9_u8 {
        forked.append_bytes(&[n]);
    }
    assert_eq!(head(&forked).follows(&newer), Err(LogError::Forked));
    assert_eq!(
        head(&forked).extends(&older, &forked.consistency(8, 9).unwrap()),
        Err(LogError::Inconsistent)
    );
    let elsewhere = Checkpoint::new("example.net/log", 9, tree.root()).unwrap();
    assert_eq!(elsewhere.follows(&older), Err(LogError::Origin));
}
