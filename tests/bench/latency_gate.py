"""The latency gate beside busy processes: how often it would have closed, and the largest p95."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import yaml

from tests.bench.measure import Spent, output
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table, generated

BUSY = 8  # processes
CALLS = 200
BURN = "while True: pass"
# In the project's environment: the measurement of `pipeline.answer`, as often as the first word says.
MEASURE = """import json, os, sys
os.environ["POLARS_MAX_THREADS"] = "1"
from itertools import cycle, islice
from pathlib import Path
from pipeline import schema
from pipeline.answer import WARM_UP, answers, drop_target, measure_seconds
from pipeline.read import read
rows = read(Path("data/prepared/test.parquet"), drop_target(schema.load()), prepared=True).to_dicts()
runs, calls = map(int, sys.argv[1:])
for _ in range(runs):
    spent = [measure_seconds(lambda: answers([row])) for row in islice(cycle(rows), WARM_UP + calls)]
    print(json.dumps(spent[WARM_UP:]), flush=True)
"""


def latency_gate(peers: Peers, runs: int) -> Table:
    """The measurement `runs` times beside busy processes, against the limit in the project's mlops.yaml."""
    project = generated(peers, "flights")
    limit = yaml.safe_load((project / "mlops.yaml").read_text("utf-8"))["gates"]["latency"][
        "p95_seconds_at_most"
    ]
    quiet = measured(project, max(runs // 20, 2))
    with busy(BUSY):
        loaded = measured(project, runs)
    middle, high = zip(*loaded, strict=True)
    notes = [f"p50 {low:.4f}, p95 {top:.4f} s without them" for low, top in quiet] + [
        f"p50 at most {max(middle):.4f} s beside {BUSY} busy processes"
    ]
    closed = sum(one > limit for one in high)
    reaches = [Reach(f"closed of {runs}", closed, 0, ""), Reach("largest p95", max(high), limit)]
    return Table("latency-gate", {"p95": [Spent(one) for one in high]}, reaches, notes)


def measured(project: Path, runs: int) -> list[tuple[float, float]]:
    """p50 and p95 of each run, in one process."""
    said = output([project / ".venv/bin/python", "-c", MEASURE, str(runs), str(CALLS)], project)
    cuts = [quantiles(json.loads(line), n=20, method="inclusive") for line in said.splitlines()]
    return [(cut[9], cut[18]) for cut in cuts]


@contextmanager
def busy(processes: int) -> Iterator[None]:
    started = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {"latency-gate": (latency_gate, 100)}
