pub(super) mod document;
pub(super) mod keys;
pub(super) mod log;
