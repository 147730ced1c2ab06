//! `perfcalc`: the command line.

fn main() {}
