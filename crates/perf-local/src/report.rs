//! How a command ends.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use perf_core::model::Problem;
use serde::Serialize;

/// What a command comes to.
pub(crate) type Outcome = Result<(), Failure>;

/// Why a command did not do what it was asked for.
pub(crate) enum Failure {
    /// The input is wrong: problem JSON on standard error, exit 2.
    Input(Box<Problem>),
    /// The same, as a problem document that was written elsewhere.
    Refused(String),
    /// Checks ran and some failed; they have been printed. Exit 1.
    Checks,
    /// The machine did not play along. Exit 1.
    System(anyhow::Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Input(Box::new(problem))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::System(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error.into())
    }
}

const EXIT_INVALID_INPUT: u8 = 2;

/// Says what went wrong, where something did, and turns it into an exit status.
pub(crate) fn exit(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Input(problem)) => {
            let problem = problem.with_request_id(request_id());
            let text = serde_json::to_string_pretty(&problem).unwrap_or_else(|_| problem.detail.clone());
            say(&text);
            ExitCode::from(EXIT_INVALID_INPUT)
        }
        Err(Failure::Refused(text)) => {
            say(&text);
            ExitCode::from(EXIT_INVALID_INPUT)
        }
        Err(Failure::Checks) => ExitCode::FAILURE,
        Err(Failure::System(error)) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(Failure::System(error)) => {
            say(&format!("perfcalc: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line to standard error; there is nobody to tell if that fails.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A reader that has seen enough, as `head` does, is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// A name for one request of this process.
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Writes one JSON document and a line end to standard output.
pub(crate) fn print_json(value: &impl Serialize) -> Outcome {
    let mut text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    text.push('\n');
    print(&text)
}

/// Writes a text to standard output.
pub(crate) fn print(text: &str) -> Outcome {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(())
}
