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
use rayon::prelude::*;
use serde::Serialize;

use crate::arguments::BatchArguments;
use crate::calculate::stamp;
use crate::input::STANDARD_INPUT;
use crate::report::{Outcome, request_id};

/// Lines in memory for each job: enough that no job waits for the next round.
const LINES_PER_JOB: usize = 16;
const BUFFER_BYTES: usize = 1 << 20;

pub(crate) fn run(arguments: &BatchArguments) -> Outcome {
    let jobs = match arguments.jobs {
        Some(jobs) => usize::from(jobs),
        None => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .context("cannot start the worker threads")?;
    let (mut input, bytes) = open(&arguments.file)?;
    let progress = progress(bytes);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    loop {
        let lines = next_lines(&mut input, jobs * LINES_PER_JOB).context("cannot read the requests")?;
        if lines.is_empty() {
            break;
        }
        let answers: Vec<String> = pool.install(|| lines.par_iter().map(|line| answer(line)).collect());
        for answer in answers {
            output.write_all(answer.as_bytes())?;
            output.write_all(b"\n")?;
        }
        progress.inc(lines.iter().map(|line| line.len() as u64 + 1).sum());
    }
    output.flush()?;
    progress.finish_and_clear();
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
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

/// Up to `count` lines that are not blank, without their ends.
fn next_lines(input: &mut dyn BufRead, count: usize) -> io::Result<Vec<Vec<u8>>> {
    let mut lines = Vec::with_capacity(count);
    while lines.len() < count {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        while line.last().is_some_and(u8::is_ascii_whitespace) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    Ok(lines)
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
