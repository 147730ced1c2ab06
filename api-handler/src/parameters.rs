//! The query string of a request.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use perf_core::model::{FieldError, Identifier, Metric, Problem, WindowName, Word};
use perf_core::ports::ResultFilter;
use perf_core::services::ResultQuery;

use crate::refusal::Refusal;
use crate::state::ApiState;

/// Most parameters that are looked at.
const PARAMETERS_MAX: usize = 16;

/// Parameters that no handler has asked for yet, and what was wrong with the others.
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl FromRequestParts<ApiState> for Parameters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Refusal> {
        let read = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let malformed = || Problem::field("", "malformed_query", "expected name=value&name=value");
        let Query(given) = read.map_err(|_| malformed())?;
        if given.len() > PARAMETERS_MAX {
            let message = format!("expected at most {PARAMETERS_MAX} parameters");
            return Err(Problem::field("", "too_many_items", message).into());
        }
        Ok(Self { given, errors: Vec::new() })
    }
}

impl Parameters {
    fn fail(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError { pointer: format!("/{name}"), code, message: message.into() });
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.given.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        let first = values.next();
        if values.next().is_some() {
            drop(values);
            self.fail(name, "duplicate_field", format!("expected {name} only once"));
        }
        first
    }

    fn parsed<T: FromStr>(&mut self, name: &str, code: &'static str, expected: &str) -> Option<T> {
        let value = self.text(name)?.parse().ok();
        if value.is_none() {
            self.fail(name, code, format!("expected {expected}"));
        }
        value
    }

    fn word<T: Word>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let word = T::from_word(&text);
        if word.is_none() {
            let words: Vec<&str> = T::WORDS.iter().map(|(_, word)| *word).collect();
            self.fail(name, "unknown_value", format!("expected one of {}", words.join(", ")));
        }
        word
    }

    /// Part and page of a list of results.
    pub(crate) fn results(&mut self) -> ResultQuery {
        let day = "an existing day as YYYY-MM-DD";
        ResultQuery {
            filter: ResultFilter {
                from: self.parsed("from", "not_a_date", day),
                to: self.parsed("to", "not_a_date", day),
                time_period: self.window(),
            },
            ..self.page()
        }
    }

    /// Page of a list.
    pub(crate) fn page(&mut self) -> ResultQuery {
        ResultQuery {
            limit: self.parsed("limit", "number_out_of_range", "a whole number from 1 to 100"),
            cursor: self.text("cursor"),
            ..ResultQuery::default()
        }
    }

    fn window(&mut self) -> Option<WindowName> {
        let text = self.text("time_period")?;
        let window = WindowName::from_word(&text);
        if window.is_none() {
            self.fail("time_period", "unknown_value", "expected a standing window such as YTD, or CUSTOM");
        }
        window
    }

    /// The metric of a series.
    pub(crate) fn metric(&mut self) -> Option<Metric> {
        let is_given = self.given.iter().any(|(name, _)| name == "metric");
        if !is_given {
            self.fail("metric", "missing_field", "expected the parameter metric: add it");
        }
        self.word("metric")
    }

    /// The tenant that an administrator asks about.
    pub(crate) fn client_id(&mut self) -> Option<Identifier> {
        self.parsed("client_id", "invalid_identifier", "1 to 128 characters of A-Z a-z 0-9 . _ : -")
    }

    /// Refuses what was wrong, and what nobody has asked for.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.given) {
            let name: String = name.chars().take(64).collect();
            self.fail(&name, "unknown_field", "this route has no such parameter");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}
