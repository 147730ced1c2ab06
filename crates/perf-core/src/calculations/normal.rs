//! The quantile of the standard normal distribution.

use crate::number::{Exact, Failure, Figure, Real};

const MAX_STEPS: usize = 60;
/// Terms of the series: enough for 120 digits at eleven standard deviations.
const MAX_TERMS: i64 = 2_000;

/// z with Φ(z) = `probability`, a number above one half and below one.
///
/// Newton's method on Φ(z) − ½ = φ(z)·(z + z³/3 + z⁵/(3·5) + …) (Abramowitz and
/// Stegun 26.2.11), from the rational approximation 26.2.23.
pub(crate) fn quantile<R: Real>(probability: &Exact) -> Figure<R> {
    R::kept(probability, || newton(probability))
}

fn newton<R: Real>(probability: &Exact) -> Figure<R> {
    let area = R::exact(&(probability - &Exact::new(5, 1)));
    let tail = R::exact(&(&Exact::from(1) - probability)).approximate();
    let mut z = R::approximately(polished(start(tail), area.approximate(), tail));
    for _ in 0..MAX_STEPS {
        let density = density(&z);
        let step = (series(&z) * density.clone() - area.clone()) / density;
        let next = z - step.clone();
        if converged(&step, &next) {
            // The error left is of second order: below |z|·step².
            return Ok(next.clone().widened(&(next * step.clone() * step)));
        }
        z = next.center();
    }
    Err(Failure::Imprecise)
}

/// Whether another step would change nothing that the type can hold.
fn converged<R: Real>(step: &R, value: &R) -> bool {
    step.approximate().abs() <= R::RESOLUTION.sqrt() * value.approximate().abs()
}

/// φ(z).
fn density<R: Real>(z: &R) -> R {
    let half_square = z.clone() * z.clone() / R::integer(2);
    (-half_square).exp() / (R::pi() * R::integer(2)).sqrt()
}

/// z + z³/3 + z⁵/(3·5) + z⁷/(3·5·7) + …
fn series<R: Real>(z: &R) -> R {
    let square = z.clone() * z.clone();
    let (mut term, mut total) = (z.clone(), z.clone());
    for index in 1..MAX_TERMS {
        term = term * square.clone() / R::integer(2 * index + 1);
        total = total + term.clone();
        if term.approximate() <= total.approximate() * R::RESOLUTION * 1e-3 {
            return total.clone().widened(&(total * R::approximately(R::RESOLUTION)));
        }
    }
    total
}

/// The same steps on plain `f64` values, while the tail is more than their noise.
fn polished(start: f64, area: f64, tail: f64) -> f64 {
    const SMALLEST_TAIL: f64 = 1e-9;
    const STEPS: usize = 3;
    let mut z = start;
    for _ in 0..if tail > SMALLEST_TAIL { STEPS } else { 0 } {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let (mut term, mut total, mut divisor) = (z, z, 1.0);
        while term > total * f64::EPSILON {
            divisor += 2.0;
            term *= z * z / divisor;
            total += term;
        }
        z -= (total * density - area) / density;
    }
    z
}

/// Abramowitz and Stegun 26.2.23: the error is below 4.5e-4.
fn start(tail: f64) -> f64 {
    let t = (-2.0 * tail.ln()).sqrt();
    let numerator = (0.010_328 * t + 0.802_853) * t + 2.515_517;
    let denominator = ((0.001_308 * t + 0.189_269) * t + 1.432_788) * t + 1.0;
    t - numerator / denominator
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Ball, Wide};

    fn digits<R: Real>(probability: &str) -> String {
        let probability = probability.parse().expect("a number");
        quantile::<R>(&probability)
            .and_then(|z| z.round())
            .map_or_else(|e| format!("{e:?}"), |z| z.to_string())
    }

    /// Reference values: mpmath, 60 digits.
    const CASES: [(&str, &str); 4] = [
        ("0.95", "1.6448536269514727149"),
        ("0.99", "2.3263478740408411009"),
        ("0.75", "0.67448975019608174320"),
        ("0.999999", "4.7534243088228989"),
    ];

    #[test]
    fn agrees_with_the_reference() {
        for (probability, expected) in CASES {
            let expected = expected.trim_end_matches('0');
            assert!(
                digits::<Ball>(probability).starts_with(expected),
                "{probability} {}",
                digits::<Ball>(probability)
            );
            assert_eq!(digits::<Ball>(probability), digits::<Wide>(probability));
        }
    }

    #[test]
    fn reaches_both_ends() {
        assert_eq!(digits::<Wide>("0.5000000000000000000000000001"), "2.5066282746310005024e-28");
        assert_eq!(
            digits::<Wide>("0.9999999999999999999999999999"),
            digits::<Wide>("0.9999999999999999999999999999")
        );
        assert!(digits::<Wide>("0.9999999999999999999999999999").starts_with("11.0"));
    }
}
