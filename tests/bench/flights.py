"""`drift-flights`: which months of 2013 alarm and why, beside what the model of January to March made of them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from mlops_kit.data.metrics import EvaluatedRows, score
from pyarrow import parquet

from tests.bench.measure import BenchError, environment, output
from tests.bench.peers import ROOT, Peers
from tests.bench.tables import Table, generated

TARGET = "late"


def flights(peers: Peers, _: int) -> Table:
    """The batches that `mlops-new` carries, in a generated repository that has trained once."""
    project, kit = generated(peers, "flights"), peers.kit()
    lines = [HEAD, RULE]
    for batch in sorted((ROOT / "scaffold/mlops_new/batches").glob("*.parquet")):
        found = _checked([kit, "monitor", "check", "--json", "--window", batch], project)["data"]
        made = peers.work / f"{batch.stem}.parquet"
        python = project / ".venv/bin/python"
        output([python, "-m", "pipeline.predict", batch, "--out", made], project)
        lines.append(f"| {batch.stem} | {found['n']:,} | {_area(batch, made)} | {_moved(found)} |")
    return Table("drift-flights", {}, [], lines)


HEAD = "| month | flights | late | AUC | moved: share of the rows |"
RULE = "|---" * 5 + "|"


def _moved(found: dict[str, Any]) -> str:
    moved = [f"{one['column']} {one['by']:.0%}" for one in found["drifts"]]
    moved += [f"{one['column']} ({one['kind']})" for one in found["changes"]]
    return ", ".join(moved) or "nothing"


def _area(batch: Path, made: Path) -> str:
    """Predictions keep the order of the rows."""
    late = np.asarray(parquet.read_table(batch)[TARGET].to_numpy(), dtype=float)
    probability = parquet.read_table(made)["probability"].to_numpy()
    area = score("roc_auc", EvaluatedRows(late, (probability > 0.5).astype(float), probability))
    return f"{late.mean():.0%} | {area:.2f}"


def _checked(command: list[str | Path], cwd: Path) -> dict[str, Any]:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 10):
        raise BenchError(f"`{' '.join(words)}` failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


TABLES = {"drift-flights": (flights, 1)}
