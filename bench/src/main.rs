//! `blindprint-bench`: everything that is claimed about speed, sizes, correctness and accuracy,
//! measured in one run, printed and stored as JSON.
//!
//! Speed is measured on real requests with real keys; accuracy on embeddings of real faces, those of
//! the repository and any others in the folder given with `--data`. A wrong verdict ends the run with
//! a failure; a missed goal is reported.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics over counts far below 2^52 and ranks within a list"
)]

mod accuracy;
mod baselines;
mod correctness;
mod credentials;
mod error;
mod goals;
mod log;
mod machine;
mod performance;
mod print;
mod random;
mod report;
mod scene;
mod sizes;
mod throughput;
mod timing;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use blindprint_core::ProfileId;
use blindprint_template::PARAMETERS;
use clap::{Parser, ValueEnum};

use self::{
    accuracy::dataset::{Attributes, Dataset, attributes_in},
    error::{Error, Result},
    machine::Machine,
    print::Printer,
    report::Report,
    scene::Scene,
};

/// Measures Blindprint: speed, sizes, correctness, accuracy, baselines.
#[derive(Parser)]
#[command(name = "blindprint-bench", version)]
struct Arguments {
    /// Where results go; DET curves are written beside it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// More embeddings: `embeddings/*.csv`, and `*_info.csv` about the people
    #[arg(long, env = "BLINDPRINT_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The built program of `bench/baselines`; without it there is nothing to compare with
    #[arg(long, value_name = "PROGRAM")]
    baselines: Option<PathBuf>,
    /// The profile whose codes and threshold are measured
    #[arg(long, default_value = "face-dlib128-v1")]
    profile: ProfileId,
    /// Only these sections
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Section>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    Performance,
    Correctness,
    Accuracy,
    Baselines,
    Credentials,
    Log,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("blindprint-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every verdict was right.
fn run(arguments: &Arguments) -> Result<bool> {
    let wanted = |section| arguments.only.is_empty() || arguments.only.contains(&section);
    let out_file = arguments.out.clone().unwrap_or_else(default_out);
    let folder = out_file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::file(folder))?;

    let mut out = Printer::stdout();
    let repository = Dataset::of_repository()?;
    let mut report = Report {
        machine: Machine::here(),
        parameters: PARAMETERS.name,
        performance: None,
        throughput: None,
        sizes: None,
        correctness: None,
        accuracy: Vec::new(),
        baselines: None,
        credentials: None,
        log: None,
        goals: Vec::new(),
    };
    let machine = &report.machine;
    out.line(format!(
        "{}, {} cores, {} GiB, AVX-512 {}, {} profile, {}, parameters {}",
        machine.processor,
        machine.cores,
        machine.memory_gib,
        if machine.avx512 { "yes" } else { "no" },
        machine.profile,
        machine.date,
        report.parameters
    ))?;

    if wanted(Section::Performance) || wanted(Section::Correctness) {
        let scene = Scene::new(&repository, arguments.profile)?;
        if wanted(Section::Performance) {
            report
                .performance
                .insert(performance::measure(&scene)?)
                .print(&mut out)?;
            report
                .throughput
                .insert(throughput::measure(&scene)?)
                .print(&mut out)?;
            report
                .sizes
                .insert(sizes::measure(&scene)?)
                .print(&mut out)?;
        }
        if wanted(Section::Correctness) {
            report
                .correctness
                .insert(correctness::measure(&scene)?)
                .print(&mut out)?;
        }
    }
    if wanted(Section::Credentials) {
        report
            .credentials
            .insert(credentials::measure(arguments.profile)?)
            .print(&mut out)?;
    }
    if wanted(Section::Log) {
        report.log.insert(log::measure()?).print(&mut out)?;
    }
    if wanted(Section::Baselines)
        && let Some(program) = &arguments.baselines
    {
        report
            .baselines
            .insert(baselines::measure(program)?)
            .print(&mut out)?;
    }
    if wanted(Section::Accuracy) {
        let mut datasets = vec![repository];
        let mut attributes = Attributes::new();
        if let Some(data) = &arguments.data {
            datasets.extend(Dataset::all_in(data)?);
            attributes = attributes_in(data)?;
        }
        for dataset in &datasets {
            let accuracy = accuracy::measure(dataset, arguments.profile, &attributes, folder)?;
            accuracy.print(&mut out)?;
            report.accuracy.push(accuracy);
        }
    }

    report.goals = goals::judge(&report);
    goals::print(&report.goals, &mut out)?;
    report.store(&out_file)?;
    out.line(format!("\nresults: {}", out_file.display()))?;
    Ok(report
        .correctness
        .is_none_or(|correctness| correctness.holds()))
}

/// In the cache folder (`BLINDPRINT_CACHE`, else `~/.cache/blindprint`).
fn default_out() -> PathBuf {
    let cache = std::env::var_os("BLINDPRINT_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/blindprint"),
        PathBuf::from,
    );
    cache.join("bench/bench.json")
}
