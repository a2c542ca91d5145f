//! Where and when a run took place.

use std::fs;

use blindprint_core::{Clock, SystemClock};
use serde::Serialize;

/// What its numbers depend on.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Model name of the processor.
    pub processor: String,
    /// Threads that run at the same time.
    pub cores: usize,
    /// Whether tfhe's AVX-512 code can run.
    pub avx512: bool,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// Day of the run, UTC.
    pub date: String,
    /// Cargo profile: `release` or `dev`.
    pub profile: &'static str,
}

impl Machine {
    /// This machine, now.
    pub fn here() -> Self {
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = processor.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kilobytes = memory
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok())
            .unwrap_or(0.0);
        let date = time::OffsetDateTime::from_unix_timestamp(SystemClock.now().0)
            .map_or_else(|_| String::new(), |now| now.date().to_string());
        Self {
            processor: field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: cores(),
            avx512: field("flags").is_some_and(|flags| flags.contains("avx512f")),
            memory_gib: (kilobytes / f64::from(1 << 20) * 10.0).round() / 10.0,
            date,
            profile: if cfg!(debug_assertions) {
                "dev"
            } else {
                "release"
            },
        }
    }
}

/// Threads that run at the same time.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
