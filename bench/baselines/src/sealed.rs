//! Keyed codes sealed to the enclave (RFC 9180), template at rest and probe alike.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use hpke::{
    Kem as _, OpModeR, OpModeS, Serializable as _, aead::AesGcm128, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use serde::Serialize;

use crate::{Code, TAU, at_distance, code, cores, median};

type EncappedKey = <X25519HkdfSha256 as hpke::Kem>::EncappedKey;
type PrivateKey = <X25519HkdfSha256 as hpke::Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as hpke::Kem>::PublicKey;
type Envelope = (EncappedKey, Vec<u8>);

const INFO: &[u8] = b"blindprint/baseline/v1";
/// Stands for the digest of the request.
const BINDING: &[u8; 32] = &[7; 32];
const DURATION: Duration = Duration::from_secs(3);

#[derive(Serialize)]
pub struct Sealed {
    suite: String,
    seal: f64,
    open_and_compare: f64,
    decisions_per_second: f64,
    sealed_bytes: usize,
}

pub fn measure() -> Result<Sealed, hpke::HpkeError> {
    let (private, public) = X25519HkdfSha256::gen_keypair();
    let enrolled = code();
    let template = seal(&enrolled, &public)?;
    for distance in [0, TAU, TAU + 1, 2048] {
        let probe = seal(&at_distance(&enrolled, distance), &public)?;
        assert_eq!(
            decide(&template, &probe, &private)?,
            distance <= TAU,
            "a wrong decision"
        );
    }
    let probe = seal(&at_distance(&enrolled, TAU), &public)?;
    let decide = || decide(&template, &probe, &private);
    Ok(Sealed {
        suite: "X25519, HKDF-SHA256, AES-128-GCM".to_owned(),
        seal: median(runs(|| seal(&enrolled, &public))),
        open_and_compare: median(runs(decide)),
        decisions_per_second: rate(decide),
        sealed_bytes: probe.0.to_bytes().len() + probe.1.len(),
    })
}

fn seal(code: &Code, to: &PublicKey) -> Result<Envelope, hpke::HpkeError> {
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    single_shot_seal::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        to,
        INFO,
        &bytes,
        BINDING,
    )
}

/// Opens both and compares. No branch or address depends on the codes before the verdict.
fn decide(
    template: &Envelope,
    probe: &Envelope,
    key: &PrivateKey,
) -> Result<bool, hpke::HpkeError> {
    let open = |(encapped, ciphertext): &Envelope| {
        single_shot_open::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            key,
            encapped,
            INFO,
            ciphertext,
            BINDING,
        )
    };
    let distance: u32 = open(template)?
        .iter()
        .zip(open(probe)?)
        .map(|(a, b)| (a ^ b).count_ones())
        .sum();
    Ok(distance.wrapping_sub(TAU + 1) >> 31 == 1)
}

fn runs<T>(action: impl Fn() -> T) -> Vec<f64> {
    let start = Instant::now();
    let mut seconds = Vec::new();
    while start.elapsed() < DURATION {
        let run = Instant::now();
        black_box(action());
        seconds.push(run.elapsed().as_secs_f64());
    }
    seconds
}

/// Actions per second with every core at work.
fn rate<T>(action: impl Fn() -> T + Sync) -> f64 {
    let start = Instant::now();
    let work = || {
        let mut actions = 0_u32;
        while start.elapsed() < DURATION {
            black_box(action());
            actions += 1;
        }
        f64::from(actions)
    };
    let total: f64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no decision panics"))
            .sum()
    });
    total / start.elapsed().as_secs_f64()
}
