//! The one-machine edition's parts: every port of perf-core on one SQLite file.

pub mod assembly;
pub mod store;
pub mod system;
pub mod worker;
