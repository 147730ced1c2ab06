//! `perfcalc token`.

use std::io::{self, Read};

use anyhow::Context;
use api_handler::auth::NewToken;
use chrono::Utc;
use perf_core::config::Secret;

use crate::arguments::TokenArguments;
use crate::development::{Development, SUBJECT};
use crate::report::{Outcome, print};

pub(crate) fn run(arguments: &TokenArguments) -> Outcome {
    let now = Utc::now().timestamp();
    let (client_id, scope, ttl_seconds) = (arguments.client.clone(), &arguments.scope, arguments.ttl);
    let token = match (&arguments.issuer, &arguments.audience) {
        (Some(issuer), Some(audience)) => {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text).context("cannot read standard input")?;
            let secret = secret(text).context("the secret on standard input is not text")?;
            let (subject, issued_at) = (SUBJECT, now);
            NewToken { client_id, subject, scope, issuer, audience, issued_at, ttl_seconds }
                .sign(&secret)
                .map_err(anyhow::Error::from)?
        }
        _ => Development::open(&arguments.data)?.token(client_id, scope, now, ttl_seconds)?,
    };
    print(&(token + "\n"))
}

/// The secret without the line break that programs print after it.
fn secret(text: Vec<u8>) -> anyhow::Result<Secret> {
    let text = String::from_utf8(text)?;
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(line.unwrap_or(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_is_dropped() {
        for (text, expected) in [("key", "key"), ("key\n", "key"), ("key\r\n", "key"), ("key \n\n", "key \n")]
        {
            assert_eq!(secret(text.into()).unwrap().expose(), expected);
        }
        assert!(secret(vec![0xff]).is_err());
    }
}
