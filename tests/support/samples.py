"""The sample events of `events/` and what each of them is for."""

import json

from support.template import ROOT

FOLDER = ROOT / "events"
# In the order in which they are given to the functions: later ones build on earlier ones.
PROCESSOR = {
    "sqs-transaction.json": 0,
    "sqs-valuation.json": 0,
    "sqs-portfolio-performance.json": 0,
    "sqs-batch-requests.json": 0,
    "sqs-batch-entities.json": 0,
    "sqs-calculation-completed.json": 0,
    "sqs-claim.json": 0,
    "sqs-s3-object.json": 0,
    "sqs-s3-test-event.json": 0,
    "sqs-poison.json": 3,
    "sqs-correction.json": 0,
}
CALCULATOR = {
    "calculator-calculate.json": 200,
    "calculator-calculate-async.json": 202,
    "calculator-calculate-ledger.json": 200,
    "calculator-irr.json": 200,
}
API = {
    "api-health.json": 200,
    "api-openapi.json": 200,
    "api-calculation.json": 202,
    "api-calculations.json": 202,
    "api-event.json": 202,
    "api-events.json": 202,
    "api-request.json": 200,
    "api-performance.json": 200,
    "api-series.json": 200,
    "api-client.json": 200,
    "api-account.json": 200,
}
AUTHORIZER = ["authorizer-token.json"]
OBJECTS = ["claimed.json"]
FUNCTION_OF = (
    dict.fromkeys(PROCESSOR, "EventProcessorFunction")
    | dict.fromkeys(CALCULATOR, "PerformanceCalculatorFunction")
    | dict.fromkeys(API, "ApiHandlerFunction")
    | dict.fromkeys(AUTHORIZER, "JwtAuthorizerFunction")
    | dict.fromkeys(OBJECTS, "EventProcessorFunction")
)


def text(name):
    """An event as it is in its file."""
    return (FOLDER / name).read_text()


def load(name):
    """An event."""
    return json.loads(text(name))
