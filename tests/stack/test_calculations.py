"""POST /calculate and its like, from the door to the row."""

import datetime
from decimal import Decimal

import pytest

from support import portfolios
from support.waiting import wait_until

STORED_FIGURES = ["twr", "mwr", "volatility", "sharpe_ratio", "max_drawdown"]


def stored(stack, client, entity_id, count=1):
    """The rows of an entity, once there are so many."""

    def rows():
        found = stack.results_of(client, entity_id)
        return found if len(found) >= count else None

    return wait_until(rows, f"no result of {entity_id}")


def test_a_result_is_answered_and_stored(stack, timestream):
    name = portfolios.entity()
    answer = stack.ask("POST", "/calculate", stack.token(), portfolios.request(name))
    assert answer.status == 200, answer
    result = answer.json()
    assert result["metrics"]["twr"] == portfolios.DESIGN_TWR
    assert (result["client_id"], result["stored"]) == ("acme", "queued")
    (sort_key, row), = stored(stack, "acme", name).items()
    assert sort_key == f"2023-01-03#CUSTOM:2023-01-01#daily#{result['input_hash'][:16]}"
    assert row["twr"] == Decimal(portfolios.DESIGN_TWR)
    assert row["request_id"] == result["request_id"]
    assert (row["entity_type"], row["entity_id"]) == ("portfolio", name)
    assert row["calculation_method"] == "daily" and row["created_at"] and row["updated_at"]
    # What-ifs are not listed under their client.
    assert "client_id" not in row and "account_id" not in row
    for figure in STORED_FIGURES:
        value = result["metrics"][figure]
        assert row.get(figure) == (None if value is None else Decimal(str(value))), figure
    assert_series(timestream, name, result)


def assert_series(timestream, name, result):
    def records():
        return [r for r in timestream.records() if r.dimension("entity_id") == name]

    defined = {figure for figure in STORED_FIGURES if result["metrics"][figure] is not None}
    wait_until(lambda: {r.measure_name for r in records()} == defined, f"no series of {name}")
    for record in records():
        assert float(record.value) == float(result["metrics"][record.measure_name])
        assert record.time_seconds == 1_672_704_000  # 2023-01-03
        assert record.dimension("request_id") == result["request_id"]
        assert record.dimension("client_id") == "acme"
        assert record.dimension("entity_type") == "portfolio"
        assert record.dimension("calculation_method") == "daily"
        assert record.dimension("time_period") == "CUSTOM"


def test_the_same_request_again_is_the_same_result(stack):
    name = portfolios.entity()
    first, second = (
        stack.ask("POST", "/calculate", stack.token(), portfolios.request(name)).json() for _ in range(2)
    )
    changing = {"request_id", "calculated_at", "cached", "stored"}
    assert {k: v for k, v in first.items() if k not in changing} == {
        k: v for k, v in second.items() if k not in changing
    }
    stored(stack, "acme", name)
    stack.drain()
    assert len(stack.results_of("acme", name)) == 1


def test_what_is_not_to_be_stored_is_not(stack):
    name = portfolios.entity()
    answer = stack.ask("POST", "/calculate", stack.token(), portfolios.request(name, store=False))
    assert answer.status == 200, answer
    stack.drain()
    assert stack.results_of("acme", name) == {}


def test_requests_that_cannot_be_calculated_say_everything_that_is_wrong(stack):
    body = portfolios.request("p")
    body["valuations"][1]["value"] = "ten"
    body["valuations"][2]["date"] = "2023-02-30"
    answer = stack.ask("POST", "/calculate", stack.token(), body)
    assert answer.status == 422, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/valuations/1/value", "/valuations/2/date"}
    assert stack.ask("POST", "/calculate", stack.token(), "{").status == 400
    plain = {"Content-Type": "text/plain"}
    assert stack.ask("POST", "/calculate", stack.token(), "{}", plain).status == 415


@pytest.mark.parametrize("path", ["/calculate", "/calculations"])
def test_work_for_later_is_done_later(stack, path):
    name = portfolios.entity()
    headers = {"Prefer": "respond-async"} if path == "/calculate" else {}
    answer = stack.ask("POST", path, stack.token(), portfolios.request(name), headers)
    assert answer.status == 202, answer
    accepted = answer.json()
    status = completed(stack, stack.token(), accepted)
    assert (status["total"], status["completed"], status["failed"]) == (1, 1, 0)
    row, = stack.results_of("acme", name).values()
    assert row["twr"] == Decimal(portfolios.DESIGN_TWR)
    other = stack.ask("GET", f"/requests/{accepted['request_id']}", stack.token("beta"))
    assert other.status == 404, other


def completed(stack, token, accepted):
    """The status of accepted work once nothing of it is pending."""
    assert accepted["status_url"].endswith(f"/requests/{accepted['request_id']}")

    def ended():
        answer = stack.ask("GET", f"/requests/{accepted['request_id']}", token)
        assert answer.status == 200, answer
        return answer.json() if answer.json()["status"] != "pending" else None

    return wait_until(ended, "the request is still pending")


def test_a_batch_tells_which_of_its_members_failed(stack):
    names = [portfolios.entity() for _ in range(60)]
    requests = [portfolios.request(name) for name in names]
    # Not to be calculated, though each value is in order.
    requests[7] = {"entity_type": "portfolio", "entity_id": names[7], "time_period": "ITD"}
    answer = stack.ask("POST", "/calculations", stack.token(), {"requests": requests})
    assert answer.status == 202, answer
    status = completed(stack, stack.token(), answer.json())
    assert (status["total"], status["completed"], status["failed"]) == (60, 59, 1)
    failed, = [item for item in status["items"] if item["status"] == "failed"]
    assert failed["item"] == 7
    for place, name in enumerate(names):
        assert len(stack.results_of("acme", name)) == (0 if place == 7 else 1), name


def test_large_work_goes_by_claim(stack):
    name = portfolios.entity()
    rows = [
        {"date": day, "value": f"{10_000 + place}.123456789012345"} for place, day in enumerate(dates(12_000))
    ]
    body = {"entity_type": "portfolio", "entity_id": name, "valuations": rows}
    answer = stack.ask("POST", "/calculations", stack.token(), body)
    assert answer.status == 202, answer
    assert completed(stack, stack.token(), answer.json())["completed"] == 1
    objects = stack.client("s3").list_objects_v2(Bucket=stack.outputs["ClaimBucketName"], Prefix="claims/")
    assert any(found["Size"] > 200 * 1024 for found in objects.get("Contents", []))
    assert len(stack.results_of("acme", name)) == 1


def dates(count):
    """So many days in a row."""
    first = datetime.date(1980, 1, 1)
    return [(first + datetime.timedelta(days=day)).isoformat() for day in range(count)]


def test_an_idempotency_key_is_answered_once(stack):
    name, headers = portfolios.entity(), {"Idempotency-Key": portfolios.entity()}
    first, again = (
        stack.ask("POST", "/calculations", stack.token(), portfolios.request(name), headers) for _ in range(2)
    )
    assert first.status == again.status == 202 and first.json() == again.json()
    other = stack.ask("POST", "/calculations", stack.token(), portfolios.request(name, scale=2), headers)
    assert other.status == 409, other
    # Another client's key is another key.
    theirs = stack.ask("POST", "/calculations", stack.token("beta"), portfolios.request(name, scale=2), headers)
    assert theirs.status == 202 and theirs.json()["request_id"] != first.json()["request_id"]


def test_a_rate_of_return(stack):
    flows = {"cash_flows": [{"date": "2021-01-01", "amount": "-1.6"}, {"date": "2022-01-01", "amount": "10"}, {"date": "2023-01-01", "amount": "-10"}]}
    answer = stack.ask("POST", "/irr", stack.token(), flows)
    assert answer.status == 200, answer
    rate = answer.json()
    assert (rate["status"], rate["irr"], rate["roots"]) == ("multiple", "0.25", ["0.25", 4])
