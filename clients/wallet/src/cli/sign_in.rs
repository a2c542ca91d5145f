use blindprint_core::SignInLink;
use blindprint_wallet::Error;
use clap::Args;
use serde_json::json;

use super::{
    Outcome, Place, Result,
    output::{confirm, is_interactive},
};

/// Sign a browser in on your own page at the service, by the link that it shows
#[derive(Args)]
pub(crate) struct Arguments {
    /// `blindprint:sign-in?…`, from the page
    link: SignInLink,
    /// Do not ask: you have compared the code and opened the page yourself
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    let Arguments { link, yes } = arguments;
    if !yes {
        if !is_interactive() {
            return Err(Error::Invalid(
                "nobody is here to compare the code: use --yes once you have".to_owned(),
            ));
        }
        eprintln!(
            "A browser wants to be signed in as you.\n\n  Service  {}\n  Code     {}\n\n\
             Whoever has that browser sees what is stored about you, and can withdraw and erase it.\n\
             Agree only if you opened the page yourself and it shows this very code.",
            link.service, link.code
        );
        if confirm("Sign this browser in?") != Some(true) {
            return Err(Error::Invalid("nothing was signed".to_owned()));
        }
    }
    let wallet = super::open(place).await?;
    wallet.sign_in(&link).await?;
    Ok(Outcome::new(
        format!(
            "The browser that shows {} is signed in; it goes on by itself.\n",
            link.code
        ),
        json!({ "service": link.service, "code": link.code.as_str() }),
    ))
}
