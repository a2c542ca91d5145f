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
    /// The next state has a higher number than this.
    floor: u64,
}

impl Vault {
    /// The vault whose file is at `path`, and the registry in it: an empty one if neither the file
    /// nor the hardware remembers any. With `restore`, a state that the hardware does not know as
    /// the last one is taken too.
    pub(crate) fn open(
        path: &Path,
        key: SealingKey,
        mut counter: Box<dyn MonotonicCounter>,
        restore: bool,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Registry), EnclaveError> {
        let marked = counter.read();
        let mut floor = 0;
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
                match continuity(opened.mark, opened.predecessor, marked) {
                    Ok(Continuity::Current) => {}
                    Ok(Continuity::Ahead) => counter
                        .advance(opened.mark)
                        .map_err(EnclaveError::io("the hardware's counter"))?,
                    Err(_) if restore => floor = opened.mark.count,
                    Err(rollback) => return Err(rollback.into()),
                }
                Registry::decode(&opened.content)?
            }
        };
        Ok((
            Self {
                path: path.to_owned(),
                key,
                counter,
                floor,
            },
            registry,
        ))
    }

    /// The number that the next state will have.
    pub(crate) fn next(&self) -> u64 {
        self.counter.read().count.max(self.floor) + 1
    }

    /// Lets the next state have a higher number than `count`.
    pub(crate) fn outrun(&mut self, count: u64) {
        self.floor = self.floor.max(count);
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
        let predecessor = Mark {
            count: self.next() - 1,
            ..self.counter.read()
        };
        let sealed = self
            .key
            .seal(Kind::Registry, predecessor, snapshot, entropy);
        file::replace(&self.path, &sealed.parts())?;
        self.counter.advance(sealed.mark())
    }
}

#[cfg(test)]
mod tests;
