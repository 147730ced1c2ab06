//! Settings: the environment over an optional file over defaults, all checked at once.
//!
//! Nothing here reads the environment or a file: the binaries hand in both.
//! One table, [`VARIABLES`], holds every name, default, rule and description;
//! `docs/configuration.md` is generated from it.

mod variables;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;

use rust_decimal::Decimal;
use thiserror::Error;
use toml::de::{DeTable, DeValue};
use tracing::Level;

pub use self::variables::{VARIABLES, Variable};

use self::variables::quoted;

/// Variable that names the settings file; in the environment only.
pub const FILE_VARIABLE: &str = "PERF_CONFIG";

const JWT_KEYS: &str = "JWT_SECRET_ARN, JWT_SECRET, JWT_JWKS_URL";

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

#[cfg(test)]
mod tests {
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
}
