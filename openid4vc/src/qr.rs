//! Offers and requests as pictures, for a wallet on another device.

use qrcode::{
    EcLevel, QrCode,
    render::{svg, unicode},
};

use crate::{Code, Error, Result};

/// Longest text that fits (version 40, level L), in bytes.
pub const MAX_LEN: usize = 2953;

/// For a terminal of light text on a dark ground: half blocks, two modules a character.
pub fn terminal(text: &str) -> Result<String> {
    Ok(code(text)?
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build())
}

/// For a page: an SVG document.
pub fn svg(text: &str) -> Result<String> {
    Ok(code(text)?
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build())
}

fn code(text: &str) -> Result<QrCode> {
    QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| {
        Error::new(
            Code::InvalidRequest,
            "too long for a QR code: send it by reference",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_drawn() {
        let text = "a".repeat(MAX_LEN);
        assert!(terminal(&text).unwrap().lines().count() > 80);
        assert!(
            svg("openid4vp://?client_id=x")
                .unwrap()
                .starts_with("<?xml")
        );
        assert_eq!(
            svg(&format!("{text}a")).unwrap_err().kind(),
            Code::InvalidRequest
        );
    }
}
