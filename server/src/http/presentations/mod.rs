pub(super) mod verify;
