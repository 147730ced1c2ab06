"""Times perfcalc and its peers side by side and writes docs/performance.md.

usage: compare.py PERFCALC WORKLOADS PYTHON FOLDER CRITERION   (see `make bench`)

PERFCALC and WORKLOADS are the built command and example, PYTHON an interpreter with bench/requirements.txt
installed, FOLDER what bench/data.py has written, CRITERION where `cargo bench` has left its estimates. Runs are interleaved and bound to one processor, so that whatever
else the machine does meets all of them; medians are reported.
"""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = str(ROOT / "bench" / "peers.py")
COMMON = ["twr", "volatility", "max_drawdown", "beta", "tracking_error", "mwr"]
BATCH_LINES = 10_000
WHOLE_PROCESS_RUNS = 21


def run(command, pinned=True):
    """Seconds and output of one process."""
    start = time.perf_counter()
    command = ["taskset", "-c", "0", *command] if pinned else command
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    return time.perf_counter() - start, process.stdout


def with_peak(command):
    """Output and peak megabytes, as GNU time tells them: a child of this process would inherit its peak."""
    timed = ["taskset", "-c", "0", "time", "--format", "%M", *command]
    result = subprocess.run(timed, capture_output=True, check=True, text=True)
    return result.stdout, int(result.stderr.split()[-1]) / 1024


def peak_mb(command):
    return with_peak(command)[1]


def digits(theirs, ours):
    """Correct digits of a peer's figure, against twenty of ours."""
    ours = Decimal(ours)
    if ours == 0:
        return 20.0 if theirs == 0 else 0.0
    error = abs(Decimal(repr(theirs)) - ours) / abs(ours)
    return 20.0 if error == 0 else float(-error.log10())


class Comparison:
    """One piece of work, by us and by peers."""

    def __init__(self, label, ours, peers, runs):
        self.label, self.ours, self.peers, self.runs = label, ours, peers, runs

    def measure(self):
        """Seconds of each, and what each printed last."""
        seconds, printed, self.peaks = {}, {}, {}
        for turn in range(self.runs):
            print(f"{self.label}: turn {turn + 1} of {self.runs}", file=sys.stderr)
            for name, command in [("perfcalc", self.ours), *self.peers.items()]:
                output, self.peaks[name] = with_peak(command)
                found = json.loads(output)
                taken = found["seconds"] if "seconds" in found else found["nanoseconds"] / 1e9
                seconds.setdefault(name, []).append(taken)
                printed[name] = found
        self.seconds = {name: statistics.median(times) for name, times in seconds.items()}
        self.printed = printed
        return self

    def row(self):
        cells = [f"{name} {shown(self.seconds[name])}" for name in self.peers]
        memory = " / ".join(f"{self.peaks[name]:.0f}" for name in [*self.peers, "perfcalc"])
        best = min(self.seconds[name] for name in self.peers)
        ours = self.seconds["perfcalc"]
        return f"| {self.label} | {', '.join(cells)} | {shown(ours)} | {best / ours:.2f} | {memory} |"


def shown(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def comparisons(workloads, python, folder):
    ours = lambda name, rounds=1: [workloads, folder, name, str(rounds)]
    peer = lambda name, rounds=1: [python, PEERS, folder, name, str(rounds)]
    return {
        "w1": Comparison("one portfolio of 1,260 days, all metrics", ours("w1", 2001), {"numpy + pyxirr": peer("w1", 2001)}, 7),
        "w2": Comparison(
            "10,000 such portfolios, ten metrics", ours("w2"), {"numpy": peer("w2"), "numpy + pyxirr": peer("w2-pyxirr")}, 3
        ),
        "w2-all": Comparison(
            "the same, all metrics against their ten", ours("w2-all"), {"numpy": peer("w2"), "numpy + pyxirr": peer("w2-pyxirr")}, 1
        ),
        "w3": Comparison("8,313 days of 20 assets, ten metrics", ours("w3", 51), {"numpy": peer("w3", 51)}, 5),
        "w4": Comparison("1,000,000 rates of 5 to 60 flows", ours("w4"), {"numpy": peer("w4"), "pyxirr": peer("w4-pyxirr")}, 3),
        "large": Comparison(
            "one rate of 100,001 flows",
            ours("w4-large", 51),
            {"numpy": peer("w4-large", 51), "pyxirr": peer("w4-large-pyxirr", 51)},
            5,
        ),
    }


def whole_process(perfcalc, python, folder):
    """Milliseconds and megabytes from CSV files to figures."""
    w1 = f"{folder}/w1"
    ours = [perfcalc, "calculate", "--entity", "portfolio:p", "--risk-free", "0.02", "--format", "json"]
    for option in ("valuations", "flows", "benchmark"):
        ours += [f"--{option}", f"{w1}/{option}.csv"]
    commands = {"perfcalc": ours, "numpy + pyxirr": [python, PEERS, "csv", w1]}
    times = {name: [] for name in commands}
    for _ in range(WHOLE_PROCESS_RUNS):
        for name, command in commands.items():
            times[name].append(run(command)[0] * 1e3)
    return {name: (statistics.median(times[name]), peak_mb(command)) for name, command in commands.items()}


def batch(perfcalc, folder):
    """Megabytes a second and peak megabytes of a large file of requests, by jobs."""
    path, size = Path(folder) / "batch.jsonl", 0
    # A flow every third day: 70 KB.
    made = [sys.executable, ROOT / "bench" / "functions.py", "body", "3"]
    request = subprocess.run(made, stdout=subprocess.PIPE, check=True).stdout
    with open(path, "wb") as file:
        for _ in range(BATCH_LINES):
            size += file.write(request)
    found = {}
    for jobs in (1, os.cpu_count()):
        command = [perfcalc, "batch", str(path), "--jobs", str(jobs)]
        print(f"batch with {jobs} jobs", file=sys.stderr)
        seconds = statistics.median(run(command, pinned=False)[0] for _ in range(3))
        found[jobs] = (size / 1e6 / seconds, peak_mb(command))
    path.unlink()
    return size / 1e6, found


def criterion_medians(folder):
    """Seconds of each benchmark, by name, sizes ascending."""
    found = []
    for path in Path(folder).glob("**/new/estimates.json"):
        name = json.loads((path.parent / "benchmark.json").read_text())["full_id"]
        words = [int(word) if word.isdigit() else word for word in name.split("/")]
        found.append((words, name.replace("/", ", "), json.loads(path.read_text())["median"]["point_estimate"] / 1e9))
    return [step for _, *step in sorted(found, key=lambda step: [(isinstance(word, str), word) for word in step[0]])]


def accuracy(measured):
    """Lines on how many digits the peers got right."""
    exact, peer = measured["w1"].printed["perfcalc"]["figures"], measured["w1"].printed["numpy + pyxirr"]["figures"]
    right = {name: digits(peer[name], exact[name]) for name in COMMON}
    lines = ["- one portfolio: " + ", ".join(f"{name} {value:.1f}" for name, value in right.items())]
    ours = measured["w4"].printed["perfcalc"]
    for name in measured["w4"].peers:
        theirs = measured["w4"].printed[name]
        pairs = [(a, b) for a, b in zip(theirs["rates"], ours["rates"]) if a is not None and b is not None]
        found = sorted(digits(a, b) for a, b in pairs)
        unanswered = theirs["unanswered"]
        lines.append(
            f"- rates, {name}: least {found[0]:.1f}, one in a hundred below {found[len(found) // 100]:.1f}, median "
            f"{statistics.median(found):.1f}, on the first {len(pairs):,}; {unanswered:,} of a million without an answer"
        )
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in ours["unanswered"].items()) or "none"
    lines.append(f"- rates of perfcalc without an answer: {reasons}")
    return "\n".join(lines)


def page(measured, process, growth, size, batches, steps, versions):
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    (ours, our_peak), (theirs, their_peak) = process["perfcalc"], process["numpy + pyxirr"]
    with_result = shown(measured["w1"].printed["perfcalc"]["with_hash_and_result"] / 1e9)
    days = [f"| {row['days']:,} | {shown(row['nanoseconds'] / 1e9)} | {row['nanoseconds'] / row['days']:.0f} |" for row in growth]
    return f"""# Performance

Written by `make bench` (`bench/compare.py`) on {datetime.date.today()}: {cpu}, {os.cpu_count()} cores, {platform.system()}
{platform.machine()}, load {os.getloadavg()[0]:.1f}; {versions}. The workloads are made from real prices by `bench/data.py`. Medians of interleaved
runs on one processor. The peers compute in f64; perfcalc to twenty digits, each proven, and every root of a rate with a
proof that there are no others. The ratio is the best peer's time over ours; memory is the peak of each process, its inputs
among it, in the same order.

| work, from memory | peers | perfcalc | ratio | MB |
|---|---|---|---|---|
{chr(10).join(comparison.row() for comparison in measured.values())}

With the hash of its inputs and the whole result, one portfolio takes {with_result}.

| one portfolio from CSV files, whole process | numpy + pyxirr | perfcalc | ratio |
|---|---|---|---|
| time | {theirs:.1f} ms | {ours:.1f} ms | {theirs / ours:.1f} |
| peak memory | {their_peak:.0f} MB | {our_peak:.0f} MB | {their_peak / our_peak:.1f} |

| `perfcalc batch`, {BATCH_LINES:,} requests, {size:.0f} MB of JSON | MB/s | peak memory |
|---|---|---|
{chr(10).join(f"| {jobs} job{'s' if jobs > 1 else ''} | {speed:.0f} | {peak:.0f} MB |" for jobs, (speed, peak) in batches.items())}

## Digits

Correct digits of the peers' figures, against perfcalc's twenty.

{accuracy(measured)}

## Growth

All metrics of one portfolio without flows, by its days. Portfolios cost what one costs, each; see the table above.

| days | time | ns a day |
|---|---|---|
{chr(10).join(days)}

## Steps

Medians of `cargo bench` (`perf-core` engine, `perf-local` services) on both processors: requests by their number of valuations,
rates by their number of flows, kernels by their number of returns, 64 requests of 1,260 days by how many at a time.

| step | time |
|---|---|
{chr(10).join(f"| {name} | {shown(seconds)} |" for name, seconds in steps)}

How the functions start and answer: [performance-lambda.md](performance-lambda.md). What limits the engine, and what was tried:
[performance-limits.md](performance-limits.md).
"""


def main(perfcalc, workloads, python, folder, criterion):
    measured = {name: comparison.measure() for name, comparison in comparisons(workloads, python, folder).items()}
    process = whole_process(perfcalc, python, folder)
    growth = json.loads(run([workloads, folder, "growth", "51"])[1])
    size, batches = batch(perfcalc, folder)
    listed = subprocess.run([python, "-m", "pip", "freeze"], stdout=subprocess.PIPE, check=True, text=True).stdout
    versions = ", ".join(line.replace("==", " ") for line in listed.split() if line.startswith(("numpy", "pyxirr", "skfolio")))
    (ROOT / "docs" / "performance.md").write_text(page(measured, process, growth, size, batches, criterion_medians(criterion), versions))


if __name__ == "__main__":
    main(*sys.argv[1:6])
