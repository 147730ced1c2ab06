//! Investment performance, right to twenty digits: time-weighted and
//! money-weighted returns, risk and benchmark statistics.

pub mod calculations;
pub mod model;
pub mod number;
