//! Verifiable credentials, presentations and status lists: issue and verify, strictly.
