//! The local server as a user runs it: started, asked over HTTP, stopped.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use serde_json::value::RawValue;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfcalc"));
    for name in ["LOG_LEVEL", "RISK_FREE_RATE", "CACHE_TTL_SECONDS", "MAX_CONCURRENCY", "PERF_CONFIG"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn answer(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// A server on a free port with a data file of its own.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    address: String,
    announcement: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let data = data(folder.path());
        let mut child = command(&["serve", "--addr", "127.0.0.1:0", "--data", data.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut announcement = String::new();
        // The announcement ends with how to stop; nothing follows until then.
        for line in lines.by_ref() {
            announcement += &(line.unwrap() + "\n");
            if announcement.contains("To stop") {
                break;
            }
        }
        let (_, rest) = announcement.split_once("http://").expect(&announcement);
        let address = rest.lines().next().unwrap().to_owned();
        let server = Self { child, folder, address, announcement };
        server.wait_until_healthy();
        server
    }

    fn wait_until_healthy(&self) {
        let started_at = Instant::now();
        while self.ask("GET", "/health", &[], "").is_none_or(|answer| answer.status != 200) {
            assert!(started_at.elapsed() < PATIENCE, "the server does not answer");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn data(&self) -> String {
        data(self.folder.path()).to_str().unwrap().to_owned()
    }

    fn ask(&self, method: &str, path: &str, headers: &[String], body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n",
            self.address
        );
        stream.write_all((head + body).as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
    }

    fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        let headers = ["Content-Type: application/json".to_owned(), format!("Authorization: Bearer {token}")];
        self.ask("POST", path, &headers, body).unwrap()
    }

    /// Stops the server as an operator does, and returns its log.
    fn stop(mut self) -> String {
        let signal = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(signal.success());
        let started_at = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started_at.elapsed() < PATIENCE, "the server does not stop");
            thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{status}");
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopped already where the test has succeeded.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn data(folder: &Path) -> PathBuf {
    folder.join("portfolios.db")
}

fn token(server: &Server, arguments: &[&str]) -> String {
    let data = server.data();
    let token = answer(&[&["token", "--data", &data], arguments].concat());
    assert_eq!(token.lines().count(), 1);
    token.trim_end().to_owned()
}

/// The figures as they are written: no digit passes through a float.
fn metrics(result: &str) -> BTreeMap<String, String> {
    let members: BTreeMap<&str, &RawValue> = serde_json::from_str(result).expect(result);
    let metrics: BTreeMap<String, &RawValue> = serde_json::from_str(members["metrics"].get()).unwrap();
    metrics.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
}

fn sample() -> String {
    format!("{}/../../examples/portfolio-5y/request.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn server_answers_what_the_command_line_answers() {
    let server = Server::start();
    let token = token(&server, &["--client", "acme"]);
    let request = fs::read_to_string(sample()).unwrap();
    let served = server.post("/calculate", &token, &request);
    assert_eq!(served.status, 200, "{}", served.body);
    let figures = metrics(&served.body);
    assert!(figures.len() > 30, "{figures:?}");
    assert_eq!(figures, metrics(&answer(&["calculate", &sample()])));
    let again: Value = serde_json::from_str(&server.post("/calculate", &token, &request).body).unwrap();
    assert_eq!((&again["cached"], &again["client_id"]), (&true.into(), &"acme".into()));
    let log = server.stop();
    assert!(!log.contains(&token) && !log.contains("acme"), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let calculations = lines.iter().filter(|line| line["span"]["route"] == "/calculate");
    assert_eq!(calculations.filter(|line| line["span"]["request_id"].is_string()).count(), 2, "{log}");
    assert_eq!(lines.last().unwrap()["fields"]["message"], "stopped");
}

#[test]
fn server_tells_callers_apart() {
    let server = Server::start();
    let request = r#"{"client_id": "beta", "entity_type": "portfolio", "entity_id": "p", "store": false,
        "valuations": [{"date": "2023-01-01", "value": 1}, {"date": "2023-06-30", "value": 2}]}"#;
    let own = token(&server, &["--client", "acme"]);
    let admin = token(&server, &["--client", "ops", "--scope", "performance:admin", "--ttl", "90s"]);
    let nobody = server.ask("POST", "/calculate", &[], request).unwrap();
    assert_eq!(nobody.status, 401);
    assert!(nobody.head.contains("www-authenticate: bearer"), "{}", nobody.head);
    assert!(nobody.head.contains("content-type: application/problem+json"), "{}", nobody.head);
    assert_eq!(server.post("/calculate", "x.y.z", request).status, 401);
    assert_eq!(server.post("/calculate", &own, request).status, 403);
    assert_eq!(server.post("/calculate", &admin, request).status, 200);
    server.stop();
}

#[test]
fn announced_request_can_be_pasted() {
    let server = Server::start();
    let (_, rest) = server.announcement.split_once("Bearer ").unwrap();
    let (token, rest) = rest.split_once('\'').unwrap();
    let (_, body) = rest.split_once("--data '").unwrap();
    let (body, _) = body.split_once('\'').unwrap();
    let served = server.post("/calculate", token, body);
    assert_eq!(served.status, 200, "{}", served.body);
    assert_eq!(metrics(&served.body)["twr"], "0.031839285714285714286");
    server.stop();
}

#[test]
fn token_needs_a_secret_to_sign_with() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(folder.path());
    let output = run(&["token", "--client", "acme", "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("start perfcalc serve"), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn token_is_signed_with_a_given_secret() {
    let secret = "0123456789abcdef0123456789abcdef";
    let sign = |arguments: &[&str], input: &str| {
        let mut child = command(&[&["token", "--client", "acme", "--secret-stdin"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever refuses the arguments reads nothing, so writing may fail.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    let given = ["--issuer", "https://login.example.com", "--audience", "performance"];
    let output = sign(&given, &format!("{secret}\n"));
    assert!(output.status.success());
    let token = String::from_utf8(output.stdout).unwrap();
    let keys = api_handler::auth::Keys::hs256(&perf_core::config::Secret::new(secret), None).unwrap();
    let verifier = api_handler::auth::Verifier::new(keys, given[1], given[3]).unwrap();
    let caller = verifier.verify(token.trim_end(), chrono::Utc::now().timestamp()).unwrap();
    assert_eq!(caller.client_id.as_str(), "acme");
    assert_eq!(sign(&given, "short\n").status.code(), Some(1));
    assert_eq!(sign(&[&given[..], &["--ttl", "25h"]].concat(), secret).status.code(), Some(1));
    assert_eq!(sign(&given[..2], secret).status.code(), Some(2));
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [
        &["token"][..],
        &["token", "--client", "a#b"],
        &["token", "--client", "acme", "--scope", "performance:all"],
        &["token", "--client", "acme", "--ttl", "1d"],
        &["token", "--client", "acme", "--issuer", "x"],
        &["serve", "--addr", "localhost"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn wrong_settings_and_taken_ports_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(folder.path());
    let serve = ["serve", "--data", data.to_str().unwrap(), "--addr"];
    let output = command(&[&serve[..], &["127.0.0.1:0"]].concat()).env("LOG_LEVEL", "loud").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("LOG_LEVEL"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&[&serve[..], &[&address]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("cannot listen on {address}")));
}
