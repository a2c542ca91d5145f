//! Status lists, both ways.

use blindprint_credentials::status::{BitstringStatusList, TokenStatus, TokenStatusList};
use serde_json::{Value, json};

use crate::Node;

const ENTRIES: u64 = BitstringStatusList::MIN_ENTRIES;
/// At the ends of bytes and of the list.
const SET: [u64; 6] = [0, 7, 8, 1023, 70_003, ENTRIES - 1];
const CLEAR: [u64; 4] = [1, 9, 70_002, ENTRIES - 2];
const BITS: [u8; 4] = [1, 2, 4, 8];

/// The status of a set entry where an entry has `bits` bits, as `lists.mjs` chooses it.
fn chosen(bits: u8, index: u64) -> u8 {
    let last = (1_u64 << bits) - 1;
    u8::try_from(1 + index % last).unwrap()
}

fn number(status: TokenStatus) -> u8 {
    match status {
        TokenStatus::Valid => 0,
        TokenStatus::Invalid => 1,
        TokenStatus::Suspended => 2,
        TokenStatus::Other(other) => other,
    }
}

fn status(number: u8) -> TokenStatus {
    match number {
        0 => TokenStatus::Valid,
        1 => TokenStatus::Invalid,
        2 => TokenStatus::Suspended,
        other => TokenStatus::Other(other),
    }
}

#[test]
fn lists_of_others_are_read() {
    let arguments = json!({"entries": ENTRIES, "set": SET}).to_string();
    let theirs = Node::program("lists").args(&["write"]).run(&arguments).ok();
    let bitstring = BitstringStatusList::decode(theirs["bitstring"].as_str().unwrap()).unwrap();
    assert_eq!(bitstring.entries(), ENTRIES);
    for index in SET.into_iter().chain(CLEAR) {
        let set = SET.contains(&index);
        assert_eq!(bitstring.is_set(index).unwrap(), set, "{index}");
        for bits in BITS {
            let text = theirs["token"][bits.to_string()].as_str().unwrap();
            let list = TokenStatusList::decode(bits, text).unwrap();
            let expected = if set { chosen(bits, index) } else { 0 };
            assert_eq!(
                number(list.status(index).unwrap()),
                expected,
                "{bits} bits, {index}"
            );
        }
    }
}

#[test]
fn others_read_lists_from_here() {
    let bitstring = BitstringStatusList::of(ENTRIES, SET).unwrap();
    for bits in BITS {
        let statuses = SET.map(|index| (index, status(chosen(bits, index))));
        let token = TokenStatusList::of(bits, ENTRIES, statuses).unwrap();
        let at: Vec<u64> = SET.into_iter().chain(CLEAR).collect();
        let arguments = json!({
            "bitstring": bitstring.encode(),
            "bits": bits,
            "token": token.encode(),
            "at": at,
        });
        let run = Node::program("lists")
            .args(&["read"])
            .run(&arguments.to_string());
        let expected: Vec<u8> = at
            .iter()
            .map(|index| {
                if SET.contains(index) {
                    chosen(bits, *index)
                } else {
                    0
                }
            })
            .collect();
        let set: Vec<Value> = at.iter().map(|index| SET.contains(index).into()).collect();
        assert_eq!(run.ok(), json!({"bitstring": set, "token": expected}));
    }
}
