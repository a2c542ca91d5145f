use std::{fs::File, io::Read as _};

use blindprint_protocol::attestation::Measurement;
use sha2::{Digest as _, Sha384};

use crate::NsmError;

/// The SHA-384 digest of the executable file of this process.
///
/// `/proc/self/exe` is the file that was started, even after its path got another one.
pub fn measure_executable() -> Result<Measurement, NsmError> {
    let failed = NsmError::io("reading this process' executable");
    let measured = File::open("/proc/self/exe").and_then(|mut file| {
        let mut hash = Sha384::new();
        let mut chunk = vec![0; 1 << 20];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(hash.finalize()),
                length => hash.update(&chunk[..length]),
            }
        }
    });
    Ok(Measurement::from_bytes(measured.map_err(failed)?.into()))
}
