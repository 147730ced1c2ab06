//! The standard normal quantile, from the power series of the distribution function.

use super::number::Number;

/// z with Φ(z) = `probability`, for a probability from ½ to 1.
///
/// Newton's method on Φ(z) − ½ from 0. That function is concave for z > 0, so the steps
/// approach the root from below and never pass it.
pub fn upper_quantile(probability: &Number) -> Number {
    let target = probability - Number::one() / Number::int(2);
    let root_two_pi = (machin_pi() * Number::int(2)).sqrt();
    let mut z = Number::zero();
    for _ in 0..500 {
        let density = (-(&z * &z / Number::int(2))).exp() / &root_two_pi;
        let step = (&target - &density * series(&z)) / density;
        z = z + &step;
        if step.abs() <= Number::ten_to(-100) {
            break;
        }
    }
    z
}

/// (Φ(z) − ½) / φ(z), with φ(z) = e^(−z²/2) / √(2π): z + z³/3 + z⁵/(3·5) + z⁷/(3·5·7) + …
fn series(z: &Number) -> Number {
    let square = z * z;
    let mut term = z.clone();
    let mut total = z.clone();
    let mut odd = 1;
    let negligible = Number::ten_to(-130);
    while term.abs() > negligible {
        odd += 2;
        term = term * &square / Number::int(odd);
        total = total + &term;
    }
    total
}

/// π = 16 arctan(1/5) − 4 arctan(1/239).
fn machin_pi() -> Number {
    Number::int(16) * arctan_of_inverse(5) - Number::int(4) * arctan_of_inverse(239)
}

fn arctan_of_inverse(denominator: i64) -> Number {
    let square = Number::int(denominator * denominator);
    let mut power = Number::one() / Number::int(denominator);
    let mut total = Number::zero();
    let mut odd = 1;
    let negligible = Number::ten_to(-136);
    while power.abs() > negligible {
        total = total + &power / Number::int(odd);
        power = -(power / &square);
        odd += 2;
    }
    total
}
