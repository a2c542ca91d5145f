use std::{env, fmt::Write as _};

use blindprint_core::{Audience, ConsentId, statement::Purpose};
use blindprint_wallet::{ConsentLink, Error, LinkKind, Notice, Wallet};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Outcome, Place, Result, consents, output::confirm, output::when, withdraw};

/// Read what you are asked to agree to; agree, refuse, withdraw; see your answers
#[derive(Args)]
#[command(after_help = "\
Without --audience it is about being recognised; with it, about telling one relying party the outcome.

Examples:
  blindprint-wallet consent show --language de
  blindprint-wallet consent give --audience https://shop.example --days 30
  blindprint-wallet consent history")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List your consents and refusals, as `consents` does
    List,
    /// Show the notice in force, or the record of one of your answers
    Show {
        /// Which answer
        id: Option<ConsentId>,
        #[command(flatten)]
        about: About,
    },
    /// Read the notice and agree
    Give {
        #[command(flatten)]
        about: About,
        /// How long the consent lasts
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3653))]
        days: u16,
        #[command(flatten)]
        answer: Answer,
    },
    /// Read the notice and say no, on record
    Refuse {
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        answer: Answer,
    },
    /// Take a consent back, as `withdraw` does
    Withdraw(withdraw::Arguments),
    /// Verify the chain of everything that was answered in your name
    History,
}

/// Which notice.
#[derive(Args)]
struct About {
    /// The relying party that would be told the outcome
    #[arg(long, value_name = "NAME")]
    audience: Option<Audience>,
    /// Language of the notice [default: your locale's, else en]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
}

/// How the question is answered.
#[derive(Args)]
struct Answer {
    /// The person has read the notice and answers so
    #[arg(long)]
    yes: bool,
    /// The operator's invitation
    #[arg(
        long,
        value_name = "CODE",
        env = "BLINDPRINT_INVITATION",
        hide_env_values = true
    )]
    invitation: Option<String>,
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    match arguments.command {
        Command::List => consents::run(place, &consents::Arguments {}).await,
        Command::Show { id: None, about } => show(place, &about).await,
        Command::Show { id: Some(id), .. } => record(place, id).await,
        Command::Give {
            about,
            days,
            answer,
        } => give(place, &about, days, &answer).await,
        Command::Refuse { about, answer } => refuse(place, &about, &answer).await,
        Command::Withdraw(arguments) => withdraw::run(place, &arguments).await,
        Command::History => history(place).await,
    }
}

async fn show(place: &Place, about: &About) -> Result {
    let wallet = super::open(place).await?;
    let notice = about.read(&wallet).await?;
    Ok(Outcome::new(
        format!("{}\n", readable(&notice)),
        json!({ "notice": notice.summary, "text": notice.text }),
    ))
}

async fn record(place: &Place, id: ConsentId) -> Result {
    let wallet = super::open(place).await?;
    let kept = wallet.consent_record(id).await?;
    let text = serde_json::to_string_pretty(&kept.receipt).unwrap_or_default();
    Ok(Outcome::new(format!("{text}\n"), json!(kept)))
}

async fn give(place: &Place, about: &About, days: u16, answer: &Answer) -> Result {
    let mut wallet = super::open(place).await?;
    let notice = about.read(&wallet).await?;
    let question = format!("Do you consent to this for {days} days? You can withdraw at any time.");
    if !answer.to(&wallet, &notice, &question)? {
        return Err(Error::NoConsent);
    }
    let seconds = i64::from(days) * 86_400;
    let invitation = answer.invitation.as_deref();
    let consent = wallet.give_consent(&notice, seconds, invitation).await?;
    Ok(Outcome::new(
        format!(
            "Consent {} holds until {}.\n",
            consent.id,
            when(consent.expires)
        ),
        json!({ "consent": consent }),
    ))
}

async fn refuse(place: &Place, about: &About, answer: &Answer) -> Result {
    let mut wallet = super::open(place).await?;
    let notice = about.read(&wallet).await?;
    if !answer.to(
        &wallet,
        &notice,
        "Do you want it on record that you refuse this?",
    )? {
        return Err(Error::Invalid("nothing was recorded".to_owned()));
    }
    let consent = wallet
        .refuse_consent(&notice, answer.invitation.as_deref())
        .await?;
    Ok(Outcome::new(
        format!("Your refusal is recorded as {}.\n", consent.id),
        json!({ "consent": consent }),
    ))
}

async fn history(place: &Place) -> Result {
    let wallet = super::open(place).await?;
    let history = wallet.consent_history().await?;
    let mut text = String::new();
    for link in &history.links {
        let _ = writeln!(text, "{}", line(link));
    }
    text.push_str(
        match (history.links.is_empty(), history.from_the_beginning) {
            (true, _) => "Nothing was answered in your name.\n",
            (false, true) => "The chain is whole, from the first answer on.\n",
            (false, false) => "The chain is whole; earlier answers are no longer kept.\n",
        },
    );
    Ok(Outcome::new(text, json!({ "history": history })))
}

fn line(link: &ConsentLink) -> String {
    let what = match link.kind {
        LinkKind::Given => "gave",
        LinkKind::Refused => "refused",
        LinkKind::Withdrawn => "withdrew",
    };
    let with = link.recipient.as_ref();
    let with = with.map_or_else(String::new, |audience| format!(" with {audience}"));
    let elsewhere = if link.own {
        ""
    } else {
        "  (not from this wallet)"
    };
    format!(
        "{}  {what:<8}  {}{with}  {}{elsewhere}",
        when(link.at),
        link.purpose.as_str(),
        link.consent
    )
}

impl About {
    async fn read(&self, wallet: &Wallet) -> Result<Notice> {
        let language = self.language.clone().unwrap_or_else(language);
        match &self.audience {
            Some(audience) => wallet.sharing_notice(audience, &language).await,
            None => wallet.notice(Purpose::Authentication, &language).await,
        }
    }
}

impl Answer {
    /// Shows the notice and asks.
    fn to(&self, wallet: &Wallet, notice: &Notice, question: &str) -> Result<bool> {
        eprintln!(
            "{} asks you to read this first.\n\n{}\n",
            wallet.service(),
            readable(notice)
        );
        if self.yes {
            return Ok(true);
        }
        confirm(question).ok_or_else(|| {
            Error::Invalid(
                "there is no terminal to ask on: pass --yes after reading the notice".to_owned(),
            )
        })
    }
}

/// The text without what a terminal would take for commands.
pub(super) fn readable(notice: &Notice) -> String {
    let visible = |character: &char| !character.is_control() || *character == '\n';
    let text: String = notice.text.chars().filter(visible).collect();
    text.trim_end().to_owned()
}

/// The person's language, as their locale says it, if notices are written in it.
pub(super) fn language() -> String {
    let spoken = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|locale| !locale.is_empty());
    let language = spoken.and_then(|locale| blindprint_consent::Language::of_locale(&locale));
    language
        .unwrap_or(blindprint_consent::Language::En)
        .tag()
        .to_owned()
}
