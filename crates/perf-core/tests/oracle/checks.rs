//! The oracle against published worked examples.

use chrono::NaiveDate;

use super::dates::year_fraction;
use super::normal::upper_quantile;
use super::{Benchmark, DayCount, Input, IrrOutcome, Number, Outcome, Timing, evaluate, irr};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dated(rows: &[(&str, &str)]) -> Vec<(NaiveDate, String)> {
    rows.iter().map(|(at, number)| (date(at), (*number).to_owned())).collect()
}

/// Flows a year (365 days) apart.
fn yearly(amounts: &[&str]) -> IrrOutcome {
    let start = date("2001-01-01");
    let day = |index: usize| start + chrono::Days::new(365 * index as u64);
    let flows: Vec<(NaiveDate, String)> =
        amounts.iter().enumerate().map(|(i, amount)| (day(i), (*amount).to_owned())).collect();
    irr(&flows, DayCount::Act365F)
}

fn roots(outcome: &IrrOutcome) -> Vec<String> {
    outcome.roots.iter().map(|root| root.to_significant(20)).collect()
}

fn figure(input: &Input, name: &str) -> String {
    match &evaluate(input)[name] {
        Outcome::Value(value) => value.to_significant(10),
        Outcome::Undefined(reason) => (*reason).to_owned(),
    }
}

#[test]
fn numbers_are_rounded_half_even_and_written_plainly() {
    let written = |text: &str, digits: usize| Number::parse(text).to_significant(digits);
    assert_eq!(written("0.123456789012345678905", 20), "0.1234567890123456789");
    assert_eq!(written("0.123456789012345678915", 20), "0.12345678901234567892");
    assert_eq!(written("-99.96", 3), "-100");
    assert_eq!(written("0.1", 20), "0.1");
    assert_eq!(written("-0", 20), "0");
    assert_eq!(written("123456789012345678901", 20), "123456789012345678900");
    assert_eq!(written("1e21", 20), "1e21");
    assert_eq!(written("1.25e-12", 20), "0.00000000000125");
    assert_eq!(written("9.5e-13", 1), "0.000000000001");
    assert_eq!(written("1.5e-13", 20), "1.5e-13");
}

#[test]
fn normal_quantile_matches_its_known_digits() {
    let z = upper_quantile(&Number::parse("0.95"));
    assert_eq!(z.to_significant(30), "1.64485362695147271486384890799");
}

#[test]
fn day_counts_follow_their_conventions() {
    let years = |day_count, start, end| {
        let (numerator, denominator) = year_fraction(day_count, date(start), date(end));
        (Number::int(numerator) / Number::int(denominator)).to_significant(10)
    };
    assert_eq!(years(DayCount::ActActIsda, "2007-07-01", "2009-01-01"), "1.504109589");
    assert_eq!(years(DayCount::Thirty360, "2020-01-15", "2020-01-31"), "0.04444444444");
    assert_eq!(years(DayCount::ThirtyE360, "2020-01-15", "2020-01-31"), "0.04166666667");
    assert_eq!(years(DayCount::Thirty360, "2020-01-31", "2020-03-31"), "0.1666666667");
    assert_eq!(years(DayCount::Act36525, "2020-01-01", "2024-01-01"), "4");
}

#[test]
fn irr_matches_the_published_dated_cases() {
    let excel = dated(&[
        ("2008-01-01", "-10000"),
        ("2008-03-01", "2750"),
        ("2008-10-30", "4250"),
        ("2009-02-15", "3250"),
        ("2009-04-01", "2750"),
    ]);
    let rate =
        |flows: &[(NaiveDate, String)], day_count| irr(flows, day_count).headline.unwrap().to_significant(10);
    assert_eq!(rate(&excel, DayCount::Act365F), "0.3733625335");
    let conventions = dated(&[
        ("2007-01-12", "-10000"),
        ("2008-02-14", "2500"),
        ("2008-03-03", "2000"),
        ("2008-06-14", "3000"),
        ("2008-12-01", "4000"),
    ]);
    assert_eq!(rate(&conventions, DayCount::Act365F), "0.1006437834");
    assert_eq!(rate(&conventions, DayCount::Act360), "0.09919888981");
    assert_eq!(rate(&conventions, DayCount::Thirty360), "0.1006754773");
    assert_eq!(rate(&conventions, DayCount::ActActIsda), "0.100739649");
    let near_total_loss = dated(&[("2020-03-05", "-18480"), ("2020-03-16", "13120")]);
    assert_eq!(rate(&near_total_loss, DayCount::Act365F), "-0.9999884228");
}

#[test]
fn irr_finds_every_root() {
    assert_eq!(roots(&yearly(&["-1.6", "10", "-10"])), ["0.25", "4"]);
    assert_eq!(
        roots(&yearly(&["-252", "1431", "-3035", "2850", "-1000"])),
        ["0.25", "0.33333333333333333333", "0.42857142857142857143", "0.66666666666666666667"]
    );
    assert_eq!(yearly(&["-100", "150", "-100"]).reason, Some("no_root"));
    assert_eq!(roots(&yearly(&["-100", "100"])), ["0"]);
    assert_eq!(yearly(&["-100", "0"]).reason, Some("no_sign_change"));
}

#[test]
fn irr_counts_a_touching_root_once() {
    for touching in [&["-1", "4", "-4"][..], &["-1", "6", "-12", "8"], &["-1", "8", "-24", "32", "-16"]] {
        let outcome = yearly(touching);
        assert_eq!((outcome.status, roots(&outcome)), ("unique", vec!["1".to_owned()]));
    }
    let apart = yearly(&["-1", "4", "-3.99999999999999999999"]);
    assert_eq!(roots(&apart), ["0.9999999999", "1.0000000001"]);
}

#[test]
fn timing_moves_the_return_of_one_sub_period() {
    let with = |timing| Input {
        valuations: dated(&[("2020-01-01", "100"), ("2020-01-02", "160")]),
        cash_flows: vec![(date("2020-01-02"), "50".to_owned(), timing)],
        ..Input::default()
    };
    assert_eq!(figure(&with(Timing::StartOfDay), "twr"), "0.06666666667");
    assert_eq!(figure(&with(Timing::MidDay), "twr"), "0.08");
    assert_eq!(figure(&with(Timing::EndOfDay), "twr"), "0.1");
    assert_eq!(figure(&with(Timing::AfterClose), "twr"), "0.6");
    assert_eq!(figure(&with(Timing::AfterClose), "twr_annualized"), "period_under_one_year");
}

#[test]
fn risk_figures_match_the_published_monthly_series() {
    let portfolio = "0.3 2.6 1.1 -1.0 1.5 2.5 1.6 6.7 -1.4 4.0 -0.5 8.1 \
                     4.0 -3.7 -6.1 1.7 -4.9 -2.2 7.0 5.8 -6.5 2.4 -0.5 -0.9";
    let benchmark = "0.2 2.5 1.8 -1.1 1.4 1.8 1.4 6.5 -1.5 4.2 -0.6 8.3 \
                     3.9 -3.8 -6.2 1.5 -4.8 2.1 6.0 5.6 -6.7 1.9 -0.3 0.0";
    let monthly = |percents: &str| -> Vec<(NaiveDate, String)> {
        let start = date("2000-01-28");
        let ends = (0..24).map(|month| start + chrono::Months::new(month));
        ends.zip(percents.split_whitespace().map(|percent| format!("{percent}e-2"))).collect()
    };
    let input = Input {
        returns: monthly(portfolio),
        benchmark: Some(Benchmark::Returns(monthly(benchmark))),
        sample_volatility: true,
        ..Input::default()
    };
    let expected = [
        ("twr", "0.2181057672"),
        ("benchmark_return", "0.2498868618"),
        ("annualized_return", "0.1036782897"),
        ("benchmark_annualized_return", "0.1179833907"),
        ("volatility_periodic", "0.03954853925"),
        ("volatility", "0.1370001587"),
        ("max_drawdown", "0.1446729557"),
        ("sharpe_ratio", "0.7567749609"),
        ("sharpe_ratio_arithmetic", "0.7883202548"),
        ("skewness", "-0.08256245521"),
        ("excess_kurtosis", "-0.5675462059"),
        ("calmar_ratio", "0.7166390512"),
        ("beta", "0.9988502086"),
        ("correlation", "0.9693858149"),
        ("r_squared", "0.9397088581"),
        ("alpha", "-0.01416944465"),
        ("tracking_error", "0.03363971514"),
        ("information_ratio", "-0.4252444136"),
        ("mwr", "no_valuations"),
    ];
    for (name, value) in expected {
        assert_eq!(figure(&input, name), value, "{name}");
    }
}
