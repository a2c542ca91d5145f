//! What a log, its witness and its readers send each other.

use blindprint_core::{Nonce, UnixTime};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_log::{
    AddCheckpoint, Audit, CheckpointNote, Commitment, ConsistencyProof, Entry, Frontier,
    InclusionProof, Kind, LogKey, LogVerifier, OfflineProof, Salt, SignedCheckpoint, TilePath,
    Tree, TreeHash, WitnessKey, WitnessVerifier,
};
use secrecy::SecretBox;

const AT: UnixTime = UnixTime(1_760_000_000);

fn log() -> LogKey {
    LogKey::from_seed("example.org/log", &SecretBox::new(Box::new([1; 32]))).unwrap()
}

fn witness() -> WitnessKey {
    WitnessKey::from_seed("witness.example", &SecretBox::new(Box::new([2; 32]))).unwrap()
}

/// One entry of each shape.
fn entries() -> Vec<Entry> {
    let commitment = Commitment::to(&Salt::from_bytes(&[3; 32]), b"event");
    let handles = vec![Nonce::from_bytes([4; 32]), Nonce::from_bytes([5; 32])];
    let jws = "eyJh.eyJi.c2ln".parse().unwrap();
    vec![
        Entry::committed(Kind::Verdict, AT, commitment).unwrap(),
        Entry::tombstone(Kind::SubjectErased, AT, handles, Some(commitment)).unwrap(),
        Entry::public(Kind::EnclaveMark, AT, jws).unwrap(),
    ]
}

fn tree(size: usize) -> Tree {
    let mut tree = Tree::default();
    for entry in entries().iter().cycle().take(size) {
        tree.append(entry);
    }
    tree
}

fn head(tree: &Tree) -> SignedCheckpoint {
    let head = log().sign(tree.size(), tree.root()).unwrap();
    let answer = witness().cosign(&head, AT).unwrap().to_string();
    head.with_cosignature(&answer, &witness().verifier())
        .unwrap()
}

#[test]
fn entries_of_the_log() {
    let seeds = entries().iter().map(Entry::encode).collect::<Vec<_>>();
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(entry) = Entry::parse(bytes) {
            assert_eq!(entry.encode(), bytes, "one spelling");
            assert!(bytes.len() <= Entry::MAX_LEN);
            assert!(entry.handles().is_empty() || entry.kind().is_tombstone());
        }
    });
}

#[test]
fn checkpoints() {
    let head = head(&tree(11)).to_string();
    let unsigned = log().sign(0, TreeHash::EMPTY).unwrap().to_string();
    let inputs = Inputs::from([head.clone(), unsigned]);
    let genuine = inputs.clone();
    let (log, witness) = (log().verifier(), witness().verifier());
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let Ok(note) = text.parse::<CheckpointNote>() else {
            return;
        };
        assert_eq!(note.to_string(), text, "one spelling");
        if let Ok(head) = note.verify(&log) {
            // Signatures may be left out, repeated or exchanged; what is signed may not.
            let body = head.checkpoint().text();
            assert!(
                [11, 0]
                    .map(|size| tree(size).root())
                    .contains(&head.checkpoint().root()),
                "{body}"
            );
            if let Ok(at) = head.cosigned(&witness) {
                assert_eq!((at, head.checkpoint().size()), (AT, 11));
            }
        }
        assert!(!genuine.genuine(bytes) || text.parse::<CheckpointNote>().is_ok());
    });
}

#[test]
fn verifier_keys() {
    let seeds = [
        log().verifier().to_string(),
        witness().verifier().to_string(),
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(key) = text.parse::<LogVerifier>() {
            assert_eq!(key.to_string(), text);
            assert!(text.parse::<WitnessVerifier>().is_err(), "one use");
        }
        if let Ok(key) = text.parse::<WitnessVerifier>() {
            assert_eq!(key.to_string(), text);
        }
    });
}

#[test]
fn tiles() {
    let seeds = [
        "tile/0/000",
        "tile/1/x001/x234/067.p/5",
        "tile/entries/x001/000.p/17",
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(path) = text.parse::<TilePath>() {
            assert_eq!(path.to_string(), text, "one path for one tile");
            assert!(path.is_within(blindprint_log::MAX_SIZE));
            assert_eq!(path.needs().is_ok(), path.level().is_some());
        }
    });
}

#[test]
fn bundles_of_entries() {
    let tree = tree(7);
    let encoded: Vec<_> = entries()
        .iter()
        .cycle()
        .take(7)
        .map(Entry::encode)
        .collect();
    let bundle = TilePath::encode_entries(&encoded).unwrap();
    let inputs = Inputs::from([bundle]);
    let genuine = inputs.clone();
    let head = head(&tree);
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let path = TilePath::entries(0, 7).unwrap();
        if let Ok(entries) = path.decode_entries(bytes) {
            assert_eq!(TilePath::encode_entries(&entries).unwrap(), bytes);
        }
        let mut audit = Audit::begin(Frontier::default(), &[], head.checkpoint()).unwrap();
        let passes = audit.take(bytes).is_ok() && audit.finish().is_ok();
        assert_eq!(passes, genuine.genuine(bytes), "no other entries pass");
    });
}

#[test]
fn proofs_of_the_log() {
    let tree = tree(11);
    let leaf = TreeHash::of_entry(&entries()[1].encode());
    let inclusion = tree.inclusion(4, 11).unwrap();
    let consistency = tree.consistency(5, 11).unwrap();
    let frontier = tree.frontier_at(11).unwrap();
    let seeds = [
        serde_json::to_vec(&inclusion).unwrap(),
        serde_json::to_vec(&consistency).unwrap(),
        serde_json::to_vec(&frontier).unwrap(),
    ];
    let (then, now) = (tree.root_at(5).unwrap(), tree.root());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        super::json::<InclusionProof>(bytes);
        super::json::<ConsistencyProof>(bytes);
        super::json::<Frontier>(bytes);
        if let Ok(proof) = serde_json::from_slice::<InclusionProof>(bytes)
            && proof.verify(leaf, now).is_ok()
            && proof.size == 11
        {
            // The same entry stands at 1, 4, 7 and 10.
            assert_eq!(proof, tree.inclusion(proof.index, 11).unwrap());
        }
        if let Ok(proof) = serde_json::from_slice::<ConsistencyProof>(bytes)
            && proof.verify(then, now).is_ok()
            && (proof.older, proof.newer) == (5, 11)
        {
            assert_eq!(proof, consistency);
        }
        if let Ok(mut frontier) = serde_json::from_slice::<Frontier>(bytes) {
            let _ = frontier.root();
            let _ = frontier.append(leaf);
        }
    });
}

#[test]
fn offline_proofs() {
    let tree = tree(11);
    let head = head(&tree);
    let seeds: Vec<String> = (0..3)
        .map(|n| {
            let inclusion = tree.inclusion(n, 11).unwrap();
            let entry = &entries()[usize::try_from(n).unwrap()];
            OfflineProof::new(entry, inclusion, &head)
                .unwrap()
                .to_string()
        })
        .collect();
    let (log, witness) = (log().verifier(), [witness().verifier()]);
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        if let Ok(proof) = text.parse::<OfflineProof>() {
            assert_eq!(proof.to_string(), text, "one spelling");
            if let Ok(proven) = proof.verify(&log, &witness) {
                let entries = entries();
                let there = &entries[usize::try_from(proven.index % 3).unwrap()];
                assert_eq!(&proven.entry, there, "what is proven is there");
                assert_eq!(proven.witnessed, [AT]);
            }
        }
    });
}

#[test]
fn requests_to_cosign() {
    let tree = tree(11);
    let head = head(&tree);
    let seeds = [0, 5, 11].map(|old| {
        let proof = tree.consistency(old, 11).unwrap();
        AddCheckpoint::new(proof, &head).unwrap().to_string()
    });
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        if let Ok(request) = text.parse::<AddCheckpoint>() {
            assert_eq!(request.to_string(), text, "one spelling");
            let last = log().sign(5, tree.root_at(5).unwrap()).unwrap();
            let (old, path) = (request.old_size, request.path);
            if let Ok(head) = request.checkpoint.verify(&log().verifier())
                && AddCheckpoint::check(old, path, Some(last.checkpoint()), &head).is_ok()
            {
                assert_eq!((old, head.checkpoint().size()), (5, 11));
            }
        }
    });
}
