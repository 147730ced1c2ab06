use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;

use super::ball::{Ball, TINY};
use super::elementwise::{self, Ranged};
use super::integers::View;
use super::lanes::{DOUBLE_WIDTH, Slices, Vectors, WIDTH};
use super::loops::{self, BESIDE_ONE, BLOCK, Below, Centered, Growth, PRODUCT_BLOCK, PowerSums, Products};
use super::series::{Chosen, Powers, Series, Total};
use super::{Figure, Integers, OneByOne, Real as _, Twofold, plain};

/// Bound on the relative error of a quotient of integers of 106 bits or more.
const RATIO_ERROR: f64 = power_of_two(-100);
/// Bound on the relative error of one sum or product, as the bounds here count them.
const STEP_ERROR: f64 = power_of_two(-102);
/// Bound on the relative error of a product of up to four numbers, as a term of a sum.
const TERM_ERROR: f64 = power_of_two(-100);
/// Bound on what each lane of a block of a sum loses, relative to the largest term.
const BLOCK_ERROR: f64 = power_of_two(-89);
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
    /// Σ x and Σ x², once one of them is asked for.
    moments: OnceCell<[Ball; 2]>,
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

    /// What a sum of as many terms of up to this size loses to rounding.
    fn summation(&self, largest: f64) -> f64 {
        let blocks = self.count / BLOCK as f64 + WIDTH as f64;
        let joins = blocks / WIDTH as f64 + (2 * WIDTH) as f64;
        let joined = self.count * (TERM_ERROR + 2.0 * joins * STEP_ERROR);
        (blocks * BLOCK_ERROR + joined) * largest * ROOM
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

    /// A sum of powers of these, with its bound.
    fn power_sum(&self, value: Twofold, power: i32) -> Ball {
        let error = self.error(self.size());
        // |(x + e)^k − x^k| ≤ k·|e|·(|x| + |e|)^(k − 1).
        let reach = (self.size() + error) * ROOM;
        let inherited = self.count * f64::from(power) * error * reach.powi(power - 1);
        let rounding = self.summation(reach.powi(power));
        Ball::within(value, (inherited + rounding) * ROOM + underflow(self.size(), self.count))
    }

    /// A sum of products with as many others, with its bound.
    fn product_sum(&self, value: Twofold, other: &Self) -> Ball {
        let (x, y) = (self.size(), other.size());
        let error = self.product_error(other);
        let rounding = self.summation(x * y * ROOM);
        Ball::within(value, (self.count * error + rounding) * ROOM + underflow(x.min(y), self.count))
    }

    /// Σ min(x, 0)² of these, with its bound: exact where none is below zero.
    fn square_sum_below(&self, value: Twofold) -> Ball {
        if value.high == 0.0 { Ball::within(value, 0.0) } else { self.power_sum(value, 2) }
    }

    /// What a product with another number inherits of the errors of both.
    fn product_error(&self, other: &Self) -> f64 {
        let (x, y) = (self.size(), other.size());
        let (error_x, error_y) = (self.error(x), other.error(y));
        ((x + error_x) * error_y + y * error_x) * ROOM
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
        Self::new(middles, Bounds { count, range, is_reached: true, relative, absolute })
    }

    fn new(middles: Vectors, bounds: Bounds) -> Self {
        Self { middles, bounds, moments: OnceCell::new() }
    }

    /// The same seen from a center, and what is known of that.
    fn about(&self, center: &Ball) -> (Centered<'_>, Bounds) {
        let bounds = self.bounds.less(center.middle().high.abs(), center.radius());
        (Centered { x: self.slices(), center: center.middle(), largest: bounds.size() }, bounds)
    }

    /// Σ x and Σ x².
    fn moments(&self) -> [Ball; 2] {
        *self.moments.get_or_init(|| {
            let [sum, squares] = loops::moments(self.slices(), self.bounds.size());
            [self.bounds.power_sum(sum, 1), self.bounds.power_sum(squares, 2)]
        })
    }

    /// Σ xy − Σ (x − c)(y − d) = c(Σ y − n d) + d Σ x.
    fn shift(&self, c: &Ball, others: &Self, d: &Ball) -> Ball {
        let count = Ball::approximately(self.bounds.count);
        let ([x, _], [y, _]) = (self.moments(), others.moments());
        *c * (y - count * *d) + *d * x
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
        View::Short(values) => elementwise::integers(values),
        View::Pairs(slices) => Vectors { high: slices.high.to_vec(), low: slices.low.to_vec() },
        View::Any(values) => values.iter().map(|value| value.to_twofold().0).collect(),
    }
}

impl Series<Ball> for Balls {
    fn ratios(numerators: &Integers, denominators: &Integers) -> Self {
        let ratios = match (numerators.view(), denominators.view()) {
            (View::Single(numerators), View::Single(denominators)) => {
                elementwise::plain_quotients(numerators, denominators)
            }
            (View::Short(numerators), View::Single(denominators)) => {
                elementwise::integer_quotients(numerators, denominators)
            }
            (View::Pairs(numerators), View::Single(denominators)) => {
                elementwise::quotients(numerators, denominators)
            }
            (a, b) => {
                let ratios = elementwise::ratios(pairs(&a).as_slices(), pairs(&b).as_slices());
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
        let [value, _] = self.moments();
        Total { value, largest: self.largest() }
    }

    fn largest(&self) -> Ball {
        let [least, most] = self.extremes();
        self.bounds.largest(larger(-least, most))
    }

    fn differences(&self, others: &Self) -> Figure<Self> {
        let (x, y) = (&self.bounds, &others.bounds);
        let differences = elementwise::differences(self.slices(), others.slices());
        // Zeros are exact only where there is no error that is not relative.
        if differences.certain && x.absolute == 0.0 && y.absolute == 0.0 {
            return Ok(Self::new(differences.values, x.less(y.size(), y.error(y.size()))));
        }
        Ok(Self::collect(&self.one_by_one().differences(&others.one_by_one())?))
    }

    fn squares_about(&self, center: &Ball) -> Ball {
        let [_, squares] = self.moments();
        clear(squares - self.shift(center, self, center)).unwrap_or_else(|| {
            let (centered, bounds) = self.about(center);
            bounds.power_sum(loops::squares_about(centered), 2)
        })
    }

    fn powers_about(&self, center: &Ball) -> Powers<Ball> {
        let [cubes, fourths] = loops::higher_moments(self.slices(), self.bounds.size());
        let (cubes, fourths) = (self.bounds.power_sum(cubes, 3), self.bounds.power_sum(fourths, 4));
        let ([sum, squares], count, c) = (self.moments(), Ball::approximately(self.bounds.count), *center);
        let [three, four, six] = [3.0, 4.0, 6.0].map(Ball::approximately);
        let shifted = [
            cubes - c * (three * squares - c * (three * sum - count * c)),
            fourths - c * (four * cubes - c * (six * squares - c * (four * sum - count * c))),
        ];
        if let [Some(cubes), Some(fourths)] = shifted.map(clear) {
            return Powers { cubes: Ok(cubes), fourths: Ok(fourths) };
        }
        let (centered, bounds) = self.about(center);
        let PowerSums { cubes, fourths, largest } = loops::powers_about(centered);
        let (cubes, fourths) = (bounds.power_sum(cubes, 3), bounds.power_sum(fourths, 4));
        Powers::settled(cubes, fourths, &bounds.largest(largest))
    }

    fn products_about(&self, center: &Ball, others: &Self, other_center: &Ball) -> Figure<Ball> {
        let largest = self.bounds.size() * others.bounds.size();
        let products = loops::products(self.slices(), others.slices(), largest);
        let products = self.bounds.product_sum(products, &others.bounds);
        if let Some(clear) = clear(products - self.shift(center, others, other_center)) {
            return Ok(clear);
        }
        let ((x, bounds), (y, other)) = (self.about(center), others.about(other_center));
        let Products { value, largest } = loops::products_about(x, y);
        let error = bounds.product_error(&other) + (TERM_ERROR + f64::EPSILON) * largest;
        let error = (error + underflow(bounds.size().min(other.size()), bounds.count)) * ROOM;
        let largest = Ball::within(Twofold::from_f64(largest), error);
        bounds.product_sum(value, &other).without_dust(&largest)
    }

    fn squares_below(&self, threshold: &Ball) -> Figure<Ball> {
        let (other, radius) = (threshold.middle().high.abs(), threshold.radius());
        // Zeros are exact only where there is no error that is not relative.
        let exact_zeros = self.bounds.absolute == 0.0;
        if exact_zeros && other == 0.0 && radius == 0.0 {
            let squares = loops::squares_below_zero(self.slices(), self.bounds.size());
            return Ok(self.bounds.square_sum_below(squares));
        }
        if exact_zeros && other != 0.0 {
            let (centered, bounds) = self.about(threshold);
            let Below { squares, certain } = loops::squares_below(centered);
            if certain {
                return Ok(bounds.square_sum_below(squares));
            }
        }
        self.one_by_one().squares_below(threshold)
    }

    fn growth(&self, chosen: &Chosen<'_>) -> Ball {
        let beside_one = self.bounds.range.iter().all(|number| BESIDE_ONE.contains(number));
        let growth = match chosen {
            Chosen::All => loops::growth(self.slices(), beside_one),
            Chosen::Within(range) => match self.within(range.clone()) {
                Some(slices) => loops::growth(slices, beside_one),
                None => return Ball::UNKNOWN,
            },
            Chosen::Beside(signs, Ordering::Greater) => {
                loops::growth_where(self.slices(), signs, 1.0, beside_one)
            }
            Chosen::Beside(signs, Ordering::Less) => {
                loops::growth_where(self.slices(), signs, -1.0, beside_one)
            }
            Chosen::Beside(_, Ordering::Equal) => return self.one_by_one().growth(chosen),
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
        let blocks = count / PRODUCT_BLOCK as f64 + (2 * DOUBLE_WIDTH) as f64;
        let of_factor = (self.bounds.error(self.bounds.size()) + 2.0 * STEP_ERROR)
            / (smallest * (2.0 - ROOM))
            + STEP_ERROR;
        let relative = (count * of_factor + blocks * PRODUCT_BLOCK_ERROR) * ROOM;
        let certain =
            within([smallest, largest], FACTORS) && within(growth.products, PRODUCTS) && relative < SMALL;
        certain.then(|| Ball::within(growth.value, growth.value.high.abs() * relative * ROOM))
    }
}

/// A value of which enough is known for any figure: nothing that counts was lost to a
/// subtraction, and it is no dust.
fn clear(value: Ball) -> Option<Ball> {
    /// Above the last of the digits that are promised by a thousand.
    const ENOUGH: f64 = power_of_two(-78);
    (value.radius() <= value.middle().high.abs() * ENOUGH).then_some(value)
}

/// What powers of small numbers may lose to underflow; nothing where all are zero.
fn underflow(largest: f64, count: f64) -> f64 {
    if largest > 0.0 { count * TINY } else { 0.0 }
}
