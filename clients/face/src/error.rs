use std::path::PathBuf;

/// Why a capture gave no embedding, named by what the caller does next.
///
/// The messages hold measured numbers (pixels, sharpness) but never values of an embedding.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Give another file: this one cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// What was to be read; `-` is standard input.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Give a whole JPEG, PNG or PPM picture.
    #[error("this is not a readable JPEG, PNG or PPM picture: {reason}")]
    Undecodable {
        /// What the decoder said.
        reason: String,
    },
    /// Give a smaller picture or file; nothing of it was decoded.
    #[error("the {what} is too large: {found}, at most {limit}")]
    TooLarge {
        /// Which bound was met: a file, a picture's side, a picture.
        what: &'static str,
        /// The measured size, with its unit.
        found: String,
        /// The largest accepted size, with its unit.
        limit: String,
    },
    /// Capture again with the face in view and lit.
    #[error("no face was found in the picture")]
    NoFace,
    /// Capture again with one person in view.
    #[error("{count} faces were found in the picture, exactly one is needed")]
    SeveralFaces {
        /// How many faces were found.
        count: usize,
    },
    /// Capture again from nearer.
    #[error("the face is too small: {pixels} pixels wide, at least {minimum} are needed")]
    FaceTooSmall {
        /// Width of the face in pixels of the picture.
        pixels: u32,
        /// The smallest accepted width.
        minimum: u32,
    },
    /// Capture again in focus, holding still.
    #[error("the face is too blurred: sharpness {sharpness:.1}, at least {minimum:.1} is needed")]
    TooBlurred {
        /// Variance of the Laplacian of the aligned grey face.
        sharpness: f32,
        /// The smallest accepted sharpness.
        minimum: f32,
    },
    /// Correct the embedding: it breaks the rule that is named.
    #[error("not an acceptable embedding: {reason}")]
    BadEmbedding {
        /// The broken rule.
        reason: String,
    },
    /// Give an embedding of a known modality.
    #[error(transparent)]
    UnknownModality(#[from] blindprint_core::Invalid),
    /// Install npm, connect to the network, or set `BLINDPRINT_FACE_WEIGHTS`.
    #[error(
        "the package with the face models cannot be fetched: {reason} \
         (offline: set BLINDPRINT_FACE_WEIGHTS to its .tgz file or unpacked folder)"
    )]
    PackageUnavailable {
        /// What went wrong.
        reason: String,
    },
    /// Do not use this package: it is not the one whose digest the code pins.
    #[error("{what} is not the pinned one: expected {expected}, found {found}")]
    PackageTampered {
        /// The file or model that differs.
        what: String,
        /// The pinned digest.
        expected: String,
        /// The digest that was found.
        found: String,
    },
    /// Do not use this package: its contents contradict its own manifest.
    #[error("the package with the face models is malformed: {reason}")]
    PackageMalformed {
        /// The contradiction.
        reason: String,
    },
    /// Free space or give another cache folder (`BLINDPRINT_CACHE`).
    #[error("cannot keep the face models in {path}: {source}")]
    CacheUnusable {
        /// The file or folder concerned.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Report it: a model that passed its digest does not run.
    #[error("the {net} net does not run: {reason}")]
    NetFailed {
        /// The net's name.
        net: &'static str,
        /// What the inference engine said.
        reason: String,
    },
}
