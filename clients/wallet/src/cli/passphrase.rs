use std::path::Path;

use blindprint_wallet::{Error, Passphrase};

use super::Result;

/// Asks on the terminal, without echo.
pub(super) fn ask(prompt: &str) -> Result<Passphrase> {
    Passphrase::new(read(prompt)?)
}

/// Asks for a new passphrase twice.
pub(super) fn choose() -> Result<Passphrase> {
    let first = read("New passphrase: ")?;
    if read("Again: ")? != first {
        return Err(Error::Invalid("the two passphrases differ".to_owned()));
    }
    Passphrase::new(first)
}

fn read(prompt: &str) -> Result<String> {
    rpassword::prompt_password(prompt).map_err(|source| Error::File {
        path: Path::new("the terminal (without one, use --passphrase-file)").to_owned(),
        source,
    })
}
