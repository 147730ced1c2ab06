"""What a caller has to show."""

import time

import pytest

from support import portfolios, tokens

ROUTES = [
    ("POST", "/calculate"),
    ("POST", "/irr"),
    ("POST", "/calculations"),
    ("POST", "/events"),
    ("GET", "/requests/r-1"),
    ("GET", "/performance/portfolio/p-1"),
    ("GET", "/performance/portfolio/p-1/series?metric=twr"),
    ("GET", "/clients/acme/performance"),
    ("GET", "/accounts/a-1/performance"),
    ("GET", "/openapi.json"),
]


def assert_problem(answer, status):
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json", answer.headers
    problem = answer.json()
    assert problem["status"] == status and problem["request_id"] and problem["code"], problem
    return problem


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_a_token(stack, method, path):
    body = "{}" if method == "POST" else None
    assert assert_problem(stack.ask(method, path, body=body), 401)["code"] == "unauthorized"


def test_health_does_not(stack):
    answer = stack.ask("GET", "/health")
    assert answer.status == 200, answer
    assert list(answer.json()) == ["version"]


def test_no_route_is_a_problem_too(stack):
    assert_problem(stack.ask("GET", "/nothing", stack.token()), 404)
    assert_problem(stack.ask("DELETE", "/calculate", stack.token()), 404)


NOW = int(time.time())
WRONG = {
    "expired": {"exp": NOW - 60},
    "without exp": {"exp": None},
    "not yet valid": {"nbf": NOW + 600},
    "of another issuer": {"iss": "somebody"},
    "without issuer": {"iss": None},
    "for another audience": {"aud": "somebody"},
    "without audience": {"aud": None},
    "without subject": {"sub": None},
    "without client": {"client_id": None},
    "of a client that is no name": {"client_id": "acme#beta"},
    "for a hundred years": {"exp": NOW + 3_153_600_000},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_claims_are_refused(stack, name):
    token = tokens.sign(tokens.claims(**WRONG[name]), stack.secret())
    assert_problem(stack.ask("GET", "/openapi.json", token), 401)


@pytest.mark.parametrize("algorithm", ["none", "HS512", "RS256"])
def test_the_token_does_not_choose_its_algorithm(stack, algorithm):
    token = tokens.sign(tokens.claims(), stack.secret(), {"alg": algorithm, "typ": "JWT"})
    assert_problem(stack.ask("GET", "/openapi.json", token), 401)


@pytest.mark.parametrize("secret", ["", "x" * 64])
def test_other_signatures_are_refused(stack, secret):
    assert_problem(stack.ask("GET", "/openapi.json", tokens.sign(tokens.claims(), secret)), 401)


def test_a_changed_token_is_refused(stack):
    head, _, signature = stack.token().split(".")
    other = stack.token("beta").split(".")[1]
    assert_problem(stack.ask("GET", "/openapi.json", f"{head}.{other}.{signature}"), 401)


def test_a_good_token_is_taken_on_every_route_within_its_lifetime_in_the_cache(stack):
    # A policy for one route alone would refuse the second of these.
    token = stack.token()
    for _ in range(2):
        assert stack.ask("GET", "/openapi.json", token).status == 200
        answer = stack.ask("POST", "/calculate", token, portfolios.request("p", store=False))
        assert answer.status == 200, answer


def test_scopes_decide(stack):
    reader = stack.token(scope="performance:read")
    writer = stack.token(scope="performance:write")
    body = portfolios.valuation(portfolios.entity(), "2023-01-01", 1)
    assert_problem(stack.ask("POST", "/events", reader, body), 403)
    assert_problem(stack.ask("GET", "/clients/acme/performance", writer), 403)
    assert stack.ask("GET", "/clients/acme/performance", reader).status == 200


def test_another_client_is_another_matter(stack):
    own, admin = stack.token(), stack.token("ops", scope="performance:admin")
    body = portfolios.request("p", store=False, client_id="beta")
    assert_problem(stack.ask("POST", "/calculate", own, body), 403)
    assert stack.ask("POST", "/calculate", admin, body).json()["client_id"] == "beta"


def test_the_previous_secret_is_taken_while_it_is_rotated(stack):
    before = stack.token("rotating")
    stack.client("secretsmanager").put_secret_value(
        SecretId=stack.outputs["JwtSecretArn"], SecretString="r" * 64
    )
    assert stack.ask("GET", "/openapi.json", before).status == 200
    # The authorizer asks again for a signature that it does not know, ten seconds apart at the least.
    gives_up_at = time.monotonic() + 30
    while (answer := stack.ask("GET", "/openapi.json", stack.token("rotated"))).status == 401:
        assert time.monotonic() < gives_up_at, answer
        time.sleep(1)
    assert answer.status == 200, answer
    assert stack.ask("GET", "/openapi.json", before).status == 200
