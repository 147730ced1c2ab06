//! Times the engine from memory: `workloads FOLDER NAME ROUNDS` prints a JSON object. FOLDER is what
//! `bench/data.py` writes; NAME is `w1`, `w2`, `w2-all`, `w3`, `w4`, `w4-large` or `growth`. `workloads read FILE
//! ROUNDS` times the reading of a request. Requests are built outside of what is timed.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{Days, NaiveDate};
use perf_core::calculations::{Figures, Prepared, Stamp, calculate, internal_rate_of_return};
use perf_core::model::{
    Benchmark, BenchmarkSeries, CalculationRequest, CashFlow, Data, Dated, EntityType, IrrRequest, Metric,
    Metrics, TimeSeries, read,
};
use perf_core::number::Exact;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Days of a portfolio of the second workload, and its flows.
const DAYS: usize = 1_260;
const FLOWS: usize = 60;
/// Requests that are in memory at a time.
const CHUNK: usize = 500;
const SETS_CHUNK: usize = 20_000;
/// What the peers compute.
const TEN: [&str; 10] = [
    "twr",
    "mwr",
    "volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown",
    "beta",
    "alpha",
    "tracking_error",
    "information_ratio",
];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, rounds] = arguments.as_slice() else {
        return Err("expected a folder, the name of a workload and a number of rounds".into());
    };
    let rounds: usize = rounds.parse()?;
    let found =
        if folder == "read" { reading(Path::new(name), rounds)? } else { workload(folder, name, rounds)? };
    println!("{found}");
    Ok(())
}

fn workload(folder: &str, name: &str, rounds: usize) -> Outcome<Value> {
    let folder = Path::new(folder);
    match name {
        "w1" => one_portfolio(&folder.join("w1"), rounds),
        "w2" => many_portfolios(&folder.join("w2"), &Metric::all().filter(is_one_of_ten).collect::<Vec<_>>()),
        "w2-all" => many_portfolios(&folder.join("w2"), &[]),
        "w3" => assets(&folder.join("w3"), rounds),
        "w4" => many_sets(&folder.join("w4")),
        "w4-large" => one_large_set(&folder.join("w4"), rounds),
        "growth" => growth(&folder.join("w1"), rounds),
        _ => Err(format!("no workload {name}").into()),
    }
}

fn is_one_of_ten(metric: &Metric) -> bool {
    serde_json::to_value(metric).is_ok_and(|word| TEN.iter().any(|name| word == *name))
}

/// What is timed: the figures of a request.
fn figures(request: &CalculationRequest, stamp: &Stamp) -> Outcome<Figures> {
    Ok(Prepared::new(request, stamp, None).map_err(|problem| problem.detail)?.figures())
}

/// Figures as text: a JSON number would be read back as an `f64`.
fn told(metrics: &Metrics) -> Outcome<Value> {
    let mut found = serde_json::Map::new();
    for (metric, outcome) in &metrics.0 {
        let name = serde_json::to_value(metric)?;
        found.insert(
            name.as_str().unwrap_or_default().to_owned(),
            json!(outcome.ok().map(|rate| rate.to_string())),
        );
    }
    Ok(found.into())
}

fn stamp() -> Outcome<Stamp> {
    Ok(Stamp {
        request_id: "r".into(),
        client_id: "c".parse()?,
        calculated_at: "2024-01-01T00:00:00Z".into(),
        risk_free_rate: Exact::new(2, 2),
    })
}

/// Median nanoseconds.
fn median(rounds: usize, mut work: impl FnMut() -> Outcome<()>) -> Outcome<u64> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        work()?;
        times.push(u64::try_from(start.elapsed().as_nanos())?);
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn day(days_since_1970: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(1970, 1, 1).unwrap_or_default()
        + Days::new(u64::from(days_since_1970.unsigned_abs()))
}

/// The decimal that an `f64` was read from.
fn shortest(value: f64) -> Outcome<Exact> {
    Ok(value.to_string().parse()?)
}

/// Rows of a CSV file without its header.
fn rows(path: &Path) -> Outcome<Vec<Vec<String>>> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect())
}

fn cell(row: &[String], column: usize) -> Outcome<&str> {
    Ok(row.get(column).ok_or("a row is too short")?)
}

fn column<T: FromIterator<Dated>>(rows: &[Vec<String>], column: usize) -> Outcome<T> {
    let dated =
        |row: &Vec<String>| Ok(Dated { date: cell(row, 0)?.parse()?, value: cell(row, column)?.parse()? });
    rows.iter().map(dated).collect()
}

fn portfolio(
    valuations: TimeSeries,
    cash_flows: Vec<CashFlow>,
    benchmark: TimeSeries,
) -> Outcome<CalculationRequest> {
    let data = Data::Valuations { valuations, cash_flows };
    let request = CalculationRequest::new(EntityType::Portfolio, "p".parse()?, data);
    let benchmark = Some(Benchmark { id: None, series: BenchmarkSeries::Returns(benchmark) });
    Ok(CalculationRequest { benchmark, ..request })
}

fn first_workload(folder: &Path) -> Outcome<CalculationRequest> {
    let read = |name: &str| rows(&folder.join(name));
    let flows: Vec<Dated> = column(&read("flows.csv")?, 1)?;
    let flows = flows.into_iter().map(|row| CashFlow { date: row.date, amount: row.value, timing: None });
    portfolio(column(&read("valuations.csv")?, 1)?, flows.collect(), column(&read("benchmark.csv")?, 1)?)
}

fn one_portfolio(folder: &Path, rounds: usize) -> Outcome<Value> {
    let (request, stamp) = (first_workload(folder)?, stamp()?);
    let whole = median(rounds, || black_box(figures(&request, &stamp)).map(drop))?;
    let result = median(rounds, || {
        black_box(calculate(&request, &stamp)).map(drop).map_err(|problem| problem.detail.into())
    })?;
    let figures = figures(&request, &stamp)?;
    Ok(json!({"nanoseconds": whole, "with_hash_and_result": result, "figures": told(&figures.metrics)?}))
}

fn reading(path: &Path, rounds: usize) -> Outcome<Value> {
    let text = fs::read(path)?;
    let once = || black_box(read::calculation(&text)).map(drop).map_err(|problem| problem.detail.into());
    Ok(json!({"nanoseconds": median(rounds, once)?, "bytes": text.len()}))
}

/// Little-endian numbers of a file.
fn numbers<const N: usize, T>(path: PathBuf, number: fn([u8; N]) -> T) -> Outcome<Vec<T>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect())
}

fn cents(amount: f64) -> Exact {
    Exact::new((amount * 100.0).round() as i64, 2)
}

/// The second workload, as its files hold it.
struct Portfolios {
    values: Vec<f64>,
    flow_days: Vec<i32>,
    flow_amounts: Vec<f64>,
    starts: Vec<i32>,
    calendar: Vec<i32>,
    benchmark: Vec<Exact>,
}

impl Portfolios {
    fn read(folder: &Path) -> Outcome<Self> {
        let benchmark = numbers(folder.join("benchmark_ret.f64"), f64::from_le_bytes)?;
        Ok(Self {
            values: numbers(folder.join("values.f64"), f64::from_le_bytes)?,
            flow_days: numbers(folder.join("flow_pos.i32"), i32::from_le_bytes)?,
            flow_amounts: numbers(folder.join("flow_amt.f64"), f64::from_le_bytes)?,
            starts: numbers(folder.join("start.i32"), i32::from_le_bytes)?,
            calendar: numbers(folder.join("calendar_days.i32"), i32::from_le_bytes)?,
            benchmark: benchmark.into_iter().map(shortest).collect::<Outcome<_>>()?,
        })
    }

    fn request(&self, index: usize, metrics: &[Metric]) -> Outcome<CalculationRequest> {
        let start = usize::try_from(*self.starts.get(index).ok_or("no such portfolio")?)?;
        let days = self.calendar.get(start..start + DAYS).ok_or("the calendar is too short")?;
        let of = |values: &[f64], count: usize| {
            values.get(index * count..(index + 1) * count).map(<[f64]>::to_vec)
        };
        let values = of(&self.values, DAYS).ok_or("no values")?;
        let valuations =
            days.iter().zip(values).map(|(date, value)| Dated { date: day(*date), value: cents(value) });
        let amounts = of(&self.flow_amounts, FLOWS).ok_or("no flows")?;
        let places = self.flow_days.get(index * FLOWS..(index + 1) * FLOWS).ok_or("no flows")?;
        let date = |place: &i32| usize::try_from(*place).ok().and_then(|place| days.get(place)).copied();
        let flows = places.iter().zip(amounts).filter_map(|(place, amount)| {
            Some(CashFlow { date: day(date(place)?), amount: cents(amount), timing: None })
        });
        let returns = self.benchmark.get(start..start + DAYS - 1).ok_or("no benchmark")?;
        let benchmark = days
            .iter()
            .skip(1)
            .zip(returns)
            .map(|(date, value)| Dated { date: day(*date), value: value.clone() });
        let mut request = portfolio(valuations.collect(), flows.collect(), benchmark.collect())?;
        metrics.clone_into(&mut request.options.metrics);
        Ok(request)
    }
}

fn many_portfolios(folder: &Path, metrics: &[Metric]) -> Outcome<Value> {
    let (portfolios, stamp) = (Portfolios::read(folder)?, stamp()?);
    let (mut seconds, mut first) = (0.0, Value::Null);
    for chunk in (0..portfolios.starts.len()).collect::<Vec<_>>().chunks(CHUNK) {
        let requests =
            chunk.iter().map(|index| portfolios.request(*index, metrics)).collect::<Outcome<Vec<_>>>()?;
        let start = Instant::now();
        for request in &requests {
            let found = black_box(figures(request, &stamp)?);
            if first.is_null() {
                first = told(&found.metrics)?;
            }
        }
        seconds += start.elapsed().as_secs_f64();
    }
    Ok(json!({"seconds": seconds, "portfolios": portfolios.starts.len(), "figures": first}))
}

fn assets(folder: &Path, rounds: usize) -> Outcome<Value> {
    let values = rows(&folder.join("values.csv"))?;
    let benchmark: TimeSeries = column(&rows(&folder.join("benchmark.csv"))?, 1)?;
    let width = values.first().map_or(0, Vec::len);
    let metrics: Vec<Metric> = Metric::all().filter(is_one_of_ten).collect();
    let request = |asset| -> Outcome<CalculationRequest> {
        let mut request = portfolio(column(&values, asset)?, Vec::new(), benchmark.clone())?;
        metrics.clone_into(&mut request.options.metrics);
        Ok(request)
    };
    let (requests, stamp) = ((1..width).map(request).collect::<Outcome<Vec<_>>>()?, stamp()?);
    let all = || requests.iter().try_for_each(|request| black_box(figures(request, &stamp)).map(drop));
    Ok(json!({"nanoseconds": median(rounds, all)?, "days": values.len(), "assets": requests.len()}))
}

fn irr(cash_flows: Vec<Dated>) -> IrrRequest {
    IrrRequest { id: None, cash_flows, day_count: perf_core::model::DayCount::default() }
}

fn many_sets(folder: &Path) -> Outcome<Value> {
    let offsets = numbers(folder.join("offsets.i64"), i64::from_le_bytes)?;
    let days = numbers(folder.join("days.i32"), i32::from_le_bytes)?;
    let amounts = numbers(folder.join("amounts.f64"), f64::from_le_bytes)?;
    let set = |ends: &[i64]| -> Outcome<IrrRequest> {
        let [from, to] = ends else { return Err("an offset is missing".into()) };
        let range = usize::try_from(*from)?..usize::try_from(*to)?;
        let (days, amounts) =
            (days.get(range.clone()).ok_or("no days")?, amounts.get(range).ok_or("no amounts")?);
        let flow = |(date, amount): (&i32, &f64)| Dated { date: day(*date), value: cents(*amount) };
        Ok(irr(days.iter().zip(amounts).map(flow).collect()))
    };
    let ends: Vec<&[i64]> = offsets.windows(2).collect();
    let (mut seconds, mut unanswered, mut rates) = (0.0, BTreeMap::<String, usize>::new(), Vec::new());
    for chunk in ends.chunks(SETS_CHUNK) {
        let requests = chunk.iter().map(|ends| set(ends)).collect::<Outcome<Vec<_>>>()?;
        let start = Instant::now();
        let results: Vec<_> =
            requests.iter().map(|request| black_box(internal_rate_of_return(request))).collect();
        seconds += start.elapsed().as_secs_f64();
        for result in results {
            if let Some(reason) = result.undefined.irr {
                *unanswered.entry(reason.as_str().to_owned()).or_default() += 1;
            }
            if rates.len() < SETS_CHUNK {
                rates.push(result.irr.map(|rate| rate.to_string()));
            }
        }
    }
    Ok(json!({"seconds": seconds, "sets": ends.len(), "unanswered": unanswered, "rates": rates}))
}

fn one_large_set(folder: &Path, rounds: usize) -> Outcome<Value> {
    let request = irr(column(&rows(&folder.join("large.csv"))?, 1)?);
    let rate = internal_rate_of_return(&request).irr.map(|rate| rate.to_string());
    let nanoseconds = median(rounds, || {
        black_box(internal_rate_of_return(&request));
        Ok(())
    })?;
    Ok(json!({"nanoseconds": nanoseconds, "flows": request.cash_flows.len(), "rate": rate}))
}

/// The first workload's days again and again, as many as are asked for, each time a little higher: no two
/// falls are alike.
fn growth(folder: &Path, rounds: usize) -> Outcome<Value> {
    let (request, stamp) = (first_workload(folder)?, stamp()?);
    let Data::Valuations { valuations, .. } = &request.data else { return Err("no valuations".into()) };
    let mut found = Vec::new();
    for count in [10, 100, 1_260, 10_000, 100_000] {
        let dated = |index: usize| -> Option<Dated> {
            let row = valuations.view().get(index % valuations.len())?;
            let rise = Exact::new(i64::try_from(index).ok()?, 2);
            Some(Dated { date: day(i32::try_from(index).ok()?), value: &row.value + &rise })
        };
        let data =
            Data::Valuations { valuations: (0..count).filter_map(dated).collect(), cash_flows: Vec::new() };
        let request = CalculationRequest::new(EntityType::Portfolio, "p".parse()?, data);
        let rounds = (rounds * 1_260 / count).clamp(3, 10 * rounds);
        found.push(json!({"days": count, "nanoseconds": median(rounds, || black_box(figures(&request, &stamp)).map(drop))?}));
    }
    Ok(json!(found))
}
