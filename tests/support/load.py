"""Work in bulk, with its results known beforehand and counted afterwards."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from support import portfolios

_DIGITS = 20
_LAST = portfolios.DATES[-1]
_AT_ONCE = 8


def rounded(number):
    """The nearest decimal of 20 digits, as the service answers."""
    exact = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)
    return exact.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize()


class Load:
    """So many messages about portfolios that nobody else has, in the names of `clients`.

    Half of the messages are events of ledgers, half are requests with their data. Two portfolios have
    different returns, so that a result in the wrong place is a wrong result.
    """

    def __init__(self, name, messages, seed, clients=("acme",)):
        self.random = random.Random(seed)
        self.expected = {}
        self.messages = []
        number = 0
        while len(self.messages) < messages:
            number += 1
            for client in clients:
                # The same names for every client.
                self._ledger(client, f"{portfolios.MARK}-{name}-l{number}")
                for part in range(4):
                    self._request(client, f"{portfolios.MARK}-{name}-r{number}-{part}")

    def _values(self):
        scale, gain = self.random.randint(1, 9_999), self.random.randint(1, 99_999)
        last = 11_330 * scale + gain
        twr = Fraction(102, 100) * Fraction(last, 11_200 * scale) - 1
        return scale, last, rounded(twr)

    def _ledger(self, client, name):
        scale, last, twr = self._values()
        events = portfolios.ledger(name, scale, client_id=client)
        events[2]["value"] = str(last)
        self.messages += [json.dumps(event) for event in events]
        self.expected[client, name] = ("ledger", twr)

    def _request(self, client, name):
        scale, last, twr = self._values()
        request = portfolios.request(name, scale)
        request["valuations"][2]["value"] = str(last)
        event = {"version": 1, "type": "portfolio_performance", "request_id": name, "client_id": client, "request": request}
        self.messages.append(json.dumps(event))
        self.expected[client, name] = ("request", twr)

    def doubled_and_shuffled(self):
        """Every message up to three times, in no order."""
        many = [message for message in self.messages for _ in range(self.random.randint(1, 3))]
        self.random.shuffle(many)
        return many

    def send(self, stack, messages=None):
        """Puts messages on the queue, many at once."""
        messages = self.messages if messages is None else messages
        batches = [messages[start : start + 10] for start in range(0, len(messages), 10)]
        queue, url = stack.client("sqs"), stack.outputs["EventQueueUrl"]

        def send(batch):
            entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(batch)]
            assert not queue.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(send, batches))

    def verify(self, stack):
        """Exactly one right result for everything; says how many there are."""
        found, wrong = {}, {}
        for row in stack.rows("ResultsTableName"):
            found.setdefault(row["id"], {})[row["calculation_date"]] = row
        for (client, name), (kind, twr) in self.expected.items():
            fault = _fault(found.get(f"portfolio#{name}#{client}", {}), kind, twr)
            if fault:
                wrong[client, name] = fault
        assert not wrong, f"{len(wrong)} of {len(self.expected)} results are wrong: {dict(list(wrong.items())[:5])}"
        return len(self.expected)

    def verify_series(self, timestream):
        """Every last return is in Timestream once, and right."""
        found = {}
        for record in timestream.records():
            names = dict(record.dimensions)
            if record.measure_name == "twr" and record.time_seconds == 1_672_704_000:
                if names["time_period"] in ("ITD", "CUSTOM"):
                    found.setdefault((names["client_id"], names["entity_id"]), []).append(record)
        for key, (_, twr) in self.expected.items():
            record, = found.get(key, [None])
            assert record is not None and float(record.value) == float(twr), (key, record)


def _fault(rows, kind, twr):
    """What is wrong with an entity's rows."""
    if kind == "request":
        if len(rows) != 1:
            return f"{len(rows)} rows"
        row, = rows.values()
        return None if row["twr"] == twr else f"{row['twr']} instead of {twr}"
    for key in ("latest#ITD#daily", f"{_LAST}#ITD#daily"):
        if key not in rows:
            return f"no {key}"
        if rows[key].get("twr") != twr:
            return f"{key}: {rows[key].get('twr')} instead of {twr}"
    return None
