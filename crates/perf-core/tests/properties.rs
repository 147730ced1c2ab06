//! What must hold for every portfolio.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use chrono::{Duration, NaiveDate};
use perf_core::calculations::{Stamp, calculate};
use perf_core::model::{
    Benchmark, BenchmarkSeries, CalculationRequest, CalculationResult, CashFlow, Data, Dated, EntityType,
    Metric, Outcome, Timing, Window,
};
use perf_core::number::{Exact, Rounded};
use proptest::prelude::*;

/// A portfolio in cents: days since the last valuation and value, and flows on
/// days after the first valuation.
#[derive(Clone, Debug)]
struct Portfolio {
    valuations: Vec<(i64, i64)>,
    flows: Vec<(usize, i64, Timing)>,
}

fn portfolio() -> impl Strategy<Value = Portfolio> {
    let timing = prop_oneof![
        Just(Timing::AfterClose),
        Just(Timing::EndOfDay),
        Just(Timing::StartOfDay),
        Just(Timing::MidDay)
    ];
    let valuations = prop::collection::vec((1_i64..40, 1_000_000_i64..2_000_000), 3..40);
    let flows = prop::collection::vec((any::<prop::sample::Index>(), -200_000_i64..200_000, timing), 0..6);
    (valuations, flows).prop_map(|(valuations, flows)| Portfolio {
        flows: flows
            .into_iter()
            .map(|(at, amount, timing)| (at.index(valuations.len()), amount, timing))
            .collect(),
        valuations,
    })
}

impl Portfolio {
    fn dates(&self) -> Vec<NaiveDate> {
        let start = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
        let steps = self.valuations.iter().scan(start, |date, (days, _)| {
            *date += Duration::days(*days);
            Some(*date)
        });
        steps.collect()
    }

    /// The request, every amount of money multiplied by `factor`.
    fn request(&self, factor: i64) -> CalculationRequest {
        let dates = self.dates();
        let money = |cents: i64| Exact::new(cents * factor, 2);
        let valuations = dates
            .iter()
            .zip(&self.valuations)
            .map(|(date, (_, cents))| Dated { date: *date, value: money(*cents) });
        let mut cash_flows: Vec<CashFlow> = self
            .flows
            .iter()
            .map(|(at, cents, timing)| CashFlow {
                timing: Some(*timing),
                ..CashFlow::new(dates[*at], money(*cents))
            })
            .collect();
        cash_flows.sort_by_key(|flow| flow.date);
        let data = Data::Valuations { valuations: valuations.collect(), cash_flows };
        let request = CalculationRequest::new(EntityType::Portfolio, "p1".parse().expect("a name"), data);
        CalculationRequest { risk_free_rate: Some(Exact::new(2, 2)), ..request }
    }
}

fn run(request: &CalculationRequest) -> CalculationResult {
    let stamp = Stamp {
        request_id: "r1".into(),
        client_id: "acme".parse().expect("a name"),
        calculated_at: "2026-01-01T00:00:00Z".into(),
        risk_free_rate: Exact::ZERO,
    };
    calculate(request, &stamp).expect("a result")
}

fn figures(request: &CalculationRequest) -> Vec<(Metric, Outcome)> {
    run(request).metrics.0
}

fn rate(request: &CalculationRequest, metric: Metric) -> Option<f64> {
    run(request).metrics.get(metric)?.ok().map(Rounded::to_f64)
}

fn between(request: &CalculationRequest, start: NaiveDate, end: NaiveDate) -> CalculationRequest {
    CalculationRequest { window: Window::Custom { start: Some(start), end: Some(end) }, ..request.clone() }
}

proptest! {
    #[test]
    fn scaling_money_leaves_every_figure_unchanged(portfolio in portfolio(), factor in 2_i64..1_000_000) {
        prop_assert_eq!(figures(&portfolio.request(1)), figures(&portfolio.request(factor)));
    }

    #[test]
    fn the_parts_of_a_period_link_to_the_whole(portfolio in portfolio(), at in any::<prop::sample::Index>()) {
        let request = portfolio.request(1);
        let dates = portfolio.dates();
        let middle = 1 + at.index(dates.len() - 2);
        let (start, cut, end) = (dates[0], dates[middle], dates[dates.len() - 1]);
        let whole = rate(&request, Metric::Twr);
        let parts = rate(&between(&request, start, cut), Metric::Twr).zip(rate(&between(&request, cut, end), Metric::Twr));
        if let (Some(whole), Some((first, second))) = (whole, parts) {
            let linked = (1.0 + first) * (1.0 + second) - 1.0;
            prop_assert!((linked - whole).abs() <= 1e-14 * (1.0 + whole.abs()), "{linked} {whole}");
        }
    }

    #[test]
    fn flows_of_nothing_change_nothing(portfolio in portfolio()) {
        let request = portfolio.request(1);
        let mut padded = request.clone();
        if let Data::Valuations { valuations, cash_flows } = &mut padded.data {
            cash_flows.extend(valuations.view().dates().iter().map(|date| CashFlow::new(*date, 0)));
            cash_flows.sort_by_key(|flow| flow.date);
        }
        prop_assert_eq!(figures(&request), figures(&padded));
    }

    #[test]
    fn a_benchmark_changes_no_figure_of_the_portfolio_itself(portfolio in portfolio(), levels in prop::collection::vec(1_i64..1000, 40)) {
        let request = portfolio.request(1);
        let rows = portfolio.dates().into_iter().zip(levels).map(|(date, level)| Dated { date, value: Exact::from(level) });
        let series = BenchmarkSeries::Values(rows.collect());
        let compared = CalculationRequest { benchmark: Some(Benchmark { id: None, series }), ..request.clone() };
        let own = |figures: Vec<(Metric, Outcome)>| -> Vec<_> {
            figures.into_iter().filter(|(metric, _)| !metric.needs_benchmark()).collect()
        };
        prop_assert_eq!(own(figures(&request)), own(figures(&compared)));
    }

    #[test]
    fn the_same_request_gives_the_same_bytes(portfolio in portfolio()) {
        let bytes = |request: &CalculationRequest| serde_json::to_string(&run(request)).expect("serializable");
        prop_assert_eq!(bytes(&portfolio.request(1)), bytes(&portfolio.request(1)));
    }

    #[test]
    fn signs_and_bounds_hold(portfolio in portfolio()) {
        let result = run(&portfolio.request(1));
        let value = |metric| result.metrics.get(metric).and_then(Result::ok).map(Rounded::to_f64);
        if let Some(drawdown) = value(Metric::MaxDrawdown) {
            prop_assert!((0.0..=1.0).contains(&drawdown));
        }
        if let Some((tail, quantile)) = value(Metric::ConditionalValueAtRisk).zip(value(Metric::ValueAtRisk)) {
            prop_assert!(tail >= quantile);
        }
        if let Some((best, worst)) = value(Metric::BestPeriod).zip(value(Metric::WorstPeriod)) {
            prop_assert!(best >= worst);
        }
        if let Some(volatility) = value(Metric::Volatility) {
            prop_assert!(volatility >= 0.0);
        }
        let money = result.reconciliation.expect("valuations were given");
        prop_assert_eq!(&(&money.opening_value + &money.net_cash_flow) + &money.gain, money.closing_value);
    }
}
