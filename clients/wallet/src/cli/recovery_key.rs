use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use blindprint_wallet::{Error, RecoveryPaper, Wallet};
use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Outcome, Place, Result,
    output::{confirm, is_interactive},
};

/// Show the recovery key again, or write it to a file, while the wallet still keeps it
#[derive(Args)]
#[command(after_help = "\
Once it is on paper, let the wallet forget it: who opens a wallet that still keeps it can take
your subject over for good.

Examples:
  blindprint-wallet recovery-key --out recovery.txt
  blindprint-wallet recovery-key --forget")]
pub(crate) struct Arguments {
    /// Write it to this new file and keep no copy
    #[arg(long, value_name = "FILE", conflicts_with = "forget")]
    out: Option<PathBuf>,
    /// Keep no copy, because it is on paper
    #[arg(long)]
    forget: bool,
}

/// What to tell about the recovery key.
pub(super) struct Page {
    pub(super) text: String,
    /// The page, where the caller's output is the only place to show it.
    pub(super) shown: Option<String>,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result {
    let mut wallet = place.open()?;
    if arguments.forget {
        wallet.forget_recovery_key()?;
        return Ok(Outcome::new(
            "The wallet keeps no copy of the recovery key.\n",
            json!({ "kept": false }),
        ));
    }
    if wallet.recovery_paper().is_none() {
        return Err(Error::Invalid(
            "the wallet keeps no recovery key: the first enrolment makes one, and what is on paper \
             is forgotten"
                .to_owned(),
        ));
    }
    let page = hand_over(&mut wallet, arguments.out.as_deref(), false)?;
    let kept = wallet.recovery_paper().is_some();
    Ok(Outcome::new(
        page.text,
        json!({ "kept": kept, "recovery_key": page.shown }),
    ))
}

/// Reads the page back from paper.
pub(super) fn read(path: &Path) -> Result<RecoveryPaper> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut page = Zeroizing::new(String::with_capacity(4096));
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(4096)
            .read_to_string(&mut page)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(4096).read_to_string(&mut page).map_err(failed)?;
    }
    RecoveryPaper::parse(&page)
}

/// Writes the page to `out` or gives its text, as long as the wallet has it.
pub(super) fn hand_over(wallet: &mut Wallet, out: Option<&Path>, ask: bool) -> Result<Page> {
    let Some(paper) = wallet.recovery_paper() else {
        return Ok(Page {
            text: String::new(),
            shown: None,
        });
    };
    let page = paper.text();
    if let Some(path) = out {
        write_secret(path, &page)?;
        wallet.forget_recovery_key()?;
        let text = format!(
            "The recovery key is in {}; the wallet keeps no copy.\n",
            path.display()
        );
        return Ok(Page { text, shown: None });
    }
    if ask && is_interactive() {
        eprintln!("\n{}", *page);
        if confirm("Is it on paper? Then the wallet forgets it.") == Some(true) {
            wallet.forget_recovery_key()?;
            return Ok(Page {
                text: String::new(),
                shown: None,
            });
        }
    }
    let text = format!(
        "\n{}\nWhen it is on paper: blindprint-wallet recovery-key --forget\n",
        *page
    );
    Ok(Page {
        text,
        shown: Some(page.to_string()),
    })
}

fn write_secret(path: &Path, page: &Zeroizing<String>) -> Result<()> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(page.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}
