//! Investment performance, right to twenty digits: time-weighted and
//! money-weighted returns, risk and benchmark statistics.

pub mod cache;
pub mod calculations;
pub mod config;
pub mod ledger;
mod measure;
pub mod model;
pub mod number;
#[cfg(feature = "openapi")]
mod openapi;
pub mod parallel;
pub mod ports;
pub mod retry;
pub mod services;

pub use measure::MEASURES;
