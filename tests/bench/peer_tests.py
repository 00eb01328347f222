"""What people test columns with, on the windows that we are measured on."""

import json
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.bench.measure import Command, output
from tests.bench.peers import Peers
from tests.kit.monitoring.distributions import Columns

DECILES = 10
FEW = 1e-4  # what PSI takes for a share of none
LEVELS = 200
# Windows of a folder against its reference.parquet: share of the columns that drifted, and whether half of them did.
EVIDENTLY = """import sys, json, pathlib, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
folder = pathlib.Path(sys.argv[1])
before, found = pd.read_parquet(folder / "reference.parquet"), {}
for path in sorted(folder.glob("window*.parquet")):
    ran = Report([DataDriftPreset()]).run(pd.read_parquet(path), before)
    found[path.stem] = ran.dict()["metrics"][0]["value"]["share"]
print(json.dumps(found))
"""


class Plain:
    """Tests by the textbook, each column by itself, prepared once for a reference."""

    def __init__(self, before: Columns) -> None:
        self.levels = {name: _levels(values) for name, values in before.items()}
        self.before = {name: self._numbers(name, values) for name, values in before.items()}

    def p(self, name: str, now: Any) -> float:
        """Kolmogorov and Smirnov's test of numbers, Pearson's of what has levels, by the asymptotic p."""
        was, values = self.before[name], self._numbers(name, now)
        levels = self.levels[name]
        return _kolmogorov(was, values) if levels is None else _pearson(was, values, len(levels) + 1)

    def psi(self, name: str, now: Any) -> float:
        was, values = self.before[name], self._numbers(name, now)
        levels = self.levels[name]
        if levels is None:
            edges = np.unique(np.quantile(was, np.arange(1, DECILES) / DECILES))
            was, values = (np.searchsorted(edges, one, side="right") for one in (was, values))
            size = len(edges) + 1
        else:
            size = len(levels) + 1
        f, g = (np.maximum(np.bincount(one, minlength=size) / len(one), FEW) for one in (was, values))
        return float(((g - f) * np.log(g / f)).sum())

    def _numbers(self, name: str, given: Any) -> Any:
        """Sorted, or the level's place."""
        values, levels = np.asarray(given), self.levels[name]
        if levels is not None:
            at = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
            return np.where(levels[at] == values, at, len(levels))
        if values.dtype.kind == "M":
            values = values.astype("datetime64[h]").astype(int) % 24
        elif values.dtype.kind == "U":
            values = np.char.str_len(values)
        values = values.astype(float)
        return np.sort(values[np.isfinite(values)])


def _levels(values: Any) -> Any:
    values = np.asarray(values)
    if values.dtype.kind in "fM":
        return None
    levels = np.unique(values)
    return None if len(levels) > LEVELS else levels


def _kolmogorov(before: Any, now: Any) -> float:
    """Between two values of the window only the reference's share grows: it is enough to look at both sides of each."""
    apart = 0.0
    sides: tuple[Literal["left", "right"], ...] = ("left", "right")
    for side in sides:
        theirs, ours = (np.searchsorted(rows, now, side=side) / len(rows) for rows in (before, now))
        apart = max(apart, float(np.abs(theirs - ours).max()))
    effective = len(before) * len(now) / (len(before) + len(now))
    at = max(apart * math.sqrt(effective), 0.2)
    return float(min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * at) ** 2) for k in range(1, 50))))


def _pearson(before: Any, now: Any, size: int) -> float:
    counts = np.array([np.bincount(one, minlength=size) for one in (before, now)], dtype=float)
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic, degrees = ((counts - expected) ** 2 / expected).sum(), max(counts.shape[1] - 1, 1)
    if degrees == 1:
        return math.erfc(math.sqrt(float(statistic) / 2))
    root = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / math.sqrt(2 / (9 * degrees))
    return math.erfc(float(root) / math.sqrt(2)) / 2  # Wilson and Hilferty 1931


def evidently(peers: Peers) -> Path:
    """The Python of its environment; it does not run with pandas 3."""
    return peers.installed("evidently", "evidently", "pandas<3").with_name("python")


def drifted(peers: Peers, before: Columns, windows: list[Columns], folder: Path) -> list[float]:
    """Of each window the share of its columns that Evidently's default preset calls drifted."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {"reference": before} | {f"window{at:04}": one for at, one in enumerate(windows)}
    for name, made in named.items():
        parquet.write_table(pa.table(made), folder / f"{name}.parquet")
    command: Command = [evidently(peers), "-c", EVIDENTLY, folder]
    found = json.loads(output(command, folder).splitlines()[-1])
    return [float(found[name]) for name in sorted(found)]
