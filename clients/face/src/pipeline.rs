//! From a picture to the embedding of the one face in it.

use image::RgbImage;

use crate::{
    Embedding, Error, Modality, ModelStore, Net, Progress,
    alignment::{self, CHIP},
    detector::{self, FaceBox},
    landmarks,
    net::LoadedNet,
    picture,
    resample::view,
    sharpness::sharpness,
};

/// The model's name in embeddings: dlib's recognition `ResNet`, 128 values, not normalised.
/// Captures of one person lie within a Euclidean distance of about 0.45 to 0.5.
pub const FACE_MODEL: &str = "dlib-resnet-128";
/// Narrowest face that is accepted, in pixels of the picture.
///
/// Of 26 people whose photographs were shrunk, the median distance to their other photograph is
/// 0.24 for faces 200 pixels wide, 0.32 at 50, 0.41 at 34 and 0.46 at 26.
pub const MIN_FACE_WIDTH: u32 = 48;
/// Least sharpness that is accepted (variance of the Laplacian of the aligned face).
///
/// Focused captures of the same people have 169 to 483, poor but usable ones 7 and more. Gaussian
/// blur of 4 pixels leaves 1.2 to 3.9 and a median distance of 0.42, of 6 pixels 0.2 to 1.3 and
/// 0.52, which is no longer the same person.
pub const MIN_SHARPNESS: f32 = 2.0;
/// Faces narrower than this part of the widest one are bystanders in the background.
const BYSTANDER: f32 = 1.0 / 3.0;

/// The three nets, loaded. It is shared by reference; one picture runs on one thread.
pub struct FacePipeline {
    detector: LoadedNet,
    landmarks: LoadedNet,
    recognition: LoadedNet,
}

/// How good a face's capture was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Width of the face, in pixels of the picture.
    pub face_width: u32,
    /// Variance of the Laplacian of the aligned grey face.
    pub sharpness: f32,
    /// The detector's score, 0.5 to 1.
    pub score: f32,
}

impl FacePipeline {
    /// Loads the nets; the first time they are fetched and converted, which takes seconds.
    ///
    /// # Errors
    /// What [`ModelStore::models`] gives, or [`Error::NetFailed`].
    pub fn load(store: &ModelStore, progress: &mut dyn FnMut(Progress)) -> Result<Self, Error> {
        let models = store.models(progress)?;
        let mut load = |net: Net| {
            progress(Progress::Loading(net));
            LoadedNet::load(net, models.onnx(net))
        };
        Ok(Self {
            detector: load(Net::Detector)?,
            landmarks: load(Net::Landmarks)?,
            recognition: load(Net::Recognition)?,
        })
    }

    /// The embedding of the only face in a JPEG, PNG or PPM file's bytes.
    ///
    /// # Errors
    /// [`Error::Undecodable`], [`Error::TooLarge`], [`Error::NoFace`], [`Error::SeveralFaces`],
    /// [`Error::FaceTooSmall`], [`Error::TooBlurred`].
    pub fn embed(&self, file: &[u8]) -> Result<(Embedding, Quality), Error> {
        self.embed_picture(&picture::decode(file)?)
    }

    /// The embedding of the only face in an upright picture.
    ///
    /// # Errors
    /// As [`Self::embed`].
    pub fn embed_picture(&self, picture: &RgbImage) -> Result<(Embedding, Quality), Error> {
        picture::check_dimensions(picture.width(), picture.height())?;
        let face = only_face(detector::detect(&self.detector, picture)?)?;
        let face_width = pixels(face.width);
        if face_width < MIN_FACE_WIDTH {
            return Err(Error::FaceTooSmall {
                pixels: face_width,
                minimum: MIN_FACE_WIDTH,
            });
        }
        let points = landmarks::locate(&self.landmarks, picture, &face)?;
        let chip = view(picture, &alignment::chip(&points), CHIP);
        let sharpness = sharpness(&chip);
        if sharpness < MIN_SHARPNESS {
            return Err(Error::TooBlurred {
                sharpness,
                minimum: MIN_SHARPNESS,
            });
        }
        let descriptor = self.recognition.run(&chip)?;
        let embedding = Embedding::new(Modality::Face, FACE_MODEL, descriptor.to_vec())?;
        let quality = Quality {
            face_width,
            sharpness,
            score: face.score,
        };
        Ok((embedding, quality))
    }
}

fn only_face(faces: Vec<FaceBox>) -> Result<FaceBox, Error> {
    let widest = faces.iter().map(|face| face.width).fold(0.0, f32::max);
    let mut near = faces
        .into_iter()
        .filter(|face| face.width >= BYSTANDER * widest);
    let first = near.next().ok_or(Error::NoFace)?;
    match near.count() {
        0 => Ok(first),
        others => Err(Error::SeveralFaces { count: 1 + others }),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and a width is positive"
)]
fn pixels(width: f32) -> u32 {
    width.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::Point;

    fn face(width: f32) -> FaceBox {
        FaceBox {
            centre: Point { x: 0.0, y: 0.0 },
            width,
            height: width,
            score: 0.9,
        }
    }

    #[test]
    fn exactly_one_near_face_is_taken() {
        assert!(matches!(only_face(vec![]), Err(Error::NoFace)));
        assert_eq!(only_face(vec![face(90.0)]).ok(), Some(face(90.0)));
        assert_eq!(
            only_face(vec![face(20.0), face(90.0), face(29.0)]).ok(),
            Some(face(90.0))
        );
        assert!(matches!(
            only_face(vec![face(90.0), face(31.0), face(50.0)]),
            Err(Error::SeveralFaces { count: 3 })
        ));
    }
}
