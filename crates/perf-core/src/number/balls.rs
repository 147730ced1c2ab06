use std::borrow::Cow;
use std::cmp::Ordering;

use super::ball::{Ball, TINY};
use super::integers::View;
use super::lanes::{Slices, Vectors, WIDTH};
use super::loops::{self, BESIDE_ONE, BLOCK, Growth, PRODUCT_BLOCK, Ranged};
use super::series::{Chosen, Powers, Series, Total};
use super::{Figure, Integers, OneByOne, Twofold, plain};

/// Bound on the relative error of a quotient of integers of 106 bits or more.
const RATIO_ERROR: f64 = power_of_two(-100);
/// Bound on the relative error of one sum or product, as the bounds here count them.
const STEP_ERROR: f64 = power_of_two(-102);
/// Bound on the relative error of a product of up to four numbers, as a term of a sum.
const TERM_ERROR: f64 = power_of_two(-100);
/// Bound on what a block of a sum loses, relative to the sum of its magnitudes:
/// (m² + 5m + 4)u², and as much again for the join of its two parts.
const BLOCK_ERROR: f64 = power_of_two(-95);
/// Bound on the relative error of a block of a product: (6m² + 8m)u² and its join.
const PRODUCT_BLOCK_ERROR: f64 = power_of_two(-95);
/// Room for the roundings of the bounds themselves.
const ROOM: f64 = 1.0 + 1e-9;

// The bounds above are for blocks of these lengths.
const _: () = assert!(BLOCK == 32 && PRODUCT_BLOCK == 16);

const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// Many [`Ball`]s with one bound.
#[derive(Clone, Debug)]
pub struct Balls {
    middles: Vectors,
    bounds: Bounds,
}

/// What is known of many numbers: each true value lies within `relative` of its own
/// magnitude plus `absolute` of its double-double.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// How many there are.
    count: f64,
    /// None is smaller or larger.
    range: [f64; 2],
    /// Whether the smallest and the largest are these.
    is_reached: bool,
    relative: f64,
    absolute: f64,
}

impl Bounds {
    /// No magnitude is larger; not a number where one of them is none.
    fn size(&self) -> f64 {
        let [least, most] = self.range;
        larger(-least, most)
    }

    /// The error of any of them; `largest` is the largest magnitude.
    fn error(&self, largest: f64) -> f64 {
        (self.relative * largest + self.absolute) * ROOM
    }

    /// What a sum over these loses to rounding, relative to the sum of the magnitudes.
    fn summation(&self) -> f64 {
        let joins = self.count / (WIDTH * BLOCK) as f64 + (2 * WIDTH) as f64;
        (TERM_ERROR + BLOCK_ERROR + 2.0 * joins * STEP_ERROR) * ROOM
    }

    /// Of the differences from numbers up to this size, with this error.
    fn less(&self, size: f64, error: f64) -> Self {
        let sum = (self.size() + size) * ROOM;
        Self {
            range: [-sum, sum],
            is_reached: false,
            relative: 0.0,
            absolute: (self.error(self.size()) + error + STEP_ERROR * sum) * ROOM,
            ..*self
        }
    }

    fn less_ball(&self, center: &Ball) -> Self {
        self.less(center.middle().high.abs(), center.radius())
    }

    /// A sum of powers of these, with its bound; `size` is the sum of the magnitudes.
    fn power_sum(&self, value: Twofold, size: f64, power: i32) -> Ball {
        let error = self.error(self.size());
        // |(x + e)^k − x^k| ≤ k·|e|·(|x| + |e|)^(k − 1).
        let reach = ((self.size() + error) * ROOM).powi(power - 1);
        let inherited = self.count * f64::from(power) * error * reach;
        let rounding = self.summation() * size;
        Ball::within(value, (inherited + rounding) * ROOM + underflow(self.size(), self.count))
    }

    /// The largest magnitude, of which `largest` is the high part.
    fn largest(&self, largest: f64) -> Ball {
        Ball::within(Twofold::from_f64(largest), (self.error(largest) + f64::EPSILON * largest) * ROOM)
    }
}

impl Balls {
    fn from_parts(middles: Vectors, relative: f64, absolute: f64) -> Self {
        let range = plain::extremes(&middles.high);
        Self::from_ranged(Ranged { values: middles, range }, relative, absolute)
    }

    fn from_ranged(Ranged { values: middles, range }: Ranged, relative: f64, absolute: f64) -> Self {
        let count = middles.high.len() as f64;
        Self { middles, bounds: Bounds { count, range, is_reached: true, relative, absolute } }
    }

    fn slices(&self) -> Slices<'_> {
        self.middles.as_slices()
    }

    /// The same, one operation after the other: for decisions that are not clear.
    fn one_by_one(&self) -> OneByOne<Ball> {
        (0..self.len()).filter_map(|index| self.get(index)).collect()
    }

    fn collect(numbers: &OneByOne<Ball>) -> Self {
        let numbers: Vec<Ball> = (0..numbers.len()).filter_map(|index| numbers.get(index)).collect();
        let middles = numbers.iter().map(|number| number.middle()).collect();
        let absolute = numbers.iter().fold(0.0, |largest: f64, number| larger(largest, number.radius()));
        Self::from_parts(middles, 0.0, absolute)
    }
}

/// The larger; not a number where either is none.
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// Double-doubles of integers, the nearest ones where these have more digits.
fn pairs(view: &View<'_>) -> Vectors {
    match view {
        View::Single(values) => Vectors { high: values.to_vec(), low: vec![0.0; values.len()] },
        View::Pairs(slices) => Vectors { high: slices.high.to_vec(), low: slices.low.to_vec() },
        View::Any(values) => values.iter().map(|value| value.to_twofold().0).collect(),
    }
}

impl Series<Ball> for Balls {
    fn ratios(numerators: &Integers, denominators: &Integers) -> Self {
        let ratios = match (numerators.view(), denominators.view()) {
            (View::Single(numerators), View::Single(denominators)) => {
                loops::plain_quotients(numerators, denominators)
            }
            (View::Pairs(numerators), View::Single(denominators)) => {
                loops::quotients(numerators, denominators)
            }
            (a, b) => {
                let ratios = loops::ratios(pairs(&a).as_slices(), pairs(&b).as_slices());
                return Self::from_parts(ratios, RATIO_ERROR, 0.0);
            }
        };
        Self::from_ranged(ratios, RATIO_ERROR, 0.0)
    }

    fn len(&self) -> usize {
        self.middles.high.len()
    }

    fn get(&self, index: usize) -> Option<Ball> {
        let middle = Twofold { high: *self.middles.high.get(index)?, low: *self.middles.low.get(index)? };
        Some(Ball::within(middle, self.bounds.error(middle.high.abs())))
    }

    fn approximations(&self) -> Cow<'_, [f64]> {
        Cow::Borrowed(&self.middles.high)
    }

    fn extremes(&self) -> [f64; 2] {
        match self.bounds.is_reached {
            true => self.bounds.range,
            false => plain::extremes(&self.middles.high),
        }
    }

    fn select(&self, indices: &[usize]) -> Self {
        let part = |part: &[f64]| {
            let mut chosen = Vec::with_capacity(indices.len());
            chosen.extend(indices.iter().filter_map(|index| part.get(*index)));
            chosen
        };
        let middles = Vectors { high: part(&self.middles.high), low: part(&self.middles.low) };
        Self::from_parts(middles, self.bounds.relative, self.bounds.absolute)
    }

    fn sum(&self) -> Total<Ball> {
        let Bounds { count, relative, absolute, .. } = self.bounds;
        let size = count * self.bounds.size();
        let radius = (relative * size + absolute * count + self.bounds.summation() * size) * ROOM;
        Total { value: Ball::within(loops::sum(self.slices()), radius), largest: self.largest() }
    }

    fn largest(&self) -> Ball {
        let [least, most] = self.extremes();
        self.bounds.largest(larger(-least, most))
    }

    fn differences(&self, others: &Self) -> Figure<Self> {
        let (x, y) = (&self.bounds, &others.bounds);
        let differences = loops::differences(self.slices(), others.slices());
        // Zeros are exact only where there is no error that is not relative.
        if differences.certain && x.absolute == 0.0 && y.absolute == 0.0 {
            return Ok(Self { middles: differences.values, bounds: x.less(y.size(), y.error(y.size())) });
        }
        Ok(Self::collect(&self.one_by_one().differences(&others.one_by_one())?))
    }

    fn squares_about(&self, center: &Ball) -> Ball {
        let value = loops::squares_about(self.slices(), center.middle());
        self.bounds.less_ball(center).power_sum(value, value.high, 2)
    }

    fn powers_about(&self, center: &Ball) -> Powers<Ball> {
        let sums = loops::powers_about(self.slices(), center.middle());
        let bounds = self.bounds.less_ball(center);
        Powers {
            cubes: bounds.power_sum(sums.cubes, sums.cubes_size, 3),
            fourths: bounds.power_sum(sums.fourths, sums.fourths.high, 4),
            largest: bounds.largest(sums.largest),
        }
    }

    fn products_about(&self, center: &Ball, others: &Self, other_center: &Ball) -> Total<Ball> {
        let products =
            loops::products_about(self.slices(), center.middle(), others.slices(), other_center.middle());
        let (bounds, other) = (self.bounds.less_ball(center), others.bounds.less_ball(other_center));
        let (x, y, count) = (bounds.size(), other.size(), bounds.count);
        let (error_x, error_y) = (bounds.error(x), other.error(y));
        let inherited = ((x + error_x) * error_y + y * error_x) * ROOM;
        let underflow = underflow(x.min(y), count);
        let rounding = bounds.summation() * count * products.largest;
        let one = inherited + (TERM_ERROR + f64::EPSILON) * products.largest + underflow;
        let error = (count * inherited + rounding) * ROOM + underflow;
        Total {
            value: Ball::within(products.value, error),
            largest: Ball::within(Twofold::from_f64(products.largest), one * ROOM),
        }
    }

    fn squares_below(&self, threshold: &Ball) -> Figure<Ball> {
        let (other, radius) = (threshold.middle().high.abs(), threshold.radius());
        // Zeros are exact only where there is no error that is not relative.
        let exact_zeros = self.bounds.absolute == 0.0;
        if exact_zeros && other == 0.0 && radius == 0.0 {
            return Ok(self.square_sum_below_zero(self.bounds.error(self.bounds.size())));
        }
        let constant = Vectors {
            high: vec![threshold.middle().high; self.len()],
            low: vec![threshold.middle().low; self.len()],
        };
        let differences = loops::differences(self.slices(), constant.as_slices());
        if !differences.certain || !exact_zeros || other == 0.0 {
            return self.one_by_one().squares_below(threshold);
        }
        let bounds = self.bounds.less(other, radius);
        Ok(Self { middles: differences.values, bounds }.square_sum_below_zero(bounds.absolute))
    }

    fn growth(&self, chosen: &Chosen<'_>) -> Ball {
        let beside_one = self.bounds.range.iter().all(|number| BESIDE_ONE.contains(number));
        let growth = match chosen {
            Chosen::All => loops::growth(self.slices(), beside_one),
            Chosen::Within(range) => match self.within(range.clone()) {
                Some(slices) => loops::growth(slices, beside_one),
                None => return Ball::UNKNOWN,
            },
            Chosen::Beside(integers, side) => match (integers.signs(), side) {
                (Some(signs), Ordering::Greater) => {
                    loops::growth_where(self.slices(), signs, 1.0, beside_one)
                }
                (Some(signs), Ordering::Less) => loops::growth_where(self.slices(), signs, -1.0, beside_one),
                _ => return self.one_by_one().growth(chosen),
            },
        };
        self.bounded(&growth).unwrap_or_else(|| self.one_by_one().growth(chosen))
    }
}

impl Balls {
    fn within(&self, range: std::ops::Range<usize>) -> Option<Slices<'_>> {
        let (high, low) = (self.middles.high.get(range.clone())?, self.middles.low.get(range)?);
        Some(Slices { high, low })
    }

    /// A product with its bound, where no part of it was too large or too small for one.
    fn bounded(&self, growth: &Growth) -> Option<Ball> {
        /// Sixteen factors between these, and sixteen of their products, stay far within an `f64`.
        const FACTORS: [f64; 2] = [1e-8, 1e8];
        const PRODUCTS: [f64; 2] = [1e-30, 1e30];
        /// Up to here errors of factors add up, with the room that is left for it.
        const SMALL: f64 = 1e-10;
        let within = |[low, high]: [f64; 2], [least, most]: [f64; 2]| low >= least && high <= most;
        let Bounds { count, range: [least, most], .. } = self.bounds;
        // A number that does not take part is a factor of one.
        let [smallest, largest] = [1.0 + if least < 0.0 { least } else { 0.0 }, 1.0 + larger(most, 0.0)];
        let blocks = count / PRODUCT_BLOCK as f64 + (2 * WIDTH) as f64;
        let of_factor = (self.bounds.error(self.bounds.size()) + 2.0 * STEP_ERROR)
            / (smallest * (2.0 - ROOM))
            + STEP_ERROR;
        let relative = (count * of_factor + blocks * PRODUCT_BLOCK_ERROR) * ROOM;
        let certain =
            within([smallest, largest], FACTORS) && within(growth.products, PRODUCTS) && relative < SMALL;
        certain.then(|| Ball::within(growth.value, growth.value.high.abs() * relative * ROOM))
    }

    /// Σ min(x, 0)², of numbers with this error.
    fn square_sum_below_zero(&self, error: f64) -> Ball {
        let value = loops::squares_below_zero(self.slices());
        if value.high == 0.0 {
            return Ball::within(value, 0.0);
        }
        let (count, size) = (self.bounds.count, self.bounds.size());
        let inherited = 2.0 * count * error * (size + error);
        let rounding = self.bounds.summation() * value.high;
        Ball::within(value, (inherited + rounding) * ROOM + underflow(1.0, count))
    }
}

/// What powers of small numbers may lose to underflow; nothing where all are zero.
fn underflow(largest: f64, count: f64) -> f64 {
    if largest > 0.0 { count * TINY } else { 0.0 }
}
