"""Times perfcalc and its peers side by side and writes docs/performance.md.

usage: compare.py PERFCALC PORTFOLIO_TIMES PYTHON   (see `make bench`)

Python is an interpreter with bench/requirements.txt installed. Runs are interleaved,
so that whatever else the machine does meets all of them; medians are reported.
"""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "examples" / "portfolio-5y"
RUNS = 21
ROUNDS = "501"
COMMON = ["twr", "volatility", "downside_deviation", "max_drawdown", "beta", "tracking_error", "mwr"]
BATCH_LINES = 300


def run(command):
    """Seconds and output of one process."""
    start = time.perf_counter()
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start, process.stdout


def peak_memory(command):
    """Peak memory in MB, as GNU time tells it: a child of this process would inherit its peak."""
    result = subprocess.run(
        ["time", "--format", "%M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, text=True
    )
    return int(result.stderr.split()[-1]) / 1024


def digits(theirs, ours):
    """Correct digits of a peer's figure, against twenty of ours."""
    error = abs(Decimal(repr(theirs)) - ours) / abs(ours)
    return 20.0 if error == 0 else float(-error.log10())


def main(perfcalc, portfolio_times, python):
    peer, sample = str(ROOT / "bench" / "peer.py"), str(SAMPLE)
    csv = ["--entity", "portfolio:p", "--risk-free", "0.02", "--format", "json"]
    for option, name in [("valuations", "valuations"), ("flows", "flows"), ("benchmark", "benchmark")]:
        csv += [f"--{option}", f"{sample}/{name}.csv"]
    whole = {"perfcalc": [perfcalc, "calculate", *csv], "numpy + pyxirr": [python, peer, sample]}
    memory = {"perfcalc": [portfolio_times, sample, ROUNDS], "numpy + pyxirr": [python, peer, sample, ROUNDS]}
    times = {name: [] for name in whole}
    peaks = {name: peak_memory(command) for name, command in whole.items()}
    in_memory = {name: [] for name in memory}
    for _ in range(RUNS):
        for name, command in whole.items():
            times[name].append(run(command)[0] * 1e3)
    for _ in range(5):
        for name, command in memory.items():
            in_memory[name].append(json.loads(run(command)[1]))
    batch = batched(perfcalc)
    text = run(whole["perfcalc"])[1]
    exact = json.loads(text, parse_float=Decimal)["metrics"]
    peer_figures = in_memory["numpy + pyxirr"][0]["figures"]
    accuracy = {name: digits(peer_figures[name], exact[name]) for name in COMMON}
    (ROOT / "docs" / "performance.md").write_text(page(times, peaks, in_memory, batch, accuracy))


def batched(perfcalc):
    """Megabytes a second and peak memory of a batch, one job and two."""
    request = json.dumps(json.loads((SAMPLE / "request.json").read_text()), separators=(",", ":"))
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write((request + "\n") * BATCH_LINES)
        file.flush()
        size = os.path.getsize(file.name) / 1e6
        found = {}
        for jobs in (1, 2):
            command = [perfcalc, "batch", file.name, "--jobs", str(jobs)]
            seconds = statistics.median(run(command)[0] for _ in range(5))
            found[jobs] = (size / seconds, peak_memory(command), size)
    return found


def page(times, peaks, in_memory, batch, accuracy):
    ours = {key: statistics.median(run[key] for run in in_memory["perfcalc"]) / 1e3 for key in in_memory["perfcalc"][0]}
    theirs = statistics.median(run["nanoseconds"] for run in in_memory["numpy + pyxirr"]) / 1e3
    whole = {name: statistics.median(values) for name, values in times.items()}
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    lowest = min(accuracy, key=accuracy.get)
    return f"""# Performance

Written by `make bench` (`bench/compare.py`) on {datetime.date.today()}: {cpu}, {os.cpu_count()} cores,
{platform.system()} {platform.machine()}, load {os.getloadavg()[0]:.1f}. The sample portfolio (`examples/portfolio-5y`):
1,260 valuations, 60 flows, 1,259 benchmark returns. Medians of interleaved runs. The peers compute ten
figures in f64; perfcalc all of its metrics, to twenty digits, and every root of the money-weighted return.

| work | numpy + pyxirr | perfcalc | ratio |
|---|---|---|---|
| whole process, from CSV files | {whole["numpy + pyxirr"]:.1f} ms | {whole["perfcalc"]:.1f} ms | {whole["numpy + pyxirr"] / whole["perfcalc"]:.1f} |
| its peak memory | {peaks["numpy + pyxirr"]:.0f} MB | {peaks["perfcalc"]:.0f} MB | {peaks["numpy + pyxirr"] / peaks["perfcalc"]:.1f} |
| figures, from memory | {theirs:.0f} µs | {ours["figures"]:.0f} µs | {theirs / ours["figures"]:.2f} |

Before the figures, perfcalc settles periods, flows and benchmark exactly and hashes every input:
{ours["resolve_and_hash"]:.0f} µs. Reading the three CSV files takes {ours["read_csv"]:.0f} µs.

Correct digits of the peers, against perfcalc: least {accuracy[lowest]:.1f} ({lowest}), {", ".join(f"{name} {value:.1f}" for name, value in accuracy.items() if name != lowest)}.

| `perfcalc batch`, {BATCH_LINES} requests, {batch[1][2]:.0f} MB of JSON | MB/s | peak memory |
|---|---|---|
| one job | {batch[1][0]:.0f} | {batch[1][1]:.0f} MB |
| two jobs | {batch[2][0]:.0f} | {batch[2][1]:.0f} MB |

Single steps by size of the request (10 to 100,000 valuations; 3 to 100,001 flows):
`cargo bench -p perf-core --bench engine`.
"""


if __name__ == "__main__":
    main(*sys.argv[1:4])
