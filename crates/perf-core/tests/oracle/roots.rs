//! All real roots of an exponential sum f(x) = Σ a_j e^(−k_j x / d), k_j whole and ascending.
//!
//! Beyond two points the first or the last term dominates and f has no root. Between them the
//! line is cut in two again and again until bounds on the terms show of each piece that f keeps
//! its sign there, or that f times some e^(cx) is monotone there. What is still open when the
//! pieces are narrow lies at an extremum near 0: there the extrema are the roots of the
//! derivative of f·e^(k_1 x / d), a sum with one term less, found in the same way; f crosses 0
//! between them or touches 0 at them.

use super::number::Number;

/// The terms: amounts with their whole exponents, ascending, and the exponents' denominator.
pub struct ExponentialSum {
    /// a_j and k_j; no a_j is 0.
    pub terms: Vec<(Number, u64)>,
    /// d.
    pub denominator: i64,
}

/// x with every e^(−k_j x / d).
#[derive(Clone)]
struct Point {
    x: Number,
    powers: Vec<Number>,
}

impl Point {
    /// The same point for a sum without the first term.
    fn without_first(&self) -> Point {
        Point { x: self.x.clone(), powers: self.powers[1..].to_vec() }
    }
}

impl ExponentialSum {
    /// How often the amounts change sign.
    pub fn sign_changes(&self) -> usize {
        self.terms.windows(2).filter(|pair| pair[0].0.sign() != pair[1].0.sign()).count()
    }

    /// Every root x, ascending; a touching root once.
    pub fn roots(&self) -> Vec<Number> {
        if self.sign_changes() == 0 {
            return Vec::new();
        }
        let (low, high) = self.bounds();
        self.roots_between(&low, &high)
    }

    fn point(&self, x: Number) -> Point {
        let step = (-(&x / Number::int(self.denominator))).exp();
        let mut powers: Vec<Number> = Vec::with_capacity(self.terms.len());
        let mut reached = 0;
        for (_, exponent) in &self.terms {
            let factor = step.pow_int(exponent - reached);
            let power = powers.last().map_or_else(|| factor.clone(), |last| last * &factor);
            powers.push(power);
            reached = *exponent;
        }
        Point { x, powers }
    }

    fn values(&self, at: &Point) -> Vec<Number> {
        self.terms.iter().zip(&at.powers).map(|((amount, _), power)| amount * power).collect()
    }

    fn sign(&self, at: &Point) -> i32 {
        self.values(at).iter().fold(Number::zero(), |sum, value| sum + value).sign()
    }

    /// The derivative of f·e^(k_1 x / d), k_1 the first exponent, but for that power of e and
    /// a constant factor.
    fn derivative(&self) -> ExponentialSum {
        let (_, first) = self.terms[0];
        let terms = self.terms[1..]
            .iter()
            .map(|(amount, exponent)| {
                (-(amount * Number::int(i64::try_from(exponent - first).unwrap())), *exponent)
            })
            .collect();
        ExponentialSum { terms, denominator: self.denominator }
    }

    /// Whether f is 0 within 1e-24 of its largest term.
    fn is_zero(&self, at: &Point) -> bool {
        Number::settled_sum(&self.values(at)).sign() == 0
    }

    /// Points beyond which the last, and the first, term dominates.
    fn bounds(&self) -> (Point, Point) {
        let dominated = |x: i64, index: usize| {
            let point = self.point(Number::int(x));
            let sizes: Vec<Number> = self.values(&point).iter().map(Number::abs).collect();
            let total = sizes.iter().fold(Number::zero(), |sum, size| sum + size);
            &sizes[index] * Number::int(2) > total
        };
        let last = self.terms.len() - 1;
        let reach = |index: usize, side: i64| {
            let mut x = side;
            while !dominated(x, index) {
                x *= 2;
            }
            self.point(Number::int(x))
        };
        (reach(last, -1), reach(0, 1))
    }

    fn roots_between(&self, low: &Point, high: &Point) -> Vec<Number> {
        let centres = [0, self.terms.len() - 1, self.largest_term(low), self.largest_term(high)];
        if centres.iter().any(|centre| self.keeps_sign(low, high, *centre)) {
            return Vec::new();
        }
        if centres.iter().any(|centre| self.is_monotone(low, high, *centre)) {
            return self.crossing(low, high).into_iter().collect();
        }
        if !self.is_narrow(low, high) {
            // Not in the middle, so that round figures are not met as end points.
            let share = Number::parse("0.4871");
            let middle = self.point(&low.x + (&high.x - &low.x) * share);
            let mut roots = self.roots_between(low, &middle);
            roots.extend(self.roots_between(&middle, high));
            return roots;
        }
        let derivative = self.derivative();
        let extrema = derivative.roots_between(&low.without_first(), &high.without_first());
        self.roots_among_extrema(low, extrema, high)
    }

    /// Whether no two terms change by more than 1/32 against each other.
    fn is_narrow(&self, low: &Point, high: &Point) -> bool {
        let span = self.terms[self.terms.len() - 1].1 - self.terms[0].1;
        let change = (&high.x - &low.x) * Number::int(i64::try_from(span).unwrap());
        change < Number::int(self.denominator) / Number::int(32)
    }

    /// The roots in a piece where all extrema are known: f is monotone between them. Where an
    /// extremum is 0 it is the root, and what f crosses next to it belongs to it.
    fn roots_among_extrema(&self, low: &Point, extrema: Vec<Number>, high: &Point) -> Vec<Number> {
        let mut roots = Vec::new();
        let mut left = low.clone();
        let mut left_is_zero = false;
        for x in extrema {
            let right = self.point(x);
            let right_is_zero = self.is_zero(&right);
            if right_is_zero && !left_is_zero {
                roots.push(right.x.clone());
            } else if !right_is_zero && !left_is_zero {
                roots.extend(self.crossing(&left, &right));
            }
            (left, left_is_zero) = (right, right_is_zero);
        }
        if !left_is_zero {
            roots.extend(self.crossing(&left, high));
        }
        roots
    }

    fn largest_term(&self, at: &Point) -> usize {
        let sizes: Vec<Number> = self.values(at).iter().map(Number::abs).collect();
        (0..sizes.len()).reduce(|a, b| if sizes[b] > sizes[a] { b } else { a }).unwrap()
    }

    /// Bounds of Σ w_j e^(−(k_j − k_c) x / d) between two points: each term is monotone there,
    /// so it lies between its values at the ends. Also the largest size of a term.
    fn range(
        &self,
        weights: &[Number],
        low: &Point,
        high: &Point,
        centre: usize,
    ) -> (Number, Number, Number) {
        let (mut least, mut most) = (Number::zero(), Number::zero());
        let mut largest = Number::zero();
        for (index, weight) in weights.iter().enumerate() {
            let at_low = weight * &low.powers[index] / &low.powers[centre];
            let at_high = weight * &high.powers[index] / &high.powers[centre];
            largest = largest.max(at_low.abs()).max(at_high.abs());
            least = least + at_low.clone().min(at_high.clone());
            most = most + at_low.max(at_high);
        }
        (least, most, largest)
    }

    fn keeps_sign(&self, low: &Point, high: &Point, centre: usize) -> bool {
        let amounts: Vec<Number> = self.terms.iter().map(|(amount, _)| amount.clone()).collect();
        let (least, most, largest) = self.range(&amounts, low, high, centre);
        (least.sign() > 0 && !least.is_settled_by(&largest))
            || (most.sign() < 0 && !most.is_settled_by(&largest))
    }

    fn is_monotone(&self, low: &Point, high: &Point, centre: usize) -> bool {
        let middle = i64::try_from(self.terms[centre].1).unwrap();
        let weights: Vec<Number> = self
            .terms
            .iter()
            .map(|(amount, exponent)| amount * Number::int(middle - i64::try_from(*exponent).unwrap()))
            .collect();
        let (least, most, _) = self.range(&weights, low, high, centre);
        least.sign() > 0 || most.sign() < 0
    }

    /// The root between two points where f has different signs and nothing but that root.
    fn crossing(&self, low: &Point, high: &Point) -> Option<Number> {
        let right_side = self.sign(high) >= 0;
        if (self.sign(low) >= 0) == right_side {
            return None;
        }
        let is_right = |x: &Number| (self.sign(&self.point(x.clone())) >= 0) == right_side;
        let (mut low, mut high) = (low.x.clone(), high.x.clone());
        let mut tries_newton_below = Number::ten_to(-10);
        let narrow = Number::ten_to(-60);
        while &high - &low > narrow {
            let middle = (&low + &high) / Number::int(2);
            if &high - &low < tries_newton_below {
                let root = self.newton(&middle);
                let margin = Number::ten_to(-61);
                let (left, right) = (&root - &margin, &root + &margin);
                if low < left && right < high && !is_right(&left) && is_right(&right) {
                    return Some(root);
                }
                tries_newton_below = Number::zero();
            }
            if is_right(&middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some((low + high) / Number::int(2))
    }

    /// A few steps of Newton's method; the caller checks where they lead.
    fn newton(&self, start: &Number) -> Number {
        let mut x = start.clone();
        for _ in 0..5 {
            let values = self.values(&self.point(x.clone()));
            let (mut value, mut slope) = (Number::zero(), Number::zero());
            for (term, (_, exponent)) in values.iter().zip(&self.terms) {
                let rate = Number::int(i64::try_from(*exponent).unwrap());
                value = value + term;
                slope = slope - term * rate / Number::int(self.denominator);
            }
            if slope.sign() == 0 {
                break;
            }
            x = x - value / slope;
        }
        x
    }
}
