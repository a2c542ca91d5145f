//! What can be captured, behind one trait, so that modalities and devices plug in.

use std::{path::Path, sync::Arc};

use image::RgbImage;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Embedding, Error, FACE_MODEL, FacePipeline, Modality, embedding::MAX_DIMENSION, picture,
};

/// One capture of a person, which can be turned into an embedding.
///
/// Another modality or device implements this; the rest of the wallet does not change.
pub trait Capture {
    /// What was captured.
    fn modality(&self) -> Modality;
    /// The model that gives the embedding; only embeddings of one model can be compared.
    fn model(&self) -> &str;
    /// Computes the embedding.
    ///
    /// # Errors
    /// Why the capture cannot be used, so that the user can make a better one.
    fn embedding(&self) -> Result<Embedding, Error>;
}

/// A photograph: a JPEG or PNG file, EXIF orientation respected.
pub struct Photo {
    pipeline: Arc<FacePipeline>,
    file: Vec<u8>,
}

impl Photo {
    /// Reads the file; it is decoded by [`Capture::embedding`].
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::TooLarge`].
    pub fn open(path: &Path, pipeline: Arc<FacePipeline>) -> Result<Self, Error> {
        Ok(Self::from_bytes(picture::read(path)?, pipeline))
    }

    /// Takes a file's bytes.
    pub fn from_bytes(file: Vec<u8>, pipeline: Arc<FacePipeline>) -> Self {
        Self { pipeline, file }
    }
}

impl Capture for Photo {
    fn modality(&self) -> Modality {
        Modality::Face
    }

    fn model(&self) -> &str {
        FACE_MODEL
    }

    fn embedding(&self) -> Result<Embedding, Error> {
        Ok(self.pipeline.embed(&self.file)?.0)
    }
}

/// One frame of a camera: a PPM, PNG or JPEG image from a file or standard input, or raw pixels.
///
/// `ffmpeg -f v4l2 -i /dev/video0 -frames:v 1 -f image2pipe -c:v ppm -` writes such a frame.
pub struct CameraFrame {
    pipeline: Arc<FacePipeline>,
    picture: RgbImage,
}

impl CameraFrame {
    /// Reads and decodes the frame; the path `-` is standard input.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::TooLarge`] or [`Error::Undecodable`].
    pub fn open(path: &Path, pipeline: Arc<FacePipeline>) -> Result<Self, Error> {
        Ok(Self {
            pipeline,
            picture: picture::decode(&picture::read(path)?)?,
        })
    }

    /// Takes raw pixels: rows from the top, red, green and blue bytes in turn.
    ///
    /// # Errors
    /// [`Error::TooLarge`], or [`Error::Undecodable`] if there are not
    /// `3 · width · height` bytes.
    pub fn from_rgb(
        width: u32,
        height: u32,
        pixels: Vec<u8>,
        pipeline: Arc<FacePipeline>,
    ) -> Result<Self, Error> {
        picture::check_dimensions(width, height)?;
        let expected = 3 * width as usize * height as usize;
        let picture = (pixels.len() == expected)
            .then(|| RgbImage::from_raw(width, height, pixels))
            .flatten()
            .ok_or_else(|| Error::Undecodable {
                reason: format!("a frame of {width} x {height} pixels needs {expected} bytes"),
            })?;
        Ok(Self { pipeline, picture })
    }
}

impl Capture for CameraFrame {
    fn modality(&self) -> Modality {
        Modality::Face
    }

    fn model(&self) -> &str {
        FACE_MODEL
    }

    fn embedding(&self) -> Result<Embedding, Error> {
        Ok(self.pipeline.embed_picture(&self.picture)?.0)
    }
}

/// An embedding that another program computed, as JSON:
/// `{"modality":"iris","model":"my-model","values":[0,1,1,0]}`.
///
/// Values are finite numbers, 2 to 4096 of them; a code of bits is given as zeros and ones.
/// Unknown or repeated fields are refused.
pub struct EmbeddingFile(Embedding);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    modality: String,
    model: String,
    values: Vec<f32>,
}

/// A number takes fewer than 32 characters, with room for spaces.
const MAX_JSON_BYTES: usize = 32 * MAX_DIMENSION + 1024;

impl EmbeddingFile {
    /// Reads a file; the path `-` is standard input.
    ///
    /// # Errors
    /// [`Error::Unreadable`], or as [`Self::parse`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::parse(&Zeroizing::new(picture::read(path)?))
    }

    /// Reads the JSON text.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::UnknownModality`] or [`Error::BadEmbedding`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_JSON_BYTES {
            return Err(Error::TooLarge {
                what: "embedding",
                found: format!("{} bytes", json.len()),
                limit: format!("{MAX_JSON_BYTES} bytes"),
            });
        }
        // serde's own message may quote a value.
        let Json {
            modality,
            model,
            values,
        } = serde_json::from_slice(json).map_err(|e| Error::BadEmbedding {
            reason: format!(
                "the JSON at line {} column {} is not {{\"modality\", \"model\", \"values\"}}",
                e.line(),
                e.column()
            ),
        })?;
        let values = Zeroizing::new(values);
        Embedding::new(modality.parse()?, &model, values.to_vec()).map(Self)
    }
}

impl Capture for EmbeddingFile {
    fn modality(&self) -> Modality {
        self.0.modality()
    }

    fn model(&self) -> &str {
        self.0.model()
    }

    fn embedding(&self) -> Result<Embedding, Error> {
        Ok(self.0.duplicate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<EmbeddingFile, Error> {
        EmbeddingFile::parse(json.as_bytes())
    }

    #[test]
    fn a_code_of_bits_is_an_embedding() {
        let file = parse(r#"{"modality":"iris","model":"gabor-2","values":[0,1,1,0.5]}"#).unwrap();
        let embedding = file.embedding().unwrap();
        assert_eq!((file.modality(), file.model()), (Modality::Iris, "gabor-2"));
        assert_eq!(embedding.values(), file.embedding().unwrap().values());
        assert!((embedding.values()[3] - 0.5).abs() < f32::EPSILON);
    }

    #[test]
    fn the_largest_embedding_is_read() {
        let values = vec!["-1.17549435e-38"; MAX_DIMENSION].join(", ");
        let json = format!(r#"{{"modality":"face","model":"m","values":[{values}]}}"#);
        assert_eq!(
            parse(&json).unwrap().embedding().unwrap().values().len(),
            MAX_DIMENSION
        );
    }

    #[test]
    fn anything_else_is_refused_without_quoting_it() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"modality":"face","model":"m","values":[0.1,0.2]"#,
            r#"{"modality":"face","model":"m","values":[0.1,0.2]}x"#,
            r#"{"modality":"face","model":"m","values":[0.1,0.2],"extra":1}"#,
            r#"{"modality":"face","model":"m","model":"m","values":[0.1,0.2]}"#,
            r#"{"modality":"face","model":"m","values":[0.1,"0.777"]}"#,
            r#"{"modality":"face","model":"m","values":[0.1,null]}"#,
            r#"{"modality":"face","model":"m","values":[0.1,NaN]}"#,
            r#"{"modality":"face","model":"m","values":[0.1,1e39]}"#,
            r#"{"modality":"face","model":"m","values":[0.1]}"#,
            r#"{"modality":"face","model":"M m","values":[0.1,0.2]}"#,
        ] {
            let error = parse(json).err().unwrap();
            assert!(matches!(error, Error::BadEmbedding { .. }), "{json}");
            assert!(!error.to_string().contains("0.777"), "{error}");
        }
        let gait = parse(r#"{"modality":"gait","model":"m","values":[0.1,0.2]}"#);
        assert!(matches!(gait, Err(Error::UnknownModality(_))));
    }

    #[test]
    fn too_much_json_is_refused_unread() {
        let spaces = " ".repeat(MAX_JSON_BYTES + 1);
        assert!(matches!(parse(&spaces), Err(Error::TooLarge { .. })));
    }
}
