"""Events through every door: HTTP, queue, bucket; and each sample event given to its function."""

import json
from decimal import Decimal

import pytest

from support import portfolios, samples
from support.waiting import wait_until

CURRENT = "latest#ITD#daily"


def current(stack, client, name, accepts=lambda row: True):
    """The current result since inception, once it is as wanted."""

    def row():
        found = stack.results_of(client, name).get(CURRENT)
        return found if found and accepts(found) else None

    return wait_until(row, f"no current result of {name}")


def exact(stack, body, client="acme"):
    """Figures of the same data calculated at once."""
    answer = stack.ask("POST", "/calculate", stack.token(client), body | {"store": False, "time_period": "ITD"})
    assert answer.status == 200, answer
    return answer.json()["metrics"]


def assert_figures(row, metrics):
    for figure in ("twr", "mwr", "volatility", "max_drawdown", "sharpe_ratio"):
        value = metrics[figure]
        assert row.get(figure) == (None if value is None else Decimal(str(value))), figure


def test_events_over_http_make_the_current_result(stack, timestream):
    name = portfolios.entity()
    answer = stack.ask("POST", "/events", stack.token(), {"events": portfolios.ledger(name)})
    assert answer.status == 202, answer
    stack.drain()
    row = current(stack, "acme", name, lambda row: row.get("twr") == Decimal(portfolios.DESIGN_TWR))
    assert_figures(row, exact(stack, portfolios.request(name)))
    assert row["client_id"] == "acme"
    assert row["account_id"] == f"acme#{name}-account"
    listed = stack.ask("GET", f"/performance/portfolio/{name}?time_period=ITD", stack.token()).json()
    assert listed["results"][0]["metrics"]["twr"] == portfolios.DESIGN_TWR
    series = stack.ask("GET", f"/performance/portfolio/{name}/series?metric=twr", stack.token()).json()
    assert [(point["date"], point["value"]) for point in series["points"]][0] == ("2023-01-03", portfolios.DESIGN_TWR)
    by_account = stack.ask("GET", f"/accounts/{name}-account/performance", stack.token()).json()
    assert {result["entity_id"] for result in by_account["results"]} == {name}
    standing = [r for r in timestream.records() if r.dimension("entity_id") == name and r.measure_name == "twr"]
    assert standing and {record.dimension("request_id") for record in standing} == {"standing"}


def test_events_from_the_queue_do_the_same_in_any_order_and_number(stack):
    name = portfolios.entity()
    events = portfolios.ledger(name, scale=3, client_id="acme")
    for event in [*reversed(events), *events, events[2], events[0]]:
        stack.send(event)
    stack.drain()
    row = current(stack, "acme", name, lambda row: row.get("twr") == Decimal(portfolios.DESIGN_TWR))
    assert_figures(row, exact(stack, portfolios.request(name, scale=3)))
    assert stack.dead_letters() == []


def test_corrections_take_the_place_of_what_they_correct(stack):
    name = portfolios.entity()
    for event in portfolios.ledger(name, client_id="acme"):
        stack.send(event)
    stack.drain()
    before = current(stack, "acme", name)
    stack.send(portfolios.valuation(name, "2023-01-03", 12_000, client_id="acme", revision=1))
    stack.send(portfolios.valuation(name, "2023-01-03", 11_330, client_id="acme", revision=0))
    stack.drain()
    corrected = portfolios.request(name)
    corrected["valuations"][2]["value"] = "12000"
    metrics = exact(stack, corrected)
    row = current(stack, "acme", name, lambda row: row["twr"] == Decimal(metrics["twr"]))
    assert_figures(row, metrics)
    assert row["created_at"] == before["created_at"]


def test_two_clients_have_two_portfolios_of_one_name(stack):
    name = portfolios.entity()
    stack.ask("POST", "/events", stack.token("acme"), {"events": portfolios.ledger(name)})
    # Whatever a body says, the caller's client is meant.
    theirs = portfolios.ledger(name, client_id="acme")
    theirs[2]["value"] = "20000"
    assert stack.ask("POST", "/events", stack.token("beta"), {"events": theirs}).status == 202
    stack.drain()
    ours = current(stack, "acme", name, lambda row: row.get("twr") == Decimal(portfolios.DESIGN_TWR))
    other = current(stack, "beta", name, lambda row: row.get("twr", 0) > 0)
    assert ours["twr"] != other["twr"]
    for client, row in (("acme", ours), ("beta", other)):
        results = stack.ask("GET", f"/performance/portfolio/{name}?time_period=ITD", stack.token(client)).json()["results"]
        assert {Decimal(result["metrics"]["twr"]) for result in results} == {row["twr"]}
    assert stack.ask("GET", "/clients/beta/performance", stack.token("acme")).status == 403


def test_files_are_taken_in(stack):
    name = portfolios.entity()
    folder = f"imports/acme/portfolio/{name}"
    stack.upload(f"{folder}/valuations 2023+1.csv", "date,value\n2023-01-01,10000\n2023-01-02,10200\n2023-01-03,11330\n")
    stack.upload(f"{folder}/flows.csv", "date,amount\n2023-01-02,1000\n")
    stack.drain()
    row = current(stack, "acme", name, lambda row: row.get("twr") == Decimal(portfolios.DESIGN_TWR))
    assert_figures(row, exact(stack, portfolios.request(name)))


def test_files_that_cannot_be_read_are_answered_beside_them(stack):
    name = portfolios.entity()
    key = f"imports/acme/portfolio/{name}/valuations.csv"
    text = "date,value\n2023-01-01,ten\n"
    stack.upload(key, text)
    rejected = f"rejected/acme/portfolio/{name}/valuations.csv.json"
    storage, bucket = stack.client("s3"), stack.outputs["InputBucketName"]

    def answer():
        found = storage.list_objects_v2(Bucket=bucket, Prefix=rejected).get("Contents")
        return found and storage.get_object(Bucket=bucket, Key=rejected)["Body"].read()

    problem = json.loads(wait_until(answer, "nothing under rejected/"))
    assert problem["status"] == 422, problem
    assert storage.get_object(Bucket=bucket, Key=key)["Body"].read().decode() == text
    stack.drain()
    assert stack.results_of("acme", name) == {}


def test_poison_and_nothing_else_becomes_dead_letters(stack):
    name = portfolios.entity()
    poison = [
        "not JSON",
        json.dumps({"version": 1, "type": "dividend_declared", "client_id": "acme"}),
        json.dumps(portfolios.valuation(name, "2023-01-01", 1, client_id="acme", version=2)),
        json.dumps(portfolios.valuation(name, "2023-01-01", 1)),  # nobody's
    ]
    good = portfolios.ledger(name, client_id="acme")
    with stack.hurried_redelivery():
        for message in [good[0], poison[0], good[1], poison[1], good[2], poison[2], good[3], poison[3]]:
            stack.send(message)
        current(stack, "acme", name, lambda row: row.get("twr") == Decimal(portfolios.DESIGN_TWR))
        wait_until(lambda: stack.queue_depth("EventDeadLetterQueueUrl") == len(poison), "dead letters are missing")
        stack.drain()
        assert sorted(stack.dead_letters()) == sorted(poison)


# ---------------------------------------------------------------- sample events


def invoke(stack, name):
    """What a function makes of its sample; names of buckets become the real ones."""
    text = samples.text(name)
    text = text.replace("sample-claims", stack.outputs["ClaimBucketName"])
    text = text.replace("sample-input", stack.outputs["InputBucketName"])
    answer = stack.client("lambda").invoke(
        FunctionName=stack.physical_id(samples.FUNCTION_OF[name]), Payload=text.encode()
    )
    return answer.get("FunctionError"), json.load(answer["Payload"])


@pytest.fixture(scope="module")
def processed(stack):
    """What the processor answered to each of its samples."""
    record, = samples.load("sqs-claim.json")["Records"]
    key = json.loads(record["body"])["claim"]["key"]
    stack.client("s3").put_object(
        Bucket=stack.outputs["ClaimBucketName"], Key=key, Body=samples.text("claimed.json").encode()
    )
    stack.upload("imports/acme/portfolio/port-12345/valuations 2023.csv", "date,value\n2023-01-04,11400\n")
    stack.drain()
    return {name: invoke(stack, name) for name in samples.PROCESSOR}


@pytest.mark.parametrize(("name", "failures"), samples.PROCESSOR.items())
def test_samples_of_the_processor(processed, name, failures):
    error, answer = processed[name]
    assert error is None, answer
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    records = [record["messageId"] for record in samples.load(name)["Records"]]
    assert len(failed) == failures and set(failed) <= set(records)
    if name == "sqs-poison.json":
        assert sorted(failed) == sorted(records[1:4])


@pytest.mark.parametrize(("name", "status"), (samples.CALCULATOR | samples.API).items())
@pytest.mark.usefixtures("processed")
def test_samples_of_the_api(stack, name, status):
    error, answer = invoke(stack, name)
    assert error is None, answer
    assert answer["statusCode"] == status, answer
    assert isinstance(json.loads(answer["body"]), dict)


def test_sample_of_the_authorizer(stack):
    error, answer = invoke(stack, "authorizer-token.json")
    assert error and answer["errorMessage"] == "Unauthorized", answer


def test_functions_refuse_calls_that_no_authorizer_has_let_in(stack):
    for name in ("calculator-calculate.json", "api-client.json"):
        event = samples.load(name)
        del event["requestContext"]["authorizer"]
        answer = stack.client("lambda").invoke(
            FunctionName=stack.physical_id(samples.FUNCTION_OF[name]), Payload=json.dumps(event).encode()
        )
        assert json.load(answer["Payload"])["statusCode"] == 401, name
