//! Lists of bits, compressed by strangers.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_credentials::status::{BitstringStatusList, TokenStatus, TokenStatusList};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

/// Four mebibytes at most are unpacked into a buffer that doubles, and packed again here.
const BUDGET: Budget = Budget::mebibytes(32).seconds(5);

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn bitstring_lists() {
    let list = BitstringStatusList::of(BitstringStatusList::MIN_ENTRIES, [0, 4711]).unwrap();
    let text = list.encode();
    let packed = |length: usize| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&vec![0; length]).unwrap();
        gzip.finish().unwrap()
    };
    let seeds = [
        decoded(&text[1..]),
        text.into_bytes(),
        packed(1 << 20),
        packed(3 << 20),
        packed(8 << 20),
    ];
    fuzz!(Inputs::from(seeds), BUDGET, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for text in [
            text.as_ref(),
            &format!("u{}", URL_SAFE_NO_PAD.encode(bytes)),
        ] {
            let Ok(list) = BitstringStatusList::decode(text) else {
                continue;
            };
            let entries = list.entries();
            assert!(entries >= BitstringStatusList::MIN_ENTRIES);
            assert!(entries <= BitstringStatusList::MAX_ENTRIES);
            assert!(list.is_set(entries - 1).is_ok() && list.is_set(entries).is_err());
            assert!(list.is_set(u64::MAX).is_err());
            assert!(BitstringStatusList::decode(&list.encode()).unwrap() == list);
        }
    });
}

#[test]
fn token_lists() {
    let statuses = [
        (0, TokenStatus::Invalid),
        (99, TokenStatus::Suspended),
        (4711, TokenStatus::Other(3)),
    ];
    let text = TokenStatusList::of(2, 1 << 17, statuses).unwrap().encode();
    let packed = |length: usize| {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&vec![0; length]).unwrap();
        zlib.finish().unwrap()
    };
    let seeds = [
        decoded(&text),
        text.into_bytes(),
        packed(0),
        packed(8 << 20),
    ];
    fuzz!(Inputs::from(seeds), BUDGET, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        // The claim beside the list, of a stranger's making too.
        let bits = [1, 2, 4, 8, 0, 3, 16, 255][bytes.len() % 8];
        for text in [text.as_ref(), &URL_SAFE_NO_PAD.encode(bytes)] {
            let Ok(list) = TokenStatusList::decode(bits, text) else {
                continue;
            };
            assert!(matches!(bits, 1 | 2 | 4 | 8));
            let entries = list.entries();
            assert!(list.status(entries).is_err() && list.status(u64::MAX).is_err());
            if entries > 0 {
                let last = u8::from(list.status(entries - 1).unwrap());
                assert!(u64::from(last) < 1 << bits);
            }
            assert!(TokenStatusList::decode(bits, &list.encode()).unwrap() == list);
        }
    });
}
