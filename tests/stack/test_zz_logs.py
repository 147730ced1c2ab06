"""What the whole run has logged. The last file of the folder, so that there is something to read."""

import json

from support import portfolios, tokens


def test_lines_are_json_with_a_request_or_a_message(stack):
    token = stack.token()
    stack.ask("POST", "/calculate", token, portfolios.request(portfolios.entity(), scale=48_151_623))
    stack.drain()
    ours = [line for line in stack.log_lines() if line.lstrip().startswith("{")]
    assert len(ours) > 20
    for line in ours:
        json.loads(line)


def test_nothing_in_the_logs_is_a_callers(stack):
    token = stack.token("zq7client")
    body = portfolios.request(portfolios.entity(), scale=48_151_623)
    assert stack.ask("POST", "/calculate", token, body).status == 200
    stack.send(portfolios.valuation(f"{portfolios.MARK}-log", "2023-01-01", "48151623.42", client_id="zq7client"))
    # It fails until it is a dead letter, and the queue is not empty before.
    with stack.hurried_redelivery():
        stack.send('{"zq7holding": "48151623.42"}')
        stack.drain()
    lines = stack.log_lines()
    assert len(lines) > 20
    forbidden = {
        "the secret": stack.secret(),
        "a token": token,
        "a token's signature": token.split(".")[2],
        "any token": tokens.sign(tokens.claims(), "x").split(".")[0] + ".",
        "money": "48151623",
        "an entity": portfolios.MARK,
        "a client": "zq7client",
        "a body": '"valuations"',
        "a bearer": "Bearer ey",
    }
    found = {what: line for what, text in forbidden.items() for line in lines if text in line}
    assert not found, found


def test_measures_are_metrics_of_few_dimensions(stack):
    assert stack.ask("POST", "/calculate", stack.token(), portfolios.request(portfolios.entity())).status == 200
    stack.drain()
    taken = set()
    for line in map(json.loads, filter(lambda line: line.startswith("{") and '"_aws"' in line, stack.log_lines())):
        directive, = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "InvestmentPerformance"
        assert all(set(names) <= {"FunctionName", "route"} for names in directive["Dimensions"]), line
        for metric in directive["Metrics"]:
            assert isinstance(line[metric["Name"]], int), line
            taken.add(metric["Name"])
    expected = {"cold_starts", "requests", "request_ms", "calculations", "tokens_accepted", "messages", "rows_written"}
    assert expected <= taken, expected - taken


def test_requests_are_named_as_the_gateway_names_them(stack):
    answer = stack.ask("POST", "/calculate", stack.token(), portfolios.request(portfolios.entity()))
    ours = [line for line in stack.log_lines() if answer.json()["request_id"] in line]
    spans = [span for line in ours for span in json.loads(line)["spans"]]
    assert any(span.get("gateway_request_id") for span in spans), ours
    assert any(span.get("requestId") for span in spans), ours
