//! The local server as a user runs it: started, asked over HTTP, stopped.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use serde_json::value::RawValue;
use server::{Server, answer, command, data, run};

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
