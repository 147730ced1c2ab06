use std::collections::BTreeSet;
use std::{env, fs};

use perf_core::model::read;
use serde_json::json;

use super::*;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

fn described() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// `UPDATE_DOCS=1 cargo test -p api-handler --lib openapi` writes the file.
#[test]
fn documentation_holds_the_description() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(DOCUMENT, text).unwrap();
    } else {
        let command = "UPDATE_DOCS=1 cargo test -p api-handler --lib openapi";
        assert!(fs::read_to_string(DOCUMENT).unwrap() == text, "out of date: run {command}");
    }
}

#[test]
fn rendered_description_is_the_document() {
    assert_eq!(serde_json::from_str::<Value>(json()).unwrap(), described());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let (document, mut found) = (described(), BTreeSet::new());
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn examples_are_read() {
    let document = described();
    let example = |path: &str| {
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"].to_string()
    };
    read::calculation(example("/calculate").as_bytes()).unwrap();
    read::irr(example("/irr").as_bytes()).unwrap();
}

/// The names that a reader accepts at a place, from what it says about another one.
fn accepted_names(error: &perf_core::model::FieldError) -> BTreeSet<String> {
    let (_, names) = error.message.split_once("the fields ").unwrap();
    let (names, _) = names.split_once(':').unwrap();
    names.split(", ").map(str::to_owned).collect()
}

fn described_names(schema: &str) -> BTreeSet<String> {
    let document = described();
    let properties = &document["components"]["schemas"][schema]["properties"];
    properties.as_object().unwrap_or_else(|| panic!("{schema}")).keys().cloned().collect()
}

/// Asserts that each schema names what the reader knows at a place.
fn assert_same_names(problem: &Problem, places: &[(&str, &str)]) {
    for (pointer, schema) in places {
        let error = problem.errors.iter().find(|error| error.pointer == format!("{pointer}/no"));
        let error = error.unwrap_or_else(|| panic!("{pointer}: {problem:?}"));
        assert_eq!(accepted_names(error), described_names(schema), "{schema}");
    }
}

#[test]
fn schemas_name_the_fields_that_the_readers_know() {
    let rows = json!({"no": 1, "period": {"no": 1}, "valuations": [{"no": 1}], "cash_flows": [{"no": 1}],
                      "benchmark": {"no": 1}, "options": {"no": 1}});
    let places = [
        ("", "CalculationRequest"),
        ("/period", "RequestedPeriod"),
        ("/valuations/0", "SeriesRow"),
        ("/cash_flows/0", "CashFlow"),
        ("/benchmark", "Benchmark"),
        ("/options", "Options"),
    ];
    assert_same_names(&read::calculation(rows.to_string().as_bytes()).unwrap_err(), &places);
    let columns = json!({"valuations": {"no": 1}, "cash_flows": {"no": 1}});
    let places = [("/valuations", "SeriesColumns"), ("/cash_flows", "CashFlowColumns")];
    assert_same_names(&read::calculation(columns.to_string().as_bytes()).unwrap_err(), &places);
    for (request, places) in [
        (json!({"no": 1, "cash_flows": [{"no": 1}]}), [("", "IrrRequest"), ("/cash_flows/0", "IrrFlow")]),
        (json!({"no": 1, "cash_flows": {"no": 1}}), [("", "IrrRequest"), ("/cash_flows", "IrrFlowColumns")]),
    ] {
        assert_same_names(&read::irr(request.to_string().as_bytes()).unwrap_err(), &places);
    }
}

#[test]
fn unknown_fields_and_long_lists_are_described_as_refused() {
    let document = described();
    let schemas = &document["components"]["schemas"];
    for schema in ["CalculationRequest", "Options", "CashFlow", "SeriesColumns", "IrrRequest"] {
        assert_eq!(schemas[schema]["additionalProperties"], json!(false), "{schema}");
    }
    for (name, limit) in LIMITS {
        let text = schemas[name].to_string();
        assert!(text.contains(&format!(r#""maxItems":{limit}"#)), "{name}: {text}");
    }
}

#[test]
fn only_health_is_described_as_open() {
    let document = described();
    assert_eq!(document["security"], json!([{"token": []}]));
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert_eq!(operation.get("security").is_some(), path == "/health", "{path}");
            assert_eq!(operation["responses"].get("401").is_none(), path == "/health", "{path}");
        }
    }
}

/// Asserts that a schema describes every member of a value, and none that is missing.
fn assert_described(document: &Value, schema: &Value, value: &Value) {
    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
    members(document, schema, &mut properties, &mut required);
    for name in &required {
        assert!(value.get(name).is_some(), "{name} is missing: {value}");
    }
    for (name, value) in value.as_object().unwrap() {
        let member = properties.get(name).unwrap_or_else(|| panic!("{name} is not described"));
        let items = member["items"].clone();
        match value {
            Value::Object(_) if name != "undefined" => assert_described(document, member, value),
            Value::Array(elements) => {
                let rows = elements.iter().filter(|element| element.is_object());
                rows.for_each(|row| assert_described(document, &items, row));
            }
            _ => {}
        }
    }
}

/// The members of an object's schema, through references and alternatives.
fn members(
    document: &Value,
    schema: &Value,
    properties: &mut serde_json::Map<String, Value>,
    required: &mut Vec<String>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        members(document, target, properties, required);
    }
    for part in ["allOf", "oneOf"] {
        let parts = schema[part].as_array().into_iter().flatten();
        parts.for_each(|part| members(document, part, properties, required));
    }
    properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    let names = schema["required"].as_array().into_iter().flatten();
    required.extend(names.filter_map(Value::as_str).map(str::to_owned));
}

#[test]
fn answers_are_described() {
    let stamp = perf_core::calculations::Stamp {
        request_id: "r1".to_owned(),
        client_id: "acme".parse().unwrap(),
        calculated_at: "2023-01-04T00:00:00Z".to_owned(),
        risk_free_rate: perf_core::number::Exact::ZERO,
    };
    let [(_, calculation), (_, irr)] = EXAMPLES;
    let request = read::calculation(calculation.as_bytes()).unwrap();
    let result = perf_core::calculations::calculate(&request, &stamp).unwrap();
    let rate = perf_core::calculations::internal_rate_of_return(&read::irr(irr.as_bytes()).unwrap());
    let problem = read::calculation(b"{}").unwrap_err().with_request_id("r1");
    let document = described();
    for (schema, answer) in [
        ("CalculationResult", serde_json::to_value(&result).unwrap()),
        ("IrrResult", serde_json::to_value(&rate).unwrap()),
        ("Problem", serde_json::to_value(&problem).unwrap()),
    ] {
        assert_described(&document, &document["components"]["schemas"][schema], &answer);
    }
}
