"""`drift-speed`: a check of a million rows, beside Evidently's; and of ten million, for its memory."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.bench.measure import Job, in_turns, seconds, spend
from tests.bench.peer_tests import evidently
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table, once
from tests.kit.monitoring.distributions import columns

ROWS, TIMES, WIDTH, REFERENCE = 1_000_000, 10, 20, 200_000
MLOPS = "model: bench\nmetrics: metrics.json\nrows: {test: reference.parquet, key: key}\n"
READ = "import sys, pyarrow.parquet as p; print(p.read_table(sys.argv[1]).num_rows)"
# Its default preset, of the columns that it does not train a classifier for.
THEIRS = """import sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
before, now = (pd.read_parquet(name) for name in ("reference.parquet", "window.parquet"))
texts = [name for name in before if name.startswith("text")]
print(Report([DataDriftPreset()]).run(now.drop(columns=texts), before.drop(columns=texts)).dict()["metrics"][0]["value"])
"""


def speed(peers: Peers, runs: int) -> Table:
    """1,000,000 rows x 20 columns, of which Evidently gets the 18 that are no free text."""
    at, kit = _repository(peers), peers.kit()
    check: list[str | Path] = [kit, "monitor", "check", "--window", "window.parquet"]
    spend([kit, "monitor", "calibrate"], at)
    theirs = evidently(peers)
    jobs: dict[str, Job] = {
        "mlops-kit monitor check": lambda _: spend(check, at),
        "Evidently, default preset": lambda _: spend([theirs, "-c", THEIRS], at),
        "monitor calibrate": lambda _: spend([kit, "monitor", "calibrate"], at),
        "pyarrow reads the rows": once([kit.with_name("python"), "-c", READ, at / "window.parquet"]),
    }
    spent = in_turns(runs, jobs, peers.work)
    ours, evidentlys = (spent[name] for name in list(spent)[:2])
    large = spend([*check[:-1], "large.parquet"], at)
    reaches = [
        Reach("median", seconds(ours), 2.0),
        Reach("times Evidently", seconds(ours) / seconds(evidentlys), 0.05, "x"),
        Reach("peak of 10,000,000 rows", large.peak / 1e6, 2000.0, "MB"),
    ]
    peaks = ", ".join(f"{name} {max(one.peak for one in each) / 1e6:.0f} MB" for name, each in spent.items())
    return Table(
        "drift-speed", spent, reaches, [f"peaks: {peaks}", f"10,000,000 rows: {large.seconds:.1f} s"]
    )


def _repository(peers: Peers) -> Path:
    at = peers.work / "drift"
    if not at.is_dir():
        at.mkdir()
        (at / "mlops.yaml").write_text(MLOPS)
        for seed, (name, n) in enumerate({"reference": REFERENCE, "window": ROWS}.items()):
            made = pa.table(columns(np.random.default_rng(seed), n, WIDTH))
            parquet.write_table(made, at / f"{name}.parquet")
        with parquet.ParquetWriter(at / "large.parquet", made.schema) as writer:
            for _ in range(TIMES):
                writer.write_table(made)
        spend(["git", "init", "--quiet"], at)
        (at / ".gitignore").write_text("*.parquet\n")
        spend(["git", "add", "--all"], at)
        spend(
            ["git", "-c", "user.name=bench", "-c", "user.email=b@example.com", "commit", "-qm", "Start"], at
        )
    return at


TABLES = {"drift-speed": (speed, 2)}
