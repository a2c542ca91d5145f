use std::{io::Write as _, time::Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use super::*;
use crate::fixture::Seeded;

/// Bitstring Status List v1.0, section 3.3's example: 131,072 entries, none of them set.
#[test]
fn the_specifications_bitstring_is_read() {
    let list = BitstringStatusList::decode(
        "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA",
    )
    .unwrap();
    assert_eq!(list.entries(), 131_072);
    assert!((0..131_072).all(|index| !list.is_set(index).unwrap()));
    assert_eq!(list.is_set(131_072), Err(VerifyError::StatusIndex));
    assert_eq!(list.is_set(u64::MAX), Err(VerifyError::StatusIndex));
}

#[test]
fn index_zero_is_the_leftmost_bit() {
    let list = BitstringStatusList::of(131_072, [0, 9]).unwrap();
    let compressed = URL_SAFE_NO_PAD.decode(&list.encode()[1..]).unwrap();
    let bytes = inflate(flate2::read::GzDecoder::new(compressed.as_slice())).unwrap();
    assert_eq!(bytes[..2], [0b1000_0000, 0b0100_0000]);
}

#[test]
fn lists_that_are_too_short_or_too_long_are_neither_made_nor_read() {
    let gzip = |length: usize| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&vec![0; length]).unwrap();
        format!("u{}", URL_SAFE_NO_PAD.encode(gzip.finish().unwrap()))
    };
    assert_eq!(
        BitstringStatusList::of(131_071, []),
        Err(VerifyError::StatusListTooShort)
    );
    assert_eq!(
        BitstringStatusList::of(BitstringStatusList::MAX_ENTRIES + 1, []),
        Err(VerifyError::StatusListTooLong)
    );
    assert_eq!(
        BitstringStatusList::of(131_072, [131_072]),
        Err(VerifyError::StatusIndex)
    );
    assert!(BitstringStatusList::decode(&gzip(16 * 1024)).is_ok());
    assert_eq!(
        BitstringStatusList::decode(&gzip(16 * 1024 - 1)),
        Err(VerifyError::StatusListTooShort)
    );
    let most = usize::try_from(BitstringStatusList::MAX_ENTRIES / 8).unwrap();
    assert!(BitstringStatusList::decode(&gzip(most)).is_ok());
    assert_eq!(
        BitstringStatusList::decode(&gzip(most + 1)),
        Err(VerifyError::StatusListTooLong)
    );
    // 64 MiB from 64 KiB.
    let bomb = gzip(64 * 1024 * 1024);
    assert!(bomb.len() < 128 * 1024);
    assert_eq!(
        BitstringStatusList::decode(&bomb),
        Err(VerifyError::StatusListTooLong)
    );
    for bad in ["", "u", "z6", "uAAAA", "u!!", &gzip(16 * 1024)[1..]] {
        assert_eq!(
            BitstringStatusList::decode(bad).unwrap_err().code(),
            "malformed"
        );
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    let bomb = URL_SAFE_NO_PAD.encode(zlib.finish().unwrap());
    assert_eq!(
        TokenStatusList::decode(1, &bomb),
        Err(VerifyError::StatusListTooLong)
    );
}

/// draft-ietf-oauth-status-list section 4.1, the examples with 1 and 2 bits.
#[test]
fn the_drafts_token_lists_are_read() {
    let list = TokenStatusList::decode(1, "eNrbuRgAAhcBXQ").unwrap();
    let bits = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    assert_eq!(list.entries(), 16);
    for (index, bit) in (0..).zip(bits) {
        assert_eq!(list.status(index).unwrap(), TokenStatus::from(bit));
    }
    let statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    let list = TokenStatusList::decode(2, "eNo76fITAAPfAgc").unwrap();
    assert_eq!(list.entries(), 12);
    for (index, status) in (0..).zip(statuses) {
        assert_eq!(list.status(index).unwrap(), TokenStatus::from(status));
    }
    let made = (0..).zip(statuses.map(TokenStatus::from));
    assert_eq!(TokenStatusList::of(2, 12, made).unwrap(), list);
}

#[test]
fn token_lists_hold_what_fits() {
    for bits in [1, 2, 4, 8] {
        let most = TokenStatus::from(u8::MAX >> (8 - bits));
        let list = TokenStatusList::of(
            bits,
            1000,
            [(999, most), (3, most), (3, TokenStatus::Valid)],
        )
        .unwrap();
        let read = TokenStatusList::decode(bits, &list.encode()).unwrap();
        assert_eq!(read.status(999), Ok(most));
        assert_eq!(read.status(3), Ok(TokenStatus::Valid));
        assert_eq!(read.status(1000), Err(VerifyError::StatusIndex));
        if bits < 8 {
            let more = TokenStatus::from((u8::MAX >> (8 - bits)) + 1);
            assert!(TokenStatusList::of(bits, 1000, [(0, more)]).is_err());
        }
    }
    for bits in [0, 3, 5, 16] {
        assert!(TokenStatusList::of(bits, 8, []).is_err());
    }
}

#[test]
fn a_million_entries_take_no_time() {
    let random = Seeded::new(3);
    let set: Vec<u64> = (0..20_000).map(|_| random.below(1 << 20) as u64).collect();
    let start = Instant::now();
    let list = BitstringStatusList::of(1 << 20, set.iter().copied()).unwrap();
    let read = BitstringStatusList::decode(&list.encode()).unwrap();
    assert!(set.iter().all(|index| read.is_set(*index).unwrap()));
    let revoked = set.iter().map(|index| (*index, TokenStatus::Invalid));
    let list = TokenStatusList::of(2, 1 << 20, revoked).unwrap();
    assert_eq!(TokenStatusList::decode(2, &list.encode()).unwrap(), list);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
