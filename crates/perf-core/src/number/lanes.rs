//! Eight double-doubles at a time: one source, compiled for processors with a
//! fused multiply-add and for any other, with the same bits.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::slice::Iter;

use super::Twofold;
use super::processor::{Product, Split};

/// Numbers worked on together.
pub(super) const WIDTH: usize = 8;
/// The same where each step waits for the one before it.
pub(super) const DOUBLE_WIDTH: usize = 2 * WIDTH;

/// Eight numbers, or as many as stated.
#[derive(Clone, Copy)]
pub(super) struct Lanes<const W: usize = WIDTH>(pub(super) [f64; W]);

#[allow(clippy::indexing_slicing, reason = "from_fn's index is below the length of its array")]
impl<const W: usize> Lanes<W> {
    pub(super) const ZERO: Self = Self([0.0; W]);
    pub(super) const ONE: Self = Self([1.0; W]);

    #[inline(always)]
    pub(super) fn map(self, function: impl Fn(f64) -> f64) -> Self {
        Self(from_fn(
            #[inline(always)]
            |lane| function(self.0[lane]),
        ))
    }

    #[inline(always)]
    pub(super) fn zip(self, other: Self, function: impl Fn(f64, f64) -> f64) -> Self {
        Self(from_fn(
            #[inline(always)]
            |lane| function(self.0[lane], other.0[lane]),
        ))
    }

    /// What eight rows have in one place.
    #[inline(always)]
    pub(super) fn across<const N: usize>(rows: &[[f64; N]; W], place: usize) -> Self {
        Self(from_fn(
            #[inline(always)]
            |lane| rows[lane][place],
        ))
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Self {
        self.map(f64::abs)
    }

    #[inline(always)]
    pub(super) fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    /// Above zero where these are, as differences of two numbers, far above dust or differences of zeros.
    #[inline(always)]
    pub(super) fn clearance(self, a: Self, b: Self) -> Self {
        /// A difference above this share of the larger number is no dust, whatever its error.
        const FAR_ABOVE_DUST: f64 = 1e-20;
        let scale = a.abs().zip(b.abs(), |a, b| if a > b { a } else { b });
        let clear = self.abs() - scale * Self([FAR_ABOVE_DUST; W]);
        // Zeros leave nothing to decide.
        clear.zip(scale, |clear, scale| if scale == 0.0 { 1.0 } else { clear })
    }

    /// One where a number, times `side`, is above zero; zero elsewhere.
    #[inline(always)]
    pub(super) fn kept(self, side: f64) -> Self {
        self.map(|number| if number * side > 0.0 { 1.0 } else { 0.0 })
    }

    #[inline(always)]
    pub(super) fn two_product<P: Product>(self, other: Self) -> (Self, Self) {
        let products: [(f64, f64); W] = from_fn(
            #[inline(always)]
            |lane| P::two_product(self.0[lane], other.0[lane]),
        );
        (Self(from_fn(|lane| products[lane].0)), Self(from_fn(|lane| products[lane].1)))
    }

    /// a + b = sum + error, exactly.
    #[inline(always)]
    pub(super) fn two_sum(self, other: Self) -> (Self, Self) {
        let sum = self + other;
        let part = sum - self;
        (sum, (self - (sum - part)) + (other - part))
    }
}

#[allow(clippy::indexing_slicing, reason = "from_fn's index is below half the length of the array")]
impl Lanes<DOUBLE_WIDTH> {
    #[inline(always)]
    fn halves(self) -> [Lanes; 2] {
        [Lanes(from_fn(|lane| self.0[lane])), Lanes(from_fn(|lane| self.0[WIDTH + lane]))]
    }
}

impl<const W: usize> Add for Lanes<W> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl<const W: usize> Sub for Lanes<W> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl<const W: usize> Mul for Lanes<W> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl<const W: usize> Div for Lanes<W> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
}

impl<const W: usize> Neg for Lanes<W> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

/// Eight double-doubles, or as many as stated.
#[derive(Clone, Copy)]
pub(super) struct Pairs<const W: usize = WIDTH> {
    pub(super) high: Lanes<W>,
    pub(super) low: Lanes<W>,
}

impl<const W: usize> Pairs<W> {
    pub(super) const ZERO: Self = Self { high: Lanes::ZERO, low: Lanes::ZERO };
    pub(super) const ONE: Self = Self { high: Lanes::ONE, low: Lanes::ZERO };

    #[inline(always)]
    pub(super) fn of(value: Twofold) -> Self {
        Self { high: Lanes([value.high; W]), low: Lanes([value.low; W]) }
    }

    /// Integers of up to 62 bits, exactly.
    #[inline(always)]
    pub(super) fn integers(values: [i64; W]) -> Self {
        /// Of the lower half.
        const BITS: u32 = 31;
        let upper = Lanes(values.map(|value| (value >> BITS << BITS) as f64));
        let lower = Lanes(values.map(|value| (value & ((1 << BITS) - 1)) as f64));
        Self::renormalized(upper, lower)
    }

    #[inline(always)]
    pub(super) fn renormalized(high: Lanes<W>, low: Lanes<W>) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }

    /// Error below 2^−103 of |self| + |other|.
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        let (sum, error) = self.high.two_sum(other.high);
        Self::renormalized(sum, error + (self.low + other.low))
    }

    /// 1 + x for numbers from −1/2 to 1: the low part below 2u of the high one, which it may
    /// reach into.
    #[inline(always)]
    pub(super) fn one_and(high: Lanes<W>, low: Lanes<W>) -> Self {
        let sum = Lanes::ONE + high;
        Self { high: sum, low: (high - (sum - Lanes::ONE)) + low }
    }

    /// Relative error below 2^−102.
    #[inline(always)]
    pub(super) fn times<P: Product>(self, other: Self) -> Self {
        let (product, error) = self.loose_times::<P>(other);
        Self::renormalized(product, error)
    }

    /// The product, its low part not yet below half a unit of its high one: up to 2^−51 of it.
    #[inline(always)]
    pub(super) fn loose_times<P: Product>(self, other: Self) -> (Lanes<W>, Lanes<W>) {
        let (product, error) = self.high.two_product::<P>(other.high);
        (product, error + (self.high * other.low + self.low * other.high))
    }

    /// Relative error below 2^−101: the remainder is exact but for its low parts.
    #[inline(always)]
    pub(super) fn over<P: Product>(self, other: Self) -> Self {
        let first = self.high / other.high;
        let (product, error) = first.two_product::<P>(other.high);
        let remainder = ((self.high - product) - error) + (self.low - first * other.low);
        Self::renormalized(first, remainder / other.high)
    }

    #[inline(always)]
    fn lanes(self) -> [Twofold; W] {
        let mut lanes = self.high.0.map(Twofold::from_f64);
        lanes.iter_mut().zip(self.low.0).for_each(|(lane, low)| lane.low = low);
        lanes
    }
}

impl Pairs {
    /// The sum of all eight. Apart from the loops: within one it would keep the compiler from
    /// making vectors of what comes before.
    #[inline(never)]
    pub(super) fn total(self) -> Twofold {
        let [a, b, c, d, e, f, g, h] = self.lanes();
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }

    /// The product of all eight; apart as the sum.
    #[inline(never)]
    pub(super) fn product(self) -> Twofold {
        let [a, b, c, d, e, f, g, h] = self.lanes();
        let times = Twofold::times::<Split>;
        times(times(times(a, b), times(c, d)), times(times(e, f), times(g, h)))
    }
}

impl Pairs<DOUBLE_WIDTH> {
    /// The first eight and the last.
    #[inline(always)]
    pub(super) fn halves(self) -> [Pairs; 2] {
        let ([a, b], [c, d]) = (self.high.halves(), self.low.halves());
        [Pairs { high: a, low: c }, Pairs { high: b, low: d }]
    }
}

/// Columns of numbers eight by eight, or by as many as stated, the last ones filled up.
pub(super) struct Columns<'a, const N: usize, const W: usize = WIDTH> {
    whole: [Iter<'a, [f64; W]>; N],
    last: Option<[Lanes<W>; N]>,
}

impl<'a, const N: usize, const W: usize> Columns<'a, N, W> {
    #[inline(always)]
    pub(super) fn filled(columns: [&'a [f64]; N], fill: [f64; N]) -> Self {
        let parts = columns.map(<[f64]>::as_chunks::<W>);
        let mut last = fill.map(|fill| Lanes([fill; W]));
        for (last, (_, rest)) in last.iter_mut().zip(parts) {
            last.0.iter_mut().zip(rest).for_each(|(slot, number)| *slot = *number);
        }
        let any = parts.iter().any(|(_, rest)| !rest.is_empty());
        Self { whole: parts.map(|(whole, _)| whole.iter()), last: any.then_some(last) }
    }

    /// Filled up with zeros.
    #[inline(always)]
    pub(super) fn of(columns: [&'a [f64]; N]) -> Self {
        Self::filled(columns, [0.0; N])
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<[Lanes<W>; N]> {
        let mut numbers = [Lanes::ZERO; N];
        for (slot, column) in numbers.iter_mut().zip(&mut self.whole) {
            match column.next() {
                Some(numbers) => *slot = Lanes(*numbers),
                None => return self.last.take(),
            }
        }
        Some(numbers)
    }
}

/// Double-doubles as two slices.
#[derive(Clone, Copy)]
pub(super) struct Slices<'a> {
    /// The nearest `f64` values.
    pub(super) high: &'a [f64],
    /// What these leave out.
    pub(super) low: &'a [f64],
}

/// Double-doubles as two vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Vectors {
    /// The nearest `f64` values.
    pub(super) high: Vec<f64>,
    /// What these leave out.
    pub(super) low: Vec<f64>,
}

impl Vectors {
    pub(super) fn as_slices(&self) -> Slices<'_> {
        Slices { high: &self.high, low: &self.low }
    }

    /// What `function` makes of each step of `columns`: `length` numbers in all.
    #[inline(always)]
    pub(super) fn collect<const N: usize>(
        length: usize,
        mut columns: Columns<'_, N>,
        mut function: impl FnMut([Lanes; N]) -> Pairs,
    ) -> Self {
        let room = length.next_multiple_of(WIDTH);
        let mut vectors = Self { high: vec![0.0; room], low: vec![0.0; room] };
        let (high, _) = vectors.high.as_chunks_mut::<WIDTH>();
        let (low, _) = vectors.low.as_chunks_mut::<WIDTH>();
        for (high, low) in high.iter_mut().zip(low) {
            let Some(step) = columns.next() else { break };
            let pairs = function(step);
            (*high, *low) = (pairs.high.0, pairs.low.0);
        }
        vectors.high.truncate(length);
        vectors.low.truncate(length);
        vectors
    }

    pub(super) fn with_capacity(length: usize) -> Self {
        Self { high: Vec::with_capacity(length), low: Vec::with_capacity(length) }
    }

    pub(super) fn push(&mut self, value: Twofold) {
        self.high.push(value.high);
        self.low.push(value.low);
    }
}

impl FromIterator<Twofold> for Vectors {
    fn from_iter<I: IntoIterator<Item = Twofold>>(values: I) -> Self {
        let mut vectors = Self::default();
        values.into_iter().for_each(|value| vectors.push(value));
        vectors
    }
}
