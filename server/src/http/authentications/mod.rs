pub(super) mod probe;
pub(super) mod read;
pub(super) mod start;
