pub(super) mod enrol;
pub(super) mod erase;
