//! Tokens of the local server: their secret lies beside the data file.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use api_handler::auth::{Keys, NewToken, Verifier};
use perf_core::config::Secret;
use perf_core::model::Identifier;
use tempfile::NamedTempFile;

/// Data file where none is named.
pub(crate) const DEFAULT_DATA_FILE: &str = "perfcalc.db";

/// `iss` and `aud` of the local server's tokens.
const NAME: &str = "perfcalc";
/// `sub` of every token made here.
pub(crate) const SUBJECT: &str = "perfcalc";
/// Random bytes of a new secret, written as hexadecimal digits.
const SECRET_BYTES: usize = 32;

/// Verifies and makes tokens of the local server.
#[derive(Debug)]
pub(crate) struct Development {
    secret: Secret,
}

impl Development {
    /// With the secret beside `data`, made at the first call.
    pub(crate) fn prepare(data: &Path) -> anyhow::Result<Self> {
        let path = secret_path(data);
        if !path.try_exists().with_context(|| format!("cannot look for {}", path.display()))? {
            make_secret(&path)?;
        }
        Self::open(data)
    }

    /// With the secret that the server has made.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let path = secret_path(data);
        let shown = path.display();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("no development secret at {shown}: start perfcalc serve with the same --data first")
            }
            read => read.with_context(|| format!("cannot read {shown}"))?,
        };
        check_private(&path)?;
        let secret = Secret::new(text);
        Keys::hs256(&secret, None).with_context(|| format!("cannot use {shown}: delete it"))?;
        Ok(Self { secret })
    }

    /// Verifies the tokens.
    pub(crate) fn verifier(&self) -> anyhow::Result<Verifier> {
        Ok(Verifier::new(Keys::hs256(&self.secret, None)?, NAME, NAME)?)
    }

    /// A token, valid from `issued_at` for `ttl_seconds`.
    pub(crate) fn token(
        &self,
        client_id: Identifier,
        scope: &str,
        issued_at: i64,
        ttl_seconds: i64,
    ) -> anyhow::Result<String> {
        let token = NewToken {
            client_id,
            subject: SUBJECT,
            scope,
            issuer: NAME,
            audience: NAME,
            issued_at,
            ttl_seconds,
        };
        Ok(token.sign(&self.secret)?)
    }
}

fn secret_path(data: &Path) -> PathBuf {
    let mut path = OsString::from(data);
    path.push(".secret");
    path.into()
}

/// Writes a new secret for the owner's eyes only. The file appears whole, and a
/// secret that somebody else has made meanwhile stays.
fn make_secret(path: &Path) -> anyhow::Result<()> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    let text = bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error).with_context(failed),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn check_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        bail!("{shown} is open to other users: chmod 600 {shown}, or delete it for a new one");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("portfolios.db");
        assert!(Development::open(&data).unwrap_err().to_string().contains("start perfcalc serve"));
        let first = Development::prepare(&data).unwrap();
        let again = Development::prepare(&data).unwrap();
        assert_eq!(first.secret.expose(), again.secret.expose());
        assert_eq!(first.secret.expose().len(), 2 * SECRET_BYTES);
        make_secret(&secret_path(&data)).unwrap();
        assert_eq!(Development::open(&data).unwrap().secret.expose(), first.secret.expose());
        let other = Development::prepare(&folder.path().join("other.db")).unwrap();
        assert_ne!(other.secret.expose(), first.secret.expose());
    }

    #[test]
    fn tokens_open_the_server_of_their_data_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] =
            ["a.db", "b.db"].map(|name| Development::prepare(&folder.path().join(name)).unwrap());
        let token = one.token("acme".parse().unwrap(), "performance:read", 1_000, 60).unwrap();
        assert_eq!(one.verifier().unwrap().verify(&token, 1_000).unwrap().client_id.as_str(), "acme");
        assert!(other.verifier().unwrap().verify(&token, 1_000).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn secret_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("portfolios.db");
        Development::prepare(&data).unwrap();
        let path = secret_path(&data);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Development::open(&data).unwrap_err().to_string().contains("open to other users"));
    }

    #[test]
    fn damaged_secret_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("portfolios.db");
        Development::prepare(&data).unwrap();
        fs::write(secret_path(&data), "short").unwrap();
        assert!(Development::prepare(&data).is_err());
    }
}
