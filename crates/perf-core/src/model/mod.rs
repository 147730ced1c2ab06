//! What travels: requests, results, problems.

mod reason;

pub use reason::Reason;
