//! From bytes of a file to upright RGB pixels, within bounds that hold before any pixel is decoded.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage, metadata::Orientation,
};

use crate::Error;

/// Largest picture file, in bytes.
pub const MAX_FILE_BYTES: u64 = 32 << 20;
/// Longest side of a picture, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Most pixels of a picture: today's phone cameras give 50 million.
pub const MAX_PIXELS: u64 = 52_000_000;
/// Most bytes that a picture's pixels take as the file stores them, decoded: the largest picture
/// with four channels of eight bits, a smaller one with sixteen.
const MAX_DECODED_BYTES: u64 = 4 * MAX_PIXELS;

/// Reads a picture file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    if path == Path::new("-") {
        read_bounded(std::io::stdin().lock(), path)
    } else {
        let file = File::open(path).map_err(|source| unreadable(path, source))?;
        read_bounded(file, path)
    }
}

fn read_bounded(reader: impl Read, path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| unreadable(path, source))?;
    check_file_size(&bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn check_file_size(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::TooLarge {
            what: "file",
            found: format!("more than {} MiB", MAX_FILE_BYTES >> 20),
            limit: format!("{} MiB", MAX_FILE_BYTES >> 20),
        });
    }
    Ok(())
}

/// Refuses a picture by its dimensions.
pub(crate) fn check_dimensions(width: u32, height: u32) -> Result<(), Error> {
    if width == 0 || height == 0 {
        return Err(Error::Undecodable {
            reason: "it has no pixels".to_owned(),
        });
    }
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Error::TooLarge {
            what: "picture",
            found: format!("{width} x {height} pixels"),
            limit: format!("{MAX_SIDE} a side and {MAX_PIXELS} in all"),
        });
    }
    Ok(())
}

/// Decodes a JPEG, PNG or PPM picture, whatever its file is called, and turns it upright as its
/// EXIF orientation says.
///
/// # Errors
/// [`Error::TooLarge`] or [`Error::Undecodable`].
pub fn decode(bytes: &[u8]) -> Result<RgbImage, Error> {
    check_file_size(bytes)?;
    let undecodable = |reason: &dyn std::fmt::Display| Error::Undecodable {
        reason: reason.to_string(),
    };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| undecodable(&e))?;
    match reader.format() {
        Some(ImageFormat::Jpeg) => check_jpeg_is_whole(bytes)?,
        Some(ImageFormat::Png | ImageFormat::Pnm) => {}
        _ => return Err(undecodable(&"the format is another one")),
    }
    // The decoder's default limit on memory stays on; dimensions are ours to name in the message.
    let mut decoder = reader.into_decoder().map_err(|e| undecodable(&e))?;
    let (width, height) = decoder.dimensions();
    check_dimensions(width, height)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        let bytes_per_pixel = decoder.color_type().bytes_per_pixel();
        return Err(Error::TooLarge {
            what: "picture",
            found: format!("{width} x {height} pixels of {bytes_per_pixel} bytes"),
            limit: format!("{MAX_DECODED_BYTES} bytes in all"),
        });
    }
    // Damaged EXIF says nothing about how the pixels lie.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|e| undecodable(&e))?;
    // Turned when it is at its smallest, since turning takes a second copy.
    let mut picture = DynamicImage::ImageRgb8(picture.into_rgb8());
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// The decoder fills what is missing from a cut-off JPEG with grey; such a face must be refused.
///
/// Walks the marker segments (ITU-T T.81, B.1.1) up to the first scan, so that the end marker of
/// an embedded thumbnail does not count, and then looks for the picture's own end marker.
fn check_jpeg_is_whole(bytes: &[u8]) -> Result<(), Error> {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let cut_off = || Error::Undecodable {
        reason: "the JPEG data ends early".to_owned(),
    };
    let mut at = 2;
    loop {
        let &[0xFF, marker, high, low] = bytes.get(at..at + 4).ok_or_else(cut_off)? else {
            return Err(Error::Undecodable {
                reason: format!("no JPEG marker at byte {at}"),
            });
        };
        if marker == 0xFF {
            at += 1; // A fill byte.
            continue;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN {
            break;
        }
    }
    let scans = bytes.get(at..).ok_or_else(cut_off)?;
    if scans.windows(2).any(|pair| pair == END_OF_IMAGE) {
        Ok(())
    } else {
        Err(cut_off())
    }
}

#[cfg(test)]
mod tests;
