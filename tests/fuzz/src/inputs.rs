use std::{fmt, ops::Bound::Included};

use bolero::{Driver, ValueGenerator};

/// Longest input of noise, and of noise added to a seed, in bytes.
const MOST_NOISE: usize = 256;
/// Most faults in one input.
const MOST_FAULTS: usize = 4;
/// Kinds of fault in [`Inputs::fault`].
const FAULTS: usize = 9;
/// Where formats keep what they are read by: this far from the beginning or the end.
const EDGE: usize = 96;

/// Numbers at which lengths, counts and signs turn over.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 40,
    u64::MAX >> 1,
    u64::MAX,
];

/// What means something in one of the formats read here: JSON, TOML, PEM, CBOR, DER.
const TOKENS: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"[[[[[[[[[[[[[[[[",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b":",
    b",",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"0.",
    b"=",
    b"\n",
    b"-----",
    b".",
    b"\xff",
    b"\x9f",
    b"\xbf",
    b"\xa0",
    b"\x30\x80",
    b"\xe2\x80\xae",
];

/// Bytes for a decoder. Printed as a byte string when they make one fail.
pub struct Input(pub Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Genuine encodings with up to four faults each, and now and then noise.
#[derive(Debug, Clone)]
pub struct Inputs {
    seeds: Vec<Vec<u8>>,
}

impl Inputs {
    /// Inputs made from these encodings, of which there is at least one.
    ///
    /// # Panics
    /// If there is none.
    pub fn from<S: Into<Vec<u8>>>(seeds: impl IntoIterator<Item = S>) -> Self {
        let seeds: Vec<Vec<u8>> = seeds.into_iter().map(Into::into).collect();
        assert!(!seeds.is_empty(), "a target needs a seed");
        Self { seeds }
    }

    /// Whether `input` has no fault.
    pub fn genuine(&self, input: &[u8]) -> bool {
        self.seeds.iter().any(|seed| seed == input)
    }

    fn seed<D: Driver>(&self, driver: &mut D) -> Option<&[u8]> {
        let index = up_to(driver, self.seeds.len() - 1)?;
        self.seeds.get(index).map(Vec::as_slice)
    }

    fn fault<D: Driver>(&self, driver: &mut D, bytes: &mut Vec<u8>) -> Option<()> {
        let at = position(driver, bytes.len())?;
        match driver.gen_variant(FAULTS, 0)? {
            0 => {
                let bit = up_to(driver, 7)?;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            1 => bytes.truncate(at),
            2 => {
                let noise = noise(driver)?;
                bytes.splice(at..at, noise);
            }
            3 => {
                let token = TOKENS[up_to(driver, TOKENS.len() - 1)?];
                bytes.splice(at..at, token.iter().copied());
            }
            4 => number(driver, &mut bytes[at..])?,
            5 => {
                let end = position(driver, bytes.len())?;
                bytes.drain(at.min(end)..at.max(end));
            }
            6 => {
                let end = position(driver, bytes.len())?;
                let part = bytes[at.min(end)..at.max(end)].to_vec();
                bytes.splice(at..at, part);
            }
            7 => {
                // One encoding's beginning, another's end.
                let other = self.seed(driver)?;
                let from = position(driver, other.len())?;
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            _ => {
                // A part of another encoding in the same place.
                let other = self.seed(driver)?;
                let end = position(driver, other.len().min(bytes.len()))?;
                let part = at.min(end)..end;
                bytes[part.clone()].copy_from_slice(&other[part]);
            }
        }
        Some(())
    }
}

impl ValueGenerator for Inputs {
    type Output = Input;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Input> {
        if up_to(driver, 15)? == 0 {
            return noise(driver).map(Input);
        }
        let mut bytes = self.seed(driver)?.to_vec();
        for _ in 0..up_to(driver, MOST_FAULTS)? {
            self.fault(driver, &mut bytes)?;
        }
        Some(Input(bytes))
    }
}

fn up_to<D: Driver>(driver: &mut D, most: usize) -> Option<usize> {
    driver.gen_usize(Included(&0), Included(&most))
}

/// A place among `length` bytes or behind them: near the beginning, near the end or anywhere.
fn position<D: Driver>(driver: &mut D, length: usize) -> Option<usize> {
    match driver.gen_variant(3, 0)? {
        0 => up_to(driver, length.min(EDGE)),
        1 => Some(length - up_to(driver, length.min(EDGE))?),
        _ => up_to(driver, length),
    }
}

fn noise<D: Driver>(driver: &mut D) -> Option<Vec<u8>> {
    let length = up_to(driver, MOST_NOISE)?;
    (0..length).map(|_| driver.produce()).collect()
}

/// Writes one of [`NUMBERS`], or a number near what is there, over the first 1, 2, 4 or 8 bytes.
fn number<D: Driver>(driver: &mut D, bytes: &mut [u8]) -> Option<()> {
    let width = 1 << up_to(driver, 3)?;
    let big_endian = driver.gen_bool(None)?;
    let kind = up_to(driver, NUMBERS.len())?;
    let step = driver.gen_bool(None)?;
    let Some(field) = bytes.get_mut(..width) else {
        return Some(());
    };
    let mut value = [0; 8];
    value[..width].copy_from_slice(field);
    if big_endian {
        value[..width].reverse();
    }
    let there = u64::from_le_bytes(value);
    let next = if step {
        there.wrapping_add(1)
    } else {
        there.wrapping_sub(1)
    };
    let mut value = NUMBERS.get(kind).unwrap_or(&next).to_le_bytes();
    if big_endian {
        value[..width].reverse();
    }
    field.copy_from_slice(&value[..width]);
    Some(())
}

#[cfg(test)]
mod tests {
    use bolero::generator::bolero_generator::driver::{ByteSliceDriver, Options};

    use super::*;

    #[test]
    fn most_inputs_are_nearly_genuine() {
        let inputs = Inputs::from([vec![7; 500], vec![9; 300]]);
        let options = Options::default().with_max_len(usize::MAX);
        // Knuth's generator (TAOCP 3.3.4, line 26): the same inputs on every run.
        let mut state = 1_u64;
        let mut made = Vec::new();
        for _ in 0..2000 {
            let mut entropy = Vec::new();
            for _ in 0..2048 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                entropy.extend(&state.to_le_bytes()[6..]);
            }
            made.extend(inputs.generate(&mut ByteSliceDriver::new(&entropy, &options)));
        }
        let share =
            |fits: &dyn Fn(&[u8]) -> bool| made.iter().filter(|input| fits(&input.0)).count();
        assert!(share(&|input| inputs.genuine(input)) > 40);
        assert!(share(&|input| input.len() > 500) > 40);
        assert!(share(&|input| input.len() < 300) > 40);
        assert!(share(&|input| input.len() == 500 && !inputs.genuine(input)) > 40);
        assert!(share(&|input| input.contains(&7) && input.contains(&9)) > 40);
    }
}
