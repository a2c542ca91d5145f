//! Captures of people: from a photograph, a camera frame or a file to an embedding.
//!
//! The face pipeline runs in the wallet, in pure Rust: decode → detect → 68 landmarks → align →
//! descriptor of 128 values. Its nets are face-api's (MIT), fetched once by npm, verified against
//! pinned digests, converted to ONNX and kept in a cache folder; see [`ModelStore`].
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use blindprint_face::{Capture, FacePipeline, ModelStore, Photo};
//!
//! # fn main() -> Result<(), blindprint_face::Error> {
//! let store = ModelStore::from_env()?;
//! let pipeline = Arc::new(FacePipeline::load(&store, &mut |step| eprintln!("{step}"))?);
//! let embedding = Photo::open(Path::new("me.jpg"), pipeline)?.embedding()?;
//! assert_eq!(embedding.values().len(), 128);
//! # Ok(())
//! # }
//! ```
//!
//! An embedding identifies its person for life: it is overwritten on drop, and nothing here may
//! print, log, send or store one.

mod alignment;
mod capture;
mod detector;
mod embedding;
mod error;
mod landmarks;
mod net;
mod picture;
mod pipeline;
mod resample;
mod sharpness;
mod weights;

pub use blindprint_core::Modality;
pub use capture::{CameraFrame, Capture, EmbeddingFile, Photo};
pub use embedding::{Embedding, MAX_DIMENSION, MIN_DIMENSION};
pub use error::Error;
pub use picture::{MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE, decode as decode_picture};
pub use pipeline::{FACE_MODEL, FacePipeline, MIN_FACE_WIDTH, MIN_SHARPNESS, Quality};
pub use weights::{ModelStore, Models, Net, Progress, Source};
