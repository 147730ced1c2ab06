//! From a request to its result.

use std::cell::LazyCell;
use std::sync::OnceLock;

use super::chain::{SubPeriod, sub_periods};
use super::day_count::days_between;
use super::facts::Facts;
use super::figures::figure;
use super::fingerprint::input_hash;
use super::irr::{self, Irr, Target};
use super::links::{Chain, Gap};
use super::resolve::{Money, Resolved, resolve};
use super::{DrawdownDates, YearFraction, money_weighted, outcome};
use crate::model::{
    BenchmarkUse, CalculationRequest, CalculationResult, Conventions, Identifier, IrrRequest, IrrResult,
    Method, Metric, Metrics, Period, Problem, Reconciliation, Stored, SubPeriodRow, UndefinedIrr, WindowName,
};
use crate::number::{Ball, Exact, Failure, Real, Rounded, Wide};

/// Version of the formulas: a change of any figure changes it.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");
/// Most sub-periods that an explained result may have.
pub const MAX_EXPLAINED_SUB_PERIODS: usize = 10_000;

/// What a calculation takes from its surroundings rather than from its request.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Name of the request.
    pub request_id: String,
    /// Tenant of the caller; the request's own `client_id` goes first.
    pub client_id: Identifier,
    /// Now, RFC 3339.
    pub calculated_at: String,
    /// Annual; for requests that do not state one.
    pub risk_free_rate: Exact,
}

/// Calculates every metric that the request asks for.
///
/// # Errors
/// A [`Problem`] with status 422 where the request's period holds too little data,
/// its benchmark does not cover the sub-periods, or an explained result would be
/// too long.
///
/// ```
/// use perf_core::calculations::{Stamp, calculate};
/// use perf_core::model::{Metric, read};
/// use perf_core::number::Exact;
/// let request = read::calculation(br#"{"entity_type": "portfolio", "entity_id": "p1",
///     "valuations": [{"date": "2023-01-01", "value": 10000}, {"date": "2023-01-02", "value": 10200},
///                    {"date": "2023-01-03", "value": 11330}],
///     "cash_flows": [{"date": "2023-01-02", "amount": 1000}]}"#)?;
/// let stamp = Stamp {
///     request_id: "r1".into(),
///     client_id: "acme".parse()?,
///     calculated_at: "2023-01-04T00:00:00Z".into(),
///     risk_free_rate: Exact::ZERO,
/// };
/// let result = calculate(&request, &stamp)?;
/// let twr = result.metrics.get(Metric::Twr).ok_or("not asked for")?;
/// assert_eq!(twr.map(|rate| rate.to_string()), Ok("0.031839285714285714286".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calculate(request: &CalculationRequest, stamp: &Stamp) -> Result<CalculationResult, Problem> {
    Prepared::new(request, stamp, None)?.calculate()
}

/// The figures of a request.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Each metric asked for, or why it has no value.
    pub metrics: Metrics,
    /// When the largest fall was.
    pub drawdown: DrawdownDates,
    /// The internal rate of return, where there is money.
    pub irr: Option<Irr>,
}

/// A request whose data is selected and cut, before any figure is computed.
#[derive(Debug)]
pub struct Prepared<'a> {
    request: &'a CalculationRequest,
    stamp: &'a Stamp,
    client_id: Identifier,
    resolved: Resolved<'a>,
    input_hash: OnceLock<String>,
    input_revision: Option<u64>,
}

impl<'a> Prepared<'a> {
    /// Selects the period and the conventions; `input_revision` is that of the
    /// ledger that the request's data comes from, where it comes from one.
    ///
    /// # Errors
    ///
    /// As [`calculate`].
    ///
    /// ```
    /// use perf_core::calculations::{Prepared, Stamp};
    /// use perf_core::model::read;
    /// use perf_core::number::Exact;
    /// let request = read::calculation(br#"{"entity_type": "portfolio", "entity_id": "p1",
    ///     "returns": [{"date": "2023-01-02", "value": "0.01"}]}"#)?;
    /// let stamp = Stamp {
    ///     request_id: "r1".into(),
    ///     client_id: "acme".parse()?,
    ///     calculated_at: "2023-01-04T00:00:00Z".into(),
    ///     risk_free_rate: Exact::ZERO,
    /// };
    /// let prepared = Prepared::new(&request, &stamp, None)?;
    /// assert_eq!(prepared.input_hash().len(), 64);
    /// assert_eq!(prepared.calculate()?.input_hash, prepared.input_hash());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        request: &'a CalculationRequest,
        stamp: &'a Stamp,
        input_revision: Option<u64>,
    ) -> Result<Self, Problem> {
        let risk_free_rate = request.risk_free_rate.as_ref().unwrap_or(&stamp.risk_free_rate);
        let resolved = resolve(request, risk_free_rate)?;
        let client_id = request.client_id.clone().unwrap_or_else(|| stamp.client_id.clone());
        Ok(Self { request, stamp, client_id, resolved, input_hash: OnceLock::new(), input_revision })
    }

    /// SHA-256 of everything that the figures depend on.
    #[must_use]
    pub fn input_hash(&self) -> &str {
        self.input_hash
            .get_or_init(|| input_hash(self.request, &self.client_id, &self.resolved, self.input_revision))
    }

    /// Every figure that the request asks for, without what a result tells of its
    /// request: no hash of the inputs is made for it.
    ///
    /// ```
    /// use perf_core::calculations::{Prepared, Stamp};
    /// use perf_core::model::{Metric, read};
    /// use perf_core::number::Exact;
    /// let request = read::calculation(br#"{"entity_type": "portfolio", "entity_id": "p1",
    ///     "returns": [{"date": "2023-01-02", "value": "0.01"}, {"date": "2023-01-03", "value": "0.02"}]}"#)?;
    /// let stamp = Stamp {
    ///     request_id: "r1".into(),
    ///     client_id: "acme".parse()?,
    ///     calculated_at: "2023-01-04T00:00:00Z".into(),
    ///     risk_free_rate: Exact::ZERO,
    /// };
    /// let figures = Prepared::new(&request, &stamp, None)?.figures();
    /// let twr = figures.metrics.get(Metric::Twr).ok_or("not asked for")?;
    /// assert_eq!(twr.map(|rate| rate.to_string()), Ok("0.0302".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Self { request, resolved, .. } = self;
        let irr =
            resolved.money.as_ref().map(|money| money_weighted::solve(money, request.options.day_count));
        let (metrics, drawdown) = metrics(request, resolved, irr.as_ref());
        Figures { metrics, drawdown, irr }
    }

    /// Calculates every metric that the request asks for.
    ///
    /// # Errors
    ///
    /// 422 where an explained result would be too long.
    pub fn calculate(&self) -> Result<CalculationResult, Problem> {
        let Self { request, stamp, resolved, .. } = self;
        let sub_periods =
            request.options.explain.then(|| explain(resolved, request.options.method)).transpose()?;
        let Figures { metrics, drawdown, irr } = self.figures();
        Ok(CalculationResult {
            id: request.id.clone(),
            kind: None,
            request_id: stamp.request_id.clone(),
            engine_version: ENGINE_VERSION,
            input_hash: self.input_hash().to_owned(),
            input_revision: self.input_revision,
            entity_type: request.entity_type,
            entity_id: request.entity_id.clone(),
            client_id: self.client_id.clone(),
            account_id: request.account_id.clone(),
            period: Period {
                start: resolved.start,
                end: resolved.end,
                days: resolved.start.map(|start| days_between(start, resolved.end)),
            },
            time_period: WindowName::of(request.window),
            calculation_method: request.options.method,
            metrics,
            conventions: conventions(request, resolved),
            drawdown,
            irr,
            reconciliation: resolved.money.as_ref().and_then(reconciliation),
            benchmark: benchmark_use(request, resolved),
            sub_periods,
            warnings: resolved.warnings.clone(),
            calculated_at: stamp.calculated_at.clone(),
            cached: false,
            stored: Stored::None,
            result_url: None,
        })
    }
}

/// Every root of the flows' internal rate of return.
///
/// ```
/// use perf_core::calculations::internal_rate_of_return;
/// use perf_core::model::read;
/// let request = read::irr(br#"{"kind": "irr", "cash_flows": [
///     {"date": "2023-01-01", "amount": -100}, {"date": "2024-01-01", "amount": 110}]}"#)?;
/// let result = internal_rate_of_return(&request);
/// assert_eq!(result.irr.map(|rate| rate.to_string()).as_deref(), Some("0.1"));
/// # Ok::<(), perf_core::model::Problem>(())
/// ```
#[must_use]
pub fn internal_rate_of_return(request: &IrrRequest) -> IrrResult {
    let first = request.cash_flows.first().map(|flow| flow.date);
    let last = request.cash_flows.last().map(|flow| flow.date);
    let years = |start, end| request.day_count.years(start, end);
    // Flows of one day come together: their time is counted once.
    let mut counted = (first, 0);
    let flows = request.cash_flows.iter().filter_map(move |flow| {
        if counted.0 != Some(flow.date) {
            counted = (Some(flow.date), years(first?, flow.date).numerator);
        }
        Some((counted.1, &flow.value))
    });
    let period = match (first, last) {
        (Some(first), Some(last)) => years(first, last),
        _ => YearFraction { numerator: 0, denominator: 1 },
    };
    let solution = irr::solve_each(flows, period, || Target::Zero);
    IrrResult {
        id: request.id.clone(),
        kind: "irr",
        irr: solution.rate.ok(),
        undefined: UndefinedIrr { irr: solution.rate.err() },
        solution,
        day_count: request.day_count,
        engine_version: ENGINE_VERSION,
    }
}

fn metrics(
    request: &CalculationRequest,
    resolved: &Resolved<'_>,
    irr: Option<&Irr>,
) -> (Metrics, DrawdownDates) {
    let wanted: Vec<Metric> = match request.options.metrics.as_slice() {
        [] => Metric::all().collect(),
        some => some.to_vec(),
    };
    let fast = Facts::<Ball>::new(&resolved.series);
    // For what the fast type leaves open, a figure at a time.
    let wide = LazyCell::new(|| Facts::<Wide>::new(&resolved.series));
    let of_returns = |metric| match outcome(figure(metric, &fast)) {
        Err(Failure::Imprecise) => outcome(figure(metric, &*wide)),
        decided => decided,
    };
    let one = |metric: &Metric| match (metric, irr) {
        (Metric::Mwr, Some(irr)) => (*metric, irr.rate),
        (Metric::MwrPeriod, Some(irr)) => (*metric, irr.period_rate),
        // The wide type leaves nothing open.
        _ => (*metric, of_returns(*metric).unwrap_or_else(|failure| Err(failure.reason()))),
    };
    let metrics = Metrics(wanted.iter().map(one).collect());
    let drawdown = match fast.drawdown() {
        Err(Failure::Imprecise) => wide.drawdown().map(|(_, dates)| *dates),
        decided => decided.map(|(_, dates)| *dates),
    };
    (metrics, drawdown.unwrap_or_default())
}

fn conventions(request: &CalculationRequest, resolved: &Resolved<'_>) -> Conventions {
    let (options, series) = (&request.options, &resolved.series);
    Conventions {
        cash_flow_timing: options.cash_flow_timing,
        volatility: options.volatility,
        periods_per_year: series.periods_per_year,
        periods_per_year_inferred: options.periods_per_year.is_none(),
        day_count: options.day_count,
        risk_free_rate: series.risk_free_rate.clone(),
        minimum_acceptable_return: series.minimum_acceptable_return.clone(),
        confidence_level: series.confidence_level.clone(),
    }
}

fn reconciliation(money: &Money<'_>) -> Option<Reconciliation> {
    let (opening, closing) = money.ends()?;
    let net_cash_flow = money.net_cash_flow();
    Some(Reconciliation {
        gain: &(&closing.value - &opening.value) - &net_cash_flow,
        opening_value: opening.value,
        closing_value: closing.value,
        net_cash_flow,
    })
}

fn benchmark_use(request: &CalculationRequest, resolved: &Resolved<'_>) -> Option<BenchmarkUse> {
    let benchmark = request.benchmark.as_ref()?;
    resolved.series.benchmark.as_ref()?;
    Some(BenchmarkUse { id: benchmark.id.clone(), pairs: resolved.series.pairs() })
}

/// The working of every sub-period: the same exact fractions that the figures use.
fn explain(resolved: &Resolved<'_>, method: Method) -> Result<Vec<SubPeriodRow>, Problem> {
    let chain = &resolved.series.chain;
    if chain.ends.len() > MAX_EXPLAINED_SUB_PERIODS {
        return Err(Problem::field(
            "/options/explain",
            "explain_too_large",
            format!("at most {MAX_EXPLAINED_SUB_PERIODS} sub-periods can be explained; narrow the period"),
        ));
    }
    let cut = |money: &Money<'_>| sub_periods(money.valuations, &money.flows, method);
    let money = resolved.money.as_ref().map(cut).unwrap_or_default();
    let mut start = resolved.start;
    let mut rows = Vec::with_capacity(chain.ends.len());
    for (index, end) in chain.ends.iter().enumerate() {
        let benchmark = resolved.series.benchmark.as_ref().filter(|links| !links.is_missing(index));
        let benchmark = benchmark.and_then(|benchmark| benchmark.links.get(index));
        rows.push(SubPeriodRow {
            start,
            benchmark_return: benchmark
                .and_then(|link| rounded(|| link.rate::<Ball>(), || link.rate::<Wide>())),
            ..working(chain, index, money.get(index))
        });
        start = Some(*end);
    }
    Ok(rows)
}

fn working(chain: &Chain, index: usize, period: Option<&SubPeriod>) -> SubPeriodRow {
    let weighted = |period: &SubPeriod| {
        rounded(|| period.weighted_cash_flow::<Ball>(), || period.weighted_cash_flow::<Wide>())
    };
    let gap = chain.gap(index);
    let link = chain.links.get(index).filter(|_| gap.is_none());
    SubPeriodRow {
        start: None,
        end: chain.ends.get(index).copied().unwrap_or_default(),
        beginning_value: period.map(|period| period.beginning_value.clone()),
        net_cash_flow: period.map(|period| period.net_cash_flow.clone()),
        weighted_cash_flow: period.and_then(weighted),
        ending_value: period.map(|period| period.ending_value.clone()),
        rate: link.and_then(|link| rounded(|| link.rate::<Ball>(), || link.rate::<Wide>())),
        undefined: gap.map(|gap| match gap {
            Gap::Idle => "idle_sub_period",
            Gap::NoCapital => "non_positive_capital",
        }),
        benchmark_return: None,
    }
}

/// A value rounded on the fast type, or where that leaves the last digit open on the wide one.
fn rounded(fast: impl Fn() -> Ball, wide: impl Fn() -> Wide) -> Option<Rounded> {
    fast().round().or_else(|_| wide().round()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Benchmark, BenchmarkSeries, Data, Dated, EntityType, Method, Outcome, TimeSeries, read,
    };
    use crate::number::Figure;
    use proptest::prelude::*;

    fn request(valuations: TimeSeries, risk_free: i64) -> CalculationRequest {
        let data = Data::Valuations { valuations, cash_flows: Vec::new() };
        let request = CalculationRequest::new(EntityType::Portfolio, "p1".parse().expect("a name"), data);
        CalculationRequest { risk_free_rate: Some(Exact::new(risk_free, 2)), ..request }
    }

    /// Every metric on one type of number.
    fn each<R: Real>(request: &CalculationRequest) -> Vec<(Metric, Figure<Outcome>)> {
        let resolved = resolve(request, &Exact::ZERO).expect("a series");
        let facts = Facts::<R>::new(&resolved.series);
        Metric::all().map(|metric| (metric, outcome(figure(metric, &facts)))).collect()
    }

    proptest! {
        #[test]
        fn the_fast_type_gives_the_wide_types_digits(
            cents in prop::collection::vec(100_000_i64..200_000, 2..30), gap in 1_i64..40, risk_free in 0_i64..5,
        ) {
            let start = chrono::NaiveDate::from_ymd_opt(2020, 1, 31).expect("a date");
            let row = |(i, cents): (i64, i64)| Dated {
                date: start + chrono::Duration::days(i * gap),
                value: Exact::new(cents, 2),
            };
            let request = request((0..).zip(cents).map(row).collect(), risk_free);
            let (fast, wide) = (each::<Ball>(&request), each::<Wide>(&request));
            for (fast, wide) in fast.into_iter().zip(wide) {
                prop_assert!(fast == wide || fast.1 == Err(Failure::Imprecise), "{fast:?} {wide:?}");
            }
        }
    }

    /// The numerator and the denominator of the benchmark's one return have thousands of digits.
    #[test]
    fn a_benchmark_that_is_compounded_from_many_returns_has_a_sign() {
        let start = chrono::NaiveDate::from_ymd_opt(2020, 1, 31).expect("a date");
        let rows = |value: &dyn Fn(i64) -> Exact| -> TimeSeries {
            start.iter_days().zip(0..200).map(|(date, day)| Dated { date, value: value(day) }).collect()
        };
        let of = |sign: i64| {
            let mut request = request(rows(&|day| Exact::new(1_000 + sign * day, 0)), 2);
            request.options.method = Method::ModifiedDietz;
            let returns = rows(&|day| Exact::new(sign * (123_456_789_012 + day), 17));
            let returns = returns.view().iter().skip(1).collect();
            request.benchmark = Some(Benchmark { id: None, series: BenchmarkSeries::Returns(returns) });
            request
        };
        for (sign, metric) in [(1, Metric::UpCapture), (-1, Metric::DownCapture)] {
            let [fast, wide] = [each::<Ball>(&of(sign)), each::<Wide>(&of(sign))].map(|all| {
                all.into_iter()
                    .find_map(|(own, figure)| (own == metric).then_some(figure))
                    .expect("each metric")
            });
            assert!(matches!(wide, Ok(Ok(_))), "{metric:?} {wide:?}");
            assert!(fast == wide || fast == Err(Failure::Imprecise), "{metric:?} {fast:?} {wide:?}");
        }
    }

    fn supplied(returns: &[i64]) -> TimeSeries {
        let start = chrono::NaiveDate::from_ymd_opt(2020, 1, 31).expect("a date");
        let rows = start.iter_days().zip(returns);
        rows.map(|(date, millionths)| Dated { date, value: Exact::new(*millionths, 6) }).collect()
    }

    /// The deviation of r − b from sums that are known, and from the differences.
    fn active_deviations<R: Real>(series: &super::super::facts::Series) -> Option<[Figure<Rounded>; 2]> {
        let facts = Facts::<R>::new(series);
        let (pairs, moments) = (facts.pairs().expect("pairs"), facts.moments().ok()?);
        let known = moments.active_deviation(series.deviation, pairs.largest())?;
        let round = |figure: Figure<R>| figure.and_then(|deviation| deviation.round());
        Some([round(known), round(pairs.active_deviation(series.deviation))])
    }

    proptest! {
        #[test]
        fn the_active_deviation_is_the_same_from_sums_that_are_known(
            returns in prop::collection::vec((-100_000_i64..100_000, -20_000_i64..20_000), 2..40),
            common in 0_i64..5,
        ) {
            let (r, b): (Vec<i64>, Vec<i64>) =
                returns.into_iter().map(|(own, other)| (own, common * own / 4 + other)).unzip();
            let data = Data::Returns(supplied(&r));
            let request = CalculationRequest::new(EntityType::Portfolio, "p1".parse().expect("a name"), data);
            let series = BenchmarkSeries::Returns(supplied(&b));
            let benchmark = Some(Benchmark { id: None, series });
            let request = CalculationRequest { benchmark, ..request };
            let resolved = resolve(&request, &Exact::ZERO).expect("a series");
            if let Some([known, direct]) = active_deviations::<Wide>(&resolved.series) {
                prop_assert_eq!(known, direct);
                let fast = active_deviations::<Ball>(&resolved.series).expect("as clear");
                for deviation in fast {
                    prop_assert!(deviation == direct || deviation == Err(Failure::Imprecise));
                }
            }
        }
    }

    #[test]
    fn the_sample_portfolio_needs_no_wide_arithmetic() {
        let text = include_bytes!("../../../../examples/portfolio-5y/request.json");
        let request = read::calculation(text).expect("a request");
        assert_eq!(each::<Ball>(&request), each::<Wide>(&request));
    }

    #[test]
    fn returning_to_the_start_is_exactly_zero() {
        let rows = |values: [i64; 3]| {
            let dates = ["2023-01-01", "2023-01-02", "2023-01-03"];
            dates
                .into_iter()
                .zip(values)
                .map(|(date, value)| Dated { date: date.parse().expect("a date"), value: value.into() })
        };
        let request = request(rows([100, 110, 100]).collect(), 0);
        for all in [each::<Ball>(&request), each::<Wide>(&request)] {
            assert!(all.contains(&(Metric::Twr, Ok(Ok(Rounded::ZERO)))), "{all:?}");
        }
        let stamp = Stamp {
            request_id: "r1".to_owned(),
            client_id: "c1".parse().expect("a name"),
            calculated_at: "2024-01-01T00:00:00Z".to_owned(),
            risk_free_rate: Exact::ZERO,
        };
        // Two returns are as far from their mean on either side, which only the wide type tells.
        let figures = Prepared::new(&request, &stamp, None).expect("a series").figures();
        assert_eq!(figures.metrics.get(Metric::Skewness), Some(Ok(Rounded::ZERO)));
    }
}
