mod interleavings;
mod lying_host;
mod model;
mod refusals;
mod world;
