"""How often a check cries wolf, what it finds, and how long it takes; beside what people test columns with."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from mlops_kit.monitoring import drift
from mlops_kit.monitoring.reference import make
from pyarrow import parquet

from tests.bench.measure import Job, in_turns, seconds, spend
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table, once
from tests.kit.monitored import Columns, columns, window

ROWS, WIDTH, REFERENCE = 1_000_000, 20, 5000
SIZES, WIDTHS, REFERENCES, WINDOWS = (50, 200, 1000), (8, 20), 12, 50
Test = Callable[[Columns, Columns], bool]
MLOPS = "model: bench\nmetrics: metrics.json\nrows: {test: train.parquet, key: key}\n"
READ = "import sys, pyarrow.parquet as p; print(p.read_table(sys.argv[1]).num_rows)"


def drifting(peers: Peers, runs: int) -> Table:
    """1,000,000 rows x 20 columns; then made windows, whose rates are the same on every machine."""
    at, kit = _repository(peers), peers.kit()
    check: list[str | Path] = [kit, "monitor", "check", "--window", "window.parquet"]
    spend([kit, "monitor", "calibrate"], at)
    read: list[str | Path] = [kit.with_name("python"), "-c", READ, at / "window.parquet"]
    jobs: dict[str, Job] = {
        "mlops-kit monitor check": lambda _: spend(check, at),
        "monitor calibrate": lambda _: spend([kit, "monitor", "calibrate"], at),
        "pyarrow reads the rows": once(read),
    }
    spent = in_turns(runs, jobs, peers.work)
    ours = spent["mlops-kit monitor check"]
    reaches = [
        Reach("median", seconds(ours), 2.0),
        Reach("peak", max(one.peak for one in ours) / 1e6, 500.0, "MB"),
    ]
    cells = [_false_alarms(n, width) for n in SIZES for width in WIDTHS]
    reaches += [
        Reach(f"false alarms, 99 % lower bound, {one.name}", one.lower * 100, 1.0, "%") for one in cells
    ]
    mean = sum(one.rates["ours"] for one in cells) / len(cells)
    reaches.append(Reach("false alarms, mean", mean * 100, 1.0, "%"))
    notes = [f"false alarms, {one.name}: {one.said}" for one in cells]
    notes += [
        f"found, {name}, n = {n}: {_power(n, change)}" for name, change in CHANGES.items() for n in (50, 200)
    ]
    return Table("drift", spent, reaches, notes)


@dataclass(frozen=True)
class Cell:
    name: str
    rates: dict[str, float]
    worst: float  # reference's

    @property
    def lower(self) -> float:
        rate = self.rates["ours"]
        return rate - 2.33 * math.sqrt(max(rate, 0.01) * 0.99 / (REFERENCES * WINDOWS))

    @property
    def said(self) -> str:
        return f"{_in_words(self.rates)}; our worst reference {self.worst:.0%}"


def _in_words(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:.1%}" for name, rate in rates.items())


def _false_alarms(n: int, width: int) -> Cell:
    by_reference = [_rates(seed, n, width, None) for seed in range(REFERENCES)]
    rates = {name: float(np.mean([one[name] for one in by_reference])) for name in by_reference[0]}
    return Cell(f"n = {n}, {width} columns", rates, max(one["ours"] for one in by_reference))


def _power(n: int, change: Callable[[Columns, np.random.Generator], None]) -> str:
    found = [_rates(1000 + seed, n, 8, change) for seed in range(4)]
    return _in_words({name: float(np.mean([one[name] for one in found])) for name in found[0]})


def _rates(
    seed: int, n: int, width: int, change: Callable[[Columns, np.random.Generator], None] | None
) -> dict[str, float]:
    """Share of windows that alarm, of one reference."""
    before = columns(np.random.default_rng(seed), REFERENCE, width)
    like = make(window(before))
    like.limits = {n: like.resampling.limits(n)}
    tests: dict[str, Test] = {
        "ours": lambda _, now: drift.check(like, window(now), time=None, ignored=()).alarms,
        "Bonferroni at 1 %": lambda was, now: _any(was, now, 0.01 / len(was)),
        "any p < .05": lambda was, now: _any(was, now, 0.05),
    }
    hits = dict.fromkeys(tests, 0)
    for at in range(WINDOWS):
        draw = np.random.default_rng([seed, at])
        now = columns(draw, n, width)
        if change:
            change(now, draw)
        for name, test in tests.items():
            hits[name] += test(before, now)
    return {name: count / WINDOWS for name, count in hits.items()}


CHANGES: dict[str, Callable[[Columns, np.random.Generator], None]] = {
    "normal + 0.25 sd": lambda made, _: made.update(normal=made["normal"] + 0.25),
    "normal + 0.5 sd": lambda made, _: made.update(normal=made["normal"] + 0.5),
    "normal, variance x 2": lambda made, _: made.update(normal=made["normal"] * math.sqrt(2)),
    "flag 10 -> 15 %": lambda made, draw: made.update(flag=draw.random(len(made["flag"])) < 0.15),
    "rare level + 5 points": lambda made, draw: made.update(
        level=np.where(draw.random(len(made["level"])) < 0.05, "h", made["level"])
    ),
}


# ---- what people test columns with ----


def _any(before: Columns, now: Columns, level: float) -> bool:
    """Kolmogorov and Smirnov's test of numbers, Pearson's of what has levels, each by its asymptotic p."""
    return any(_p(np.asarray(before[name]), np.asarray(now[name])) < level for name in before)


def _p(before: Any, now: Any) -> float:
    if before.dtype.kind == "M":
        before, now = (one.astype("datetime64[h]").astype(int) % 24 for one in (before, now))
    if before.dtype.kind == "f" or before.dtype.kind == "i":
        return _kolmogorov(before[np.isfinite(before)], now[np.isfinite(now)])
    if len(np.unique(before)) > 200:
        lengths = [np.array([len(text) for text in one]) for one in (before, now)]
        return _kolmogorov(*lengths)
    return _pearson(before, now)


def _kolmogorov(before: Any, now: Any) -> float:
    both = np.concatenate([before, now])
    ours, theirs = (np.searchsorted(np.sort(one), both, side="right") / len(one) for one in (before, now))
    effective = len(before) * len(now) / (len(before) + len(now))
    at = max(np.abs(ours - theirs).max() * math.sqrt(effective), 0.2)
    return float(min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * at) ** 2) for k in range(1, 50))))


def _pearson(before: Any, now: Any) -> float:
    levels = np.unique(np.concatenate([before, now]))
    counts = np.array([[(one == level).sum() for level in levels] for one in (before, now)], dtype=float)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic, degrees = ((counts - expected) ** 2 / expected).sum(), len(levels) - 1
    root = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / math.sqrt(2 / (9 * degrees))
    return math.erfc(float(root) / math.sqrt(2)) / 2  # Wilson and Hilferty 1931


def _repository(peers: Peers) -> Path:
    at = peers.work / "drift"
    if not at.is_dir():
        at.mkdir()
        (at / "mlops.yaml").write_text(MLOPS)
        for seed, (name, n) in enumerate({"train": 200_000, "window": ROWS}.items()):
            parquet.write_table(
                pa.table(columns(np.random.default_rng(seed), n, WIDTH)), at / f"{name}.parquet"
            )
        spend(["git", "init", "--quiet"], at)
    return at


TABLES = {"drift": (drifting, 5)}
