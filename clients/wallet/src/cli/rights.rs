use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use blindprint_core::{
    EnrolmentId, Nonce, RightsRequestId,
    statement::Right,
    wire::{RightsActor, RightsRequestView},
};
use blindprint_wallet::{Asked, ErasureWord, Error, KeptProof, verify_erasure};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Outcome, Place, Result, output::when};

/// Ask the service what it keeps, and say what it shall do with it
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Exercise a right: access, portability, rectification, erasure, restriction, objection, review
    Request {
        /// Which right
        #[arg(value_parser = right)]
        right: Right,
        /// The enrolment to correct or to erase
        #[arg(long, value_name = "ID")]
        enrolment: Option<EnrolmentId>,
        /// The challenge whose rejection a person shall look at
        #[arg(long, value_name = "CHALLENGE")]
        challenge: Option<Nonce>,
        /// What you want to add
        #[arg(long)]
        text: Option<String>,
    },
    /// List your requests
    List,
    /// Tell what happened to a request
    Show {
        /// Which
        id: RightsRequestId,
    },
    /// Take a request back, or lift a restriction
    Cancel {
        /// Which
        id: RightsRequestId,
    },
    /// Print the proof of an erasure, as JSON
    Proof,
    /// Verify the proof of an erasure, with neither network nor wallet
    Verify {
        /// What `rights proof` printed
        file: PathBuf,
    },
    /// Write everything that the service keeps about you to a ZIP file
    Export {
        /// Where to
        #[arg(long, value_name = "FILE.zip")]
        out: PathBuf,
        /// A request for access or portability that a person has approved [default: a new one]
        #[arg(long, value_name = "ID")]
        request: Option<RightsRequestId>,
        /// Language of the page in it: en, de, fr, es
        #[arg(long, default_value = "en")]
        language: String,
    },
}

fn right(text: &str) -> std::result::Result<Right, String> {
    let named = Right::ALL.into_iter().find(|right| right.as_str() == text);
    let names = Right::ALL.map(Right::as_str).join(", ");
    named.ok_or_else(|| format!("one of {names}"))
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    match arguments.command {
        Command::Verify { file } => verify(&file),
        Command::Proof => proof(place),
        Command::Request {
            right,
            enrolment,
            challenge,
            text,
        } => {
            let asked = Asked {
                right,
                enrolment,
                challenge,
                text,
            };
            let request = super::open(place).await?.ask(asked).await?;
            Ok(Outcome::new(line(&request), json!({ "request": request })))
        }
        Command::List => {
            let requests = super::open(place).await?.rights_requests().await?;
            let mut text: String = requests.iter().map(line).collect();
            if text.is_empty() {
                "You have asked for nothing.\n".clone_into(&mut text);
            }
            Ok(Outcome::new(text, json!({ "requests": requests })))
        }
        Command::Show { id } => {
            let requests = super::open(place).await?.rights_requests().await?;
            let request = requests.into_iter().find(|request| request.id == id);
            let request = request
                .ok_or_else(|| Error::Invalid(format!("the service knows no request {id}")))?;
            Ok(Outcome::new(told(&request), json!({ "request": request })))
        }
        Command::Cancel { id } => {
            let request = super::open(place).await?.cancel_request(id).await?;
            Ok(Outcome::new(line(&request), json!({ "request": request })))
        }
        Command::Export {
            out,
            request,
            language,
        } => {
            if out.exists() {
                return Err(Error::AlreadyThere(out));
            }
            let wallet = super::open(place).await?;
            let bytes = wallet.export_data(&out, request, &language).await?;
            Ok(Outcome::new(
                format!(
                    "{} holds everything that the service keeps about you: keep it to yourself.\n",
                    out.display()
                ),
                json!({ "file": out, "bytes": bytes }),
            ))
        }
    }
}

fn proof(place: &Place) -> Result {
    let kept = place.open()?.erasure_proof();
    let kept = kept.ok_or_else(|| Error::Invalid("nothing is proved to be erased".to_owned()))?;
    let value = json!(kept);
    Ok(Outcome::new(format!("{value:#}\n"), value))
}

fn verify(file: &Path) -> Result {
    let text = std::fs::read(file).map_err(|source| Error::File {
        path: file.to_owned(),
        source,
    })?;
    let kept: KeptProof = serde_json::from_slice(&text)
        .map_err(|_| Error::Invalid(format!("{} is no proof of an erasure", file.display())))?;
    let word = verify_erasure(&kept.proof, &kept.keys)?;
    let text = format!(
        "{}\nBy the enclave whose key is {}, for {}.\n",
        said(&word),
        kept.keys.enclave,
        kept.keys.subject
    );
    Ok(Outcome::new(
        text,
        json!({ "erasure": word, "keys": kept.keys }),
    ))
}

/// What a proof of erasure says, for people.
pub(super) fn said(word: &ErasureWord) -> String {
    format!(
        "Everything was erased at {}: {} templates and {} keys of copies in backups. It is entry {} of the \
         transparency log; {} relying parties are told.",
        when(word.erased),
        word.enrolments.len(),
        word.data_keys_destroyed,
        word.log_index,
        word.notified
    )
}

fn line(request: &RightsRequestView) -> String {
    let mut text = format!(
        "{}  {}  {}",
        request.id,
        request.right.as_str(),
        request.state.as_str().replace('_', " ")
    );
    if request.restricts {
        text.push_str(", nothing is compared");
    }
    if !request.state.is_over() {
        let _ = write!(text, ", due {}", when(request.due));
    }
    text.push('\n');
    text
}

fn told(request: &RightsRequestView) -> String {
    let mut text = line(request);
    for moment in &request.history {
        let by = match moment.by {
            RightsActor::Subject => "you",
            RightsActor::Officer => "a person in charge",
            RightsActor::Service => "the service",
        };
        let state = moment.state.as_str().replace('_', " ");
        let _ = write!(text, "  {}  {state}, by {by}", when(moment.at));
        if let Some(note) = &moment.note {
            // The service must not drive the terminal.
            let note: String = note.chars().filter(|c| !c.is_control()).collect();
            let _ = write!(text, ": {note}");
        }
        text.push('\n');
    }
    text
}
