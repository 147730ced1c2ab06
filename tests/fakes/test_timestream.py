"""The fake against a real client, rule by rule."""

import time

import boto3
import pytest
from botocore.config import Config

from support.timestream import RECORDS_MAX, Timestream

DATABASE, TABLE = "investment_performance", "performance_metrics"
YEARS_AGO = str(int(time.time()) - 3 * 365 * 86_400)


@pytest.fixture
def fake():
    running = Timestream()
    yield running
    running.stop()


@pytest.fixture
def client(fake):
    return boto3.client(
        "timestream-write",
        endpoint_url=fake.endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, endpoint_discovery_enabled=False),
    )


def record(**changed):
    return {
        "Dimensions": [{"Name": "entity_id", "Value": "port-1"}],
        "MeasureName": "twr",
        "MeasureValue": "0.0842",
        "MeasureValueType": "DOUBLE",
        "Time": YEARS_AGO,
        "TimeUnit": "SECONDS",
        "Version": 1,
    } | changed


def write(client, *records, common=None, table=TABLE):
    return client.write_records(
        DatabaseName=DATABASE, TableName=table, Records=list(records), CommonAttributes=common or {}
    )


def rejected(client, *records, **arguments):
    with pytest.raises(client.exceptions.RejectedRecordsException) as refusal:
        write(client, *records, **arguments)
    return refusal.value.response["RejectedRecords"]


def test_a_record_is_kept(fake, client):
    answer = write(client, record())
    assert answer["RecordsIngested"] == {"Total": 1, "MemoryStore": 0, "MagneticStore": 1}
    kept, = fake.records()
    assert (kept.measure_name, kept.value, kept.version) == ("twr", "0.0842", 1)
    assert kept.dimension("entity_id") == "port-1" and kept.time_seconds == int(YEARS_AGO)


def test_recent_records_are_kept_in_memory(client):
    answer = write(client, record(Time=str(int(time.time()) - 60)))
    assert answer["RecordsIngested"]["MemoryStore"] == 1


def test_common_attributes_are_every_records(fake, client):
    common = {"Dimensions": [{"Name": "entity_type", "Value": "portfolio"}], "Time": YEARS_AGO, "TimeUnit": "SECONDS"}
    own = {"MeasureValueType": "DOUBLE", "Dimensions": [{"Name": "entity_id", "Value": "p"}]}
    write(client, own | {"MeasureName": "twr", "MeasureValue": "1"}, own | {"MeasureName": "mwr", "MeasureValue": "2"}, common=common)
    assert {kept.measure_name: kept.value for kept in fake.records()} == {"twr": "1", "mwr": "2"}
    assert all(dict(kept.dimensions) == {"entity_type": "portfolio", "entity_id": "p"} for kept in fake.records())


def test_a_dimension_stands_in_one_place(client):
    with pytest.raises(client.exceptions.ValidationException):
        write(client, record(), common={"Dimensions": [{"Name": "entity_id", "Value": "port-1"}]})


def test_a_call_has_at_most_100_records(fake, client):
    many = [record(Time=str(int(YEARS_AGO) + second)) for second in range(RECORDS_MAX + 1)]
    with pytest.raises(client.exceptions.ClientError):
        write(client, *many)
    assert fake.records() == []
    write(client, *many[1:])
    assert len(fake.records()) == RECORDS_MAX


def test_two_records_of_a_call_differ(client):
    with pytest.raises(client.exceptions.ValidationException):
        write(client, record(), record(MeasureValue="1"))


def test_a_higher_version_takes_the_place(fake, client):
    write(client, record())
    write(client, record(MeasureValue="0.09", Version=2))
    assert [(kept.value, kept.version) for kept in fake.records()] == [("0.09", 2)]


def test_a_lower_version_is_rejected_in_memory(fake, client):
    recent = str(int(time.time()) - 60)
    write(client, record(Time=recent, Version=5))
    entry, = rejected(client, record(Time=recent, MeasureValue="0.09", Version=4))
    assert (entry["RecordIndex"], entry["ExistingVersion"]) == (0, 5)
    assert fake.records()[0].value == "0.0842"


def test_a_lower_version_is_dropped_later_in_the_magnetic_store(fake, client):
    write(client, record(Version=5))
    write(client, record(MeasureValue="0.09", Version=4))
    assert fake.records()[0].value == "0.0842"
    assert len(fake.tables[DATABASE, TABLE].rejected_later) == 1


def test_the_same_record_twice_is_the_same_record(fake, client):
    write(client, record())
    write(client, record())
    assert len(fake.records()) == 1


def test_good_records_beside_a_rejected_one_are_kept(fake, client):
    entry, = rejected(client, record(), record(MeasureName="mwr", MeasureValue="NaN"), record(MeasureName="volatility"))
    assert entry["RecordIndex"] == 1
    assert {kept.measure_name for kept in fake.records()} == {"twr", "volatility"}


@pytest.mark.parametrize(
    "changed",
    [
        {"MeasureValue": "Infinity"},
        {"MeasureValue": "eight"},
        {"Dimensions": []},
        {"Dimensions": [{"Name": "time", "Value": "x"}]},
        {"Dimensions": [{"Name": "ts_x", "Value": "x"}]},
        {"Dimensions": [{"Name": "n" * 61, "Value": "x"}]},
        {"Dimensions": [{"Name": "n", "Value": "v" * 2_048}]},
        {"Version": 0},
        {"Time": str(int(time.time()) + 3_600)},
        {"Time": str(int(time.time()) - 36_501 * 86_400)},
    ],
)
def test_what_breaks_a_rule_is_rejected(fake, client, changed):
    assert [entry["RecordIndex"] for entry in rejected(client, record(**changed))] == [0]
    assert fake.records() == []


def test_without_magnetic_writes_old_records_are_rejected(fake, client):
    fake.tables[DATABASE, TABLE].magnetic_writes = False
    assert len(rejected(client, record())) == 1


def test_a_measure_keeps_its_type(client):
    write(client, record())
    assert len(rejected(client, record(MeasureValue="7", MeasureValueType="BIGINT", Version=2))) == 1


def test_unknown_tables_and_operations_are_refused(client):
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        write(client, record(), table="performance-metrics")
    with pytest.raises(client.exceptions.ClientError, match="UnknownOperationException"):
        client.delete_table(DatabaseName=DATABASE, TableName=TABLE)


def test_endpoints_are_described(fake, client):
    endpoint, = client.describe_endpoints()["Endpoints"]
    assert fake.endpoint == f"http://{endpoint['Address']}"


def test_failures_are_made_on_request_and_end(fake, client):
    fake.fail_next(1)
    with pytest.raises(client.exceptions.ThrottlingException):
        write(client, record())
    assert fake.records() == []
    write(client, record())
    fake.fail_next(5, "InternalServerException", 500)
    with pytest.raises(client.exceptions.InternalServerException):
        write(client, record())
    fake.recover()
    write(client, record())
