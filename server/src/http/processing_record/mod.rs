pub(super) mod read;
