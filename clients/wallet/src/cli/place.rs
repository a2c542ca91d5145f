use std::path::{Path, PathBuf};

use blindprint_wallet::{Error, Passphrase, Surroundings, Wallet};
use clap::Args;

use super::{Result, passphrase};

/// Where the wallet is and what opens it.
#[derive(Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Place {
    /// The wallet's key file [default: blindprint/wallet.age in the user's data folder]
    #[arg(long, value_name = "FILE", env = "BLINDPRINT_WALLET", global = true)]
    wallet: Option<PathBuf>,
    /// A file whose first line is the passphrase; asked for if not given
    #[arg(
        long,
        value_name = "FILE",
        env = "BLINDPRINT_WALLET_PASSPHRASE_FILE",
        global = true
    )]
    passphrase_file: Option<PathBuf>,
    /// Where downloaded public material is kept [default: blindprint in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "BLINDPRINT_CACHE", global = true)]
    cache: Option<PathBuf>,
}

impl Place {
    /// The key file.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        match &self.wallet {
            Some(path) => Ok(path.clone()),
            None => user_folder("XDG_DATA_HOME", ".local/share").map(|f| f.join("wallet.age")),
        }
    }

    pub(crate) fn surroundings(&self) -> Result<Surroundings> {
        let cache = match &self.cache {
            Some(folder) => folder.clone(),
            None => user_folder("XDG_CACHE_HOME", ".cache")?,
        };
        Ok(Surroundings::system(cache.join("material")))
    }

    /// The passphrase of a wallet that is there.
    pub(crate) fn passphrase(&self) -> Result<Passphrase> {
        match &self.passphrase_file {
            Some(file) => Passphrase::read(file),
            None => passphrase::ask("Passphrase: "),
        }
    }

    /// The passphrase of a wallet that is being made, asked for twice.
    pub(crate) fn new_passphrase(&self) -> Result<Passphrase> {
        match &self.passphrase_file {
            Some(file) => Passphrase::read(file),
            None => passphrase::choose(),
        }
    }

    /// Opens the wallet without contacting its service.
    pub(crate) fn open(&self) -> Result<Wallet> {
        let path = self.path()?;
        if !path.exists() {
            return Err(Error::Invalid(format!(
                "there is no wallet at {}: make one with `blindprint-wallet init`",
                path.display()
            )));
        }
        Wallet::open(&path, self.passphrase()?, self.surroundings()?)
    }
}

/// `blindprint` in a folder of the XDG Base Directory Specification.
fn user_folder(variable: &str, below_home: &str) -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    set(variable)
        .or_else(|| set("HOME").map(|home| home.join(Path::new(below_home))))
        .map(|folder| folder.join("blindprint"))
        .ok_or_else(|| {
            Error::Invalid(format!(
                "neither {variable} nor HOME is set: use --wallet and --cache"
            ))
        })
}
