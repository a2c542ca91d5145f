//! The transparency log: appending, proving, verifying, reading.

use std::{hint::black_box, time::Duration};

use blindprint_core::{Nonce, SystemEntropy, UnixTime};
use blindprint_log::{
    Audit, Entry, Frontier, Kind, LogKey, OfflineProof, TilePath, Tree, TreeHash, WitnessKey,
};
use serde::Serialize;

use crate::{error::Result, print::Printer, random::Random, timing::Timing};

const SHORT: Duration = Duration::from_secs(2);
/// Entries of the log that is measured.
const ENTRIES: u64 = 100_000;

/// A log of 10^5 tombstones in memory, on one core.
#[derive(Debug, Serialize)]
pub struct Log {
    /// Encoding an entry and appending it, nodes included.
    pub append: Timing,
    /// Parsing all entries again and recomputing the root.
    pub audit: Timing,
    /// A proof that a random entry is under the head.
    pub inclusion_prove: Timing,
    /// Its verification.
    pub inclusion_verify: Timing,
    /// A proof that the head extends a random earlier one.
    pub consistency_prove: Timing,
    /// Its verification.
    pub consistency_verify: Timing,
    /// Signing a checkpoint.
    pub sign: Timing,
    /// Cosigning it.
    pub cosign: Timing,
    /// Reading an offline proof from its text and verifying it with both keys.
    pub offline_verify: Timing,
    /// Bytes of that text.
    pub offline_bytes: usize,
}

/// Measures it.
pub fn measure() -> Result<Log> {
    let log = LogKey::generate("bench.example/log", &SystemEntropy)?;
    let witness = WitnessKey::generate("witness.example", &SystemEntropy)?;
    let mut tree = Tree::default();
    let mut encoded = Vec::new();
    for n in 0..ENTRIES {
        let entry = entry(n)?;
        encoded.push(entry.encode());
        tree.append(&entry);
    }
    let bundles = encoded
        .chunks(256)
        .map(TilePath::encode_entries)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let head = log.sign(tree.size(), tree.root())?;
    let checkpoint = head.checkpoint();
    let at = UnixTime(1_760_000_000);
    let answer = witness.cosign(&head, at)?.to_string();
    let cosigned = head
        .clone()
        .with_cosignature(&answer, &witness.verifier())?;
    let (index, older) = (ENTRIES / 3, ENTRIES / 7);
    let inclusion = tree.inclusion(index, ENTRIES)?;
    let leaf = TreeHash::of_entry(&entry(index)?.encode());
    let consistency = tree.consistency(older, ENTRIES)?;
    let before = tree.root_at(older)?;
    let offline = OfflineProof::new(&entry(index)?, inclusion.clone(), &cosigned)?.to_string();
    let keys = (log.verifier(), [witness.verifier()]);

    let mut random = Random::for_label("transparency log");
    let mut growing = tree.clone();
    let mut next = ENTRIES;
    Ok(Log {
        append: Timing::of(SHORT, || {
            next += 1;
            entry(next).map(|entry| growing.append(&entry))
        }),
        audit: Timing::of(SHORT, || {
            let mut audit = Audit::begin(Frontier::default(), &[], checkpoint)?;
            for bundle in &bundles {
                black_box(audit.take(bundle)?);
            }
            audit.finish()
        }),
        inclusion_prove: Timing::of(SHORT, || tree.inclusion(random.next() % ENTRIES, ENTRIES)),
        inclusion_verify: Timing::of(SHORT, || {
            inclusion.verify(black_box(leaf), checkpoint.root())
        }),
        consistency_prove: Timing::of(SHORT, || {
            tree.consistency(1 + random.next() % ENTRIES, ENTRIES)
        }),
        consistency_verify: Timing::of(SHORT, || {
            consistency.verify(black_box(before), checkpoint.root())
        }),
        sign: Timing::of(SHORT, || log.sign(checkpoint.size(), checkpoint.root())),
        cosign: Timing::of(SHORT, || witness.cosign(&head, at)),
        offline_verify: Timing::of(SHORT, || {
            let proof: OfflineProof = offline.parse()?;
            proof.verify(&keys.0, &keys.1)
        }),
        offline_bytes: offline.len(),
    })
}

fn entry(n: u64) -> Result<Entry> {
    let mut handle = [0; 32];
    handle[..8].copy_from_slice(&n.to_be_bytes());
    let handles = vec![Nonce::from_bytes(handle)];
    let at = UnixTime(1_760_000_000);
    Ok(Entry::tombstone(Kind::EnrolmentErased, at, handles, None)?)
}

impl Log {
    /// Prints it.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title(
            "Transparency log of 10^5 entries: median [95 % confidence interval], in memory, 1 core",
        )?;
        for (what, timing) in [
            ("append an entry", &self.append),
            ("prove inclusion", &self.inclusion_prove),
            ("verify inclusion", &self.inclusion_verify),
            ("prove consistency", &self.consistency_prove),
            ("verify consistency", &self.consistency_verify),
            ("sign a checkpoint", &self.sign),
            ("cosign a checkpoint", &self.cosign),
            ("read and verify an offline proof", &self.offline_verify),
        ] {
            let rate = timing.median.recip();
            out.line(format!("{what:<38} {timing}, {rate:.0}/s"))?;
        }
        out.line(format!(
            "{:<38} {}",
            "read all, recompute the root", self.audit
        ))?;
        out.line(format!("an offline proof: {} bytes", self.offline_bytes))
    }
}
