pub(super) mod me;
pub(super) mod rotate_key;
pub(super) mod recover;
