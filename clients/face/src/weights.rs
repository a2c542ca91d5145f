//! The nets' weights: fetched, verified, converted to ONNX once and kept.
//!
//! They are not part of this project. The npm package `@vladmandic/face-api` (MIT) ships them as
//! uint8; npm fetches it, this module checks its pinned digest and writes one ONNX file a net
//! into the cache folder. The digests of those files are pinned as well, so a damaged or altered
//! cache is noticed and rebuilt.

use std::{
    env, fmt, fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use self::{package::Package, shards::Tensors};
use crate::Error;

mod graphs;
mod onnx;
mod package;
mod shards;

/// The cache folder's part that changes with the package or with our conversion of it.
const CONVERSION: &str = "face-api-1.7.15-onnx2";

/// The three nets of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// Tiny `YOLOv2` with separable convolutions, 416 × 416.
    Detector,
    /// 68 landmarks of a face, 112 × 112.
    Landmarks,
    /// dlib's `ResNet`, 150 × 150 to 128 values.
    Recognition,
}

impl Net {
    /// Every net, in the order of the pipeline.
    pub const ALL: [Self; 3] = [Self::Detector, Self::Landmarks, Self::Recognition];

    /// The net's name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detector => "face detector",
            Self::Landmarks => "face landmark",
            Self::Recognition => "face recognition",
        }
    }

    /// The name of the package's files and of ours.
    const fn stem(self) -> &'static str {
        match self {
            Self::Detector => "tiny_face_detector_model",
            Self::Landmarks => "face_landmark_68_model",
            Self::Recognition => "face_recognition_model",
        }
    }

    /// SHA-256 of the ONNX file that the conversion gives.
    const fn digest(self) -> &'static str {
        match self {
            Self::Detector => "sha256-ZkTTWgVnvo2y8rl6rLhXkNH6jKniUdmvX4jfeXm5oLw=",
            Self::Landmarks => "sha256-vTBb7GBhZm4TQbITapN9p6mzkSIDXb+UbTGXCLvQWY0=",
            Self::Recognition => "sha256-EmLx4lkKK0Ciu/K4MIUM/O+C8G+Dcb/IMlDWthdi1sE=",
        }
    }

    fn convert(self, tensors: &mut Tensors) -> Result<Vec<u8>, Error> {
        match self {
            Self::Detector => graphs::detector(tensors),
            Self::Landmarks => graphs::landmarks(tensors),
            Self::Recognition => graphs::recognition(tensors),
        }
    }
}

/// Where the package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The configured npm registry, through the `npm` command.
    Npm,
    /// A copy: the package's `.tgz` file, or the folder that it unpacks to.
    Copy(PathBuf),
}

/// What the first use spends its time on, for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// npm fetches the package (12.7 MB).
    Fetching,
    /// The package is verified and unpacked.
    Unpacking,
    /// A net is converted and stored.
    Converting(Net),
    /// A net is read and optimised for this machine.
    Loading(Net),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetching => f.write_str("fetching the face models (12.7 MB, once)"),
            Self::Unpacking => f.write_str("verifying the face models"),
            Self::Converting(net) => write!(f, "converting the {} net", net.name()),
            Self::Loading(net) => write!(f, "loading the {} net", net.name()),
        }
    }
}

/// The folder that keeps the converted nets, and where to get them from when it does not.
#[derive(Clone, Debug)]
pub struct ModelStore {
    folder: PathBuf,
    source: Source,
}

impl ModelStore {
    /// Keeps the nets below `folder`.
    pub fn new(folder: impl Into<PathBuf>, source: Source) -> Self {
        Self {
            folder: folder.into().join(CONVERSION),
            source,
        }
    }

    /// Keeps the nets in `models` below `$BLINDPRINT_CACHE`, else `$XDG_CACHE_HOME/blindprint`,
    /// else `~/.cache/blindprint`. `$BLINDPRINT_FACE_WEIGHTS` names a copy of the package.
    ///
    /// # Errors
    /// [`Error::CacheUnusable`] if none of the three is known.
    pub fn from_env() -> Result<Self, Error> {
        let path = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = path("BLINDPRINT_CACHE")
            .or_else(|| path("XDG_CACHE_HOME").map(|folder| folder.join("blindprint")))
            .or_else(|| path("HOME").map(|home| home.join(".cache/blindprint")))
            .ok_or_else(|| Error::CacheUnusable {
                path: PathBuf::from("$BLINDPRINT_CACHE"),
                source: io::Error::other("neither BLINDPRINT_CACHE nor HOME is set"),
            })?;
        let source = path("BLINDPRINT_FACE_WEIGHTS").map_or(Source::Npm, Source::Copy);
        Ok(Self::new(cache.join("models"), source))
    }

    /// The verified ONNX bytes of every net, from the cache or converted now.
    ///
    /// # Errors
    /// [`Error::PackageUnavailable`], [`Error::PackageTampered`], [`Error::PackageMalformed`] or
    /// [`Error::CacheUnusable`].
    pub fn models(&self, progress: &mut dyn FnMut(Progress)) -> Result<Models, Error> {
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let package = Package::open(&self.source, &self.folder, progress)?;
        let mut convert = |net: Net| {
            progress(Progress::Converting(net));
            let mut tensors = package.tensors(net)?;
            let onnx = net.convert(&mut tensors)?;
            tensors.expect_empty()?;
            check_digest(net.name(), net.digest(), &sha256(&onnx))?;
            replace(&self.path(net), &onnx)?;
            Ok::<_, Error>(onnx)
        };
        Ok(Models {
            detector: convert(Net::Detector)?,
            landmarks: convert(Net::Landmarks)?,
            recognition: convert(Net::Recognition)?,
        })
    }

    /// The nets in the cache, if all are there and undamaged.
    fn kept(&self) -> Option<Models> {
        let read = |net: Net| {
            let onnx = fs::read(self.path(net)).ok()?;
            (sha256(&onnx) == net.digest()).then_some(onnx)
        };
        Some(Models {
            detector: read(Net::Detector)?,
            landmarks: read(Net::Landmarks)?,
            recognition: read(Net::Recognition)?,
        })
    }

    fn path(&self, net: Net) -> PathBuf {
        self.folder.join(net.stem()).with_extension("onnx")
    }
}

/// The converted nets, verified.
pub struct Models {
    detector: Vec<u8>,
    landmarks: Vec<u8>,
    recognition: Vec<u8>,
}

impl Models {
    /// The bytes of a net's ONNX file.
    pub fn onnx(&self, net: Net) -> &[u8] {
        match net {
            Net::Detector => &self.detector,
            Net::Landmarks => &self.landmarks,
            Net::Recognition => &self.recognition,
        }
    }
}

/// Digests are written as in npm's lock files (W3C Subresource Integrity).
fn sha256(bytes: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(bytes)))
}

fn check_digest(what: &str, expected: &str, found: &str) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::PackageTampered {
            what: what.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        })
    }
}

/// Writes a file so that a reader sees all of it or none, even after a crash.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|source| Error::CacheUnusable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
