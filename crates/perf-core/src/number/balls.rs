use super::ball::{Ball, TINY};
use super::lanes::{self, Vectors, WIDTH};
use super::series::{Powers, Series, Total};
use super::{Figure, OneByOne, Twofold, Whole};

/// Bound on the relative error of a quotient of integers of 106 bits or more.
const RATIO_ERROR: f64 = power_of_two(-100);
/// Bound on the relative error of one sum or product, as the bounds here count them.
const STEP_ERROR: f64 = power_of_two(-102);
/// Room for the roundings of the bounds themselves.
const ROOM: f64 = 1.0 + 1e-9;

const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// Many [`Ball`]s with one bound: each true value lies within `relative` of its
/// own magnitude plus `absolute` of its double-double.
#[derive(Clone, Debug)]
pub struct Balls {
    /// Zeros fill up to a multiple of the width of a loop.
    middles: Vectors,
    count: usize,
    /// Largest magnitude.
    size: f64,
    relative: f64,
    absolute: f64,
}

impl Balls {
    fn from_parts(middles: Vectors, count: usize, relative: f64, absolute: f64) -> Self {
        let size = lanes::largest(middles.as_slices());
        Self { middles, count, size, relative, absolute }
    }

    fn constant(value: Ball, like: &Self) -> Vectors {
        let fill = |part| {
            let mut parts = vec![part; like.count];
            parts.resize(like.middles.high.len(), 0.0);
            parts
        };
        Vectors { high: fill(value.middle().high), low: fill(value.middle().low) }
    }

    /// The error of any of them; `largest` is the largest magnitude.
    fn error(&self, largest: f64) -> f64 {
        (self.relative * largest + self.absolute) * ROOM
    }

    /// x − y, an absolute error `inherited` from both; `certain` answers for dust.
    fn minus_all(&self, others: &Vectors, inherited: f64) -> (Self, bool) {
        let mut differences = lanes::differences(self.middles.as_slices(), Vectors::as_slices(others));
        differences.values.clear_from(self.count);
        (Self::from_parts(differences.values, self.count, 0.0, inherited), differences.certain)
    }

    /// The same, one operation after the other: for decisions that are not clear.
    fn one_by_one(&self) -> OneByOne<Ball> {
        (0..self.count).filter_map(|index| self.get(index)).collect()
    }

    fn collect(numbers: &OneByOne<Ball>) -> Self {
        let numbers: Vec<Ball> = (0..numbers.len()).filter_map(|index| numbers.get(index)).collect();
        let mut middles = Vectors::default();
        for number in &numbers {
            middles.push(number.middle());
        }
        middles.fill_up();
        let absolute = numbers.iter().fold(0.0, |largest: f64, number| larger(largest, number.radius()));
        Self::from_parts(middles, numbers.len(), 0.0, absolute)
    }

    /// Steps of a running sum, eight sums side by side and then together.
    fn steps(&self) -> f64 {
        (self.count / WIDTH + 2 * WIDTH) as f64
    }
}

/// The larger; not a number where either is none.
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

impl Vectors {
    fn of_capacity(length: usize) -> Self {
        Self { high: Vec::with_capacity(length), low: Vec::with_capacity(length) }
    }

    fn push(&mut self, value: Twofold) {
        self.high.push(value.high);
        self.low.push(value.low);
    }

    fn fill_up(&mut self) {
        let whole = self.high.len().next_multiple_of(WIDTH);
        self.high.resize(whole, 0.0);
        self.low.resize(whole, 0.0);
    }

    fn clear_from(&mut self, count: usize) {
        let whole = self.high.len();
        for part in [&mut self.high, &mut self.low] {
            part.truncate(count);
            part.resize(whole, 0.0);
        }
    }
}

impl Series<Ball> for Balls {
    fn ratios<'a>(fractions: impl Iterator<Item = (&'a Whole, &'a Whole)>) -> Self {
        let length = fractions.size_hint().0.next_multiple_of(WIDTH);
        let (mut numerators, mut denominators) = (Vectors::of_capacity(length), Vectors::of_capacity(length));
        for (numerator, denominator) in fractions {
            numerators.push(numerator.to_twofold().0);
            denominators.push(denominator.to_twofold().0);
        }
        let count = numerators.high.len();
        numerators.fill_up();
        denominators.high.resize(numerators.high.len(), 1.0);
        denominators.low.resize(numerators.high.len(), 0.0);
        let middles = lanes::ratios(numerators.as_slices(), denominators.as_slices());
        Self::from_parts(middles, count, RATIO_ERROR, 0.0)
    }

    fn len(&self) -> usize {
        self.count
    }

    fn get(&self, index: usize) -> Option<Ball> {
        let middle = Twofold { high: *self.middles.high.get(index)?, low: *self.middles.low.get(index)? };
        (index < self.count).then(|| Ball::within(middle, self.error(middle.high.abs())))
    }

    fn approximate(&self, index: usize) -> f64 {
        self.middles.high.get(index).copied().unwrap_or(f64::NAN)
    }

    fn sum(&self) -> Total<Ball> {
        let sum = lanes::sum(self.middles.as_slices());
        let inherited = self.relative * sum.size + self.absolute * self.count as f64;
        let radius = (inherited + self.steps() * STEP_ERROR * sum.size) * ROOM;
        Total { value: Ball::within(sum.value, radius), largest: self.largest() }
    }

    fn largest(&self) -> Ball {
        self.magnitude(self.size)
    }

    fn minus(&self, center: &Ball) -> Self {
        let largest = self.size;
        let rounding = STEP_ERROR * (largest + center.middle().high.abs());
        let inherited = (self.error(largest) + center.radius() + rounding) * ROOM;
        self.minus_all(&Self::constant(*center, self), inherited).0
    }

    fn differences(&self, others: &Self) -> Figure<Self> {
        let (largest, other) = (self.size, others.size);
        let inherited = (self.error(largest) + others.error(other) + STEP_ERROR * (largest + other)) * ROOM;
        let (differences, certain) = self.minus_all(&others.middles, inherited);
        // Zeros are exact only where there is no error that is not relative.
        if certain && self.absolute == 0.0 && others.absolute == 0.0 {
            return Ok(differences);
        }
        Ok(Self::collect(&self.one_by_one().differences(&others.one_by_one())?))
    }

    fn squares(&self) -> Ball {
        let value = lanes::squares(self.middles.as_slices());
        self.power_sum(value, value.high, 2)
    }

    fn powers(&self) -> Powers<Ball> {
        let sums = lanes::powers(self.middles.as_slices());
        Powers {
            cubes: self.power_sum(sums.cubes, sums.cubes_size, 3),
            fourths: self.power_sum(sums.fourths, sums.fourths.high, 4),
        }
    }

    fn products(&self, others: &Self) -> Total<Ball> {
        let (sum, most) = lanes::products(self.middles.as_slices(), others.middles.as_slices());
        let (x, y) = (self.size, others.size);
        let (error_x, error_y) = (self.error(x), others.error(y));
        let inherited = ((x + error_x) * error_y + y * error_x) * ROOM;
        let count = self.count as f64;
        let rounding = (self.steps() + 8.0) * STEP_ERROR * sum.size;
        let underflow = underflow(x.min(y), count);
        let largest = Twofold::from_f64(most);
        let one = inherited + STEP_ERROR * most + underflow;
        Total {
            value: Ball::within(sum.value, (count * inherited + rounding) * ROOM + underflow),
            largest: Ball::within(largest, (one + f64::EPSILON * most) * ROOM),
        }
    }

    fn squares_below(&self, threshold: &Ball) -> Figure<Ball> {
        let (largest, other) = (self.size, threshold.middle().high.abs());
        let error = (self.error(largest) + threshold.radius() + STEP_ERROR * (largest + other)) * ROOM;
        let (differences, certain) = self.minus_all(&Self::constant(*threshold, self), error);
        let zeros_are_exact = self.absolute == 0.0 && (other > 0.0 || threshold.radius() == 0.0);
        if !(certain && zeros_are_exact) {
            return self.one_by_one().squares_below(threshold);
        }
        let value = lanes::squares_below_zero(differences.middles.as_slices());
        if value.high == 0.0 {
            return Ok(Ball::within(value, 0.0));
        }
        let count = self.count as f64;
        let inherited = 2.0 * count * error * (largest + other + error);
        let rounding = (self.steps() + 8.0) * STEP_ERROR * value.high;
        Ok(Ball::within(value, (inherited + rounding) * ROOM + underflow(1.0, count)))
    }

    fn growth(&self, chosen: impl Fn(usize) -> bool) -> Ball {
        let masked = self.masked(chosen);
        let growth = lanes::growth(masked.as_ref().unwrap_or(&self.middles).as_slices());
        let largest = self.size;
        let of_factor = (self.error(largest) + 2.0 * STEP_ERROR) / growth.smallest + STEP_ERROR;
        let relative = (self.count + 2 * WIDTH) as f64 * of_factor * ROOM;
        /// Up to here errors of factors add up, with the room that is left for it.
        const SMALL: f64 = 1e-10;
        if relative < SMALL && growth.value.high.abs() > TINY {
            return Ball::within(growth.value, growth.value.high.abs() * relative * ROOM);
        }
        Ball::UNKNOWN
    }
}

impl Balls {
    /// A sum of powers of these, with its bound; `size` is the sum of the magnitudes.
    fn power_sum(&self, value: Twofold, size: f64, power: i32) -> Ball {
        let count = self.count as f64;
        let error = self.error(self.size);
        // |(x + e)^k − x^k| ≤ k·|e|·(|x| + |e|)^(k − 1).
        let reach = ((self.size + error) * ROOM).powi(power - 1);
        let inherited = count * f64::from(power) * error * reach;
        let rounding = (self.steps() + 8.0) * STEP_ERROR * size;
        Ball::within(value, (inherited + rounding) * ROOM + underflow(self.size, count))
    }

    fn magnitude(&self, largest: f64) -> Ball {
        // The low part of the largest is left out.
        Ball::within(Twofold::from_f64(largest), (self.error(largest) + f64::EPSILON * largest) * ROOM)
    }

    /// Zeros in place of those that are not chosen; none where all are.
    fn masked(&self, chosen: impl Fn(usize) -> bool) -> Option<Vectors> {
        let mask: Vec<bool> = (0..self.count).map(chosen).collect();
        if mask.iter().all(|chosen| *chosen) {
            return None;
        }
        let keep = |part: &[f64]| {
            let kept = part.iter().zip(&mask).map(|(part, chosen)| if *chosen { *part } else { 0.0 });
            let mut kept: Vec<f64> = kept.collect();
            kept.resize(part.len(), 0.0);
            kept
        };
        Some(Vectors { high: keep(&self.middles.high), low: keep(&self.middles.low) })
    }
}

/// What powers of small numbers may lose to underflow; nothing where all are zero.
fn underflow(largest: f64, count: f64) -> f64 {
    if largest > 0.0 { count * TINY } else { 0.0 }
}
