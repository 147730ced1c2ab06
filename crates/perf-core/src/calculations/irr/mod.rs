//! The internal rate of return of dated flows: every root, and a proof.

mod isolate;
mod stream;

use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use self::isolate::Finder;
use self::stream::Stream;
use super::day_count::YearFraction;
use crate::model::Reason;
use crate::number::{Ball, Exact, Failure, Figure, Real, Rounded, Wide};

/// How many rates solve the equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The flows change sign once (Descartes).
    OneSignChange,
    /// The discounted running balance changes sign once (Norstrom).
    RunningBalance,
    /// The whole range between the domination points was searched with bounds.
    Isolation,
}

/// The solution of Σ a·(1 + r)^(−t) = 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Irr {
    /// How many roots there are.
    pub status: IrrStatus,
    /// All rates above −1, ascending; fractions a year, `null` above 1e120.
    #[serde(serialize_with = "rates")]
    pub roots: Vec<Result<Rounded, Reason>>,
    /// ln(1 + r) of the headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_rate: Option<Rounded>,
    /// |Σ| / Σ|terms| at the headline as it is printed, to three digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<Rounded>,
    /// Which root is the headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline_rule: Option<HeadlineRule>,
    /// Why no further root exists.
    #[serde(skip_serializing_if = "Option::is_none")]
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

/// Solves for flows (time in units since the start, amount), ascending in time.
/// `period` is what the money-weighted return of the period is stated over.
pub(crate) fn solve(flows: &[(i64, &Exact)], period: YearFraction, target: Target) -> Irr {
    let spread = flows.first().zip(flows.last()).is_some_and(|((first, _), (last, _))| first < last);
    if !spread {
        return Irr::none(Reason::ZeroLengthPeriod);
    }
    let stream = Stream::new(flows, period.denominator);
    if stream.sign_changes() == 0 {
        return Irr::none(Reason::NoSignChange);
    }
    match solution::<Ball>(&stream, period, target) {
        Err(Failure::Imprecise) => solution::<Wide>(&stream, period, target),
        decided => decided,
    }
    .unwrap_or_else(|failure| Irr::none(failure.reason()))
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
    let aim = match target {
        Target::ModifiedDietz(aim) => aim,
        Target::Zero => 0.0,
    };
    let distance = |root: &&R| (root.approximate() - aim).abs();
    let Some(headline) = roots.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))) else {
        return Ok(Irr { proof: Some(proof), ..Irr::none(Reason::NoRoot) });
    };
    let rate = rounded_rate(headline)?;
    let years = R::integer(period.numerator) / R::integer(period.denominator);
    Ok(Irr {
        status: if roots.len() == 1 { IrrStatus::Unique } else { IrrStatus::Multiple },
        roots: roots.iter().map(rounded_rate).collect::<Figure<_>>()?,
        log_rate: Some(headline.round()?),
        residual: rate.ok().map(|rate| residual::<R>(stream, rate)).transpose()?,
        headline_rule: Some(match target {
            _ if roots.len() == 1 => HeadlineRule::OnlyRoot,
            Target::ModifiedDietz(_) => HeadlineRule::NearestToModifiedDietz,
            Target::Zero => HeadlineRule::NearestToZero,
        }),
        proof: Some(proof),
        rate,
        period_rate: rounded_rate(&(headline.clone() * years))?,
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
    let root: R = finder.refine(0.0, side.domination_bound(), total, 0)?;
    let signed = if *mirrored { -root.clone() } else { root.clone() };
    if one_change {
        return Ok(Some((signed, Proof::OneSignChange)));
    }
    let below = (root.clone() - R::approximately(R::RESOLUTION.sqrt() / side.years())).center();
    let proven = side.is_only_root_above(&below) == Ok(true);
    Ok(proven.then_some((signed, Proof::RunningBalance)))
}

/// |Σ| / Σ|terms| at the printed rate, to three digits.
fn residual<R: Real>(stream: &Stream, rate: Rounded) -> Figure<Rounded> {
    /// Enough for a size.
    const DIGITS: u32 = 3;
    let log_rate = (R::one() + R::rounded(rate)).ln();
    let reversed;
    let (side, w) = match log_rate.sign()? {
        Ordering::Less => {
            reversed = stream.reversed();
            (&reversed, -log_rate)
        }
        _ => (stream, log_rate),
    };
    side.sums(&w, 0).residual()?.round_to(DIGITS)
}
