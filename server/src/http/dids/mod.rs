pub(super) mod append;
pub(super) mod document;
pub(super) mod host;
pub(super) mod list;
pub(super) mod log;

use blindprint_core::wire;

use crate::domain;

/// What the caller learns of a hosted log.
fn summary(hosted: domain::HostedDid) -> wire::HostedDid {
    wire::HostedDid {
        name: hosted.name.to_string(),
        did: hosted.did,
        entries: hosted.entries,
        deactivated: hosted.document.is_none(),
    }
}
