pub(super) mod ask;
pub(super) mod read;
