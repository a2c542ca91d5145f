pub(super) mod cancel;
pub(super) mod certificate;
pub(super) mod export;
pub(super) mod list;
pub(super) mod open;
pub(super) mod read;
