pub(super) mod me;
pub(super) mod recover;
pub(super) mod rotate_key;
