//! `perfcalc irr`.

use perf_core::calculations::internal_rate_of_return;
use perf_core::model::read;

use crate::arguments::FileArguments;
use crate::input;
use crate::report::{Outcome, print_json};

pub(crate) fn run(arguments: &FileArguments) -> Outcome {
    let request = read::irr(&input::read(&arguments.file)?)?;
    print_json(&internal_rate_of_return(&request))
}
