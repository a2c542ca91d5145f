use std::{
    io,
    path::{Path, PathBuf},
};

use blindprint_core::Entropy;
use blindprint_protocol::policy::{Continuity, Mark, Registry, continuity};
use zeroize::Zeroizing;

use crate::{
    EnclaveError, file,
    hardware::MonotonicCounter,
    seal::{Kind, SealingKey, genesis},
};

/// Keeps the registry on the host's disk: whole, unreadable and never older than the last state
/// that anybody was told about.
///
/// Each write seals the next state, puts it in the old one's place and only then tells the
/// hardware; nobody is answered before. A crash in between leaves a state that is one ahead of the
/// hardware, which holds when it is found.
pub(crate) struct Vault {
    path: PathBuf,
    key: SealingKey,
    counter: Box<dyn MonotonicCounter>,
}

impl Vault {
    /// The vault whose file is at `path`, and the registry in it: an empty one if neither the file
    /// nor the hardware remembers any.
    pub(crate) fn open(
        path: &Path,
        key: SealingKey,
        mut counter: Box<dyn MonotonicCounter>,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Registry), EnclaveError> {
        let marked = counter.read();
        let registry = match file::read(path).map_err(EnclaveError::io(path))? {
            None => {
                let none: Mark = genesis();
                continuity(none, none, marked)?;
                Registry::empty(entropy)
            }
            Some(bytes) => {
                let sealed = |source| EnclaveError::Sealed {
                    path: path.to_owned(),
                    source,
                };
                let opened = key.open(Kind::Registry, bytes).map_err(sealed)?;
                if continuity(opened.mark, opened.predecessor, marked)? == Continuity::Ahead {
                    counter
                        .advance(opened.mark)
                        .map_err(EnclaveError::io("the hardware's counter"))?;
                }
                Registry::decode(&opened.content)?
            }
        };
        Ok((
            Self {
                path: path.to_owned(),
                key,
                counter,
            },
            registry,
        ))
    }

    /// Makes `snapshot` the last state, durably.
    ///
    /// If only the hardware fails, the state is on the disk although this is an error: then it
    /// may hold after a restart, as for a crash at that moment, unless another is written first.
    pub(crate) fn write(
        &mut self,
        snapshot: Zeroizing<Vec<u8>>,
        entropy: &dyn Entropy,
    ) -> io::Result<()> {
        let sealed = self
            .key
            .seal(Kind::Registry, self.counter.read(), snapshot, entropy);
        file::replace(&self.path, &sealed.parts())?;
        self.counter.advance(sealed.mark())
    }
}

#[cfg(test)]
mod tests;
