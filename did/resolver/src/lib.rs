//! DIDs of every method that Blindprint knows: create, resolve, dereference.
