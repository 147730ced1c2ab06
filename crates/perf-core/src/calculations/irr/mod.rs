//! The internal rate of return of dated flows: every root, and a proof.

mod balance;
mod direct;
mod isolate;
mod levels;
mod netting;
mod stream;

use std::borrow::Borrow;
use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use self::direct::{Care, Direct, Solution};
use self::isolate::Finder;
use self::stream::Stream;
use super::day_count::YearFraction;
use crate::model::Reason;
use crate::number::{Ball, Exact, Failure, Figure, Real, Rounded, Wide};

/// How many rates solve the equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IrrStatus {
    /// One.
    Unique,
    /// Several; `headline_rule` says which one is the headline.
    Multiple,
    /// None.
    None,
}

/// Which root became the headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeadlineRule {
    /// There is only one.
    OnlyRoot,
    /// Nearest in ln(1 + r) to the annualised Modified Dietz return of the same flows.
    NearestToModifiedDietz,
    /// Nearest in ln(1 + r) to zero.
    NearestToZero,
}

/// How it is known that the roots listed are all there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The flows change sign once (Descartes).
    OneSignChange,
    /// Running totals of the discounted flows change sign once (Norstrom, Descartes).
    RunningBalance,
    /// The roots of every derivative were found first (Rolle).
    Isolation,
}

/// The solution of Σ a·(1 + r)^(−t) = 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Irr {
    /// How many roots there are.
    pub status: IrrStatus,
    /// All rates above −1, ascending; fractions a year, `null` above 1e120.
    #[serde(serialize_with = "rates")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<Rounded>>))]
    pub roots: Vec<Result<Rounded, Reason>>,
    /// ln(1 + r) of the headline.
    pub log_rate: Option<Rounded>,
    /// |Σ| / Σ|terms| at `log_rate` as it is printed, to three digits.
    pub residual: Option<Rounded>,
    /// Which root is the headline.
    pub headline_rule: Option<HeadlineRule>,
    /// Why no further root exists.
    pub proof: Option<Proof>,
    /// The headline rate a year, or why there is none.
    #[serde(skip)]
    pub rate: Result<Rounded, Reason>,
    /// The headline over the whole period, or why there is none.
    #[serde(skip)]
    pub period_rate: Result<Rounded, Reason>,
}

fn rates<S: Serializer>(roots: &[Result<Rounded, Reason>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(roots.iter().map(|root| root.ok()))
}

/// Where the headline root is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Nearest to this ln(1 + r), from the Modified Dietz return.
    ModifiedDietz(f64),
    /// Nearest to zero.
    Zero,
}

impl Target {
    /// The root nearest to the target, the first of two.
    fn nearest<'a, T>(self, roots: impl Iterator<Item = &'a T>, value: impl Fn(&T) -> f64) -> Option<&'a T> {
        let aim = match self {
            Self::ModifiedDietz(aim) => aim,
            Self::Zero => 0.0,
        };
        let distance = |root: &T| (value(root) - aim).abs();
        roots.min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    fn rule(self, roots: usize) -> HeadlineRule {
        match self {
            _ if roots == 1 => HeadlineRule::OnlyRoot,
            Self::ModifiedDietz(_) => HeadlineRule::NearestToModifiedDietz,
            Self::Zero => HeadlineRule::NearestToZero,
        }
    }
}

/// Solves for flows (time in units since the start, amount), ascending in time.
/// `period` is what the money-weighted return of the period is stated over.
pub(crate) fn solve(flows: &[(i64, &Exact)], period: YearFraction, target: Target) -> Irr {
    solve_each(flows.iter().copied(), period, || target)
}

/// The same without a list of the flows; `target` is asked for where there may be several roots.
pub(crate) fn solve_each<A: Borrow<Exact>>(
    flows: impl Iterator<Item = (i64, A)> + Clone,
    period: YearFraction,
    target: impl Fn() -> Target,
) -> Irr {
    if let Some(irr) = direct(&flows, period, &target) {
        return irr;
    }
    solve_generally(flows, period, target)
}

/// Every case, with as many digits as it takes.
fn solve_generally<A: Borrow<Exact>>(
    flows: impl Iterator<Item = (i64, A)>,
    period: YearFraction,
    target: impl Fn() -> Target,
) -> Irr {
    let flows: Vec<(i64, A)> = flows.collect();
    let flows: Vec<(i64, &Exact)> = flows.iter().map(|(time, amount)| (*time, amount.borrow())).collect();
    let spread = flows.first().zip(flows.last()).is_some_and(|((first, _), (last, _))| first < last);
    if !spread {
        return Irr::none(Reason::ZeroLengthPeriod);
    }
    let stream = Stream::new(&flows, period.denominator);
    if stream.sign_changes() == 0 {
        return Irr::none(Reason::NoSignChange);
    }
    let target = target();
    match solution::<Ball>(&stream, period, target) {
        Err(Failure::Imprecise) => solution::<Wide>(&stream, period, target),
        decided => decided,
    }
    .unwrap_or_else(|failure| Irr::none(failure.reason()))
}

/// The usual case: every digit proven the short way.
fn direct<A: Borrow<Exact>>(
    flows: &(impl Iterator<Item = (i64, A)> + Clone),
    period: YearFraction,
    target: impl Fn() -> Target,
) -> Option<Irr> {
    let flows = Direct::new(flows, period.denominator)?;
    let attempt = |care| {
        let (solutions, proof) = flows.solve(care)?;
        rounded(&solutions, proof, period, &target)
    };
    attempt(Care::Usual).or_else(|| attempt(Care::Great))
}

/// The rates rounded, where the digits are proven.
fn rounded(
    solutions: &[Solution],
    proof: Proof,
    period: YearFraction,
    target: impl Fn() -> Target,
) -> Option<Irr> {
    // One root is the headline whatever the target is.
    let target = if solutions.len() > 1 { target() } else { Target::Zero };
    let Some(headline) = target.nearest(solutions.iter(), |solution| solution.root.approximate()) else {
        return Some(Irr { proof: Some(proof), ..Irr::none(Reason::NoRoot) });
    };
    let log_rate = headline.root.round().ok()?;
    let rate = rounded_rate(&headline.root).ok()?;
    let roots = match solutions {
        [_] => vec![rate],
        several => several.iter().map(|solution| rounded_rate(&solution.root)).collect::<Figure<_>>().ok()?,
    };
    Some(Irr {
        status: if roots.len() == 1 { IrrStatus::Unique } else { IrrStatus::Multiple },
        headline_rule: Some(target.rule(roots.len())),
        roots,
        log_rate: Some(log_rate),
        residual: Some(headline.residual(log_rate)?),
        proof: Some(proof),
        rate,
        period_rate: rounded_rate(&(headline.root * years::<Ball>(period))).ok()?,
    })
}

fn years<R: Real>(period: YearFraction) -> R {
    R::integer(period.numerator) / R::integer(period.denominator)
}

impl Irr {
    pub(crate) fn none(reason: Reason) -> Self {
        Self {
            status: IrrStatus::None,
            roots: Vec::new(),
            log_rate: None,
            residual: None,
            headline_rule: None,
            proof: None,
            rate: Err(reason),
            period_rate: Err(reason),
        }
    }
}

fn solution<R: Real>(stream: &Stream, period: YearFraction, target: Target) -> Figure<Irr> {
    let (roots, proof) = log_rates::<R>(stream)?;
    let roots = roots.into_iter().map(|root| root.without_dust(&R::one())).collect::<Figure<Vec<R>>>()?;
    let Some(headline) = target.nearest(roots.iter(), Real::approximate) else {
        return Ok(Irr { proof: Some(proof), ..Irr::none(Reason::NoRoot) });
    };
    let log_rate = headline.round()?;
    Ok(Irr {
        status: if roots.len() == 1 { IrrStatus::Unique } else { IrrStatus::Multiple },
        roots: roots.iter().map(rounded_rate).collect::<Figure<_>>()?,
        log_rate: Some(log_rate),
        residual: Some(residual::<R>(stream, log_rate)?),
        headline_rule: Some(target.rule(roots.len())),
        proof: Some(proof),
        rate: rounded_rate(headline)?,
        period_rate: rounded_rate(&(headline.clone() * years::<R>(period)))?,
    })
}

/// e^`log_rate` − 1, rounded; out of range above 1e120.
fn rounded_rate<R: Real>(log_rate: &R) -> Figure<Result<Rounded, Reason>> {
    /// ln(1e120) and a margin: beyond it nothing need be computed.
    const CERTAINLY_OUT_OF_RANGE: f64 = 277.0;
    if log_rate.approximate() > CERTAINLY_OUT_OF_RANGE {
        return Ok(Err(Reason::OutOfRange));
    }
    let rate = log_rate.clone().exp().minus(&R::one())?.round()?;
    Ok(if rate.exceeds_rate_range() { Err(Reason::OutOfRange) } else { Ok(rate) })
}

/// ln(1 + r) of every root, ascending.
fn log_rates<R: Real>(stream: &Stream) -> Figure<(Vec<R>, Proof)> {
    if let Some((root, proof)) = only_root::<R>(stream)? {
        return Ok((vec![root], proof));
    }
    let reversed = stream.reversed();
    let below: Vec<R> = Finder::new(&reversed).positive_roots()?;
    let mut roots: Vec<R> = below.into_iter().rev().map(|root| -root).collect();
    if stream.total_sign() == Ordering::Equal {
        roots.push(R::zero());
    }
    roots.extend(Finder::new(stream).positive_roots::<R>()?);
    Ok((roots, Proof::Isolation))
}

/// The root, where a rule proves quickly that there is only one.
fn only_root<R: Real>(stream: &Stream) -> Figure<Option<(R, Proof)>> {
    let one_change = stream.sign_changes() == 1;
    let total = stream.total_sign();
    if total == Ordering::Equal {
        return Ok(one_change.then(|| (R::zero(), Proof::OneSignChange)));
    }
    // Between zero, where the sum has the sign of the total, and the bound, where
    // it has the dominant flow's, the sign changes on at most one side.
    let reversed = stream.reversed();
    let sides =
        [(stream, false), (&reversed, true)].map(|(side, mirrored)| (side, mirrored, side.dominant_sign()));
    let changing: Vec<_> = sides.into_iter().filter(|(_, _, sign)| *sign == total.reverse()).collect();
    let [(side, mirrored, _)] = changing.as_slice() else { return Ok(None) };
    let finder = Finder::new(side);
    let root: R = finder.crossing(total)?;
    let signed = if *mirrored { -root.clone() } else { root.clone() };
    if one_change {
        return Ok(Some((signed, Proof::OneSignChange)));
    }
    let below = (root.clone() - R::approximately(R::RESOLUTION.sqrt() / side.years())).center();
    Ok(side.proves_only_root_above(&below)?.then_some((signed, Proof::RunningBalance)))
}

/// |Σ| / Σ|terms| at a logarithmic rate as it is printed, to three digits.
fn residual<R: Real>(stream: &Stream, log_rate: Rounded) -> Figure<Rounded> {
    /// Enough for a size.
    const DIGITS: u32 = 3;
    let w = R::rounded(log_rate).magnitude();
    let reversed = (log_rate.signum() < 0).then(|| stream.reversed());
    let side = reversed.as_ref().unwrap_or(stream);
    side.sums(&side.weights(), &w).residual()?.round_to(DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashu_int::IBig;
    use proptest::prelude::*;

    /// Yearly flows.
    fn yearly(amounts: &[&str]) -> Irr {
        let amounts: Vec<Exact> = amounts.iter().map(|text| text.parse().expect("a number")).collect();
        let flows: Vec<(i64, &Exact)> = (0..).map(|year| year * 365).zip(&amounts).collect();
        let last = flows[flows.len() - 1].0;
        solve(&flows, YearFraction { numerator: last, denominator: 365 }, Target::Zero)
    }

    fn roots(irr: &Irr) -> Vec<String> {
        irr.roots
            .iter()
            .map(|root| root.map_or_else(|r| r.as_str().to_owned(), |root| root.to_string()))
            .collect()
    }

    #[test]
    fn finds_every_root_of_textbook_flows() {
        let two = yearly(&["-1.6", "10", "-10"]);
        assert_eq!((roots(&two), two.status), (vec!["0.25".into(), "4".into()], IrrStatus::Multiple));
        assert_eq!(two.rate.map(|rate| rate.to_string()), Ok("0.25".to_owned()));
        let four = yearly(&["-252", "1431", "-3035", "2850", "-1000"]);
        assert_eq!(
            roots(&four),
            ["0.25", "0.33333333333333333333", "0.42857142857142857143", "0.66666666666666666667"]
        );
        let none = yearly(&["-100", "150", "-100"]);
        assert_eq!((none.status, none.rate), (IrrStatus::None, Err(Reason::NoRoot)));
    }

    #[test]
    fn zero_is_a_root_exactly() {
        let single = yearly(&["-100", "100"]);
        assert_eq!((roots(&single), single.residual), (vec!["0".into()], Some(Rounded::ZERO)));
        // (1 − y)(1 − 2y): zero and one hundred per cent.
        assert_eq!(roots(&yearly(&["1", "-3", "2"])), ["0", "1"]);
        assert_eq!(roots(&yearly(&["-1", "2", "-1"])), ["0"]);
    }

    #[test]
    fn a_touching_root_counts_once() {
        assert_eq!(roots(&yearly(&["1", "-4", "4"])), ["1"]); // (1 − 2y)²
        assert_eq!(roots(&yearly(&["1", "-6", "12", "-8"])), ["1"]); // (1 − 2y)³
        assert_eq!(roots(&yearly(&["1", "-8", "24", "-32", "16"])), ["1"]); // (1 − 2y)⁴
        assert_eq!(roots(&yearly(&["4", "-12", "13", "-6", "1"])), ["-0.5", "0"]); // (2 − y)²(1 − y)²
    }

    #[test]
    fn roots_close_together_are_told_apart() {
        // (1 − 1.1y)(1 − 1.1000001y)
        assert_eq!(roots(&yearly(&["1", "-2.2000001", "1.21000011"])), ["0.1", "0.1000001"]);
        // The same, with a gap of 1e-10.
        assert_eq!(roots(&yearly(&["1", "-2.2000000001", "1.21000000011"])), ["0.1", "0.1000000001"]);
    }

    #[test]
    fn roots_closer_than_the_noise_of_the_terms_are_told_apart() {
        let pair = |last: &str| roots(&yearly(&["-1", "2", last]));
        assert_eq!(pair("-0.999999999999999999999999"), ["-0.000000000001", "0.000000000001"]);
        assert_eq!(roots(&yearly(&["-1.000000000001", "2.000000000001", "-1"])), ["-9.99999999999e-13", "0"]);
        let three = roots(&yearly(&["-1.0000000300000002", "3.0000000600000002", "-3.00000003", "1"]));
        assert_eq!(three, ["-0.000000019999999600000008", "-0.000000009999999900000001", "0"]);
    }

    #[test]
    fn eight_roots_are_all_listed() {
        let amounts = ["40320", "-109584", "118124", "-67284", "22449", "-4536", "546", "-36", "1"];
        let expected = [
            "-0.875",
            "-0.85714285714285714286",
            "-0.83333333333333333333",
            "-0.8",
            "-0.75",
            "-0.66666666666666666667",
            "-0.5",
            "0",
        ];
        assert_eq!(roots(&yearly(&amounts)), expected);
    }

    #[test]
    fn alternating_flows_have_one_rate() {
        let amounts: Vec<Exact> =
            (0..400).map(|i| Exact::from(if i % 2 == 0 { 1000 + i } else { -1000 - i })).collect();
        let flows: Vec<(i64, &Exact)> = (0..).zip(&amounts).collect();
        let irr = solve(&flows, YearFraction { numerator: 399, denominator: 365 }, Target::Zero);
        assert_eq!(
            (roots(&irr), irr.proof),
            (vec!["0.35956021217935631009".to_owned()], Some(Proof::RunningBalance))
        );
    }

    #[test]
    fn extremes_have_a_rate_or_a_reason() {
        let gone = yearly(&["-1000000000000000000000000000", "0.0000000000000000000000000001"]);
        assert_eq!(roots(&gone), ["-1"]);
        assert_eq!(gone.log_rate.map(|rate| rate.to_string().starts_with("-126.6")), Some(true));
        let amounts: [Exact; 2] = ["-0.01".parse().expect("a number"), "100".parse().expect("a number")];
        let day = solve(
            &[(0, &amounts[0]), (1, &amounts[1])],
            YearFraction { numerator: 1, denominator: 365 },
            Target::Zero,
        );
        assert_eq!(
            (day.rate, day.period_rate.map(|rate| rate.to_string())),
            (Err(Reason::OutOfRange), Ok("9999".to_owned()))
        );
        assert_eq!(day.status, IrrStatus::Unique);
        let same_day = solve(
            &[(0, &amounts[0]), (0, &amounts[1])],
            YearFraction { numerator: 0, denominator: 365 },
            Target::Zero,
        );
        assert_eq!(same_day.rate, Err(Reason::ZeroLengthPeriod));
        assert_eq!(yearly(&["100", "100"]).rate, Err(Reason::NoSignChange));
    }

    #[test]
    fn the_short_way_knows_every_proof() {
        let proof = |amounts: &[&str]| {
            let amounts: Vec<Exact> = amounts.iter().map(|text| text.parse().expect("a number")).collect();
            let flows: Vec<(i64, &Exact)> = (0..).map(|year| year * 365).zip(&amounts).collect();
            let period = YearFraction { numerator: flows[flows.len() - 1].0, denominator: 365 };
            direct(&flows.iter().copied(), period, || Target::Zero).and_then(|irr| irr.proof)
        };
        assert_eq!(proof(&["-100", "30", "90"]), Some(Proof::OneSignChange));
        assert_eq!(proof(&["-100", "50", "-20", "90"]), Some(Proof::RunningBalance));
        assert_eq!(proof(&["-1.6", "10", "-10"]), Some(Proof::Isolation));
    }

    #[test]
    fn a_root_is_not_missed_where_discounts_underflow() {
        let amounts: Vec<Exact> = ["7.44", "3.92", "-21488.62", "2.09", "-0.48"]
            .iter()
            .map(|t| t.parse().expect("a number"))
            .collect();
        let flows: Vec<(i64, &Exact)> = [0, 1, 2, 351, 358].into_iter().zip(&amounts).collect();
        let period = YearFraction { numerator: 358, denominator: 365 };
        let irr = solve_generally(flows.iter().copied(), period, || Target::Zero);
        assert_eq!(roots(&irr), ["-1", "-0.99995469551888870512", "out_of_range"]);
        assert_eq!(irr, solve(&flows, period, Target::Zero));
    }

    #[test]
    fn wide_and_fast_types_agree() {
        let amounts: Vec<Exact> = ["-10000", "-2000", "500.55", "-31.4", "13200"]
            .iter()
            .map(|t| t.parse().expect("a number"))
            .collect();
        let flows: Vec<(i64, &Exact)> = [0, 90, 200, 201, 364].into_iter().zip(&amounts).collect();
        let period = YearFraction { numerator: 364, denominator: 365 };
        let stream = Stream::new(&flows, 365);
        let fast = solution::<Ball>(&stream, period, Target::Zero).expect("decided");
        let wide = solution::<Wide>(&stream, period, Target::Zero).expect("decided");
        assert_eq!(fast, wide);
        assert_eq!(fast.proof, Some(Proof::RunningBalance));
    }

    proptest! {
        #[test]
        fn the_short_way_answers_as_the_general_one(
            rows in prop::collection::vec((-1_000_000_i64..400_000, 0_i64..90, 0_u32..4), 2..12), closing in 1_i64..50_000_000,
        ) {
            let mut amounts: Vec<Exact> = rows.iter().map(|(amount, _, scale)| Exact::new(*amount, *scale)).collect();
            amounts.push(Exact::new(closing, 2));
            let days = rows.iter().map(|(_, gap, _)| *gap).chain([1]).scan(0, |day, gap| { *day += gap; Some(*day) });
            let flows: Vec<(i64, &Exact)> = days.zip(&amounts).collect();
            let period = YearFraction { numerator: flows[flows.len() - 1].0 - flows[0].0, denominator: 365 };
            let general = solve_generally(flows.iter().copied(), period, || Target::Zero);
            if let Some(short) = direct(&flows.iter().copied(), period, || Target::Zero) {
                prop_assert_eq!(short, general);
            }
        }
    }

    proptest! {
        #[test]
        fn every_chosen_rate_is_found(percents in prop::collection::btree_set(-90_i64..400, 1..5)) {
            // Π(1 − (1 + p)y) has exactly these roots; coefficients in units of 100^n.
            let mut coefficients = vec![IBig::ONE];
            for percent in &percents {
                let factor = IBig::from(100 + percent);
                let shifted: Vec<IBig> = coefficients.iter().map(|c| c * &factor).collect();
                coefficients = (0..=shifted.len()).map(|i| {
                    let keep = coefficients.get(i).map_or(IBig::ZERO, |c| c * IBig::from(100));
                    let take = i.checked_sub(1).and_then(|i| shifted.get(i)).cloned().unwrap_or(IBig::ZERO);
                    keep - take
                }).collect();
            }
            let amounts: Vec<String> = coefficients.iter().map(ToString::to_string).collect();
            let irr = yearly(&amounts.iter().map(String::as_str).collect::<Vec<_>>());
            let expected: Vec<String> = percents.iter().map(|p| Rounded::from_decimal(&IBig::from(*p), -2).expect("a rate").to_string()).collect();
            prop_assert_eq!(roots(&irr), expected);
        }

        #[test]
        fn the_residual_is_below_the_printed_digits(amounts in prop::collection::vec(-1_000_000_i64..1_000_000, 2..30)) {
            let exact: Vec<Exact> = amounts.iter().map(|a| Exact::new(*a, 2)).collect();
            let flows: Vec<(i64, &Exact)> = (0..).map(|i| i * 31).zip(&exact).collect();
            let period = YearFraction { numerator: flows[flows.len() - 1].0, denominator: 365 };
            let irr = solve(&flows, period, Target::Zero);
            prop_assert_eq!(irr.status == IrrStatus::None, irr.rate.is_err() && irr.roots.is_empty());
            if let Some(residual) = irr.residual {
                prop_assert!(residual.to_f64() < 1e-15, "{}", residual);
            }
        }
    }
}
