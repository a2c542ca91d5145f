//! The npm package: fetched by npm, verified against a pinned digest, read file by file.

use std::{
    collections::HashMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha512};

use super::{Net, Progress, Source, check_digest, shards::Tensors};
use crate::Error;

/// The package and version whose weights the nets expect.
const SPEC: &str = "@vladmandic/face-api@1.7.15";
/// SHA-512 of the package's tarball, as npm's lock files write it.
const INTEGRITY: &str = "sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw==";
/// Largest file that is read from the package: the recognition shard has 6.4 MB.
const MAX_FILE: u64 = 16 << 20;
/// Largest tarball that is read to be verified; the pinned one has 12.7 MB.
const MAX_TARBALL: u64 = 32 << 20;

/// The needed files of the package, by file name.
pub(super) struct Package {
    files: HashMap<String, Vec<u8>>,
}

impl Package {
    /// Fetches (below `scratch`) or opens the package.
    pub fn open(
        source: &Source,
        scratch: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Error> {
        match source {
            Source::Npm => {
                progress(Progress::Fetching);
                let tarball = fetch(scratch)?;
                progress(Progress::Unpacking);
                Self::from_tarball(&tarball, INTEGRITY)
            }
            Source::Copy(path) if path.is_dir() => {
                progress(Progress::Unpacking);
                Self::from_folder(path)
            }
            Source::Copy(path) => {
                progress(Progress::Unpacking);
                Self::from_tarball(&read_bounded(path, MAX_TARBALL)?, INTEGRITY)
            }
        }
    }

    /// Unpacks a tarball after checking that it is the one with this digest.
    fn from_tarball(tarball: &[u8], integrity: &str) -> Result<Self, Error> {
        let found = format!("sha512-{}", STANDARD.encode(Sha512::digest(tarball)));
        check_digest(SPEC, integrity, &found)?;
        let malformed = |e: std::io::Error| Error::PackageMalformed {
            reason: e.to_string(),
        };
        let mut files = HashMap::new();
        let mut archive = tar::Archive::new(GzDecoder::new(tarball));
        for entry in archive.entries().map_err(malformed)? {
            let entry = entry.map_err(malformed)?;
            let path = entry.path().map_err(malformed)?.into_owned();
            if let Some(name) = needed().find(|name| path == Path::new("package/model").join(name))
            {
                let mut bytes = Vec::new();
                entry
                    .take(MAX_FILE)
                    .read_to_end(&mut bytes)
                    .map_err(malformed)?;
                files.insert(name, bytes);
            }
        }
        Ok(Self { files })
    }

    /// Reads an unpacked package, or its `model` folder. What it converts to is verified later.
    fn from_folder(folder: &Path) -> Result<Self, Error> {
        let model = folder.join("model");
        let model = if model.is_dir() { &model } else { folder };
        let files = needed()
            .map(|name| Ok((name.clone(), read_bounded(&model.join(name), MAX_FILE)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Self { files })
    }

    /// The dequantised weights of a net.
    pub fn tensors(&self, net: Net) -> Result<Tensors, Error> {
        let file = |name: String| {
            self.files
                .get(&name)
                .ok_or_else(|| Error::PackageMalformed {
                    reason: format!("model/{name} is missing"),
                })
        };
        Tensors::parse(file(manifest(net))?, file(shard(net))?)
    }
}

fn manifest(net: Net) -> String {
    format!("{}-weights_manifest.json", net.stem())
}

fn shard(net: Net) -> String {
    format!("{}.bin", net.stem())
}

fn needed() -> impl Iterator<Item = String> {
    Net::ALL
        .into_iter()
        .flat_map(|net| [manifest(net), shard(net)])
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let unavailable = |e: std::io::Error| Error::PackageUnavailable {
        reason: format!("{}: {e}", path.display()),
    };
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(unavailable)?
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(unavailable)?;
    Ok(bytes)
}

/// Lets npm fetch the tarball from whichever registry it is configured for.
fn fetch(scratch: &Path) -> Result<Vec<u8>, Error> {
    let unusable = |source| Error::CacheUnusable {
        path: scratch.to_owned(),
        source,
    };
    fs::create_dir_all(scratch).map_err(unusable)?;
    let folder = tempfile::tempdir_in(scratch).map_err(unusable)?;
    let output = Command::new("npm")
        .args(["pack", SPEC, "--ignore-scripts", "--loglevel=error"])
        .arg("--pack-destination")
        .arg(folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::PackageUnavailable {
            reason: format!("npm does not start: {e}"),
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find(|line| !line.trim().is_empty());
        return Err(Error::PackageUnavailable {
            reason: format!("npm ended with {}: {}", output.status, line.unwrap_or("")),
        });
    }
    read_bounded(&tarball_in(folder.path())?, MAX_TARBALL)
}

fn tarball_in(folder: &Path) -> Result<PathBuf, Error> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| Error::PackageUnavailable {
            reason: "npm left no tarball".to_owned(),
        })
}
