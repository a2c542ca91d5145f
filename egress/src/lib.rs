//! The one client for fetches to addresses that others choose.
