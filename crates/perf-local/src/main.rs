//! `perfcalc`: the investment performance calculator on the command line.

mod arguments;
mod batch;
mod calculate;
mod dead_letters;
mod development;
mod import;
mod input;
mod irr;
mod pipeline;
mod report;
mod selftest;
mod serve;
mod table;
mod token;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Command, Perfcalc};

fn main() -> ExitCode {
    let outcome = match Perfcalc::parse().command {
        Command::Calculate(arguments) => calculate::run(&arguments),
        Command::Irr(arguments) => irr::run(&arguments),
        Command::Batch(arguments) => batch::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::DeadLetters(arguments) => dead_letters::run(&arguments),
        Command::Selftest => selftest::run(),
    };
    report::exit(outcome)
}
