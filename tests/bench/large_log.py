"""`drift-log`: a check of a predictions log that is larger than the memory it gets, with a label for each line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tests.bench.measure import Command, spend
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table
from tests.kit.monitoring import log_repository

SIZES = (3_000_000, 10_000_000)
MEMORY = 1_000  # MB that the larger one gets
AT_ONCE, DAYS = 100_000, 50
START = datetime.now(UTC) - timedelta(days=DAYS)
# The check as a process that cannot allocate more; alarms or none, it ends with 0 where it could be made.
LIMITED = """import os, resource, sys
most = int(sys.argv[1]) * 1_000_000
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
sys.exit(os.spawnv(os.P_WAIT, sys.argv[2], sys.argv[2:]) % 10)
"""


def large(peers: Peers, runs: int) -> Table:
    at, kit = peers.work / "log", peers.kit()
    if not at.is_dir():
        log_repository.repository(at)
        for n in SIZES:
            _write(at / f"log-{n}.jsonl", at / f"labels-{n}.csv", n)
    limited: list[str | Path] = [kit.with_name("python"), "-c", LIMITED, str(MEMORY), kit]
    checks: dict[int, Command] = {
        n: [*limited, "monitor", "check", "--window", f"log-{n}.jsonl", "--labels", f"labels-{n}.csv"]
        for n in SIZES
    }
    spend([kit, "monitor", "calibrate"], at)
    spent = {f"{n:,} lines": [spend(check, at) for _ in range(runs)] for n, check in checks.items()}
    smaller, larger = (max(one.peak for one in each) / 1e6 for each in spent.values())
    size = (at / f"log-{SIZES[1]}.jsonl").stat().st_size / 1e6
    reaches = [
        Reach(f"peak of {SIZES[1]:,} lines", larger, MEMORY, "MB"),
        Reach(f"times that of {SIZES[0]:,}", larger / smaller, 1.2, "x"),
    ]
    return Table("drift-log", spent, reaches, [f"{size:,.0f} MB, in a process that may allocate {MEMORY:,}"])


def _write(log: Path, labels: Path, n: int) -> None:
    draw, step = np.random.default_rng(0), timedelta(days=DAYS) / n
    with log.open("w") as lines, labels.open("w") as came:
        came.write("id,late\n")
        for start in range(0, n, AT_ONCE):
            x, amount = draw.normal(size=AT_ONCE), draw.exponential(size=AT_ONCE)
            shares, late = 1 / (1 + np.exp(-2 * x)), draw.random(AT_ONCE)
            for at in range(AT_ONCE):
                key, side = f"6fa459ea-ee8a-3ca4-{start + at:012}", "ab"[at % 2]
                lines.write(
                    f'{{"time": "{(START + (start + at) * step).isoformat()}", "version": "v0.1.0", "key": "{key}", '
                    f'"inputs": {{"x": {x[at]:.6f}, "amount": {amount[at]:.6f}, "side": "{side}"}}, '
                    f'"prediction": {"true" if shares[at] > 0.5 else "false"}, "probability": {shares[at]:.6f}, '
                    f'"seconds": 0.1, "process": "host-1", "memory_mb": {500 + amount[at]:.2f}}}\n'
                )
                came.write(f"{key},{late[at] < shares[at]}\n")


TABLES = {"drift-log": (large, 1)}
