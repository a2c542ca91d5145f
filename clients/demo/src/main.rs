//! `blindprint-demo`: the whole of Blindprint, shown with real faces.
//!
//! Starts the real service with an empty data folder, enrols people from real captures,
//! authenticates each with another capture of theirs and with somebody else's, tries eight attacks,
//! compares every encrypted verdict with the decision in clear, which only the wallet can make, and
//! has a stranger's software check a credential before and after its holder is erased, and verifies
//! the proof of that erasure when the service is gone.

mod attacks;
mod credential;
mod distribution;
mod erasure;
mod error;
mod host;
mod people;
mod plot;
mod round;
mod service;
mod table;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use blindprint_core::wire::Invite;
use blindprint_face::{FacePipeline, ModelStore};
use blindprint_wallet::Materials;
use clap::Parser;

use self::{
    error::{Error, Result},
    people::People,
    round::Round,
    service::{RunningService, surroundings},
    table::Table,
};

/// Shows Blindprint with real faces, end to end.
#[derive(Parser)]
#[command(name = "blindprint-demo", version)]
struct Arguments {
    /// People to enrol, at least 3
    #[arg(long, env = "PEOPLE", default_value_t = 8, value_parser = clap::value_parser!(u32).range(3..=103))]
    people: u32,
    /// A folder of photographs `person_number.jpg`, two or more of each person, in place of the
    /// embeddings that come with the project
    #[arg(long, env = "PHOTOS", value_name = "DIR")]
    photos: Option<PathBuf>,
    /// Leave the service running at the end
    #[arg(long, env = "KEEP", value_parser = clap::builder::FalseyValueParser::new(), num_args = 0..=1, default_missing_value = "1", default_value = "0")]
    keep: bool,
    /// The picture of the score distributions
    #[arg(long, env = "SVG", value_name = "FILE", default_value = "demo.svg")]
    svg: PathBuf,
    /// Wallets at work at the same time
    #[arg(long, env = "WALLETS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    wallets: u8,
}

#[tokio::main]
async fn main() -> ExitCode {
    match demonstrate(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether all of it held.
async fn demonstrate(arguments: Arguments) -> Result<bool> {
    let started = Instant::now();
    let people = choose_people(&arguments)?;
    say("Starting the service with an empty data folder; its enclave makes its keys first.");
    let service = RunningService::start().await?;
    say(&format!(
        "It listens on {} and keeps its data in {}.",
        service.url,
        service.folder().display()
    ));

    let operator = service.client(&surroundings(Arc::new(Materials::in_memory())))?;
    let uses = u32::try_from(people.chosen.len()).unwrap_or(u32::MAX);
    let invite = Invite {
        uses,
        valid_for: 3600,
        note: Some("demo".to_owned()),
    };
    let invitation = operator
        .invite(&service.operator_token()?, &invite)
        .await?
        .secret;
    say(&format!("The operator has invited {uses} people."));

    let round = Round::prepare(&service, &people, invitation)?;
    say(
        "Each wallet checks the enclave's attestation and gives consent; then it encodes the face\n\
         under a key of its own, encrypts it and proves that it encrypted bits.\n",
    );
    let table = Arc::new(Table::new());
    let results = round
        .run(&people, usize::from(arguments.wallets), &table)
        .await?;
    let summary = results.summary();
    summary.explain(&mut io::stdout())?;
    let metrics = operator.metrics(&service.operator_token()?).await?;
    say(&averages(&metrics));

    say(
        "\nDistances of the whole committed data set in clear, each person under a key of their own…",
    );
    let data_set = People::committed(3)?.all;
    let distribution = distribution::measure(&data_set, round::profile(&people)?).await?;
    let picture = plot::draw(&distribution, results.marks());
    std::fs::write(&arguments.svg, picture)
        .map_err(|e| Error::Setup(format!("{}: {e}", arguments.svg.display())))?;
    say(&format!(
        "{distribution}The picture is {}.",
        arguments.svg.display()
    ));

    say("\nEight attacks, each against the running service:");
    let (refused, enrolled) = attacks::try_all(&service, results.wallets, &people).await?;
    let (credential, erasure) = credential::show(&service, enrolled).await?;
    if arguments.keep {
        service.keep();
    } else {
        service.stop().await;
    }
    let proved = erasure.show();
    say(&format!(
        "\nAll of it took {:.0} s.",
        started.elapsed().as_secs_f64()
    ));
    say(&format!(
        "demo: enrolled {}, genuine accepted {}/{}, impostors refused {}/{}, attacks refused {refused}/{}, \
         credential {}, erasure {}",
        summary.enrolled,
        summary.genuine_accepted,
        summary.genuine,
        summary.impostors_refused,
        summary.impostors,
        attacks::COUNT,
        if credential {
            "verified, and refused once erased"
        } else {
            "WRONGLY TAKEN OR REFUSED"
        },
        if proved { "proved" } else { "NOT PROVED" }
    ));
    Ok(summary.holds(people.chosen.len()) && refused == attacks::COUNT && credential && proved)
}

fn choose_people(arguments: &Arguments) -> Result<People> {
    let count = usize::try_from(arguments.people).unwrap_or(usize::MAX);
    let Some(folder) = &arguments.photos else {
        return People::committed(count);
    };
    say("Loading the face models; the first time they are fetched and converted.");
    let store = ModelStore::from_env()?;
    let pipeline = FacePipeline::load(&store, &mut |step| say(&step.to_string()))?;
    People::photographed(folder, &Arc::new(pipeline), count)
}

/// What the service measured on its side, from its Prometheus text.
fn averages(metrics: &str) -> String {
    let value = |name: &str| {
        metrics
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
    };
    let stage = |stage: &str| {
        let of = |part: &str| {
            value(&format!(
                "blindprint_matcher_seconds_{part}{{stage=\"{stage}\"}}"
            ))
        };
        let average = of("sum")
            .zip(of("count"))
            .map(|(sum, count)| sum / count * 1e3);
        average.map_or_else(
            || "unknown".to_owned(),
            |average| format!("{average:.0} ms"),
        )
    };
    format!(
        "In the matcher, on average: waiting {}, proof {}, comparison under encryption {}.",
        stage("queued"),
        stage("proof"),
        stage("evaluation")
    )
}

/// Prints a line; a reader that has gone away wants no more.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
