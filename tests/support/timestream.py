"""Timestream Write, as strict as its documentation: an HTTP endpoint of the JSON protocol 1.0.

It keeps what is accepted where tests can read it, and answers what the service would answer to
records that it does not take. `AWS_ENDPOINT_URL_TIMESTREAM_WRITE` leads a client here.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RECORDS_MAX = 100
RECORD_BYTES_MAX = 2_048
DIMENSIONS_MAX = 128
DIMENSION_NAME_BYTES_MAX = 60
MEASURE_NAMES_MAX = 8_192
FUTURE_SECONDS_MAX = 15 * 60
_TARGET = "Timestream_20181101."
_UNITS = {"MILLISECONDS": 10**3, "SECONDS": 1, "MICROSECONDS": 10**6, "NANOSECONDS": 10**9}
_TYPES = ("DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "TIMESTAMP", "MULTI")
_MEMBERS = {"Dimensions", "MeasureName", "MeasureValue", "MeasureValueType", "MeasureValues", "Time", "TimeUnit", "Version"}
_RESERVED = ("time", "measure_name")
_RESERVED_PREFIXES = ("ts_", "measure_value")


class Refused(Exception):
    """The call as a whole is not taken."""

    def __init__(self, kind, message, status=400, **members):
        super().__init__(message)
        self.status = status
        self.body = {"__type": f"com.amazonaws.timestream.v20181101#{kind}", "message": message} | members


class RecordRefused(Exception):
    """One record is not taken."""

    def __init__(self, reason, existing_version=None):
        super().__init__(reason)
        self.reason = reason
        self.existing_version = existing_version


@dataclass
class Table:
    """Records by identity, and how old they may be."""

    memory_hours: int = 24
    magnetic_days: int = 36_500
    magnetic_writes: bool = True
    records: dict = field(default_factory=dict)
    measure_names: set = field(default_factory=set)
    # Accepted with 200, dropped afterwards: what the service reports in S3 only.
    rejected_later: list = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """A record as it is kept."""

    dimensions: tuple
    measure_name: str
    time_seconds: Decimal
    value: str
    value_type: str
    version: int

    def dimension(self, name):
        """Value of a dimension."""
        return dict(self.dimensions)[name]


class Timestream:
    """The endpoint, on a free port of the loopback, until `stop`.

    `tables` are the names that exist. `fail_next` makes the next calls fail as the service would.
    """

    def __init__(self, tables=(("investment_performance", "performance_metrics"),)):
        self.tables = {name: Table() for name in tables}
        self.calls = []
        self._failures = []
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length", "0"))
                status, body = fake.answer(self.headers, self.rfile.read(length))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("x-amzn-RequestId", "0" * 26)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                """Tests look at `calls`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()

    def fail_next(self, count, kind="ThrottlingException", status=400):
        """The next `count` calls of WriteRecords are refused, whatever they hold."""
        with self._lock:
            self._failures += [(kind, status)] * count

    def recover(self):
        """Forgets what `fail_next` has left."""
        with self._lock:
            self._failures.clear()

    def records(self, table=("investment_performance", "performance_metrics")):
        """What a query would see."""
        with self._lock:
            return list(self.tables[table].records.values())

    def answer(self, headers, data):
        """Status and body for a call."""
        target = headers.get("X-Amz-Target", "")
        try:
            if not target.startswith(_TARGET):
                raise Refused("UnknownOperationException", "no operation of this service")
            if not headers.get("Content-Type", "").startswith("application/x-amz-json-1.0"):
                raise Refused("SerializationException", "expected application/x-amz-json-1.0")
            if "Credential=" not in headers.get("Authorization", ""):
                raise Refused("AccessDeniedException", "the call is not signed")
            operation = target.removeprefix(_TARGET)
            body = json.loads(data)
            with self._lock:
                self.calls.append((operation, body))
                return 200, self._perform(operation, body)
        except json.JSONDecodeError:
            return 400, Refused("SerializationException", "not JSON").body
        except Refused as refused:
            return refused.status, refused.body

    def _perform(self, operation, body):
        if operation == "DescribeEndpoints":
            return {"Endpoints": [{"Address": self.endpoint.removeprefix("http://"), "CachePeriodInMinutes": 1440}]}
        if operation != "WriteRecords":
            raise Refused("UnknownOperationException", f"{operation} is not one of those that may be called")
        if self._failures:
            kind, status = self._failures.pop(0)
            raise Refused(kind, "made to fail", status)
        return self._write(body)

    def _write(self, body):
        unknown = body.keys() - {"DatabaseName", "TableName", "CommonAttributes", "Records"}
        if unknown:
            raise Refused("ValidationException", f"unknown members {sorted(unknown)}")
        table = self.tables.get((body.get("DatabaseName"), body.get("TableName")))
        if table is None:
            raise Refused("ResourceNotFoundException", "the table does not exist")
        records, common = body.get("Records", []), body.get("CommonAttributes", {})
        if not 1 <= len(records) <= RECORDS_MAX:
            raise Refused("ValidationException", f"expected 1 to {RECORDS_MAX} records, found {len(records)}")
        merged = [_merged(common, record) for record in records]
        if len({_identity(record) for record in merged}) != len(merged):
            # Which of the two is kept is not said anywhere; a caller must not rely on it.
            raise Refused("ValidationException", "two records of one call have the same identity")
        return self._keep(table, merged)

    def _keep(self, table, merged):
        rejected, counts = [], {"MemoryStore": 0, "MagneticStore": 0}
        for index, record in enumerate(merged):
            try:
                counts[_put(table, record)] += 1
            except RecordRefused as refused:
                entry = {"RecordIndex": index, "Reason": refused.reason}
                if refused.existing_version is not None:
                    entry["ExistingVersion"] = refused.existing_version
                rejected.append(entry)
        if rejected:
            message = "One or more records have been rejected. See RejectedRecords for details."
            raise Refused("RejectedRecordsException", message, status=419, RejectedRecords=rejected)
        return {"RecordsIngested": counts | {"Total": sum(counts.values())}}


def _merged(common, record):
    """Common attributes are those of every record, whose own come first; dimensions add up."""
    for part in (common, record):
        unknown = part.keys() - _MEMBERS
        if unknown:
            raise Refused("ValidationException", f"unknown members {sorted(unknown)}")
    merged = common | record
    dimensions = common.get("Dimensions", []) + record.get("Dimensions", [])
    names = [dimension["Name"] for dimension in dimensions]
    if len(set(names)) != len(names):
        raise Refused("ValidationException", "a dimension stands in the record and in the common attributes")
    for needed in ("MeasureName", "Time"):
        if not merged.get(needed):
            raise Refused("ValidationException", f"a record without {needed}")
    return merged | {"Dimensions": dimensions}


def _seconds(record):
    unit = record.get("TimeUnit", "MILLISECONDS")
    if unit not in _UNITS or not record["Time"].lstrip("-").isdigit():
        raise Refused("ValidationException", f"no time: {record['Time']} {unit}")
    return Decimal(record["Time"]) / _UNITS[unit]


def _identity(record):
    dimensions = tuple(sorted((d["Name"], d["Value"]) for d in record["Dimensions"]))
    return dimensions, record["MeasureName"], _seconds(record)


def _put(table, record):
    """Keeps the record; says in which store."""
    _check(record)
    store = _store(table, record)
    dimensions, measure, seconds = _identity(record)
    kind = record.get("MeasureValueType", "DOUBLE")
    version = record.get("Version", 1)
    new = Record(dimensions, measure, seconds, record["MeasureValue"], kind, version)
    if measure not in table.measure_names and len(table.measure_names) >= MEASURE_NAMES_MAX:
        raise RecordRefused(f"the table has {MEASURE_NAMES_MAX} measure names already")
    known = table.records.get((dimensions, measure, seconds))
    if known is not None and known.value_type != kind:
        raise RecordRefused("The record has a different measure value type than the existing one.")
    if known is not None and version <= known.version and known.value != new.value:
        if store == "MagneticStore":
            # Found out after the answer; told in the bucket for rejected data alone.
            table.rejected_later.append(new)
            return store
        raise RecordRefused(
            "The record version %d is lower than or equal to the existing version %d. A higher version is "
            "required to update the measure value." % (version, known.version),
            known.version,
        )
    if known is None or version > known.version:
        table.records[(dimensions, measure, seconds)] = new
        table.measure_names.add(measure)
    return store


def _store(table, record):
    age = Decimal(time.time()) - _seconds(record)
    if -age > FUTURE_SECONDS_MAX:
        raise RecordRefused("The record timestamp is outside the time range of the data ingestion window: too far ahead.")
    if age <= table.memory_hours * 3600:
        return "MemoryStore"
    if not table.magnetic_writes or age > table.magnetic_days * 86_400:
        raise RecordRefused("The record timestamp is outside the time range of the data ingestion window.")
    return "MagneticStore"


def _check(record):
    """Limits of one record."""
    dimensions = record["Dimensions"]
    if not 1 <= len(dimensions) <= DIMENSIONS_MAX:
        raise RecordRefused(f"expected 1 to {DIMENSIONS_MAX} dimensions")
    for dimension in dimensions:
        name, value = dimension["Name"], dimension["Value"]
        if not name or len(name.encode()) > DIMENSION_NAME_BYTES_MAX or _is_reserved(name):
            raise RecordRefused(f"no name of a dimension: {name}")
        if not isinstance(value, str) or not value:
            raise RecordRefused(f"dimension {name} has no value")
    if record.get("MeasureValueType", "DOUBLE") not in _TYPES or _is_reserved(record["MeasureName"]):
        raise RecordRefused("no type or name of a measure")
    version = record.get("Version", 1)
    if not isinstance(version, int) or version < 1:
        raise RecordRefused("a version is a whole number from 1 on")
    _check_value(record)
    size = sum(len(d["Name"].encode()) + len(d["Value"].encode()) for d in dimensions)
    size += len(record["MeasureName"].encode()) + len(record["MeasureValue"].encode()) + 8
    if size > RECORD_BYTES_MAX:
        raise RecordRefused(f"the record has {size} bytes, more than {RECORD_BYTES_MAX}")


def _check_value(record):
    value = record.get("MeasureValue")
    if not isinstance(value, str) or not value:
        raise RecordRefused("a record without MeasureValue")
    if record.get("MeasureValueType", "DOUBLE") != "DOUBLE":
        return
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise RecordRefused(f"no DOUBLE: {value}") from None
    if not number.is_finite():
        raise RecordRefused(f"no finite DOUBLE: {value}")


def _is_reserved(name):
    return name in _RESERVED or name.startswith(_RESERVED_PREFIXES)
