//! A result as a table to read.

use std::fmt::Write as _;

use perf_core::calculations::IrrStatus;
use perf_core::model::{CalculationResult, Metric, Outcome, Word};

const BENCHMARK: &str = "Against the benchmark";

/// Metrics under the question that they answer.
const SECTIONS: [(&str, &[Metric]); 4] = [
    (
        "Return",
        &[Metric::Twr, Metric::TwrAnnualized, Metric::AnnualizedReturn, Metric::Mwr, Metric::MwrPeriod],
    ),
    (
        "Risk",
        &[
            Metric::VolatilityPeriodic,
            Metric::Volatility,
            Metric::DownsideDeviation,
            Metric::MaxDrawdown,
            Metric::ValueAtRisk,
            Metric::ConditionalValueAtRisk,
            Metric::ValueAtRiskGaussian,
            Metric::Skewness,
            Metric::ExcessKurtosis,
            Metric::BestPeriod,
            Metric::WorstPeriod,
            Metric::PositivePeriods,
        ],
    ),
    (
        "Return for risk",
        &[Metric::SharpeRatio, Metric::SharpeRatioArithmetic, Metric::SortinoRatio, Metric::CalmarRatio],
    ),
    (
        BENCHMARK,
        &[
            Metric::BenchmarkReturn,
            Metric::BenchmarkAnnualizedReturn,
            Metric::ExcessReturn,
            Metric::Alpha,
            Metric::Beta,
            Metric::Correlation,
            Metric::RSquared,
            Metric::TrackingError,
            Metric::InformationRatio,
            Metric::TreynorRatio,
            Metric::UpCapture,
            Metric::DownCapture,
        ],
    ),
];

/// Metrics that are pure numbers; all others are fractions, shown as per cent.
const RATIOS: [Metric; 11] = [
    Metric::Skewness,
    Metric::ExcessKurtosis,
    Metric::SharpeRatio,
    Metric::SharpeRatioArithmetic,
    Metric::SortinoRatio,
    Metric::CalmarRatio,
    Metric::Beta,
    Metric::Correlation,
    Metric::RSquared,
    Metric::InformationRatio,
    Metric::UpCapture,
];

/// The result as lines of text.
pub(crate) fn render(result: &CalculationResult) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", heading(result));
    for (title, metrics) in SECTIONS {
        if title == BENCHMARK && result.benchmark.is_none() {
            continue;
        }
        let rows: Vec<String> =
            metrics.iter().filter_map(|metric| Some(row(*metric, result.metrics.get(*metric)?))).collect();
        if !rows.is_empty() {
            let _ = write!(text, "\n{title}\n{}", rows.concat());
        }
    }
    if let Some(irr) = result.irr.as_ref().filter(|irr| irr.status == IrrStatus::Multiple) {
        let roots: Vec<String> =
            irr.roots.iter().flatten().map(|root| format!("{} %", root.to_fixed(2, 4))).collect();
        let _ = writeln!(text, "\nNote: mwr has several solutions: {}", roots.join(", "));
    }
    for warning in &result.warnings {
        let date = warning.date.map(|date| format!(" {date}")).unwrap_or_default();
        let _ = writeln!(text, "\nNote {}{date}: {}", warning.code, warning.message);
    }
    text
}

fn heading(result: &CalculationResult) -> String {
    let mut text = String::new();
    let start = result.period.start.map_or_else(|| "?".to_owned(), |date| date.to_string());
    let days = result.period.days.map(|days| format!(", {days} days")).unwrap_or_default();
    let (entity, method) = (result.entity_type.word(), result.calculation_method.word());
    let _ = writeln!(text, "{entity} {}: {start} to {}{days}, {method}", result.entity_id, result.period.end);
    let conventions = &result.conventions;
    let _ = writeln!(
        text,
        "{}, {} periods a year, {} deviation, risk-free rate {}, minimum acceptable return {}, confidence {}",
        conventions.day_count.word(),
        conventions.periods_per_year,
        conventions.volatility.word(),
        conventions.risk_free_rate,
        conventions.minimum_acceptable_return,
        conventions.confidence_level
    );
    if let Some(money) = &result.reconciliation {
        let _ = writeln!(
            text,
            "opening {} + flows {} + gain {} = closing {}",
            money.opening_value, money.net_cash_flow, money.gain, money.closing_value
        );
    }
    if let (Some(peak), Some(trough)) = (result.drawdown.peak_date, result.drawdown.trough_date) {
        let end = result
            .drawdown
            .recovery_date
            .map_or_else(|| "not recovered".to_owned(), |date| format!("recovered {date}"));
        let _ = writeln!(text, "largest fall from {peak} to {trough}, {end}");
    }
    text
}

fn row(metric: Metric, outcome: Outcome) -> String {
    let (short, exact) = match outcome {
        Err(reason) => ("-".to_owned(), reason.as_str().to_owned()),
        Ok(value) if is_ratio(metric) => (format!("{}  ", value.to_fixed(0, 4)), value.to_string()),
        Ok(value) => (format!("{} %", value.to_fixed(2, 4)), value.to_string()),
    };
    format!("  {:<28}{short:>14}   {exact}\n", metric.word())
}

fn is_ratio(metric: Metric) -> bool {
    RATIOS.contains(&metric) || metric == Metric::DownCapture
}
