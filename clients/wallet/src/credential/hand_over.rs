//! Giving a credential away outside of any protocol.

use serde_json::Value;

use super::Shown;
use crate::{Error, Result, Wallet};

impl Wallet {
    /// A copy that nobody has seen, for somebody who takes it as it is: by mail, on a page. It counts
    /// as shown to `to`. Whoever has it can read it and pass it on, but without its key nobody can
    /// present it.
    pub fn hand_over(&mut self, id: &str, to: &str) -> Result<Value> {
        let index = self.credential_index(id)?;
        let shown = Shown {
            to: to.to_owned(),
            at: self.now(),
        };
        let copies = &mut self.state.credentials[index].copies;
        let copy = copies
            .iter_mut()
            .find(|copy| copy.is_unused())
            .ok_or_else(|| {
                Error::Invalid(
                    "every copy of this credential has been shown: receive it again".to_owned(),
                )
            })?;
        copy.shown.push(shown);
        let credential = copy.credential.clone();
        self.save()?;
        Ok(credential)
    }
}
