"""Requests and events to send, and what must come of them.

Amounts and names are such that no log line holds them by chance.
"""

import itertools

# The technical design's example; its exact return is 1.02 × 11,330 / 11,200 − 1.
DESIGN_TWR = "0.031839285714285714286"
DATES = ["2023-01-01", "2023-01-02", "2023-01-03"]
MARK = "zq7holding"
_numbers = itertools.count(1)


def entity():
    """A name that nothing else has."""
    return f"{MARK}-{next(_numbers)}"


def request(entity_id, scale=1, **members):
    """The example on another scale: the return is the same, the money is not."""
    values = [10_000 * scale, 10_200 * scale, 11_330 * scale]
    return {
        "entity_type": "portfolio",
        "entity_id": entity_id,
        "valuations": [{"date": date, "value": str(value)} for date, value in zip(DATES, values, strict=True)],
        "cash_flows": [{"date": DATES[1], "amount": str(1_000 * scale)}],
    } | members


def valuation(entity_id, date, value, **members):
    """A valuation event."""
    return {
        "version": 1,
        "type": "valuation",
        "entity_type": "portfolio",
        "entity_id": entity_id,
        "date": date,
        "value": str(value),
        "currency": "EUR",
    } | members


def deposit(entity_id, date, amount, **members):
    """A deposit event."""
    return {
        "version": 1,
        "type": "transaction",
        "entity_type": "portfolio",
        "entity_id": entity_id,
        "account_id": f"{entity_id}-account",
        "transaction_id": "deposit-1",
        "date": date,
        "kind": "deposit",
        "amount": str(amount),
        "currency": "EUR",
    } | members


def ledger(entity_id, scale=1, **members):
    """The events whose ledger is the example."""
    values = [10_000 * scale, 10_200 * scale, 11_330 * scale]
    return [
        *(valuation(entity_id, date, value, **members) for date, value in zip(DATES, values, strict=True)),
        deposit(entity_id, DATES[1], 1_000 * scale, **members),
    ]
