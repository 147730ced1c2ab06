//! Sums, means, deviations, moments and quantiles.

use super::Figure;
use super::number::Number;
use super::series::Growth;

/// The number of values, as a number.
pub fn count(values: &[Number]) -> Number {
    Number::int(i64::try_from(values.len()).unwrap())
}

/// The arithmetic mean of at least one value.
pub fn mean(values: &[Number]) -> Number {
    Number::settled_sum(values) / count(values)
}

/// Each value less the mean, exactly 0 for all where the values do not vary.
pub fn centred(values: &[Number]) -> Vec<Number> {
    let mean = mean(values);
    values.iter().map(|value| value - &mean).collect()
}

/// 0 where a deviation is within 1e-24 of max(1, the largest magnitude behind it).
fn settled_deviation(deviation: Number, values: &[Number]) -> Number {
    let one = Number::one();
    let mut terms = vec![&one];
    terms.extend(values);
    deviation.settle(&terms)
}

/// The standard deviation, over n or n − 1; from two values on.
pub fn deviation(values: &[Number], sample: bool) -> Figure {
    if values.len() < 2 {
        return Err("too_few_returns");
    }
    let squares: Vec<Number> = centred(values).iter().map(|d| d * d).collect();
    let basis = if sample { count(values) - Number::one() } else { count(values) };
    let variance = Number::settled_sum(&squares) / basis;
    Ok(settled_deviation(variance.sqrt(), values))
}

/// √(Σ min(r − m, 0)² / n).
pub fn downside_deviation(values: &[Number], target: &Number) -> Number {
    let squares: Vec<Number> = values
        .iter()
        .map(|value| (value - target).min(Number::zero()))
        .map(|shortfall| &shortfall * &shortfall)
        .collect();
    let deviation = (Number::settled_sum(&squares) / count(values)).sqrt();
    settled_deviation(deviation, values)
}

/// m3 / m2^1.5, population moments.
pub fn skewness(values: &[Number]) -> Figure {
    let sigma = nonzero(deviation(values, false)?, "zero_volatility")?;
    let cubes: Vec<Number> = centred(values).iter().map(|d| d.pow_int(3)).collect();
    Ok(Number::settled_sum(&cubes) / count(values) / sigma.pow_int(3))
}

/// m4 / m2² − 3, population moments.
pub fn excess_kurtosis(values: &[Number]) -> Figure {
    let sigma = nonzero(deviation(values, false)?, "zero_volatility")?;
    let fourths: Vec<Number> = centred(values).iter().map(|d| d.pow_int(4)).collect();
    let ratio = Number::settled_sum(&fourths) / count(values) / sigma.pow_int(4);
    let three = Number::int(3);
    Ok((&ratio - &three).settle(&[&ratio, &three]))
}

/// Σ (r − r̄)(b − b̄).
pub fn co_moment(left: &[Number], right: &[Number]) -> Number {
    let products: Vec<Number> = centred(left).iter().zip(centred(right)).map(|(a, b)| a * b).collect();
    Number::settled_sum(&products)
}

/// The type-7 quantile at `share`, and the mean of the values at or below it.
pub fn quantile_and_tail_mean(values: &[Number], share: &Number) -> (Number, Number) {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let position = (count(values) - Number::one()) * share;
    // 1 − c is no binary fraction: a position this close to a whole number is that number.
    let whole = (&position + &Number::ten_to(-60)).floor();
    let part = (&position - &whole).settle(&[&Number::one()]);
    let lower = (0..sorted.len()).find(|index| Number::int(i64::try_from(*index).unwrap()) == whole).unwrap();
    let low = &sorted[lower];
    let high = &sorted[(lower + 1).min(sorted.len() - 1)];
    let (below, above) = (low * (Number::one() - &part), high * &part);
    let quantile = (&below + &above).settle(&[&below, &above]);
    // Where low < high the quantile lies below high, so the tail is what is at or below low.
    let tail: Vec<Number> = sorted.iter().filter(|value| *value <= low).cloned().collect();
    (quantile, mean(&tail))
}

/// `value`, or `reason` where it is 0.
pub fn nonzero(value: Number, reason: &'static str) -> Figure {
    if value.sign() == 0 { Err(reason) } else { Ok(value) }
}

/// Π (1 + r); `total_loss` where a factor is negative.
pub fn product(growths: &[Growth]) -> Figure {
    if growths.iter().any(|growth| growth.factor.sign() < 0) {
        return Err("total_loss");
    }
    Ok(growths.iter().fold(Number::one(), |wealth, growth| wealth * &growth.factor))
}

/// growth^exponent − 1, for a growth that is not negative and a positive exponent.
pub fn compound(growth: &Number, exponent: &Number) -> Figure {
    let one = Number::one();
    let power = if growth.sign() == 0 { Number::zero() } else { growth.pow(exponent) };
    super::within_range((&power - &one).settle(&[&power, &one]))
}

/// growth^(1/years) − 1.
pub fn annualised(growth: &Number, years: Option<&Number>) -> Figure {
    let years = years.ok_or("zero_length_period")?;
    compound(growth, &(Number::one() / years))
}
