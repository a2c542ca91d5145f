pub(super) mod offer;
pub(super) mod qr_code;
pub(super) mod read;
