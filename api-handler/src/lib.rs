//! The HTTP surface of the calculator.

pub mod auth;
