//! XOR, number of ones, comparison.

use std::time::Instant;

use serde::Serialize;
use tfhe::{
    ClientKey, ConfigBuilder, FheUint2048, generate_keys, integer::bigint::U2048, prelude::*,
    set_server_key, shortint::parameters::PARAM_MESSAGE_2_CARRY_2,
};

use crate::{Code, TAU, at_distance, code, cores, median};

/// Decisions made, half of them matches.
const DECISIONS: u32 = 4;

#[derive(Serialize)]
pub struct Integers {
    parameters: String,
    log2_p_fail: f64,
    cores: usize,
    bits: u32,
    seconds: Vec<f64>,
    decisions_per_second: f64,
}

/// Decides on the whole width. tfhe-rs spreads each decision over all cores.
///
/// # Panics
/// If a decision is wrong: then there is nothing to compare with.
pub fn measure() -> Integers {
    let parameters = PARAM_MESSAGE_2_CARRY_2;
    let (client, server) = generate_keys(ConfigBuilder::with_custom_parameters(parameters).build());
    set_server_key(server);

    let template = code();
    let encrypted = encrypt(&template, &client);
    let seconds: Vec<f64> = (0..DECISIONS)
        .map(|i| {
            let distance = TAU + i % 2;
            let probe = encrypt(&at_distance(&template, distance), &client);
            let start = Instant::now();
            let matches = (&encrypted ^ &probe).count_ones().le(TAU);
            let seconds = start.elapsed().as_secs_f64();
            assert_eq!(
                matches.decrypt(&client),
                distance <= TAU,
                "a wrong decision"
            );
            eprintln!(
                "tfhe-rs integers: decision {} of {DECISIONS} in {seconds:.1} s",
                i + 1
            );
            seconds
        })
        .collect();
    Integers {
        parameters: "PARAM_MESSAGE_2_CARRY_2".to_owned(),
        log2_p_fail: parameters.log2_p_fail,
        cores: cores(),
        bits: 2048,
        decisions_per_second: 1.0 / median(seconds.clone()),
        seconds,
    }
}

fn encrypt(code: &Code, client: &ClientKey) -> FheUint2048 {
    FheUint2048::encrypt(U2048::from(*code), client)
}
