use image::{
    ImageEncoder, Rgb,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, pnm::PnmEncoder},
};

use super::*;

/// Left half red, right half blue.
fn two_halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 {
            Rgb([250, 0, 0])
        } else {
            Rgb([0, 0, 250])
        }
    })
}

fn encode(picture: &RgbImage, encoder: impl ImageEncoder) {
    encoder
        .write_image(
            picture,
            picture.width(),
            picture.height(),
            image::ExtendedColorType::Rgb8,
        )
        .unwrap();
}

fn jpeg(picture: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encode(picture, encoder);
    bytes
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(picture, PngEncoder::new(&mut bytes));
    bytes
}

/// A TIFF header with the orientation tag alone (Exif 2.32, 4.6.4).
fn orientation(value: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0]);
    exif.extend([0; 4]);
    exif
}

#[test]
fn every_format_gives_the_same_pixels() {
    let picture = two_halves(40, 20);
    let mut ppm = Vec::new();
    encode(&picture, PnmEncoder::new(&mut ppm));
    assert_eq!(decode(&png(&picture)).unwrap(), picture);
    assert_eq!(decode(&ppm).unwrap(), picture);
    let lossy = decode(&jpeg(&picture, None)).unwrap();
    assert_eq!(lossy.dimensions(), (40, 20));
    assert!(lossy[(5, 10)][0] > 200 && lossy[(35, 10)][2] > 200);
}

#[test]
fn a_rotated_camera_gives_an_upright_picture() {
    // Orientation 6: the file's left side is the picture's top.
    let upright = decode(&jpeg(&two_halves(40, 20), Some(orientation(6)))).unwrap();
    assert_eq!(upright.dimensions(), (20, 40));
    assert!(upright[(10, 5)][0] > 200 && upright[(10, 35)][2] > 200);
}

#[test]
fn damaged_exif_does_not_hide_the_picture() {
    let picture = decode(&jpeg(&two_halves(40, 20), Some(b"II*\0\xff\xff".to_vec()))).unwrap();
    assert_eq!(picture.dimensions(), (40, 20));
}

#[test]
fn a_cut_off_file_is_refused_wherever_it_ends() {
    let picture = two_halves(64, 64);
    for whole in [jpeg(&picture, Some(orientation(1))), png(&picture)] {
        // The last bytes of a PNG are its end chunk, without which the pixels are whole.
        for end in (0..whole.len() - 12).step_by(7) {
            let result = decode(&whole[..end]);
            assert!(
                matches!(result, Err(Error::Undecodable { .. })),
                "{end} of {} bytes gave {result:?}",
                whole.len()
            );
        }
    }
}

#[test]
fn a_jpeg_that_lost_only_its_last_byte_is_refused() {
    let whole = jpeg(&two_halves(64, 64), None);
    let result = decode(&whole[..whole.len() - 1]);
    assert!(matches!(result, Err(Error::Undecodable { .. })));
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [
        b"".as_slice(),
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff",
        b"P6 3 3 255\n\0",
        &[0; 4096],
    ] {
        assert!(matches!(decode(bytes), Err(Error::Undecodable { .. })));
    }
}

/// A PNG whose header promises these sides, bits a channel and colour type (PNG section 11.2.1).
fn png_promising(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let mut png = png(&two_halves(4, 4));
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    png[24..26].copy_from_slice(&[depth, colour]);
    let mut checksum = flate2::Crc::new();
    checksum.update(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    png
}

#[test]
fn a_header_that_promises_too_much_is_refused_before_decoding() {
    for (width, height) in [(60_000_u32, 60_000_u32), (MAX_SIDE + 1, 1), (8192, 8192)] {
        let ppm = format!("P6 {width} {height} 255\n");
        for bytes in [ppm.as_bytes(), &png_promising(width, height, 8, 2)] {
            let result = decode(bytes);
            assert!(
                matches!(&result, Err(Error::TooLarge { found, .. })
                    if *found == format!("{width} x {height} pixels")),
                "{result:?}"
            );
        }
    }
}

#[test]
fn sixteen_bits_a_channel_count_twice() {
    // RGBA, 51.2 million pixels: 205 MB with eight bits, 410 MB with sixteen.
    let deep = decode(&png_promising(8000, 6400, 16, 6));
    assert!(
        matches!(&deep, Err(Error::TooLarge { found, .. })
            if found == "8000 x 6400 pixels of 8 bytes"),
        "{deep:?}"
    );
    let small = image::ImageBuffer::from_fn(40, 20, |x, _| {
        Rgb([u16::try_from(x).unwrap() * 1000, 0, 65_535])
    });
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb16(small)
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .unwrap();
    assert_eq!(decode(&bytes).unwrap()[(10, 0)], Rgb([39, 0, 255]));
}

#[test]
fn a_file_beyond_the_limit_is_refused() {
    let endless = read_bounded(std::io::repeat(0), Path::new("endless"));
    assert!(matches!(endless, Err(Error::TooLarge { .. })));
}

#[test]
fn a_missing_file_is_named() {
    let error = read(Path::new("no/such/file.jpg")).unwrap_err();
    assert!(error.to_string().contains("no/such/file.jpg"), "{error}");
}
