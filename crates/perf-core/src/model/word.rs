//! Enumerations that travel as one word.

use super::{
    DayCount, Deviation, EntityType, Method, Metric, Reason, ResultBasis, TimePeriod, Timing, TransactionKind,
};

/// A closed set of words.
pub trait Word: Sized + Copy + PartialEq + 'static {
    /// Every value with its word, in the contract's order.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of this value.
    #[must_use]
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    /// The value of a word.
    #[must_use]
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }

    /// All words, for an error text.
    #[must_use]
    fn choices() -> String {
        Self::WORDS.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
    }
}

/// Declares the words of an enumeration, and that it serializes as them.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal,)+ }) => {
        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word),)+];
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}

words!(EntityType { Portfolio = "portfolio", Account = "account", Security = "security", });
words!(Timing {
    AfterClose = "after_close",
    EndOfDay = "end_of_day",
    StartOfDay = "start_of_day",
    MidDay = "mid_day",
});
words!(Method { Daily = "daily", ModifiedDietz = "modified_dietz", });
words!(Deviation { Population = "population", Sample = "sample", });
words!(DayCount {
    Actual365Fixed = "ACT/365F",
    Actual36525 = "ACT/365.25",
    Actual360 = "ACT/360",
    ActualActualIsda = "ACT/ACT ISDA",
    Thirty360 = "30/360",
    ThirtyE360 = "30E/360",
});
words!(TimePeriod {
    Mtd = "MTD",
    Qtd = "QTD",
    Ytd = "YTD",
    OneMonth = "1M",
    ThreeMonths = "3M",
    SixMonths = "6M",
    OneYear = "1Y",
    ThreeYears = "3Y",
    FiveYears = "5Y",
    Itd = "ITD",
});
words!(TransactionKind {
    Deposit = "deposit",
    TransferIn = "transfer_in",
    Withdrawal = "withdrawal",
    TransferOut = "transfer_out",
    Buy = "buy",
    Sell = "sell",
    Dividend = "dividend",
    Interest = "interest",
    Fee = "fee",
    Tax = "tax",
});
words!(ResultBasis { Standing = "standing", Ledger = "ledger", Request = "request", });
words!(Reason {
    PeriodUnderOneYear = "period_under_one_year",
    ZeroVolatility = "zero_volatility",
    ZeroDownsideDeviation = "zero_downside_deviation",
    ZeroTrackingError = "zero_tracking_error",
    ZeroDrawdown = "zero_drawdown",
    TooFewReturns = "too_few_returns",
    NoBenchmark = "no_benchmark",
    NoSignChange = "no_sign_change",
    NoRoot = "no_root",
    ZeroLengthPeriod = "zero_length_period",
    NoValuations = "no_valuations",
    TotalLoss = "total_loss",
    NonPositiveCapital = "non_positive_capital",
    ZeroBeta = "zero_beta",
    ZeroBenchmarkVolatility = "zero_benchmark_volatility",
    NoUpPeriods = "no_up_periods",
    NoDownPeriods = "no_down_periods",
    BenchmarkGap = "benchmark_gap",
    OutOfRange = "out_of_range",
    NotIsolated = "not_isolated",
});
words!(Metric {
    Twr = "twr",
    TwrAnnualized = "twr_annualized",
    AnnualizedReturn = "annualized_return",
    Mwr = "mwr",
    MwrPeriod = "mwr_period",
    VolatilityPeriodic = "volatility_periodic",
    Volatility = "volatility",
    DownsideDeviation = "downside_deviation",
    SharpeRatio = "sharpe_ratio",
    SharpeRatioArithmetic = "sharpe_ratio_arithmetic",
    SortinoRatio = "sortino_ratio",
    MaxDrawdown = "max_drawdown",
    CalmarRatio = "calmar_ratio",
    ValueAtRisk = "value_at_risk",
    ConditionalValueAtRisk = "conditional_value_at_risk",
    ValueAtRiskGaussian = "value_at_risk_gaussian",
    Skewness = "skewness",
    ExcessKurtosis = "excess_kurtosis",
    BestPeriod = "best_period",
    WorstPeriod = "worst_period",
    PositivePeriods = "positive_periods",
    BenchmarkReturn = "benchmark_return",
    BenchmarkAnnualizedReturn = "benchmark_annualized_return",
    ExcessReturn = "excess_return",
    Beta = "beta",
    Correlation = "correlation",
    RSquared = "r_squared",
    Alpha = "alpha",
    TrackingError = "tracking_error",
    InformationRatio = "information_ratio",
    TreynorRatio = "treynor_ratio",
    UpCapture = "up_capture",
    DownCapture = "down_capture",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_value() {
        for (metric, word) in Metric::WORDS {
            assert_eq!(Metric::from_word(word), Some(*metric));
            assert_eq!(metric.word(), *word);
        }
        assert_eq!(Metric::WORDS.len(), 33);
        assert_eq!(TimePeriod::from_word("2Y"), None);
    }
}
