pub(super) mod issue;
pub(super) mod status;
pub(super) mod verify;
