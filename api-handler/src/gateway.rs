//! Callers behind API Gateway: its authorizer has verified the token, and hands on
//! what the token says.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::http::Extensions;
use axum::http::request::Parts;
use lambda_http::Context;
use lambda_http::request::RequestContext;
use perf_core::services::{Caller, Scopes};
use perf_lambda::{Adapters, RandomIds, SystemClock};
use serde_json::Value;

use crate::auth::{Authenticate, Denied, LEEWAY_SECONDS, TokenError};
use crate::{ApiState, Invocation, Surroundings, router};

/// Names in the authorizer's context; every value is text.
pub(crate) const CLIENT_ID: &str = "client_id";
pub(crate) const SUBJECT: &str = "subject";
pub(crate) const SCOPE: &str = "scope";
pub(crate) const EXPIRES_AT: &str = "exp";

/// Takes the caller from the authorizer's context. A request without one is refused,
/// and so is a token that has expired while the gateway remembered it.
#[derive(Clone, Copy, Debug, Default)]
pub struct GatewayCaller;

impl Authenticate for GatewayCaller {
    fn authenticate(&self, request: &Parts, now: i64) -> Result<Caller, Denied> {
        let Some(RequestContext::ApiGatewayV1(context)) = request.extensions.get() else {
            return Err(Denied::NoToken);
        };
        let caller = caller(&context.authorizer.fields).ok_or(Denied::NoToken)?;
        if caller.expires_at.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(TokenError::Expired.into());
        }
        Ok(caller)
    }
}

/// Runs routes as a Lambda function behind API Gateway.
///
/// # Errors
///
/// A setting that is missing, or a runtime that cannot be reached.
pub async fn serve(routes: Router<ApiState>, adapters: &Adapters) -> anyhow::Result<()> {
    let surroundings = Surroundings {
        authenticator: Arc::new(GatewayCaller),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        idempotency: adapters.idempotency()?,
        workers: adapters.workers(),
        invocation,
    };
    lambda_http::run(router(routes, ApiState::new(surroundings))).await.map_err(anyhow::Error::from_boxed)
}

/// The gateway's name for the request, and when Lambda ends the invocation.
fn invocation(request: &Extensions) -> Invocation {
    let gateway_request_id = match request.get() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        _ => None,
    };
    Invocation { gateway_request_id, deadline: request.get::<Context>().map(Context::deadline) }
}

fn caller(context: &HashMap<String, Value>) -> Option<Caller> {
    let text = |name| context.get(name).and_then(Value::as_str);
    Some(Caller {
        client_id: text(CLIENT_ID)?.parse().ok()?,
        subject: text(SUBJECT)?.to_owned(),
        scopes: Scopes::from_claim(text(SCOPE)?),
        expires_at: text(EXPIRES_AT)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
    use serde_json::json;

    use super::*;

    fn authenticate(authorizer: &Value, now: i64) -> Result<Caller, Denied> {
        let context: ApiGatewayProxyRequestContext =
            serde_json::from_value(json!({"authorizer": authorizer, "httpMethod": "GET"})).unwrap();
        let mut request = Request::get("/").body(()).unwrap();
        request.extensions_mut().insert(RequestContext::ApiGatewayV1(context));
        GatewayCaller.authenticate(&request.into_parts().0, now)
    }

    #[test]
    fn the_context_names_the_caller_until_the_token_expires() {
        let context = json!({"principalId": "jo", "client_id": "acme", "subject": "jo",
                             "scope": "performance:read", "exp": "1000"});
        let caller = authenticate(&context, 1_000).unwrap();
        assert_eq!((caller.client_id.as_str(), caller.expires_at), ("acme", 1_000));
        assert_eq!(authenticate(&context, 1_000 + LEEWAY_SECONDS), Err(TokenError::Expired.into()));
        for name in ["client_id", "subject", "scope", "exp"] {
            let mut incomplete = context.clone();
            incomplete.as_object_mut().unwrap().remove(name);
            assert_eq!(authenticate(&incomplete, 0), Err(Denied::NoToken), "{name}");
        }
    }

    #[test]
    fn without_a_context_there_is_no_caller() {
        let (parts, ()) =
            Request::get("/").header("authorization", "Bearer x").body(()).unwrap().into_parts();
        assert_eq!(GatewayCaller.authenticate(&parts, 0), Err(Denied::NoToken));
    }
}
