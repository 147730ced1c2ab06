//! Settings: the environment over an optional file over defaults, all checked at once.
//!
//! Nothing here reads the environment or a file: the binaries hand in both.
//! One table, [`VARIABLES`], holds every name, default, rule and description;
//! `docs/configuration.md` is generated from it.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use rust_decimal::Decimal;
use thiserror::Error;
use toml::de::{DeTable, DeValue};
use tracing::Level;

/// Variable that names the settings file; in the environment only.
pub const FILE_VARIABLE: &str = "PERF_CONFIG";

const JWT_KEYS: &str = "JWT_SECRET_ARN, JWT_SECRET, JWT_JWKS_URL";
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
const SECRET_BYTES_MIN: usize = 32;
const SHOWN_CHARS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 2_048;

/// The settings of every binary, each one valid.
///
/// Each field holds the variable of its name; what only some binaries need is
/// [`Optional`].
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(missing_docs, reason = "VARIABLES describes each field")]
pub struct Settings {
    pub dynamodb_table: Optional<String>,
    pub ledger_table: Optional<String>,
    pub state_table: Optional<String>,
    pub timestream_database: Optional<String>,
    pub timestream_table: Optional<String>,
    pub sqs_queue_url: Optional<String>,
    pub claim_bucket: Optional<String>,
    pub input_bucket: Optional<String>,
    pub jwt_secret_arn: Optional<String>,
    pub jwt_secret: Optional<Secret>,
    pub jwt_jwks_url: Optional<String>,
    pub jwt_issuer: Optional<String>,
    pub jwt_audience: Optional<String>,
    pub time_series_store: TimeSeriesStore,
    pub cache_ttl_seconds: u64,
    pub max_concurrency: NonZeroUsize,
    pub risk_free_rate: Decimal,
    pub log_level: Level,
    pub perf_config: Optional<String>,
}

/// Where the time series of results is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSeriesStore {
    /// The results table alone.
    Dynamodb,
    /// Timestream for LiveAnalytics as well.
    Timestream,
}

/// Text that is not to be shown: its `Debug` prints none of it.
///
/// # Examples
///
/// ```
/// use perf_core::config::Secret;
///
/// let secret = Secret::new("correct horse battery staple");
/// assert_eq!(format!("{secret:?}"), "Secret");
/// assert_eq!(secret.expose().len(), 28);
/// ```
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A setting without a default, which only some binaries need.
///
/// # Examples
///
/// ```
/// use perf_core::config::Settings;
///
/// let variables = [("DYNAMODB_TABLE".to_owned(), "results".to_owned())];
/// let settings = Settings::load(variables.into_iter(), None)?;
/// assert_eq!(settings.dynamodb_table.require()?, "results");
///
/// assert!(settings.ledger_table.get().is_none());
/// let error = settings.ledger_table.require().unwrap_err();
/// assert_eq!(error.to_string(), "missing setting LEDGER_TABLE");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Optional<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Optional<T> {
    const fn unset(name: &'static str) -> Self {
        Self { name, value: None }
    }

    /// The value, if it is set.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value, for a caller that cannot do without.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`] with the variable's name.
    pub fn require(&self) -> Result<&T, MissingSetting> {
        self.get().ok_or(MissingSetting { name: self.name })
    }
}

/// A setting that is needed, and that nothing sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("missing setting {name}")]
pub struct MissingSetting {
    /// The variable.
    pub name: &'static str,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// One or more.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.problems.iter().map(Problem::to_string).collect();
        write!(f, "invalid settings: {}", problems.join("; "))
    }
}

impl std::error::Error for SettingsError {}

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name}: found {found}, expected {expected}")]
pub struct Problem {
    /// The variable or, in the file, the key or line.
    pub name: String,
    /// What was found; never a secret.
    pub found: String,
    /// What is accepted.
    pub expected: String,
}

/// A row of the table of settings.
#[derive(Debug)]
pub struct Variable {
    /// Name in the environment; the key in the file is the same in lower case.
    pub name: &'static str,
    /// Value when nothing sets it.
    pub default: Option<&'static str>,
    /// What it is for.
    pub description: &'static str,
    kind: Kind,
}

type Field<T> = fn(&mut Settings) -> &mut T;

/// What a setting accepts, and the field that it fills.
#[derive(Debug)]
enum Kind {
    Text(&'static TextRule, Field<Optional<String>>),
    Secret(Field<Optional<Secret>>),
    WholeNumber(u64, Field<u64>),
    Count(NonZeroUsize, Field<NonZeroUsize>),
    Rate(Field<Decimal>),
    Store(Field<TimeSeriesStore>),
    Level(Field<Level>),
}

#[derive(Debug)]
struct TextRule {
    expected: &'static str,
    accepts: fn(&str) -> bool,
}

const TEXT: TextRule = TextRule { expected: "one line of at most 2,048 bytes", accepts: |_| true };

const URL: TextRule = TextRule {
    expected: "an http or https URL without user information",
    accepts: |text| authority(text, "http").or_else(|| authority(text, "https")).is_some(),
};

const HTTPS_URL: TextRule = TextRule {
    expected: "an https URL, or http on the local host",
    accepts: |text| authority(text, "https").is_some() || is_local_http(text),
};

const SECRET_ARN: TextRule = TextRule {
    expected: "the ARN of a Secrets Manager secret",
    accepts: |text| text.starts_with("arn:") && text.contains(":secretsmanager:"),
};

const STORES: [(&str, TimeSeriesStore); 2] =
    [("dynamodb", TimeSeriesStore::Dynamodb), ("timestream", TimeSeriesStore::Timestream)];

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

const MAX_CONCURRENCY_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// Every setting.
///
/// # Examples
///
/// ```
/// use perf_core::config::VARIABLES;
///
/// let ttl = VARIABLES.iter().find(|variable| variable.name == "CACHE_TTL_SECONDS").unwrap();
/// assert_eq!(ttl.default, Some("300"));
/// assert_eq!(ttl.expected(), "a whole number from 0 to 86400");
/// ```
#[rustfmt::skip] // Two lines a row.
pub static VARIABLES: [Variable; 19] = [
    row("DYNAMODB_TABLE", None, Kind::Text(&TEXT, |s| &mut s.dynamodb_table),
        "Results table"),
    row("LEDGER_TABLE", None, Kind::Text(&TEXT, |s| &mut s.ledger_table),
        "Ledger table: valuations and transactions"),
    row("STATE_TABLE", None, Kind::Text(&TEXT, |s| &mut s.state_table),
        "State table: request status and idempotency records"),
    row("TIMESTREAM_DATABASE", None, Kind::Text(&TEXT, |s| &mut s.timestream_database),
        "Timestream database, when `TIME_SERIES_STORE` is `timestream`"),
    row("TIMESTREAM_TABLE", None, Kind::Text(&TEXT, |s| &mut s.timestream_table),
        "Timestream table, when `TIME_SERIES_STORE` is `timestream`"),
    row("SQS_QUEUE_URL", None, Kind::Text(&URL, |s| &mut s.sqs_queue_url),
        "Queue that the event processor reads"),
    row("CLAIM_BUCKET", None, Kind::Text(&TEXT, |s| &mut s.claim_bucket),
        "Bucket for messages that are too large for the queue"),
    row("INPUT_BUCKET", None, Kind::Text(&TEXT, |s| &mut s.input_bucket),
        "Bucket whose `imports/` are ingested; no other bucket is read"),
    row("JWT_SECRET_ARN", None, Kind::Text(&SECRET_ARN, |s| &mut s.jwt_secret_arn),
        "Secret that holds the HS256 key of tokens"),
    row("JWT_SECRET", None, Kind::Secret(|s| &mut s.jwt_secret),
        "HS256 key of tokens, on one machine only: deployed functions use `JWT_SECRET_ARN`"),
    row("JWT_JWKS_URL", None, Kind::Text(&HTTPS_URL, |s| &mut s.jwt_jwks_url),
        "Public keys of RS256 or ES256 tokens, instead of either secret"),
    row("JWT_ISSUER", None, Kind::Text(&TEXT, |s| &mut s.jwt_issuer),
        "The `iss` that tokens must carry"),
    row("JWT_AUDIENCE", None, Kind::Text(&TEXT, |s| &mut s.jwt_audience),
        "The `aud` that tokens must carry"),
    row("TIME_SERIES_STORE", Some("dynamodb"), Kind::Store(|s| &mut s.time_series_store),
        "Where the time series is written; the API reads DynamoDB always"),
    row("CACHE_TTL_SECONDS", Some("300"), Kind::WholeNumber(86_400, |s| &mut s.cache_ttl_seconds),
        "How long a calculated result stays in memory; 0 turns caching off"),
    row("MAX_CONCURRENCY", Some("8"), Kind::Count(MAX_CONCURRENCY_MAX, |s| &mut s.max_concurrency),
        "Items of a batch that are processed at once"),
    row("RISK_FREE_RATE", Some("0"), Kind::Rate(|s| &mut s.risk_free_rate),
        "Annual risk-free rate of requests that give none; 0.02 is 2 %"),
    row("LOG_LEVEL", Some("info"), Kind::Level(|s| &mut s.log_level),
        "Least severe level that is logged"),
    row(FILE_VARIABLE, None, Kind::Text(&TEXT, |s| &mut s.perf_config),
        "Path of the settings file; in the environment only"),
];

const fn row(
    name: &'static str,
    default: Option<&'static str>,
    kind: Kind,
    description: &'static str,
) -> Variable {
    Variable { name, default, description, kind }
}

impl Variable {
    /// The key in the file.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(perf_core::config::VARIABLES[0].key(), "dynamodb_table");
    /// ```
    #[must_use]
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// What the setting accepts.
    #[must_use]
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Text(rule, _) => rule.expected.to_owned(),
            Kind::Secret(_) => format!("text of at least {SECRET_BYTES_MIN} bytes"),
            Kind::WholeNumber(max, _) => format!("a whole number from 0 to {max}"),
            Kind::Count(max, _) => format!("a whole number from 1 to {max}"),
            Kind::Rate(_) => "a decimal number above -1, such as 0.02".to_owned(),
            Kind::Store(_) => one_of(&STORES),
            Kind::Level(_) => one_of(&LEVELS),
        }
    }

    /// Fills the setting's field; `None` if it does not accept `text`.
    fn assign(&self, settings: &mut Settings, text: &str) -> Option<()> {
        let trimmed = text.trim();
        match self.kind {
            Kind::Text(rule, field) => field(settings).value = Some(ruled(trimmed, rule)?),
            Kind::Secret(field) => field(settings).value = Some(secret(text)?),
            Kind::WholeNumber(max, field) => *field(settings) = at_most(trimmed, max)?,
            Kind::Count(max, field) => *field(settings) = at_most(trimmed, max)?,
            Kind::Rate(field) => *field(settings) = rate(trimmed)?,
            Kind::Store(field) => *field(settings) = named(&STORES, trimmed)?,
            Kind::Level(field) => *field(settings) = named(&LEVELS, trimmed)?,
        }
        Some(())
    }

    fn problem(&self, name: &str, found: String) -> Problem {
        Problem { name: name.to_owned(), found, expected: self.expected() }
    }

    // The place of the ARN is where a secret's value gets pasted by mistake,
    // and a URL may hold a password.
    fn shown(&self, text: &str) -> String {
        let is_secret = matches!(self.kind, Kind::Secret(_)) || self.name == "JWT_SECRET_ARN";
        if is_secret || text.contains('@') {
            return "a value that is not shown".to_owned();
        }
        quoted(text)
    }
}

impl Settings {
    /// Reads the settings from `variables` and from the text of the TOML file,
    /// whose keys are the variables' names in lower case.
    ///
    /// A variable beats the file, the file beats the default. Empty values
    /// count as unset. Variables that are not in [`VARIABLES`] are not looked
    /// at; unknown keys in the file are errors. White space around a value is
    /// dropped, except in a secret.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with every problem, not just the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::config::Settings;
    ///
    /// let file = "max_concurrency = 4\nrisk_free_rate = 0.02";
    /// let variables = [("MAX_CONCURRENCY".to_owned(), "16".to_owned())];
    /// let settings = Settings::load(variables.into_iter(), Some(file))?;
    /// assert_eq!(settings.max_concurrency.get(), 16);
    /// assert_eq!(settings.risk_free_rate.to_string(), "0.02");
    /// assert_eq!(settings.cache_ttl_seconds, 300);
    ///
    /// let error = Settings::load(std::iter::empty(), Some("max_concurrency = 0")).unwrap_err();
    /// assert_eq!(
    ///     error.problems[0].to_string(),
    ///     "max_concurrency: found \"0\", expected a whole number from 1 to 64"
    /// );
    /// # Ok::<(), perf_core::config::SettingsError>(())
    /// ```
    pub fn load(
        variables: impl Iterator<Item = (String, String)>,
        file: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let environment: HashMap<_, _> = variables.filter(|(_, text)| is_set(text)).collect();
        let (file, mut problems) = read_file(file.unwrap_or_default());
        let mut settings = Self::unset();
        for variable in &VARIABLES {
            let key = variable.key();
            let in_environment = environment.get(variable.name);
            let in_environment = in_environment.map(|text| (variable.name, text.as_str()));
            let in_file = file.get(&key).map(|text| (key.as_str(), text.as_str()));
            let default = variable.default.map(|text| (variable.name, text));
            let Some((name, text)) = in_environment.or(in_file).or(default) else {
                continue;
            };
            if variable.assign(&mut settings, text).is_none() {
                problems.push(variable.problem(name, variable.shown(text)));
            }
        }
        problems.extend(settings.jwt_keys_problem());
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    // With two kinds of key, a token could choose how it is verified.
    fn jwt_keys_problem(&self) -> Option<Problem> {
        let [arn, url] = [&self.jwt_secret_arn, &self.jwt_jwks_url].map(|key| key.get().is_some());
        let set = [arn, url, self.jwt_secret.get().is_some()];
        let set_count = set.iter().filter(|is_set| **is_set).count();
        (set_count > 1).then(|| Problem {
            name: JWT_KEYS.to_owned(),
            found: format!("{set_count} of them"),
            expected: "at most one".to_owned(),
        })
    }

    // What has a default holds a stand-in until the default replaces it.
    fn unset() -> Self {
        Self {
            dynamodb_table: Optional::unset("DYNAMODB_TABLE"),
            ledger_table: Optional::unset("LEDGER_TABLE"),
            state_table: Optional::unset("STATE_TABLE"),
            timestream_database: Optional::unset("TIMESTREAM_DATABASE"),
            timestream_table: Optional::unset("TIMESTREAM_TABLE"),
            sqs_queue_url: Optional::unset("SQS_QUEUE_URL"),
            claim_bucket: Optional::unset("CLAIM_BUCKET"),
            input_bucket: Optional::unset("INPUT_BUCKET"),
            jwt_secret_arn: Optional::unset("JWT_SECRET_ARN"),
            jwt_secret: Optional::unset("JWT_SECRET"),
            jwt_jwks_url: Optional::unset("JWT_JWKS_URL"),
            jwt_issuer: Optional::unset("JWT_ISSUER"),
            jwt_audience: Optional::unset("JWT_AUDIENCE"),
            time_series_store: TimeSeriesStore::Dynamodb,
            cache_ttl_seconds: 0,
            max_concurrency: NonZeroUsize::MIN,
            risk_free_rate: Decimal::ZERO,
            log_level: Level::ERROR,
            perf_config: Optional::unset(FILE_VARIABLE),
        }
    }
}

/// The file's values by key, and what is wrong with the file.
fn read_file(file: &str) -> (HashMap<String, String>, Vec<Problem>) {
    let mut values = HashMap::new();
    let (table, errors) = DeTable::parse_recoverable(file);
    let mut problems: Vec<_> = errors.iter().map(|error| syntax_problem(file, error)).collect();
    if !problems.is_empty() {
        return (values, problems);
    }
    for (key, value) in table.get_ref() {
        let key = key.get_ref();
        match read_value(key, value.get_ref()) {
            Ok(text) if is_set(&text) => _ = values.insert(key.to_string(), text),
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        }
    }
    (values, problems)
}

fn read_value(key: &str, value: &DeValue<'_>) -> Result<String, Problem> {
    let mut in_file = VARIABLES.iter().filter(|variable| variable.name != FILE_VARIABLE);
    let variable = in_file.find(|variable| variable.key() == key);
    let variable = variable.ok_or_else(|| Problem {
        name: quoted(key),
        found: "no setting of this name".to_owned(),
        expected: "a variable's name in lower case".to_owned(),
    })?;
    // Numbers are taken as they are written: a float would change 0.02.
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        other => Err(variable.problem(key, format!("a TOML {}", other.type_str()))),
    }
}

fn quoted(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{start:?}")
}

// The message alone: the error's full text quotes the line, which may hold a secret.
fn syntax_problem(file: &str, error: &toml::de::Error) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let lines_before = file.get(..start).map_or(0, |before| before.matches('\n').count());
    Problem {
        name: format!("file line {}", lines_before + 1),
        found: format!("a syntax error ({})", error.message()),
        expected: "TOML".to_owned(),
    }
}

fn is_set(text: &str) -> bool {
    !text.trim().is_empty()
}

fn one_of<T>(choices: &[(&str, T)]) -> String {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    format!("one of {}", names.join(", "))
}

fn named<T: Copy>(choices: &[(&str, T)], text: &str) -> Option<T> {
    let mut choices = choices.iter();
    let choice = choices.find(|(name, _)| name.eq_ignore_ascii_case(text));
    choice.map(|(_, value)| *value)
}

fn ruled(text: &str, rule: &TextRule) -> Option<String> {
    let is_text = text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control);
    (is_text && (rule.accepts)(text)).then(|| text.to_owned())
}

/// The host and port of a URL of this scheme.
fn authority<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(scheme)?.strip_prefix("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let has_host = !authority.is_empty() && !authority.contains('@');
    (has_host && !text.contains(char::is_whitespace)).then_some(authority)
}

fn is_local_http(text: &str) -> bool {
    let Some(authority) = authority(text, "http") else {
        return false;
    };
    let mut ports = LOCAL_HOSTS.iter().filter_map(|host| authority.strip_prefix(host));
    ports.any(|port| port.is_empty() || port.starts_with(':'))
}

// RFC 7518 asks for a key of at least the size of the hash.
fn secret(text: &str) -> Option<Secret> {
    (text.len() >= SECRET_BYTES_MIN).then(|| Secret::new(text))
}

fn at_most<N: Copy + FromStr + PartialOrd>(text: &str, max: N) -> Option<N> {
    text.parse().ok().filter(|number| *number <= max)
}

fn rate(text: &str) -> Option<Decimal> {
    let rate = Decimal::from_str_exact(text).ok()?;
    (rate > Decimal::NEGATIVE_ONE).then_some(rate)
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn load(variables: &[(&str, &str)], file: &str) -> Result<Settings, SettingsError> {
        let owned = variables.iter();
        let owned = owned.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Settings::load(owned, Some(file))
    }

    /// The problems, one text each.
    fn problems(variables: &[(&str, &str)], file: &str) -> Vec<String> {
        let error = load(variables, file).unwrap_err();
        error.problems.iter().map(Problem::to_string).collect()
    }

    fn accepts(name: &str, text: &str) -> bool {
        load(&[(name, text)], "").is_ok()
    }

    #[test]
    fn defaults_hold_when_nothing_is_set() {
        let settings = Settings::load(std::iter::empty(), None).unwrap();
        assert_eq!(settings.time_series_store, TimeSeriesStore::Dynamodb);
        assert_eq!(settings.cache_ttl_seconds, 300);
        assert_eq!(settings.max_concurrency.get(), 8);
        assert_eq!(settings.risk_free_rate, Decimal::ZERO);
        assert_eq!(settings.log_level, Level::INFO);
        assert!(settings.dynamodb_table.get().is_none());
    }

    #[test]
    fn environment_beats_file_beats_default() {
        let file = "cache_ttl_seconds = 60\nlog_level = 'warn'\nledger_table = 'ledger'";
        let settings = load(&[("CACHE_TTL_SECONDS", "0")], file).unwrap();
        assert_eq!(settings.cache_ttl_seconds, 0);
        assert_eq!(settings.log_level, Level::WARN);
        assert_eq!(settings.ledger_table.require().unwrap(), "ledger");
        assert_eq!(settings.max_concurrency.get(), 8);
    }

    #[test]
    fn empty_values_count_as_unset() {
        let variables = [("LOG_LEVEL", ""), ("CACHE_TTL_SECONDS", " "), ("JWT_SECRET", "")];
        let settings = load(&variables, "log_level = 'debug'\njwt_issuer = ''").unwrap();
        assert_eq!(settings.log_level, Level::DEBUG);
        assert_eq!(settings.cache_ttl_seconds, 300);
        assert!(settings.jwt_secret.get().is_none());
        assert!(settings.jwt_issuer.get().is_none());
    }

    #[test]
    fn white_space_is_dropped_except_in_a_secret() {
        let spaced = format!(" {KEY}\n");
        let settings = load(&[("MAX_CONCURRENCY", " 4\n"), ("JWT_SECRET", &spaced)], "").unwrap();
        assert_eq!(settings.max_concurrency.get(), 4);
        assert_eq!(settings.jwt_secret.require().unwrap().expose(), spaced);
    }

    /// The fields as `Debug` shows them, one text each.
    fn fields(settings: &Settings) -> Vec<String> {
        let shown = format!("{settings:#?}").replace("\n        ", " ");
        shown.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn every_variable_fills_the_field_of_its_name() {
        for variable in &VARIABLES {
            let mut settings = Settings::unset();
            let text = match variable.kind {
                Kind::Text(rule, _) if (rule.accepts)("t") => "t",
                Kind::Text(rule, _) if (rule.accepts)("https://t") => "https://t",
                Kind::Text(..) => "arn:aws:secretsmanager:eu-west-1:1:secret:t",
                Kind::Secret(_) => KEY,
                Kind::WholeNumber(..) | Kind::Count(..) | Kind::Rate(_) => "7",
                Kind::Store(_) => "timestream",
                Kind::Level(_) => "trace",
            };
            let before = fields(&settings);
            variable.assign(&mut settings, text).unwrap();
            let after = fields(&settings);
            let changed: Vec<_> =
                before.iter().zip(&after).filter(|(before, after)| before != after).collect();
            let [(field, _)] = changed[..] else {
                panic!("{changed:?}");
            };
            assert!(field.starts_with(&format!("{}: ", variable.key())), "{field}");
        }
    }

    #[test]
    fn every_default_is_accepted() {
        for variable in &VARIABLES {
            if let Some(default) = variable.default {
                let assigned = variable.assign(&mut Settings::unset(), default);
                assert!(assigned.is_some(), "{}", variable.name);
            }
        }
    }

    #[test]
    fn missing_settings_are_named() {
        let settings = load(&[], "").unwrap();
        let fields = [
            (&settings.dynamodb_table, "DYNAMODB_TABLE"),
            (&settings.ledger_table, "LEDGER_TABLE"),
            (&settings.state_table, "STATE_TABLE"),
            (&settings.timestream_database, "TIMESTREAM_DATABASE"),
            (&settings.timestream_table, "TIMESTREAM_TABLE"),
            (&settings.sqs_queue_url, "SQS_QUEUE_URL"),
            (&settings.claim_bucket, "CLAIM_BUCKET"),
            (&settings.input_bucket, "INPUT_BUCKET"),
            (&settings.jwt_secret_arn, "JWT_SECRET_ARN"),
            (&settings.jwt_jwks_url, "JWT_JWKS_URL"),
            (&settings.jwt_issuer, "JWT_ISSUER"),
            (&settings.jwt_audience, "JWT_AUDIENCE"),
            (&settings.perf_config, "PERF_CONFIG"),
        ];
        for (field, name) in fields {
            assert_eq!(field.require(), Err(MissingSetting { name }));
        }
        assert_eq!(settings.jwt_secret.require().unwrap_err().name, "JWT_SECRET");
    }

    #[test]
    fn ranges_are_enforced() {
        let cases = [
            ("CACHE_TTL_SECONDS", "0", true),
            ("CACHE_TTL_SECONDS", "86400", true),
            ("CACHE_TTL_SECONDS", "86401", false),
            ("CACHE_TTL_SECONDS", "-1", false),
            ("CACHE_TTL_SECONDS", "1.5", false),
            ("MAX_CONCURRENCY", "1", true),
            ("MAX_CONCURRENCY", "64", true),
            ("MAX_CONCURRENCY", "65", false),
            ("MAX_CONCURRENCY", "0", false),
            ("RISK_FREE_RATE", "-0.9999999999999999999999999999", true),
            ("RISK_FREE_RATE", "-1", false),
            ("RISK_FREE_RATE", "0.02", true),
            ("RISK_FREE_RATE", "2%", false),
            ("RISK_FREE_RATE", "NaN", false),
            ("RISK_FREE_RATE", "1e-2", false),
            ("RISK_FREE_RATE", "0.00000000000000000000000000001", false),
            ("LOG_LEVEL", "TRACE", true),
            ("LOG_LEVEL", "verbose", false),
            ("TIME_SERIES_STORE", "Timestream", true),
            ("TIME_SERIES_STORE", "influx", false),
        ];
        for (name, text, accepted) in cases {
            assert_eq!(accepts(name, text), accepted, "{name}={text}");
        }
    }

    #[test]
    fn texts_are_checked() {
        let long = "t".repeat(TEXT_BYTES_MAX + 1);
        let cases = [
            ("DYNAMODB_TABLE", "results", true),
            ("DYNAMODB_TABLE", "two\nlines", false),
            ("DYNAMODB_TABLE", long.as_str(), false),
            ("SQS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/q", true),
            ("SQS_QUEUE_URL", "http://127.0.0.1:4566/000000000000/q", true),
            ("SQS_QUEUE_URL", "queue", false),
            ("SQS_QUEUE_URL", "https:///q", false),
            ("SQS_QUEUE_URL", "https://a b/q", false),
            ("JWT_JWKS_URL", "https://login.example.com/keys", true),
            ("JWT_JWKS_URL", "http://localhost:8080/keys", true),
            ("JWT_JWKS_URL", "http://[::1]/keys", true),
            ("JWT_JWKS_URL", "http://login.example.com/keys", false),
            ("JWT_JWKS_URL", "http://localhost.example.com/keys", false),
            ("JWT_JWKS_URL", "http://localhost:1@example.com/keys", false),
            ("JWT_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:jwt", true),
            ("JWT_SECRET_ARN", KEY, false),
            ("JWT_SECRET", KEY, true),
            ("JWT_SECRET", &KEY[1..], false),
        ];
        for (name, text, accepted) in cases {
            assert_eq!(accepts(name, text), accepted, "{name}={text}");
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let variables = [("MAX_CONCURRENCY", "many"), ("RISK_FREE_RATE", "-2")];
        let file = "log_level = 'loud'\ncache_ttl = 5\ninput_bucket = ['a']\n[jwt]\nissuer = 'i'";
        let mut found = problems(&variables, file);
        found.sort();
        assert_eq!(
            found,
            [
                "\"cache_ttl\": found no setting of this name, expected a variable's name in lower case",
                "\"jwt\": found no setting of this name, expected a variable's name in lower case",
                "MAX_CONCURRENCY: found \"many\", expected a whole number from 1 to 64",
                "RISK_FREE_RATE: found \"-2\", expected a decimal number above -1, such as 0.02",
                "input_bucket: found a TOML array, expected one line of at most 2,048 bytes",
                "log_level: found \"loud\", expected one of error, warn, info, debug, trace",
            ]
        );
    }

    #[test]
    fn error_text_lists_the_problems() {
        let error = load(&[("MAX_CONCURRENCY", "0"), ("LOG_LEVEL", "x")], "").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("invalid settings: MAX_CONCURRENCY: found \"0\","), "{text}");
        assert!(text.contains("; LOG_LEVEL: found \"x\","), "{text}");
    }

    #[test]
    fn file_numbers_are_read_exactly() {
        let rate = |text: &str| load(&[], &format!("risk_free_rate = {text}")).unwrap().risk_free_rate;
        let digits = "0.1000000000000000000000000001";
        assert_eq!(rate(digits).to_string(), digits);
        assert_eq!(rate("'0.02'").to_string(), "0.02");
        assert_eq!(rate("0.000_1").to_string(), "0.0001");
        assert_eq!(rate("1").to_string(), "1");
        let settings = load(&[], "cache_ttl_seconds = 86_400").unwrap();
        assert_eq!(settings.cache_ttl_seconds, 86_400);
        for text in ["inf", "nan", "true", "1979-05-27", "0x10", "2e-2"] {
            assert!(load(&[], &format!("risk_free_rate = {text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_file_is_reported_by_line() {
        let found = problems(&[("MAX_CONCURRENCY", "0")], "log_level = 'info'\nmax_concurrency");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("file line 2: found a syntax error ("), "{found:?}");
        assert!(!problems(&[], "log_level = 'info'\nlog_level = 'warn'").is_empty());
    }

    #[test]
    fn file_cannot_name_a_file() {
        let found = problems(&[], "perf_config = 'other.toml'");
        assert!(found[0].starts_with("\"perf_config\": found no setting"), "{found:?}");
        assert!(accepts(FILE_VARIABLE, "settings.toml"));
    }

    #[test]
    fn two_kinds_of_token_key_are_a_problem() {
        let file = format!("jwt_secret = '{KEY}'");
        let found = problems(&[("JWT_JWKS_URL", "https://login.example.com/keys")], &file);
        assert_eq!(
            found,
            ["JWT_SECRET_ARN, JWT_SECRET, JWT_JWKS_URL: found 2 of them, expected at most one"]
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        let settings = load(&[("JWT_SECRET", KEY)], "").unwrap();
        assert!(!format!("{settings:?}").contains(KEY));
        let wrong = [
            (vec![("JWT_SECRET", "hunter2")], String::new()),
            (vec![("JWT_SECRET_ARN", "hunter2")], String::new()),
            (vec![("SQS_QUEUE_URL", "https://me:hunter2@example.com/q")], String::new()),
            (vec![], "jwt_secret = 'hunter2".to_owned()),
            (vec![], "jwt_secret = hunter2".to_owned()),
            (vec![], "jwt_secret = 'hunter2' hunter2".to_owned()),
            (vec![], "jwt_secret = \"hunter2\\q\"".to_owned()),
            (vec![], "jwt_secret = ['hunter2']".to_owned()),
            (vec![], "jwt_secret.hunter = 'hunter2'".to_owned()),
            (vec![], "jwt_secret = 'a'\njwt_secret = 'hunter2'".to_owned()),
        ];
        for (variables, file) in wrong {
            let error = load(&variables, &file).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn long_values_are_cut_and_escaped() {
        let found = problems(&[("LOG_LEVEL", &format!("\u{1b}[31m{}", "x".repeat(500)))], "");
        assert!(found[0].len() < 200 && !found[0].contains('\u{1b}'), "{found:?}");
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
    }

    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    const TABLE_START: &str = "<!-- settings: generated -->\n";
    const TABLE_END: &str = "<!-- settings: end -->";

    fn table() -> String {
        let mut table =
            String::from("| variable | default | accepts | what it is for |\n|---|---|---|---|\n");
        for variable in &VARIABLES {
            let default = variable.default.map(|text| format!("`{text}`"));
            let cells = [
                format!("`{}`", variable.name),
                default.unwrap_or_default(),
                variable.expected(),
                variable.description.to_owned(),
            ];
            table += &format!("| {} |\n", cells.join(" | "));
        }
        table
    }

    /// `UPDATE_DOCS=1 cargo test -p perf-core --lib config` writes the table.
    #[test]
    fn documentation_holds_the_table_and_a_valid_file() {
        let document = fs::read_to_string(DOCUMENT).unwrap();
        let (before, rest) = document.split_once(TABLE_START).unwrap();
        let (found, after) = rest.split_once(TABLE_END).unwrap();
        if env::var_os("UPDATE_DOCS").is_some() {
            let document = format!("{before}{TABLE_START}{}{TABLE_END}{after}", table());
            fs::write(DOCUMENT, document).unwrap();
        } else {
            let command = "UPDATE_DOCS=1 cargo test -p perf-core --lib config";
            assert_eq!(found, table(), "out of date: run {command}");
        }
        let (_, example) = after.split_once("```toml\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let settings = load(&[], example).unwrap();
        assert_eq!(settings.risk_free_rate.to_string(), "0.02");
    }
}
