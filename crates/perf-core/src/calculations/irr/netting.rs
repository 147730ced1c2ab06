//! What it takes to bring flows to one scale and net them by time.

use crate::number::{Exact, Twofold};

/// Why flows cannot be taken at a scale.
pub(super) enum Unfit {
    /// An amount has more decimals.
    Scale(u32),
    /// An amount is too large.
    Size,
}

/// The mantissa at a common scale.
#[inline]
pub(super) fn mantissa(amount: &Exact, scale: u32) -> Result<i128, Unfit> {
    let mantissa = amount.mantissa().to_i128().ok_or(Unfit::Size)?;
    match scale.checked_sub(amount.scale()) {
        Some(0) => Ok(mantissa),
        Some(places) => {
            let power = 10_i128.checked_pow(places).ok_or(Unfit::Size)?;
            mantissa.checked_mul(power).ok_or(Unfit::Size)
        }
        None => Err(Unfit::Scale(amount.scale())),
    }
}

/// An integer as a double-double, where that is exact.
pub(super) fn exactly(value: i128) -> Option<Twofold> {
    /// Up to here the high part is exact and the low part fits.
    const LARGEST: u128 = 1 << 100;
    /// Up to here a double holds every integer.
    const SHORT: u64 = 1 << 53;
    if let Some(short) = i64::try_from(value).ok().filter(|short| short.unsigned_abs() <= SHORT) {
        return Some(Twofold::from_f64(short as f64));
    }
    if value.unsigned_abs() > LARGEST {
        return None;
    }
    let high = value as f64;
    let rest = value - high as i128;
    Some(Twofold { high, low: rest as i64 as f64 })
}

/// What netting remembers of the flow before.
pub(super) struct Netting {
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) negative: bool,
    /// One more than the index of a short gap; zero where it is new.
    slots: [u16; 256],
}

impl Default for Netting {
    fn default() -> Self {
        Self { first: None, last: None, negative: false, slots: [0; 256] }
    }
}

impl Netting {
    /// The index of a gap among the distinct ones.
    pub(super) fn index(&mut self, gap: u64, gaps: &mut Vec<u64>) -> usize {
        if let Some(slot) = usize::try_from(gap).ok().and_then(|gap| self.slots.get_mut(gap)) {
            if *slot == 0 {
                gaps.push(gap);
                *slot = u16::try_from(gaps.len()).unwrap_or(0);
                return gaps.len() - 1;
            }
            return usize::from(*slot) - 1;
        }
        // Long gaps are few, or every one has its own place.
        gaps.push(gap);
        gaps.len() - 1
    }
}
