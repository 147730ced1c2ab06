//! Where requests come from.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::Context;

/// Standard input, by its usual name.
pub(crate) const STANDARD_INPUT: &str = "-";

/// The whole of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() == STANDARD_INPUT {
        if io::stdin().is_terminal() {
            let _ = writeln!(io::stderr(), "reading a request from standard input (end it with Ctrl-D)");
        }
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
