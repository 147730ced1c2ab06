"""numpy and pyxirr on one portfolio.

usage: peer.py FOLDER ROUNDS   prints the median nanoseconds from memory, and the figures, as JSON
       peer.py FOLDER          reads the files, computes once and prints the figures
"""

import csv
import datetime
import json
import statistics
import sys
import time

import numpy as np
import pyxirr

RISK_FREE = 0.02
PERIODS = 252


def rows(folder, name):
    with open(f"{folder}/{name}", newline="") as file:
        return list(csv.reader(file))[1:]


def load(folder):
    valuations, flows = rows(folder, "valuations.csv"), rows(folder, "flows.csv")
    benchmark = np.array([float(value) for _, value in rows(folder, "benchmark.csv")])
    values = np.array([float(value) for _, value in valuations])
    place = {date: index for index, (date, _) in enumerate(valuations)}
    flow = np.zeros(len(values))
    for date, amount in flows:
        flow[place[date]] += float(amount)
    day = datetime.date.fromisoformat
    dates = np.array([day(date) for date, _ in [valuations[0], *flows, valuations[-1]]], dtype="datetime64[D]")
    amounts = np.array([-values[0], *(-float(amount) for _, amount in flows), values[-1]])
    return values, flow, benchmark, dates, amounts


def figures(values, flow, benchmark, dates, amounts):
    """Ten figures: what the peers have in common with us."""
    r = values[1:] / (values[:-1] + flow[:-1]) - 1
    periodic = RISK_FREE / PERIODS
    wealth = np.cumprod(1 + r)
    excess = r - periodic
    deviation = r.std()
    downside = np.sqrt((np.minimum(r, 0) ** 2).mean())
    peak = np.maximum(np.maximum.accumulate(wealth), 1.0)
    b, active = benchmark - benchmark.mean(), r - benchmark
    beta = ((r - r.mean()) * b).sum() / (b * b).sum()
    return {
        "twr": wealth[-1] - 1,
        "volatility": deviation * PERIODS**0.5,
        "sharpe_daily": excess.mean() / deviation * PERIODS**0.5,
        "downside_deviation": downside * PERIODS**0.5,
        "max_drawdown": 1 - (wealth / peak).min(),
        "beta": beta,
        "alpha_daily": (excess.mean() - beta * (benchmark.mean() - periodic)) * PERIODS,
        "tracking_error": active.std() * PERIODS**0.5,
        "information_daily": active.mean() / active.std() * PERIODS**0.5,
        "mwr": pyxirr.xirr(dates, amounts),
    }


def median(rounds, work):
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times)


if __name__ == "__main__":
    data = load(sys.argv[1])
    result = {name: float(value) for name, value in figures(*data).items()}
    if len(sys.argv) > 2:
        result = {"nanoseconds": median(int(sys.argv[2]), lambda: figures(*data)), "figures": result}
    print(json.dumps(result))
