//! Resolves a DID, or dereferences a DID URL, and prints the result:
//!
//! ```text
//! cargo run -p blindprint-resolver --example resolve -- DID \
//!     [--allow CIDR-OR-HOST:PORT]… [--ca FILE] [--network JSON]…
//! ```
//!
//! A network is `{"chain_id": 31337, "rpc": "http://127.0.0.1:8545", "registry": "0x…"}`.
#![allow(clippy::print_stdout, reason = "a program")]

use std::{error::Error, sync::Arc};

use blindprint_core::SystemClock;
use blindprint_egress::Egress;
use blindprint_resolver::{Config, Options, Resolver};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut egress = blindprint_egress::Config::default();
    let mut config = Config::default();
    let mut wanted = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("an option lacks its value");
        match argument.as_str() {
            "--allow" => egress.allow.push(value()?.parse()?),
            "--ca" => egress.ca_bundle = Some(std::fs::read(value()?)?),
            "--network" => config.networks.push(serde_json::from_str(&value()?)?),
            _ => wanted = Some(argument),
        }
    }
    let wanted = wanted.ok_or("name a DID")?;
    let resolver = Resolver::new(config, Egress::new(&egress)?, Arc::new(SystemClock));
    let result = if let Ok(did) = wanted.parse() {
        serde_json::to_string_pretty(&resolver.resolve(&did, &Options::default()).await?)?
    } else {
        let found = resolver
            .dereference(&wanted.parse()?, &Options::default())
            .await?;
        serde_json::to_string_pretty(&found.to_value())?
    };
    println!("{result}");
    Ok(())
}
