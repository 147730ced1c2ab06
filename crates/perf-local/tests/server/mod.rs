//! The real command, and a server of it on a free port.

#![allow(dead_code, reason = "each test program uses a part")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfcalc"));
    for name in ["LOG_LEVEL", "RISK_FREE_RATE", "CACHE_TTL_SECONDS", "MAX_CONCURRENCY", "PERF_CONFIG"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub fn answer(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// A server on a free port.
pub struct Server {
    child: Child,
    folder: PathBuf,
    address: String,
    pub announcement: String,
    /// Of a server that has its data to itself.
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    /// With a data file of its own.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::start_in(folder.path());
        server._folder = Some(folder);
        server
    }

    /// With the data file of a folder.
    pub fn start_in(folder: &Path) -> Self {
        let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let data = data(folder);
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
        let folder = folder.to_owned();
        let server = Self { child, folder, address, announcement, _folder: None };
        server.wait_until_healthy();
        server
    }

    pub fn wait_until_healthy(&self) {
        let started_at = Instant::now();
        while self.ask("GET", "/health", &[], "").is_none_or(|answer| answer.status != 200) {
            assert!(started_at.elapsed() < PATIENCE, "the server does not answer");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn data(&self) -> String {
        data(&self.folder).to_str().unwrap().to_owned()
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[String], body: &str) -> Option<Answer> {
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

    pub fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        let headers = ["Content-Type: application/json".to_owned(), format!("Authorization: Bearer {token}")];
        self.ask("POST", path, &headers, body).unwrap()
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, &[format!("Authorization: Bearer {token}")], "").unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends the server as a crash does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops the server as an operator does, and returns its log.
    pub fn stop(mut self) -> String {
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
        fs::read_to_string(self.folder.join("log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopped already where the test has succeeded.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

pub fn data(folder: &Path) -> PathBuf {
    folder.join("portfolios.db")
}
