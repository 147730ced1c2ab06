"""The API: routes, authorizer, logs, what it answers by itself."""

import json
import re

import pytest
from expectations import ACCESS_LOG_FIELDS, ROUTES
from support.template import ROOT

METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method"}


@pytest.fixture(scope="module")
def body(resources):
    return resources["ApiGateway"]["Properties"]["Body"]


def operations(body):
    return {
        (method.upper(), path): operation
        for path, item in body["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }



def test_routes_are_those_of_the_contract(body):
    answering = {}
    for route, operation in operations(body).items():
        uri = json.dumps(operation["x-amazon-apigateway-integration"]["uri"])
        answering[route] = re.search(r"(ApiHandler|PerformanceCalculator|JwtAuthorizer|EventProcessor)Function", uri)[0]
    assert answering == ROUTES


def test_described_routes_are_deployed():
    description = json.loads((ROOT / "docs" / "openapi.json").read_text())
    described = {
        (method.upper(), path)
        for path, item in description["paths"].items()
        for method in item
        if method in METHODS
    }
    assert described
    assert described <= set(ROUTES)


def test_every_route_but_health_asks_for_a_token(body):
    for route, operation in operations(body).items():
        security = operation.get("security")
        if route == ("GET", "/health"):
            assert security in ([{"NONE": []}], []), security
        else:
            assert security == [{"JwtAuthorizer": []}], route


def test_authorizer_is_a_function_of_its_own(body, functions):
    scheme = body["components"]["securitySchemes"]["JwtAuthorizer"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert "JwtAuthorizerFunction" in json.dumps(authorizer["authorizerUri"])
    assert "JwtAuthorizerFunction" not in ROUTES.values()
    assert authorizer["type"] == "token"
    assert authorizer["authorizerResultTtlInSeconds"] <= 300
    assert scheme["name"] == "Authorization" and scheme["in"] == "header"


@pytest.mark.parametrize(
    ("header", "passes"),
    [
        ("Bearer a.b.c", True),
        ("bearer eyJh-_.eyJp.c2ln", True),
        ("Bearer a.b", False),
        ("Bearer a.b.", False),
        ("Bearer a.b.c d", False),
        ("Basic a.b.c", False),
        ("a.b.c", False),
        ("", False),
    ],
)
def test_only_bearer_tokens_reach_the_authorizer(body, header, passes):
    scheme = body["components"]["securitySchemes"]["JwtAuthorizer"]
    pattern = scheme["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    assert bool(re.fullmatch(pattern, header)) == passes


def stage(resources):
    found, = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::ApiGateway::Stage"]
    return found


def test_there_is_one_stage_traced_and_throttled(resources):
    properties = stage(resources)
    assert properties["StageName"] == {"Ref": "Stage"}
    assert properties["TracingEnabled"] is True
    settings, = properties["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "ApiRateLimit"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ApiBurstLimit"}


def test_no_body_or_header_is_logged(resources):
    settings, = stage(resources)["MethodSettings"]
    assert settings["DataTraceEnabled"] is False
    assert settings["LoggingLevel"] == "ERROR"


def test_access_log_is_json_of_allowed_fields(resources):
    setting = stage(resources)["AccessLogSetting"]
    fields = json.loads(setting["Format"])
    assert set(fields.values()) == ACCESS_LOG_FIELDS
    group = setting["DestinationArn"]["Fn::GetAtt"][0]
    assert resources[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_denials_are_counted_under_the_names_that_the_access_log_writes(resources):
    properties = resources["AuthorizerDenialFilter"]["Properties"]
    assert properties["LogGroupName"] == {"Ref": "ApiAccessLogGroup"}
    fields = json.loads(stage(resources)["AccessLogSetting"]["Format"])
    assert fields["status"] == "$context.status"
    assert properties["FilterPattern"] == '{ ($.status = "401") || ($.status = "403") }'


# What a caller can run into, by API Gateway's names.
NEEDED = {
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "RESOURCE_NOT_FOUND": 404,
    "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "THROTTLED": 429,
    "WAF_FILTERED": 429,
    "AUTHORIZER_FAILURE": 500,
    "INTEGRATION_FAILURE": 503,
    "INTEGRATION_TIMEOUT": 504,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
}


def test_answers_of_the_gateway_are_problems(body):
    responses = body["x-amazon-apigateway-gateway-responses"]
    assert {name: int(responses[name]["statusCode"]) for name in NEEDED} == NEEDED
    for name, response in responses.items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", name
        template, = response["responseTemplates"].values()
        problem = json.loads(template)
        assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}, name
        assert problem["status"] == int(response["statusCode"]), name
        assert problem["type"] == f"urn:investment-performance:problem:{problem['code']}", name
        assert problem["request_id"] == "$context.requestId", name
        assert template.count("$") == 1, f"{name} tells more than the request's id"


def test_refusals_that_pass_say_when(body):
    responses = body["x-amazon-apigateway-gateway-responses"]
    for name in ("THROTTLED", "QUOTA_EXCEEDED", "WAF_FILTERED", "INTEGRATION_FAILURE"):
        assert int(responses[name]["responseParameters"]["gatewayresponse.header.Retry-After"].strip("'")) > 0


def test_web_acl_is_there_on_request_only(resources):
    for name in ("WebAcl", "WebAclAssociation"):
        assert resources[name]["Condition"] == "HasWaf"
    rule, = resources["WebAcl"]["Properties"]["Rules"]
    assert rule["Statement"]["RateBasedStatement"]["Limit"] == {"Ref": "WafRateLimit"}
    assert "Block" in rule["Action"]
