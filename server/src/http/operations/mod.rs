pub(super) mod healthz;
pub(super) mod readyz;
pub(super) mod metrics;
