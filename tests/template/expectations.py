"""What each function calls and reads: to be changed together with the code, and with the template.

The template's tests compare both ways, so a permission or a variable that nobody needs fails as well.
"""

# Whatever the code does, a function logs and traces.
OF_EVERY_FUNCTION = {
    ("logs:CreateLogStream", "LogGroup"),
    ("logs:PutLogEvents", "LogGroup"),
    ("xray:PutTelemetryRecords", "*"),
    ("xray:PutTraceSegments", "*"),
}

# (action, logical id of the resource, or what distinguishes it)
ACTIONS = {
    "JwtAuthorizerFunction": {
        ("secretsmanager:GetSecretValue", "JwtSecret"),
    },
    "ApiHandlerFunction": {
        # Results of an entity, of a client, of an account.
        ("dynamodb:Query", "DynamoDBTable"),
        ("dynamodb:Query", "DynamoDBTable/index/ClientIndex"),
        ("dynamodb:Query", "DynamoDBTable/index/AccountIndex"),
        # Requests: made and read. Idempotency: begun, answered, given up.
        ("dynamodb:DeleteItem", "StateTable"),
        ("dynamodb:PutItem", "StateTable"),
        ("dynamodb:Query", "StateTable"),
        ("dynamodb:UpdateItem", "StateTable"),
        ("sqs:SendMessage", "EventQueue"),
        ("s3:PutObject", "ClaimBucket/claims/*"),
    },
    "PerformanceCalculatorFunction": {
        # A ledger, and its revision once more.
        ("dynamodb:GetItem", "LedgerTable"),
        ("dynamodb:Query", "LedgerTable"),
        # Requests: made. Idempotency: begun, answered, given up.
        ("dynamodb:DeleteItem", "StateTable"),
        ("dynamodb:PutItem", "StateTable"),
        ("dynamodb:UpdateItem", "StateTable"),
        ("sqs:SendMessage", "EventQueue"),
        ("s3:PutObject", "ClaimBucket/claims/*"),
    },
    "EventProcessorFunction": {
        # The event source mapping's, which acts in the function's name.
        ("sqs:ChangeMessageVisibility", "EventQueue"),
        ("sqs:DeleteMessage", "EventQueue"),
        ("sqs:GetQueueAttributes", "EventQueue"),
        ("sqs:ReceiveMessage", "EventQueue"),
        # Parts of large batches.
        ("sqs:SendMessage", "EventQueue"),
        ("s3:PutObject", "ClaimBucket/claims/*"),
        ("s3:GetObject", "ClaimBucket/claims/*"),
        ("s3:ListBucket", "ClaimBucket"),
        # Current results, and every result's writing.
        ("dynamodb:Query", "DynamoDBTable"),
        ("dynamodb:UpdateItem", "DynamoDBTable"),
        # A ledger; in one transaction its months put and removed, its revision raised.
        ("dynamodb:DeleteItem", "LedgerTable"),
        ("dynamodb:GetItem", "LedgerTable"),
        ("dynamodb:PutItem", "LedgerTable"),
        ("dynamodb:Query", "LedgerTable"),
        ("dynamodb:UpdateItem", "LedgerTable"),
        # How items of a request ended.
        ("dynamodb:GetItem", "StateTable"),
        ("dynamodb:PutItem", "StateTable"),
        ("s3:GetObject", "performance-input/imports/*"),
        ("s3:ListBucket", "performance-input"),
        ("s3:PutObject", "performance-input/rejected/*"),
        ("timestream:WriteRecords", "timestream table"),
        ("timestream:DescribeEndpoints", "*"),
    },
}

_HTTP = {"AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"}
_ALL = {"LOG_LEVEL", "SSL_CERT_FILE"}

VARIABLES = {
    "JwtAuthorizerFunction": _ALL | {"JWT_SECRET_ARN", "JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"},
    "ApiHandlerFunction": _ALL
    | _HTTP
    | {"DYNAMODB_TABLE", "STATE_TABLE", "SQS_QUEUE_URL", "CLAIM_BUCKET"},
    "PerformanceCalculatorFunction": _ALL
    | _HTTP
    | {
        "LEDGER_TABLE",
        "STATE_TABLE",
        "SQS_QUEUE_URL",
        "CLAIM_BUCKET",
        "CACHE_TTL_SECONDS",
        "RISK_FREE_RATE",
    },
    "EventProcessorFunction": _ALL
    | {
        "DYNAMODB_TABLE",
        "LEDGER_TABLE",
        "STATE_TABLE",
        "SQS_QUEUE_URL",
        "CLAIM_BUCKET",
        "INPUT_BUCKET",
        "MAX_CONCURRENCY",
        "RISK_FREE_RATE",
        "TIME_SERIES_STORE",
        "TIMESTREAM_DATABASE",
        "TIMESTREAM_TABLE",
    },
}

# Documented settings that no deployed function is given, and why.
NOT_DEPLOYED = {
    "JWT_SECRET": "for one machine; deployed functions have JWT_SECRET_ARN",
    "PERF_CONFIG": "a deployed function has no file of settings",
}

# Variables that are not settings of ours: the runtime, the HTTP adapter and the TLS library read them.
NOT_SETTINGS = {"AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "SSL_CERT_FILE"}

# Contract section 6: which function answers.
ROUTES = {
    ("GET", "/health"): "ApiHandlerFunction",
    ("GET", "/openapi.json"): "ApiHandlerFunction",
    ("POST", "/calculations"): "ApiHandlerFunction",
    ("POST", "/events"): "ApiHandlerFunction",
    ("GET", "/requests/{request_id}"): "ApiHandlerFunction",
    ("GET", "/performance/{entity_type}/{entity_id}"): "ApiHandlerFunction",
    ("GET", "/performance/{entity_type}/{entity_id}/series"): "ApiHandlerFunction",
    ("GET", "/clients/{client_id}/performance"): "ApiHandlerFunction",
    ("GET", "/accounts/{account_id}/performance"): "ApiHandlerFunction",
    ("POST", "/calculate"): "PerformanceCalculatorFunction",
    ("POST", "/irr"): "PerformanceCalculatorFunction",
}

ACCESS_LOG_FIELDS = {
    "$context.requestId",
    "$context.requestTime",
    "$context.httpMethod",
    "$context.resourcePath",
    "$context.status",
    "$context.responseLength",
    "$context.responseLatency",
    "$context.integrationLatency",
    "$context.integration.status",
    "$context.authorizer.status",
    "$context.authorizer.latency",
    "$context.error.responseType",
    "$context.xrayTraceId",
}
