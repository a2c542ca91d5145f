//! The face pipeline as a wallet uses it, on a drawn face.
//!
//! The first run fetches the package with the weights into the user's cache (12.7 MB).

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    io::Cursor,
    sync::{Arc, LazyLock},
};

use blindprint_face::{
    CameraFrame, Capture, Embedding, Error, FACE_MODEL, FacePipeline, Modality, ModelStore, Photo,
};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, imageops};

use crate::drawn_face::{Pose, draw};

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
mod drawn_face;

static PIPELINE: LazyLock<Arc<FacePipeline>> = LazyLock::new(|| {
    let store = ModelStore::from_env().unwrap();
    Arc::new(FacePipeline::load(&store, &mut |step| eprintln!("{step}")).unwrap())
});

/// One upright face in the middle of a webcam picture.
const UPRIGHT: Pose = Pose {
    centre: (240.0, 320.0),
    size: 130.0,
    tilt: 0.0,
};

fn portrait() -> RgbImage {
    draw(480, 640, &[UPRIGHT])
}

fn frame(picture: &RgbImage) -> Result<Embedding, Error> {
    let pixels = picture.as_raw().clone();
    CameraFrame::from_rgb(picture.width(), picture.height(), pixels, PIPELINE.clone())?.embedding()
}

fn photo(file: Vec<u8>) -> Result<Embedding, Error> {
    Photo::from_bytes(file, PIPELINE.clone()).embedding()
}

fn encode(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture.clone())
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

fn distance(a: &Embedding, b: &Embedding) -> f32 {
    let squares = a
        .values()
        .iter()
        .zip(b.values())
        .map(|(a, b)| (a - b).powi(2));
    squares.sum::<f32>().sqrt()
}

#[test]
fn a_face_gives_an_embedding_of_the_model() {
    let embedding = frame(&portrait()).unwrap();
    assert_eq!(embedding.modality(), Modality::Face);
    assert_eq!(embedding.model(), FACE_MODEL);
    assert_eq!(embedding.values().len(), 128);
    // Descriptors of the net have about this length.
    let length: f32 = embedding.values().iter().map(|v| v * v).sum::<f32>().sqrt();
    assert!((1.0..2.0).contains(&length), "{length}");
}

#[test]
fn the_same_pixels_give_the_same_embedding_from_any_source() {
    let expected = frame(&portrait()).unwrap();
    for format in [ImageFormat::Png, ImageFormat::Pnm] {
        let file = encode(&portrait(), format);
        assert_eq!(photo(file.clone()).unwrap().values(), expected.values());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frame");
        std::fs::write(&path, file).unwrap();
        let from_file = CameraFrame::open(&path, PIPELINE.clone()).unwrap();
        assert_eq!(from_file.embedding().unwrap().values(), expected.values());
    }
    let lossy = photo(encode(&portrait(), ImageFormat::Jpeg)).unwrap();
    assert!(distance(&lossy, &expected) < 0.1);
}

#[test]
fn a_turned_photo_is_read_by_its_orientation() {
    let turned = encode(&imageops::rotate270(&portrait()), ImageFormat::Jpeg);
    let apart = distance(
        &photo(with_orientation(&turned, 6)).unwrap(),
        &frame(&portrait()).unwrap(),
    );
    assert!(apart < 0.1, "{apart}");
}

/// Puts an EXIF segment with the orientation behind the start marker.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut segment = b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0".to_vec();
    segment.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    segment.extend([0; 4]);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn a_tilted_or_moved_or_larger_face_stays_the_same_person() {
    let upright = frame(&portrait()).unwrap();
    for pose in [
        Pose {
            tilt: 0.25,
            ..UPRIGHT
        },
        Pose {
            tilt: -0.25,
            ..UPRIGHT
        },
        Pose {
            centre: (180.0, 250.0),
            ..UPRIGHT
        },
        Pose {
            size: 170.0,
            ..UPRIGHT
        },
    ] {
        let apart = distance(&frame(&draw(480, 640, &[pose])).unwrap(), &upright);
        assert!(apart < 0.3, "{apart}");
    }
}

#[test]
fn two_people_in_view_are_refused() {
    let left = Pose {
        centre: (220.0, 320.0),
        ..UPRIGHT
    };
    let right = Pose {
        centre: (620.0, 330.0),
        ..UPRIGHT
    };
    let result = frame(&draw(860, 640, &[left, right]));
    assert!(
        matches!(result, Err(Error::SeveralFaces { count: 2 })),
        "{result:?}"
    );
}

#[test]
fn a_face_far_away_is_refused_with_its_width() {
    let small = imageops::resize(&portrait(), 80, 107, imageops::FilterType::Triangle);
    match frame(&small) {
        Err(Error::FaceTooSmall { pixels, minimum }) => assert!(pixels < minimum),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_blurred_face_is_refused_with_its_sharpness() {
    match frame(&imageops::blur(&portrait(), 8.0)) {
        Err(Error::TooBlurred { sharpness, minimum }) => assert!(sharpness < minimum),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_picture_without_a_face_is_refused() {
    let noise = |x: u32, y: u32| {
        let mixed = x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663);
        let [red, green, blue, _] = mixed.to_le_bytes();
        Rgb([red, green, blue])
    };
    let board = |x: u32, y: u32| {
        Rgb([if (x / 20 + y / 20).is_multiple_of(2) {
            0
        } else {
            255
        }; 3])
    };
    for picture in [
        draw(640, 480, &[]),
        RgbImage::from_fn(480, 640, noise),
        RgbImage::from_fn(300, 200, board),
    ] {
        let result = frame(&picture);
        assert!(matches!(result, Err(Error::NoFace)), "{result:?}");
    }
}

#[test]
fn the_smallest_and_the_narrowest_pictures_are_survived() {
    for (width, height) in [(1, 1), (2, 2), (1, 16_384), (16_384, 1), (31, 3)] {
        let result = frame(&RgbImage::from_pixel(width, height, Rgb([200, 150, 120])));
        assert!(matches!(result, Err(Error::NoFace)), "{result:?}");
    }
}

#[test]
fn a_frame_must_have_as_many_bytes_as_it_says() {
    let frame = |width, height, bytes| {
        CameraFrame::from_rgb(width, height, vec![0; bytes], PIPELINE.clone()).err()
    };
    assert!(matches!(frame(4, 4, 47), Some(Error::Undecodable { .. })));
    assert!(matches!(frame(4, 4, 49), Some(Error::Undecodable { .. })));
    assert!(matches!(frame(0, 4, 0), Some(Error::Undecodable { .. })));
    assert!(matches!(
        frame(65_536, 65_536, 0),
        Some(Error::TooLarge { .. })
    ));
    assert!(frame(4, 4, 48).is_none());
}

#[test]
fn a_photo_that_is_not_a_picture_is_refused() {
    let result = photo(b"not a picture".to_vec());
    assert!(matches!(result, Err(Error::Undecodable { .. })));
}
