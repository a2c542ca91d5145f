//! One key set per machine for tests and benches, so that each does not spend half a minute on
//! its own. Never for production: the file is readable and its keys are shared.

use std::{fs, io, path::PathBuf};

use crate::{PublicMaterial, SecretKeys, generate};

/// The shared test keys: read from the cache folder (`BLINDPRINT_CACHE`, else
/// `~/.cache/blindprint`), made there first if need be.
///
/// # Panics
/// If the cache folder cannot be written.
pub fn keys() -> (SecretKeys, PublicMaterial) {
    let folder = folder();
    load(&folder).unwrap_or_else(|| {
        let (secret, material) = generate(&blindprint_core::SystemEntropy, &|_| ());
        store(&folder, &secret, &material).expect("the cache folder can be written");
        // Another process may have been faster; whoever renamed first wins for everybody.
        load(&folder).expect("just written")
    })
}

fn folder() -> PathBuf {
    let cache = std::env::var_os("BLINDPRINT_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/blindprint"),
        PathBuf::from,
    );
    cache.join(format!(
        "test-keys-{}",
        blindprint_template::PARAMETERS.name
    ))
}

fn load(folder: &std::path::Path) -> Option<(SecretKeys, PublicMaterial)> {
    let read = |name: &str| fs::read(folder.join(name)).ok();
    let secret = SecretKeys::decode(&read("secret")?).ok()?;
    let material = PublicMaterial {
        public_key: read("public-key")?,
        crs: read("crs")?,
        evaluation_keys: read("evaluation-keys")?,
    };
    Some((secret, material))
}

fn store(
    folder: &std::path::Path,
    secret: &SecretKeys,
    material: &PublicMaterial,
) -> io::Result<()> {
    let partial = folder.with_extension(format!("partial-{}", std::process::id()));
    fs::create_dir_all(&partial)?;
    fs::write(partial.join("secret"), &*secret.expose())?;
    fs::write(partial.join("public-key"), &material.public_key)?;
    fs::write(partial.join("crs"), &material.crs)?;
    fs::write(partial.join("evaluation-keys"), &material.evaluation_keys)?;
    if fs::rename(&partial, folder).is_err() {
        fs::remove_dir_all(&partial)?;
    }
    Ok(())
}
