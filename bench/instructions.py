"""Counts the instructions of small fixed workloads and compares them with bench/instructions.json.

usage: instructions.py WORKLOADS [--update]   (see `make bench-instructions`)

Counts are the same however busy the machine is, so a rise is a regression and not noise. They depend on the compiler
and on what the processor offers, and valgrind (a package of Debian's) counts for AVX2 at most: hence a command for
whoever changes a loop, with the compiler and the kind of loops beside the counts, and no test.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / "bench" / "instructions.json"
SHARE = 1.02
ROUNDS = 100


def counted(command):
    """Instructions of a whole process."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    result = subprocess.run(valgrind, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, text=True)
    return int(re.search(r"Collected\s*:\s*(\d+)", result.stderr).group(1))


def per_round(*command):
    """Of one round more: what is done once is the same in both."""
    return (counted([*command, str(ROUNDS + 1)]) - counted([*command, "1"])) // ROUNDS


def main(workloads, update=""):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "w1").symlink_to(ROOT / "examples" / "portfolio-5y")
        # Each round of w1 computes the figures once alone and once within a result.
        found = {
            "sample portfolio: figures, and again with hash and result": per_round(workloads, folder, "w1"),
            "sample request: read": per_round(workloads, "read", str(ROOT / "examples" / "portfolio-5y" / "request.json")),
        }
    compiler = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    loops = "AVX2" if " avx2 " in Path("/proc/cpuinfo").read_text() else "plain"
    machine = {"compiler": compiler, "loops": loops}
    if update:
        KNOWN.write_text(json.dumps({"machine": machine, "instructions": found}, indent=1) + "\n")
    known = json.loads(KNOWN.read_text())
    if known["machine"] != machine:
        raise SystemExit(f"counts are those of {known['machine']}, this is {machine}: run with --update on the old code first")
    for name, count in found.items():
        print(f"{name}: {count:,} ({count / known['instructions'][name]:.3f} of what is known)")
    risen = [name for name, count in found.items() if count > SHARE * known["instructions"][name]]
    if risen:
        raise SystemExit(f"more instructions than before: {', '.join(risen)}; if that is meant, run with --update")


if __name__ == "__main__":
    main(*sys.argv[1:])
