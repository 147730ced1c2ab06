//! What must hold between the parts of a request, and the ranges of its numbers.

use chrono::NaiveDate;

use crate::model::Options;
use crate::number::Exact;

use super::draft::{BenchmarkDraft, Draft, WindowDraft};
use super::errors::Errors;
use super::fault::Fault;
use super::series::Series;

/// Checks everything that goes beyond a single value.
pub(super) fn draft(draft: &Draft, errors: &mut Errors) {
    window(&draft.window, errors);
    data(draft, errors);
    if let Some(benchmark) = &draft.benchmark {
        self::benchmark(benchmark, errors);
    }
    if let Some(rate) = &draft.risk_free_rate {
        above_minus_one("/risk_free_rate", rate, errors);
    }
    options(&draft.options, errors);
}

fn conflict(pointer: &str, message: &str, errors: &mut Errors) {
    errors.add(pointer, Fault::new("conflicting_fields", message));
}

pub(super) fn window(window: &WindowDraft, errors: &mut Errors) {
    if window.period.is_some() && window.time_period.is_some() {
        conflict("/time_period", "expected either period or time_period: remove one of them", errors);
    }
    if window.as_of.is_some() && window.time_period.is_none() {
        conflict("/as_of", "expected time_period beside as_of: add it or remove as_of", errors);
    }
    if let Some((Some(start), Some(end))) = window.period
        && start >= end
    {
        let message = "expected start before end: no time passes otherwise";
        errors.add("/period", Fault::new("period_reversed", message));
    }
}

fn data(draft: &Draft, errors: &mut Errors) {
    if draft.valuations.is_some() && draft.returns.is_some() {
        conflict("/returns", "expected either valuations or returns: remove one of them", errors);
    }
    if draft.cash_flows.is_some() && draft.returns.is_some() {
        conflict("/cash_flows", "expected no cash_flows beside returns: remove one of them", errors);
    } else if draft.cash_flows.is_some() && draft.valuations.is_none() {
        conflict(
            "/cash_flows",
            "expected valuations beside cash_flows: add them or remove the flows",
            errors,
        );
    }
    if let Some(valuations) = &draft.valuations {
        at_least(2, valuations, "too_few_valuations", errors);
        distinct_dates(valuations, errors);
    }
    if let Some(returns) = &draft.returns {
        at_least(1, returns, "too_few_returns", errors);
        distinct_dates(returns, errors);
    }
    if let (Some(valuations), Some(flows)) = (&draft.valuations, &draft.cash_flows) {
        flows_within(valuations, flows, errors);
    }
}

fn benchmark(benchmark: &BenchmarkDraft, errors: &mut Errors) {
    match (&benchmark.values, &benchmark.returns) {
        (Some(_), Some(_)) => {
            conflict("/benchmark", "expected either values or returns: remove one of them", errors);
        }
        (None, None) => {
            let message = "expected the field values or returns: add one of them";
            errors.add("/benchmark", Fault::new("missing_field", message));
        }
        _ => {}
    }
    for series in benchmark.values.iter().chain(&benchmark.returns) {
        at_least(1, series, "too_few_items", errors);
        distinct_dates(series, errors);
    }
    if let Some(values) = &benchmark.values {
        positive(values, errors);
    }
}

/// Checks that a series has enough rows, where all of them are known.
pub(super) fn at_least(least: usize, series: &Series, code: &'static str, errors: &mut Errors) {
    if series.complete && series.rows.len() < least {
        let plural = if least == 1 { "" } else { "s" };
        let message =
            format!("expected at least {least} row{plural}, not {}{}", series.rows.len(), series.source());
        errors.add(series.shape.pointer, Fault::new(code, message));
    }
}

/// Checks that each date comes once; a later row of the document is the wrong one.
pub(super) fn distinct_dates(series: &Series, errors: &mut Errors) {
    // As most series are written; a date that could not be read counts as the earliest.
    if series.rows.is_sorted_by(|a, b| a.date < b.date) {
        return;
    }
    let mut dates: Vec<(NaiveDate, usize)> =
        series.rows.iter().enumerate().filter_map(|(index, row)| Some((row.date?, index))).collect();
    dates.sort_unstable();
    let mut repeated: Vec<(usize, usize)> = Vec::new();
    for days in dates.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, first), later @ ..] = days {
            repeated.extend(later.iter().map(|(_, index)| (*index, *first)));
        }
    }
    repeated.sort_unstable();
    for (index, first) in repeated {
        errors.add_with("duplicate_date", || {
            let message = format!(
                "expected each date once, and {}{} has this one: remove one of the two{}",
                series.date_pointer(first),
                series.origin(first),
                series.origin(index)
            );
            (series.date_pointer(index), message)
        });
    }
}

fn flows_within(valuations: &Series, flows: &Series, errors: &mut Errors) {
    let Some((first, last)) = valuations.span() else {
        return;
    };
    for (index, row) in flows.rows.iter().enumerate() {
        if row.date.is_some_and(|date| date < first || date > last) {
            errors.add_with("flow_outside_valuations", || {
                let message = format!(
                    "expected a date from {first} to {last}, the first and the last valuation{}",
                    flows.origin(index)
                );
                (flows.date_pointer(index), message)
            });
        }
    }
}

fn positive(series: &Series, errors: &mut Errors) {
    for (index, row) in series.rows.iter().enumerate() {
        if row.value.as_ref().is_some_and(|value| *value <= Exact::ZERO) {
            errors.add_with("not_positive", || {
                let message = format!("expected an index level above zero{}", series.origin(index));
                (series.value_pointer(index), message)
            });
        }
    }
}

fn above_minus_one(pointer: &str, rate: &Exact, errors: &mut Errors) {
    if *rate <= Exact::new(-1, 0) {
        let message = "expected a rate above -1, as a fraction (0.02 is 2 %)";
        errors.add(pointer, Fault::new("number_out_of_range", message));
    }
}

fn options(options: &Options, errors: &mut Errors) {
    above_minus_one("/options/minimum_acceptable_return", &options.minimum_acceptable_return, errors);
    let confidence = &options.confidence_level;
    if *confidence <= Exact::new(5, 1) || *confidence >= Exact::new(1, 0) {
        let fault = Fault::new("number_out_of_range", "expected a number above 0.5 and below 1");
        errors.add("/options/confidence_level", fault);
    }
}
