//! `perfcalc batch`: JSON Lines in, JSON Lines out in the same order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::num::NonZero;
use std::path::Path;
use std::thread;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use perf_core::calculations::{calculate, internal_rate_of_return};
use perf_core::model::read::{Refused, batch_line};
use perf_core::model::{Problem, Request};
use serde::Serialize;

use crate::arguments::BatchArguments;
use crate::calculate::stamp;
use crate::input::STANDARD_INPUT;
use crate::pipeline::in_order;
use crate::report::{Outcome, request_id};

/// Short lines are worked on together, up to this many bytes.
const PIECE_BYTES: usize = 1 << 15;
const BUFFER_BYTES: usize = 1 << 20;

pub(crate) fn run(arguments: &BatchArguments) -> Outcome {
    let jobs = match arguments.jobs {
        Some(jobs) => usize::from(jobs),
        None => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let (mut input, bytes) = open(&arguments.file)?;
    let progress = progress(bytes);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, io::stdout());
    let deliver = |Answers { text, read }: Answers| {
        progress.inc(read);
        output.write_all(&text)
    };
    let next = || {
        let unreadable =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot read the requests: {error}"));
        Lines::read(&mut *input).map_err(unreadable)
    };
    in_order(jobs, next, |lines| lines.answers(), deliver)?;
    output.flush()?;
    progress.finish_and_clear();
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead + Send>, Option<u64>)> {
    if path.as_os_str() == STANDARD_INPUT {
        return Ok((Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin())), None));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = file.metadata().ok().map(|metadata| metadata.len());
    Ok((Box::new(BufReader::with_capacity(BUFFER_BYTES, file)), bytes))
}

/// Shown only where standard error is a terminal.
fn progress(bytes: Option<u64>) -> ProgressBar {
    let template = match bytes {
        Some(_) => "{bar:40} {percent}% of {total_bytes}, {eta} left",
        None => "{spinner} {bytes} answered, {elapsed}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = bytes.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.with_style(style)
}

/// Some lines, with their ends.
struct Lines {
    text: Vec<u8>,
    /// Length of each.
    lengths: Vec<usize>,
}

/// The answers to some lines.
struct Answers {
    text: Vec<u8>,
    /// Bytes that were answered.
    read: u64,
}

impl Lines {
    /// One line, and more while they are short; none at the end of the text.
    fn read(input: &mut dyn BufRead) -> io::Result<Option<Self>> {
        let mut lines = Self { text: Vec::new(), lengths: Vec::new() };
        while lines.text.len() < PIECE_BYTES {
            match input.read_until(b'\n', &mut lines.text)? {
                0 => break,
                length => lines.lengths.push(length),
            }
        }
        Ok((!lines.lengths.is_empty()).then_some(lines))
    }

    /// A line of JSON for each that is not blank.
    fn answers(&self) -> Answers {
        let mut answers = Answers { text: Vec::new(), read: self.text.len() as u64 };
        let mut rest = self.text.as_slice();
        for length in &self.lengths {
            let (line, after) = rest.split_at(*length);
            let line = line.trim_ascii_end();
            if !line.is_empty() {
                answers.text.extend_from_slice(answer(line).as_bytes());
                answers.text.push(b'\n');
            }
            rest = after;
        }
        answers
    }
}

#[derive(Serialize)]
struct ErrorLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    error: Problem,
}

fn answer(line: &[u8]) -> String {
    let answered = batch_line(line).and_then(|request| match request {
        Request::Calculation(request) => {
            let refused = |problem| Refused { id: request.id.clone(), problem };
            let stamp = stamp().map_err(|error| refused(Problem::internal(error.to_string())))?;
            let mut result = calculate(&request, &stamp).map_err(refused)?;
            result.kind = Some("calculation");
            json(&result).map_err(refused)
        }
        Request::Irr(request) => {
            json(&internal_rate_of_return(&request)).map_err(|problem| Refused { id: request.id, problem })
        }
    });
    answered.unwrap_or_else(|Refused { id, problem }| {
        json(&ErrorLine { id, error: problem.with_request_id(request_id()) })
            .unwrap_or_else(|problem| problem.detail)
    })
}

fn json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| Problem::internal(error.to_string()))
}
