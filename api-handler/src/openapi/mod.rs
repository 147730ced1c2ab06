//! The API's description (OpenAPI 3.1), generated from the types and the routes.

mod bodies;
mod requests;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use perf_core::model::{MAX_CASH_FLOWS, MAX_IRR_FLOWS, MAX_VALUATIONS, Problem};
use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi, ToSchema};

pub use bodies::{
    BatchBody, CalculationList, EventBody, EventList, EventsBody, ListingBody, PerformanceBody,
    StoredResultBody, SubmissionBody, TransactionBody, ValuationBody,
};
pub use requests::{
    BenchmarkBody, CalculationBody, CashFlow, CashFlowColumns, CashFlows, DecimalInput, IrrBody, IrrFlow,
    IrrFlowColumns, IrrFlows, OptionsBody, PeriodBody, SeriesColumns, SeriesRow, ValueSeries,
};

use crate::routes;

/// Requests to start from, the same files that the command line's documentation uses.
const EXAMPLES: [(&str, &str); 2] = [
    ("/calculate", include_str!("../../../examples/requests/calculation.json")),
    ("/irr", include_str!("../../../examples/requests/irr.json")),
];

/// Most elements of each kind of list.
const LIMITS: [(&str, usize); 6] = [
    ("ValueSeries", MAX_VALUATIONS),
    ("SeriesColumns", MAX_VALUATIONS),
    ("CashFlows", MAX_CASH_FLOWS),
    ("CashFlowColumns", MAX_CASH_FLOWS),
    ("IrrFlows", MAX_IRR_FLOWS),
    ("IrrFlowColumns", MAX_IRR_FLOWS),
];

/// What every route may answer.
const REFUSALS: [(&str, &str); 1] = [("500", "An error of ours; its text stays with us")];
/// What every route that reaches a store or the queue may answer.
const STORE_REFUSALS: [(&str, &str); 1] =
    [("503", "A part of the system cannot be reached: send the same request after `Retry-After` seconds")];
/// What every route with a token may answer.
const CALLER_REFUSALS: [(&str, &str); 2] = [
    ("401", "No token, or one that is not valid here"),
    ("403", "The token does not allow this, or another client is named"),
];
/// What every route with names in its path may answer.
const PATH_REFUSALS: [(&str, &str); 1] = [("404", "There is no such thing, or it is another client's")];
/// What every route with a query may answer.
const QUERY_REFUSALS: [(&str, &str); 1] = [("422", "A parameter is wrong; `errors` lists every one")];
/// What every route with a body may answer.
const BODY_REFUSALS: [(&str, &str); 6] = [
    ("400", "The body is not JSON"),
    ("404", "The data is the stored ledger, and there is none"),
    ("409", "The `Idempotency-Key` was used for another request"),
    ("413", "The body is longer than 4 MiB"),
    ("415", "The body is not application/json"),
    ("422", "Well-formed, but it cannot be calculated; `errors` lists every place"),
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Investment performance",
        description = "Time-weighted and money-weighted returns, risk and benchmark statistics.\n\n\
                       Numbers are read exactly, as JSON numbers or as decimal strings. Money is answered as \
                       strings; figures are JSON numbers of up to twenty significant digits, rates are \
                       fractions (0.0842 is 8.42 %).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        routes::calculate::calculate,
        routes::irr::irr,
        routes::submissions::calculations,
        routes::submissions::events,
        routes::submissions::status,
        routes::performance::of_entity,
        routes::performance::series,
        routes::performance::of_client,
        routes::performance::of_account,
        routes::health::health,
        routes::openapi::description,
    ),
    components(schemas(Problem)),
    security(("token" = [])),
    modifiers(&Additions),
)]
struct Api;

/// What is the same for every route.
struct Additions;

impl Modify for Additions {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
            "Carries client_id and scope: performance:read, performance:write or performance:admin.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(token.build()));
        for (name, limit) in LIMITS {
            if let Some(schema) = components.schemas.get_mut(name) {
                bound_lists(schema, limit);
            }
        }
        for (path, item) in &mut document.paths.paths {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                add_refusals(operation);
                add_example(path, operation);
            }
        }
    }
}

/// States the limit of a list, or of each list within.
fn bound_lists(schema: &mut RefOr<Schema>, limit: usize) {
    match schema {
        RefOr::T(Schema::Array(list)) => list.max_items = Some(limit),
        RefOr::T(Schema::OneOf(choice)) => {
            choice.items.iter_mut().for_each(|item| bound_lists(item, limit));
        }
        RefOr::T(Schema::Object(object)) => {
            object.properties.values_mut().for_each(|item| bound_lists(item, limit));
        }
        _ => {}
    }
}

fn add_refusals(operation: &mut Operation) {
    let is_public = operation.security.is_some();
    let has = |place: &ParameterIn| {
        operation.parameters.iter().flatten().any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.parameter_in == *place,
            RefOr::Ref(_) => false,
        })
    };
    let has_body = operation.request_body.is_some();
    let families: [(&[_], bool); 6] = [
        (&REFUSALS, true),
        (&CALLER_REFUSALS, !is_public),
        (&STORE_REFUSALS, has_body || has(&ParameterIn::Path)),
        (&PATH_REFUSALS, has(&ParameterIn::Path)),
        (&QUERY_REFUSALS, has(&ParameterIn::Query)),
        (&BODY_REFUSALS, has_body),
    ];
    let refusals = families.into_iter().filter(|(_, applies)| *applies).flat_map(|(family, _)| family);
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    for (status, description) in refusals {
        let response = ResponseBuilder::new()
            .description(*description)
            .content("application/problem+json", problem())
            .build();
        operation.responses.responses.insert((*status).to_owned(), response.into());
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new().description(Some("Name of the request")).schema(Some(text));
            response.headers.insert("x-request-id".to_owned(), header.build().into());
        }
    }
}

fn add_example(path: &str, operation: &mut Operation) {
    let example = EXAMPLES.iter().find(|(known, _)| *known == path);
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let content = body.content.get_mut("application/json");
    if let (Some((_, text)), Some(RefOr::T(content))) = (example, content) {
        content.example = serde_json::from_str::<Value>(text).ok();
    }
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

/// The description.
///
/// ```
/// let document = api_handler::openapi::document();
/// assert!(document.paths.paths.contains_key("/calculate"));
/// ```
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// The description as JSON, rendered once.
pub(crate) fn json() -> &'static str {
    &DOCUMENT
}
