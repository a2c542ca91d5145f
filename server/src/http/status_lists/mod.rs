pub(super) mod credential;
pub(super) mod token;
