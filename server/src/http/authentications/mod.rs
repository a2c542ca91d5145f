pub(super) mod start;
pub(super) mod probe;
pub(super) mod read;
