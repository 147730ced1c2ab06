"""numpy and pyxirr on the workloads of bench/data.py, from memory.

usage: peers.py FOLDER NAME ROUNDS   prints a JSON object
       peers.py csv FOLDER           reads one portfolio's CSV files, computes once and prints its figures

NAME is `w1`, `w2`, `w2-pyxirr`, `w3`, `w4`, `w4-pyxirr`, `w4-large` or `w4-large-pyxirr`. Ten figures of each portfolio in
f64; rates of return by pyxirr, or by Newton's method on many sets at once.
"""

import csv
import datetime
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pyxirr

RISK_FREE, PERIODS = 0.02, 252
BLOCK = 256
RATES = 20_000


def rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1:]


def first(folder):
    valuations, flows = rows(folder / "valuations.csv"), rows(folder / "flows.csv")
    benchmark = np.array([float(row[1]) for row in rows(folder / "benchmark.csv")])
    values = np.array([float(value) for _, value in valuations])
    place = {date: index for index, (date, _) in enumerate(valuations)}
    flow = np.zeros(len(values))
    for date, amount, *_ in flows:
        flow[place[date]] += float(amount)
    day = datetime.date.fromisoformat
    dates = np.array([day(date) for date, *_ in [valuations[0], *flows, valuations[-1]]], dtype="datetime64[D]")
    amounts = np.array([-values[0], *(-float(flow[1]) for flow in flows), values[-1]])
    return values, flow, benchmark, dates, amounts


def figures(r, benchmark):
    """Nine figures of each row of returns."""
    periodic = RISK_FREE / PERIODS
    wealth = np.cumprod(1 + r, axis=-1)
    excess = r - periodic
    deviation = r.std(axis=-1)
    downside = np.sqrt((np.minimum(r, 0) ** 2).mean(-1))
    peak = np.maximum(np.maximum.accumulate(wealth, axis=-1), 1.0)
    b, active = benchmark - benchmark.mean(-1, keepdims=True), r - benchmark
    beta = ((r - r.mean(-1, keepdims=True)) * b).sum(-1) / (b * b).sum(-1)
    return {
        "twr": wealth[..., -1] - 1,
        "volatility": deviation * PERIODS**0.5,
        "sharpe_daily": excess.mean(-1) / deviation * PERIODS**0.5,
        "sortino_daily": excess.mean(-1) / downside * PERIODS**0.5,
        "max_drawdown": 1 - (wealth / peak).min(-1),
        "beta": beta,
        "alpha_daily": (excess.mean(-1) - beta * (benchmark.mean(-1) - periodic)) * PERIODS,
        "tracking_error": active.std(axis=-1) * PERIODS**0.5,
        "information_daily": active.mean(-1) / active.std(axis=-1) * PERIODS**0.5,
    }


def returns(values, flow):
    return values[..., 1:] / (values[..., :-1] + flow[..., :-1]) - 1


def rates(days, amounts, steps=60):
    """Newton's method on ln(1 + r), all rows at once; none where it does not end."""
    years = (days - days[:, :1]) / 365.0
    log_rate, done = np.full(len(amounts), np.log1p(0.1)), np.zeros(len(amounts), bool)
    for _ in range(steps):
        terms = amounts * np.exp(-years * log_rate[:, None])
        with np.errstate(all="ignore"):
            step = np.clip(terms.sum(1) / -(years * terms).sum(1), -1, 1)
        log_rate = np.where(done, log_rate, log_rate - step)
        done |= np.abs(step) < 1e-13
        if done.all():
            break
    return np.where(done, np.expm1(log_rate), np.nan)


def one(folder):
    values, flow, benchmark, dates, amounts = first(folder)
    found = lambda: {**figures(returns(values, flow), benchmark), "mwr": pyxirr.xirr(dates, amounts)}
    return found, lambda result: {"figures": {name: float(value) for name, value in result.items()}}


def portfolios(folder, by_pyxirr):
    values = np.fromfile(folder / "values.f64").reshape(-1, 1260)
    places = np.fromfile(folder / "flow_pos.i32", np.int32).reshape(len(values), 60)
    amounts = np.fromfile(folder / "flow_amt.f64").reshape(len(values), 60)
    starts = np.fromfile(folder / "start.i32", np.int32)
    calendar, benchmark = np.fromfile(folder / "calendar_days.i32", np.int32), np.fromfile(folder / "benchmark_ret.f64")

    def block(i, j):
        v, flow, at = values[i:j], np.zeros((j - i, 1260)), starts[i:j, None]
        np.put_along_axis(flow, places[i:j].astype(np.int64), amounts[i:j], 1)
        found = figures(returns(v, flow), benchmark[at + np.arange(1259)])
        days = calendar[at + np.c_[np.zeros(j - i, int), places[i:j], np.full(j - i, 1259)]]
        sets = np.c_[-v[:, 0], -amounts[i:j], v[:, -1]]
        if not by_pyxirr:
            return {**found, "mwr": rates(days, sets)}
        dates = days.astype("datetime64[D]")
        return {**found, "mwr": np.array([pyxirr.xirr(*pair) for pair in zip(dates, sets)])}

    # Blocks keep what is worked on in the processor's cache.
    return lambda: [block(i, min(i + BLOCK, len(values))) for i in range(0, len(values), BLOCK)], lambda _: {}


def assets(folder):
    table = np.ascontiguousarray(np.array([[float(cell) for cell in row[1:]] for row in rows(folder / "values.csv")]).T)
    benchmark = np.array([float(row[1]) for row in rows(folder / "benchmark.csv")])
    return lambda: figures(table[:, 1:] / table[:, :-1] - 1, benchmark), lambda _: {}


def sets(folder, by_pyxirr):
    offsets = np.fromfile(folder / "offsets.i64", np.int64)
    days, amounts = np.fromfile(folder / "days.i32", np.int32), np.fromfile(folder / "amounts.f64")
    dates, pairs = days.astype("datetime64[D]"), list(zip(offsets, offsets[1:]))

    def single():
        return np.array([np.nan if (rate := pyxirr.xirr(dates[i:j], amounts[i:j])) is None else rate for i, j in pairs])

    def together():
        lengths, found = np.diff(offsets), np.empty(len(pairs))
        for length in np.unique(lengths):
            alike = np.nonzero(lengths == length)[0]
            for begin in range(0, len(alike), 2048):
                some = alike[begin : begin + 2048]
                index = offsets[some][:, None] + np.arange(length)
                found[some] = rates(days[index], amounts[index])
        return found

    told = lambda found: {"unanswered": int(np.isnan(found).sum()), "rates": [None if r != r else r for r in found[:RATES].tolist()]}
    return (single if by_pyxirr else together), told


def large(folder, by_pyxirr):
    flows = rows(folder / "large.csv")
    dates = np.array([row[0] for row in flows], dtype="datetime64[D]")
    days, amounts = dates.astype(np.int64), np.array([float(row[1]) for row in flows])
    work = (lambda: pyxirr.xirr(dates, amounts)) if by_pyxirr else (lambda: float(rates(days[None], amounts[None])[0]))
    return work, lambda rate: {"rate": rate}


def workload(folder, name):
    kind, by_pyxirr = name.removesuffix("-pyxirr"), name.endswith("-pyxirr")
    match kind:
        case "w1":
            return one(folder / "w1")
        case "w2":
            return portfolios(folder / "w2", by_pyxirr)
        case "w3":
            return assets(folder / "w3")
        case "w4":
            return sets(folder / "w4", by_pyxirr)
        case "w4-large":
            return large(folder / "w4", by_pyxirr)
    raise SystemExit(f"no workload {name}")


def main(folder, name, rounds):
    work, told = workload(Path(folder), name)
    times, result = [], None
    for _ in range(int(rounds)):
        start = time.perf_counter_ns()
        result = work()
        times.append(time.perf_counter_ns() - start)
    print(json.dumps({"nanoseconds": statistics.median(times), **told(result)}))


if __name__ == "__main__":
    if sys.argv[1] == "csv":
        work, told = one(Path(sys.argv[2]))
        print(json.dumps(told(work())))
    else:
        main(*sys.argv[1:4])
