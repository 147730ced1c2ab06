//! Errors of the SDK as those of ports.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use perf_core::ports::PortError;

/// Codes by which services ask for fewer calls.
const THROTTLES: [&str; 14] = [
    "BandwidthLimitExceeded",
    "KmsThrottled",
    "LimitExceededException",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestThrottled.Exception",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
];
/// Codes of failures that pass although their status does not say so.
const PASSING: [&str; 4] = [
    "RequestTimeout",
    "RequestTimeoutException",
    "TransactionInProgressException",
    "InvalidEndpointException",
];

/// How codes begin whose messages may quote what was sent.
const QUOTING: [&str; 3] = ["Validation", "Serialization", "Invalid"];
/// Code of a conditional write whose condition does not hold.
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// An error by its code. What was sent is not part of the text: a service that finds
/// it invalid may quote it.
pub(crate) fn by_code(action: &str, code: &str, status: u16, message: &str) -> PortError {
    let message = if QUOTING.iter().any(|begin| code.starts_with(begin)) { "" } else { message };
    let detail = format!("{action}: {code} ({status}) {message}");
    match () {
        () if THROTTLES.contains(&code) => PortError::throttled(detail, None),
        () if status >= 500 || PASSING.contains(&code) => PortError::transient(detail),
        () => PortError::permanent(detail),
    }
}

/// What a failed call means; the SDK has repeated it where that could help.
pub(crate) fn port_error<E>(action: &str, error: &SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(context) => {
            let (code, message) = (context.err().code(), context.err().message());
            let status = context.raw().status().as_u16();
            by_code(action, code.unwrap_or("unknown"), status, message.unwrap_or_default())
        }
        SdkError::ConstructionFailure(_) => PortError::permanent(format!("{action}: no such request")),
        SdkError::TimeoutError(_) => PortError::transient(format!("{action}: timed out")),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map(ToString::to_string).unwrap_or_default();
            PortError::transient(format!("{action}: not sent: {cause}"))
        }
        _ => PortError::transient(format!("{action}: unreadable answer")),
    }
}

/// Whether a conditional write was done; not where its condition failed.
pub(crate) fn is_done<T, E>(
    action: &str,
    written: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, PortError>
where
    E: ProvideErrorMetadata,
{
    match written {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(context)) if context.err().code() == Some(CONDITION_FAILED) => Ok(false),
        Err(error) => Err(port_error(action, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perf_core::retry::{Classify, RetryClass};

    #[test]
    fn codes_have_classes() {
        for (code, status, class) in [
            ("ThrottlingException", 400, RetryClass::Throttled),
            ("ProvisionedThroughputExceededException", 400, RetryClass::Throttled),
            ("InternalServerError", 500, RetryClass::Transient),
            ("ServiceUnavailable", 503, RetryClass::Transient),
            ("ValidationException", 400, RetryClass::Permanent),
            ("AccessDeniedException", 400, RetryClass::Permanent),
        ] {
            assert_eq!(by_code("put", code, status, "").retry_class(), class, "{code}");
        }
    }

    #[test]
    fn a_message_that_may_quote_is_left_out() {
        let quoting = by_code("put", "ValidationException", 400, "not a number: 10850.00");
        assert!(!quoting.to_string().contains("10850"));
        let plain = by_code("put", "AccessDeniedException", 400, "not authorized");
        assert_eq!(plain.to_string(), "put: AccessDeniedException (400) not authorized");
    }
}
