pub(super) mod checkpoint;
pub(super) mod consistency;
pub(super) mod describe;
pub(super) mod entries;
pub(super) mod inclusion;
pub(super) mod proof;
pub(super) mod tile;
