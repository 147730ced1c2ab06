//! The sample portfolio through the whole system: starts `perfcalc serve` on a free
//! port and a fresh data file, posts the request, waits until the queue's processor
//! has stored the result, reads it back, prints it and stops the server.
//!
//! `cargo build -p perf-local && cargo run -p perf-local --example first_run`

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

const REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/portfolio-5y/request.json");
/// How long the server may take to start, and the result to be stored.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with this program.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    metrics: BTreeMap<&'a str, &'a RawValue>,
    undefined: BTreeMap<&'a str, &'a str>,
    request_id: String,
    result_url: Option<String>,
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    results: Vec<Answer<'a>>,
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("perfcalc.db");
    let perfcalc = perfcalc()?;
    let server = start(&perfcalc, &data)?;
    println!("perfcalc serve listens on {}", server.url);
    let token = token(&perfcalc, &data)?;
    let request = std::fs::read_to_string(REQUEST).context("cannot read the sample request")?;
    let answered = ureq::post(format!("{}/calculate", server.url))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .send(&request)?
        .into_body()
        .read_to_string()?;
    let answered: Answer<'_> = serde_json::from_str(&answered)?;
    println!("POST /calculate answered request {}", answered.request_id);
    let path = answered.result_url.as_deref().context("the result is not stored")?;
    let listing = stored(&format!("{}{path}", server.url), &token)?;
    let listing: Listing<'_> = serde_json::from_str(&listing)?;
    let row = listing.results.first().context("the list of results is empty")?;
    ensure!(row.request_id == answered.request_id, "another result is stored");
    println!("GET {path} answered the stored result:\n");
    print_figures(row);
    Ok(())
}

/// The command beside this program.
fn perfcalc() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).context("this program lies in no folder")?;
    let path = folder.join("perfcalc").with_extension(std::env::consts::EXE_EXTENSION);
    ensure!(path.exists(), "there is no {}: run cargo build -p perf-local", path.display());
    Ok(path)
}

fn start(perfcalc: &Path, data: &Path) -> anyhow::Result<Server> {
    let mut child = Command::new(perfcalc)
        .args(["serve", "--addr", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("LOG_LEVEL", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("the server has no output")?;
    let mut server = Server { child, url: String::new() };
    for line in BufReader::new(output).lines() {
        if let Some((_, url)) = line?.split_once("listens on ") {
            url.clone_into(&mut server.url);
            return Ok(server);
        }
    }
    bail!("the server did not start")
}

fn token(perfcalc: &Path, data: &Path) -> anyhow::Result<String> {
    let output = Command::new(perfcalc).args(["token", "--client", "acme", "--data"]).arg(data).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// The list at `url`, once there is one.
fn stored(url: &str, token: &str) -> anyhow::Result<String> {
    let started_at = Instant::now();
    while started_at.elapsed() < PATIENCE {
        match ureq::get(url).header("authorization", format!("Bearer {token}")).call() {
            Ok(answer) => return Ok(answer.into_body().read_to_string()?),
            Err(ureq::Error::StatusCode(404)) => thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(error.into()),
        }
    }
    bail!("the result was not stored within {PATIENCE:?}")
}

fn print_figures(row: &Answer<'_>) {
    for (name, value) in &row.metrics {
        let shown = row.undefined.get(name).map_or(value.get(), |reason| reason);
        println!("  {name:<30} {shown:>26}");
    }
}
