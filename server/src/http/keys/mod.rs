pub(super) mod crs;
pub(super) mod public_key;

mod material;
