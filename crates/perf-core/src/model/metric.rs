/// A figure of the contract. Formulas: `docs/methodology.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Time-weighted return of the period.
    Twr,
    /// Time-weighted return a year, not under one year.
    TwrAnnualized,
    /// Time-weighted return a year, whatever the length.
    AnnualizedReturn,
    /// Money-weighted return a year (internal rate of return).
    Mwr,
    /// Money-weighted return of the period.
    MwrPeriod,
    /// Standard deviation of the returns.
    VolatilityPeriodic,
    /// Standard deviation of the returns, annual.
    Volatility,
    /// Deviation below the minimum acceptable return, annual.
    DownsideDeviation,
    /// Annual excess return over annual volatility.
    SharpeRatio,
    /// Mean periodic excess return over periodic volatility, annualised.
    SharpeRatioArithmetic,
    /// Annual excess return over downside deviation.
    SortinoRatio,
    /// Largest fall from a running peak.
    MaxDrawdown,
    /// Annual return over maximum drawdown.
    CalmarRatio,
    /// Historical value at risk of one period.
    ValueAtRisk,
    /// Mean loss beyond the value at risk.
    ConditionalValueAtRisk,
    /// Value at risk of a normal distribution.
    ValueAtRiskGaussian,
    /// Third standardised moment.
    Skewness,
    /// Fourth standardised moment less three.
    ExcessKurtosis,
    /// Largest periodic return.
    BestPeriod,
    /// Smallest periodic return.
    WorstPeriod,
    /// Share of returns above zero.
    PositivePeriods,
    /// Benchmark's return of the period.
    BenchmarkReturn,
    /// Benchmark's return a year.
    BenchmarkAnnualizedReturn,
    /// Time-weighted return less the benchmark's.
    ExcessReturn,
    /// Sensitivity to the benchmark.
    Beta,
    /// Pearson correlation with the benchmark.
    Correlation,
    /// Square of the correlation.
    RSquared,
    /// Jensen's alpha, annual.
    Alpha,
    /// Standard deviation of the active return, annual.
    TrackingError,
    /// Annual active return over tracking error.
    InformationRatio,
    /// Annual excess return over beta.
    TreynorRatio,
    /// Share of the benchmark's gains taken.
    UpCapture,
    /// Share of the benchmark's losses taken.
    DownCapture,
}

impl Metric {
    /// Whether the metric compares with a benchmark.
    #[must_use]
    pub fn needs_benchmark(self) -> bool {
        self >= Self::BenchmarkReturn
    }

    /// Every metric in the contract's order.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as super::Word>::WORDS.iter().map(|(metric, _)| *metric)
    }
}
