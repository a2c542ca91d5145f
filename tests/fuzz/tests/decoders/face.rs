//! Embeddings of other programs, and pictures.

use blindprint_face::{
    Capture as _, EmbeddingFile, MAX_DIMENSION, MAX_PIXELS, MAX_SIDE, MIN_DIMENSION, decode_picture,
};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use image::{DynamicImage, ImageEncoder as _, ImageFormat, codecs::jpeg::JpegEncoder};

#[test]
fn embedding_files() {
    let seeds = [
        r#"{"modality":"face","model":"dlib-resnet-128","values":[0.25,-1.5e-3,1,0]}"#,
        r#"{"modality":"iris","model":"gabor-2","values":[0,1,1,0,1,0,0,1]}"#,
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        match EmbeddingFile::parse(bytes) {
            Ok(file) => {
                let embedding = file.embedding().unwrap();
                let values = embedding.values();
                assert!((MIN_DIMENSION..=MAX_DIMENSION).contains(&values.len()));
                assert!(values.iter().all(|value| value.is_finite()));
            }
            // A message may say where, never what.
            Err(error) => {
                let message = error.to_string();
                assert!(!message.contains("0.25") && !message.contains("5e-3"));
            }
        }
    });
}

fn pictures() -> Vec<Vec<u8>> {
    let pixels = (0..24 * 17 * 3_u32)
        .map(|i| (i * 37).to_le_bytes()[0])
        .collect();
    let rgb = image::RgbImage::from_raw(24, 17, pixels).unwrap();
    let rgb = DynamicImage::from(rgb);
    let written = |picture: &DynamicImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut turned = Vec::new();
    let mut encoder = JpegEncoder::new(&mut turned);
    // A TIFF header with the orientation tag alone (Exif 2.32, 4.6.4): a quarter turn.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder
        .write_image(rgb.as_bytes(), 24, 17, image::ExtendedColorType::Rgb8)
        .unwrap();
    vec![
        turned,
        written(&rgb, ImageFormat::Jpeg),
        written(&rgb, ImageFormat::Png),
        written(&DynamicImage::from(rgb.to_rgba16()), ImageFormat::Png),
        written(&DynamicImage::from(rgb.to_luma8()), ImageFormat::Png),
        written(&rgb, ImageFormat::Pnm),
    ]
}

/// Makes the checksums of a PNG's chunks right (PNG, 5.3), so that what they protect is read.
fn repair(png: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = png.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let Some(end) = at.checked_add(8).and_then(|data| data.checked_add(length)) else {
            return;
        };
        let Some(covered) = png.get(at + 4..end) else {
            return;
        };
        let mut sum = flate2::Crc::new();
        sum.update(covered);
        let Some(place) = png.get_mut(end..end + 4) else {
            return;
        };
        place.copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
}

fn decode(bytes: &[u8]) {
    if let Ok(picture) = decode_picture(bytes) {
        let (width, height) = picture.dimensions();
        assert!(width > 0 && height > 0 && width.max(height) <= MAX_SIDE);
        assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
    }
}

/// A picture's pixels may take a gigabyte for a moment: sixteen bits of four channels, upright and
/// as they were.
#[test]
fn picture_files() {
    fuzz!(
        Inputs::from(pictures()),
        Budget::mebibytes(1024).seconds(20),
        |bytes: &[u8]| {
            decode(bytes);
            if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
                let mut repaired = bytes.to_vec();
                repair(&mut repaired);
                decode(&repaired);
            }
        }
    );
}
