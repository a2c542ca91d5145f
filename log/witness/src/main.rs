//! Countersigns checkpoints of transparency logs, and compares what a log shows to different observers.

fn main() {}
