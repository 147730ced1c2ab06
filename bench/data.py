"""Makes the workloads from real prices: data.py FOLDER [PORTFOLIOS [SETS]]

The prices are those of skfolio's example data (20 US stocks and the S&P 500, 8,313 days); the only chance is
SplitMix64, so that the same files come out everywhere. A flow happens after the valuation of its day.

w1  one portfolio: 1,260 valuations, 60 flows, 1,259 benchmark returns, as CSV
w2  so many such portfolios, little-endian, row by row
w3  the days of all stocks, and the benchmark's returns, as CSV
w4  so many savings plans of 5 to 60 flows, and one set of 100,001 flows
"""

import csv
import datetime
import gzip
import importlib.util
import sys
from pathlib import Path

import numpy as np

DAYS, FLOWS = 1260, 60


def chance(seed, count):
    """So many numbers below one."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def table(name):
    """Dates, names and numbers of one of skfolio's files."""
    folder = Path(importlib.util.find_spec("skfolio").origin).parent / "datasets" / "data"
    with gzip.open(folder / name, "rt", newline="") as file:
        head, *rows = csv.reader(file)
    return [row[0] for row in rows], head[1:], np.array([[float(cell) for cell in row[1:]] for row in rows])


class Market:
    def __init__(self):
        self.dates, self.names, self.prices = table("sp500_dataset.csv.gz")
        dates, _, index = table("sp500_index.csv.gz")
        assert dates == self.dates
        self.index = index[:, 0]
        epoch = datetime.date(1970, 1, 1)
        self.days = np.array([(datetime.date.fromisoformat(d) - epoch).days for d in dates], np.int32)
        self.returns = self.prices[1:] / self.prices[:-1] - 1
        self.benchmark = self.index[1:] / self.index[:-1] - 1
        months = [date[:7] for date in dates]
        self.begins_month = np.array([True] + [a != b for a, b in zip(months, months[1:])])

    def portfolio(self, seed, start):
        """Values in cents, days and amounts of the flows: fixed weights of all stocks, held from `start` on."""
        u = chance(seed, 24 + FLOWS)
        weights = u[:20] ** 2
        growth = 1 + self.returns[start : start + DAYS - 1] @ (weights / weights.sum())
        days = np.nonzero(self.begins_month[start + 1 : start + DAYS - 1])[0][:FLOWS] + 1
        while len(days) < FLOWS:
            days = np.unique(np.r_[days, 10 + len(days)])
        value = np.round(1e5 * 10 ** (u[20] * 2), 2)
        amounts = np.round(value * 0.02 * (u[24:] * 1.5 - 0.5), 2)
        flow, values = np.zeros(DAYS), np.empty(DAYS)
        flow[days], values[0] = amounts, value
        for day in range(1, DAYS):
            value = round((value + flow[day - 1]) * growth[day - 1], 2)
            values[day] = value
        return values, days.astype(np.int32), amounts


def write(path, head, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="\n") as file:
        file.write(head + "\n")
        file.writelines(",".join([date, *(repr(float(number)) for number in numbers)]) + "\n" for date, *numbers in rows)


def first(folder, market):
    start = len(market.dates) - DAYS
    dates = market.dates[start:]
    values, days, amounts = market.portfolio(20221228, start)
    write(folder / "valuations.csv", "date,value", zip(dates, values))
    write(folder / "flows.csv", "date,amount", zip((dates[day] for day in days), amounts))
    write(folder / "benchmark.csv", "date,return", zip(dates[1:], market.benchmark[start:]))


def second(folder, market, count):
    folder.mkdir(parents=True, exist_ok=True)
    starts = (chance(7, count) * (len(market.dates) - DAYS)).astype(np.int32)
    made = [market.portfolio(1000003 * (index + 1), int(start)) for index, start in enumerate(starts)]
    values, days, amounts = (np.array(part) for part in zip(*made))
    values.tofile(folder / "values.f64")
    days.astype(np.int32).tofile(folder / "flow_pos.i32")
    amounts.tofile(folder / "flow_amt.f64")
    starts.tofile(folder / "start.i32")
    market.days.tofile(folder / "calendar_days.i32")
    market.benchmark.tofile(folder / "benchmark_ret.f64")


def third(folder, market):
    write(folder / "values.csv", "date," + ",".join(market.names), ([d, *p] for d, p in zip(market.dates, market.prices)))
    write(folder / "benchmark.csv", "date,return", zip(market.dates[1:], market.benchmark))


def fourth(folder, market, count):
    """Savings plans in one stock each; the last flow is what it is worth. One flow in eight takes money out."""
    folder.mkdir(parents=True, exist_ok=True)
    flows = 5 + (chance(11, count) * 56).astype(np.int64)
    steps = np.array([5, 10, 21, 42, 63])[(chance(12, count) * 5).astype(int)]
    begin = (chance(13, count) * (len(market.days) - (flows - 1) * steps - 5)).astype(np.int64)
    stock = (chance(14, count) * 20).astype(int)
    offsets = np.r_[0, np.cumsum(flows)].astype(np.int64)
    total, last = int(offsets[-1]), offsets[1:] - 1
    own = np.repeat(np.arange(count), flows)
    place = np.arange(total) - np.repeat(offsets[:-1], flows)
    shift = (chance(15, total) * 4).astype(np.int64)
    shift[offsets[:-1]], shift[last] = 0, 4
    row = begin[own] + place * steps[own] + shift
    sign = np.where(chance(16, total) < 0.12, -0.35, 1.0)
    sign[offsets[:-1]] = 1.0
    amounts = np.round(sign * 100 * 10 ** (2 * chance(17, total)), 2)
    price = market.prices[row, stock[own]]
    units = amounts / price
    units[last] = 0
    held = np.add.reduceat(units, offsets[:-1])
    held = np.maximum(held, 0.01 * np.add.reduceat(np.abs(units), offsets[:-1]))
    amounts = -amounts
    amounts[last] = np.round(held * price[last], 2)
    offsets.tofile(folder / "offsets.i64")
    market.days[row].astype(np.int32).tofile(folder / "days.i32")
    amounts.tofile(folder / "amounts.f64")
    large(folder, market)


def large(folder, market):
    """A fund of many clients: 100,000 payments and what it is worth."""
    count = 100_000
    row = np.sort((chance(18, count) * (len(market.dates) - 1)).astype(np.int64))
    row[0] = 0
    amounts = np.round(np.where(chance(19, count) < 0.3, -0.5, 1) * 1000 * 10 ** (2 * chance(20, count)), 2)
    amounts[0] = abs(amounts[0])
    worth = np.round((amounts / market.index[row]).sum() * market.index[-1], 2)
    flows = [(market.dates[day], -amount) for day, amount in zip(row, amounts)]
    write(folder / "large.csv", "date,amount", [*flows, (market.dates[-1], worth)])


def main(folder, portfolios=10_000, sets=1_000_000):
    market = Market()
    first(folder / "w1", market)
    third(folder / "w3", market)
    fourth(folder / "w4", market, int(sets))
    second(folder / "w2", market, int(portfolios))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
