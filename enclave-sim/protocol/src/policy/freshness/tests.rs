//! A host that lies about the log, and the enclaves that it runs.
