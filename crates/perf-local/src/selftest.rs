//! `perfcalc selftest`: published worked examples, recomputed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, anyhow};
use perf_core::calculations::{Stamp, calculate, internal_rate_of_return};
use perf_core::model::{CalculationResult, IrrResult, Metric, Outcome as Figure, Problem, Word, read};
use perf_core::number::{Exact, Rounded};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::calculate::stamp;
use crate::report::{Failure, Outcome, print};

/// The files of `examples/worked`.
const FILES: [&str; 4] = [
    include_str!("../../../examples/worked/irr.json"),
    include_str!("../../../examples/worked/returns.json"),
    include_str!("../../../examples/worked/bacon.json"),
    include_str!("../../../examples/worked/risk.json"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    id: String,
    title: String,
    source: String,
    kind: Kind,
    #[serde(borrow)]
    request: &'a RawValue,
    expect: BTreeMap<String, Expected>,
    tolerance: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Calculation,
    Irr,
}

/// A partial answer: numbers and words are texts, so that no digit is lost.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Missing(()),
    Text(String),
    List(Vec<String>),
    Named(BTreeMap<String, Option<String>>),
}

/// One value that an example publishes.
struct Check {
    name: String,
    expected: String,
    got: String,
    difference: Option<f64>,
    passed: bool,
}

pub(crate) fn run() -> Outcome {
    let stamp = stamp().map_err(anyhow::Error::from)?;
    let (mut passed, mut failed) = (0, 0);
    let mut text = String::new();
    for file in FILES {
        let cases: Vec<Case<'_>> =
            serde_json::from_str(file).context("the worked examples cannot be read")?;
        for case in cases {
            let _ = writeln!(text, "{} {} ({})", case.id, case.title, case.source);
            for check in case.checks(&stamp)? {
                let _ = writeln!(text, "{}", check.line());
                *(if check.passed { &mut passed } else { &mut failed }) += 1;
            }
        }
    }
    let _ = writeln!(text, "{passed} passed, {failed} failed");
    print(&text)?;
    if failed == 0 { Ok(()) } else { Err(Failure::Checks) }
}

impl Check {
    fn line(&self) -> String {
        let verdict = if self.passed { "ok" } else { "FAILED" };
        let difference = self.difference.map(|size| format!("  difference {size:.1e}")).unwrap_or_default();
        format!("  {verdict:<6} {:<28} expected {}  got {}{difference}", self.name, self.expected, self.got)
    }

    fn words(name: String, expected: String, got: String) -> Self {
        Self { name, passed: expected == got, expected, got, difference: None }
    }

    fn number(name: String, expected: &str, got: Option<Rounded>, tolerance: &Exact) -> anyhow::Result<Self> {
        let shown = got.map_or_else(|| "null".to_owned(), |got| got.to_string());
        let wanted: Exact = expected.parse().with_context(|| format!("{name}: {expected}"))?;
        let difference = match got {
            Some(got) => Some(&got.to_string().parse::<Exact>()? - &wanted),
            None => None,
        };
        let size =
            difference.map(|difference| if difference.is_negative() { -&difference } else { difference });
        Ok(Self {
            name,
            expected: expected.to_owned(),
            got: shown,
            passed: size.as_ref().is_some_and(|size| size <= tolerance),
            difference: size.and_then(|size| size.to_string().parse().ok()),
        })
    }
}

/// An answer, whatever was asked.
enum Answer {
    Calculation(Box<CalculationResult>),
    Irr(Box<IrrResult>),
}

impl Case<'_> {
    fn checks(&self, stamp: &Stamp) -> anyhow::Result<Vec<Check>> {
        let answer = self.answer(stamp).map_err(|problem| anyhow!("{}: {}", self.id, problem.detail))?;
        let tolerance: Exact = self.tolerance.parse()?;
        let mut checks = Vec::new();
        for (name, expected) in &self.expect {
            checks.extend(answer.checks(name, expected, &tolerance)?);
        }
        Ok(checks)
    }

    fn answer(&self, stamp: &Stamp) -> Result<Answer, Problem> {
        let request = self.request.get().as_bytes();
        Ok(match self.kind {
            Kind::Calculation => {
                Answer::Calculation(Box::new(calculate(&read::calculation(request)?, stamp)?))
            }
            Kind::Irr => Answer::Irr(Box::new(internal_rate_of_return(&read::irr(request)?))),
        })
    }
}

impl Answer {
    fn checks(&self, name: &str, expected: &Expected, tolerance: &Exact) -> anyhow::Result<Vec<Check>> {
        let numbers = |expected: &[String], got: Vec<Option<Rounded>>| -> anyhow::Result<Vec<Check>> {
            let size =
                Check::words(format!("{name}.length"), expected.len().to_string(), got.len().to_string());
            let each = expected.iter().zip(got).enumerate();
            let values =
                each.map(|(i, (text, got))| Check::number(format!("{name}[{i}]"), text, got, tolerance));
            std::iter::once(Ok(size)).chain(values).collect()
        };
        let words =
            |expected: &str, got: String| vec![Check::words(name.to_owned(), expected.to_owned(), got)];
        Ok(match (name, expected) {
            ("status", Expected::Text(text)) => words(text, self.status()),
            ("roots", Expected::List(list)) => numbers(list, self.roots())?,
            ("sub_period_returns", Expected::List(list)) => numbers(list, self.sub_period_returns())?,
            ("warnings", Expected::List(list)) => words(&list.join(" "), self.warnings()),
            ("undefined" | "drawdown", Expected::Named(named)) => {
                let check = |(key, value): (&String, &Option<String>)| {
                    let expected = value.clone().unwrap_or_else(|| "null".to_owned());
                    Check::words(format!("{name}.{key}"), expected, self.word(name, key))
                };
                named.iter().map(check).collect()
            }
            (_, Expected::Missing(())) => {
                let got = self.figure(name)?.map_or_else(|_| "null".to_owned(), |value| value.to_string());
                words("null", got)
            }
            (_, Expected::Text(text)) => {
                vec![Check::number(name.to_owned(), text, self.figure(name)?.ok(), tolerance)?]
            }
            _ => return Err(anyhow!("{name}: unknown expectation")),
        })
    }

    fn figure(&self, name: &str) -> anyhow::Result<Figure> {
        match self {
            Self::Irr(irr) if name == "irr" => Some(irr.solution.rate),
            Self::Calculation(result) => {
                Metric::from_word(name).and_then(|metric| result.metrics.get(metric))
            }
            Self::Irr(_) => None,
        }
        .with_context(|| format!("{name}: unknown expectation"))
    }

    fn status(&self) -> String {
        let solution = match self {
            Self::Irr(irr) => Some(&irr.solution),
            Self::Calculation(result) => result.irr.as_ref(),
        };
        let status = solution.and_then(|solution| serde_json::to_value(solution.status).ok());
        status.and_then(|status| status.as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn roots(&self) -> Vec<Option<Rounded>> {
        match self {
            Self::Irr(irr) => irr.solution.roots.iter().map(|root| root.ok()).collect(),
            Self::Calculation(result) => {
                result.irr.iter().flat_map(|irr| &irr.roots).map(|root| root.ok()).collect()
            }
        }
    }

    fn sub_period_returns(&self) -> Vec<Option<Rounded>> {
        match self {
            Self::Irr(_) => Vec::new(),
            Self::Calculation(result) => result.sub_periods.iter().flatten().map(|row| row.rate).collect(),
        }
    }

    fn warnings(&self) -> String {
        match self {
            Self::Irr(_) => String::new(),
            Self::Calculation(result) => {
                result.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// A reason or a date.
    fn word(&self, group: &str, key: &str) -> String {
        let date = |result: &CalculationResult| match key {
            "peak_date" => result.drawdown.peak_date,
            "trough_date" => result.drawdown.trough_date,
            _ => result.drawdown.recovery_date,
        };
        match self {
            Self::Calculation(result) if group == "drawdown" => {
                date(result).map_or_else(|| "null".to_owned(), |date| date.to_string())
            }
            _ => match self.figure(key) {
                Ok(Err(reason)) => reason.as_str().to_owned(),
                _ => "a value".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_figure_is_reproduced() {
        let stamp = stamp().expect("a stamp");
        let mut failures = Vec::new();
        let mut checked = 0;
        for file in FILES {
            let cases: Vec<Case<'_>> = serde_json::from_str(file).expect("readable examples");
            for case in cases {
                let checks = case.checks(&stamp).expect("an answer");
                checked += checks.len();
                let failed = checks.iter().filter(|check| !check.passed);
                failures.extend(failed.map(|check| format!("{}: {}", case.id, check.line())));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert!(checked > 100, "only {checked} checks");
    }
}
