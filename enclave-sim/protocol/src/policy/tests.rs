mod interleavings;
mod model;
mod refusals;
mod world;
