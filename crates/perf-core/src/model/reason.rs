use super::Word;

/// Why a figure is undefined: a machine word that travels with the `null`.
///
/// ```
/// use perf_core::model::Reason;
/// assert_eq!(Reason::ZeroVolatility.as_str(), "zero_volatility");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(description = "Why a figure is undefined.", rename_all = "snake_case")
)]
pub enum Reason {
    /// Fewer than 365 days: not annualised.
    PeriodUnderOneYear,
    /// The returns do not vary.
    ZeroVolatility,
    /// No return lies below the minimum acceptable one.
    ZeroDownsideDeviation,
    /// Portfolio and benchmark differ by a constant.
    ZeroTrackingError,
    /// The wealth path never falls.
    ZeroDrawdown,
    /// Fewer returns than the statistic needs.
    TooFewReturns,
    /// The request names no benchmark.
    NoBenchmark,
    /// All flows point the same way.
    NoSignChange,
    /// The flows change sign, but no rate makes their present value zero.
    NoRoot,
    /// No time passes between the first and the last date.
    ZeroLengthPeriod,
    /// The request holds returns: there is no money to weight them with.
    NoValuations,
    /// All capital, or more, was lost.
    TotalLoss,
    /// A sub-period has gain but no capital to earn it on.
    NonPositiveCapital,
    /// The beta is zero.
    ZeroBeta,
    /// The benchmark's returns do not vary.
    ZeroBenchmarkVolatility,
    /// The benchmark has no period above zero.
    NoUpPeriods,
    /// The benchmark has no period below zero.
    NoDownPeriods,
    /// The benchmark has no value for part of the period.
    BenchmarkGap,
    /// The magnitude is beyond 1e120.
    OutOfRange,
    /// The roots lie too close together to be separated within the work bound.
    NotIsolated,
}

impl Reason {
    /// The machine word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_what_serializes() {
        for reason in [Reason::PeriodUnderOneYear, Reason::NoUpPeriods, Reason::NonPositiveCapital] {
            let json = serde_json::to_string(&reason).expect("serializable");
            assert_eq!(json, format!("\"{}\"", reason.as_str()));
        }
    }
}
