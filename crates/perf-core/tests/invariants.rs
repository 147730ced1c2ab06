//! What the domain must not contain.

#![allow(clippy::expect_used, reason = "test code: a broken assumption should stop the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Clock, environment, files, sockets, chance: they come in as arguments.
const ABSENT: [&str; 9] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "SystemTime",
    "Utc::now",
    "Local::now",
    "thread_rng",
    "tokio::net",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let nested = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn the_domain_reads_nothing_from_its_surroundings() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 40, "only {} files found", files.len());
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            found.extend(
                ABSENT
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}: {word}", file.display())),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_domain_depends_on_no_cloud_crate() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a file");
    for word in ["aws", "lambda", "axum", "rusqlite", "hyper", "reqwest"] {
        assert!(!manifest.contains(word), "{word}");
    }
}
