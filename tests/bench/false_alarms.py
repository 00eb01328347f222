"""`drift-rates`: how often a check of clean rows alarms; beside what people test columns with."""

import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.monitoring.reference import Reference, make
from mlops_kit.statistics.resampling import tested

from tests.bench.peer_tests import Plain, drifted
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table
from tests.kit.monitoring.distributions import FAMILIES, Columns, columns, window

REFERENCE = 5000
SIZES, WIDTHS = (50, 200, 1000, 10_000), (8, 20, 100)
REFERENCES, WINDOWS = 40, 25  # 1,000 windows a cell and run; --runs 3 takes three times as many references
SUSPECT, AGAIN = 2, 200  # alarms from which a reference is looked at again, and with how many fresh windows
SLOW, SLOW_SIZES = (4, 5), (50, 200, 1000)  # references and windows that Evidently gets: seconds each
OURS, ANY, BONFERRONI, PSI = "mlops-kit", "any KS p < .05", "Bonferroni at 1 %", "any PSI > 0.2"


@dataclass
class Cell:
    n: int
    width: int
    family: str = ""  # empty: one after the other
    hits: dict[str, list[int]] = field(default_factory=dict)  # of each reference, of WINDOWS windows
    again: list[int] = field(default_factory=list)  # of each suspect, of AGAIN windows

    @property
    def name(self) -> str:
        return f"n = {self.n:,}, {self.width} columns" + (f", {self.family}" if self.family else "")

    def rate(self, who: str = OURS) -> float:
        return sum(self.hits[who]) / (len(self.hits[who]) * WINDOWS)

    @property
    def lower(self) -> float:
        """One-sided 99 % bound by the references' own scatter, at least a binomial's at 1 %."""
        rates = np.array(self.hits[OURS]) / WINDOWS
        scatter = rates.std(ddof=1) / math.sqrt(len(rates))
        return self.rate() - 2.33 * max(float(scatter), math.sqrt(0.01 * 0.99 / (len(rates) * WINDOWS)))


def rates(peers: Peers, runs: int) -> Table:
    """Made windows of the reference's own distribution: every alarm is a false one. The same on every machine."""
    cells = [Cell(n, width) for width in WIDTHS for n in SIZES]
    cells += [Cell(n, 8, family) for family in FAMILIES for n in SIZES]
    jobs = [(at, seed, cell) for at, cell in enumerate(cells) for seed in range(REFERENCES * runs)]
    with ProcessPoolExecutor() as pool:
        for (at, _seed, _cell), found in zip(jobs, pool.map(_hits, jobs, chunksize=4), strict=True):
            for who, hits in found.items():
                cells[at].hits.setdefault(who, []).append(hits)
        suspects = [
            (seed, cell) for cell in cells for seed, hits in enumerate(cell.hits[OURS]) if hits >= SUSPECT
        ]
        for (_, cell), hits in zip(suspects, pool.map(_again, suspects), strict=True):
            cell.again.append(hits)
    reaches = [Reach(f"99 % lower bound, {one.name}", one.lower * 100, 1.0, "%") for one in cells]
    mean = sum(one.rate() for one in cells) / len(cells)
    reaches.append(Reach("mean over the cells", mean * 100, 1.0, "%"))
    worst = max(cells, key=lambda one: max(one.again, default=0))
    of = f"worst of {len(suspects)} suspected references, again ({worst.name})"
    reaches.append(Reach(of, max(worst.again, default=0) / AGAIN * 100, 5.0, "%"))
    notes = [f"| {one.name} | {_in_words(one)} |" for one in cells]
    return Table("drift-rates", {}, reaches, [HEAD, RULE, *notes, *_of_evidently(peers)])


HEAD = f"| | {OURS} | worst reference | the suspects' worst, again | {ANY} | {BONFERRONI} | {PSI} | references x windows |"
RULE = "|---" * 8 + "|"


def _in_words(cell: Cell) -> str:
    of = cell.hits[OURS]
    again = f"{max(cell.again) / AGAIN:.1%} ({len(cell.again)})" if cell.again else "none"
    figures = [f"{one:.1%}" for one in (cell.rate(), max(of) / WINDOWS)]
    peers = [f"{cell.rate(who):.1%}" for who in (ANY, BONFERRONI, PSI)]
    return " | ".join([*figures, again, *peers, f"{len(of)} x {WINDOWS}"])


def _hits(job: tuple[int, int, Cell]) -> dict[str, int]:
    """Of one reference."""
    _, seed, cell = job
    before = columns(np.random.default_rng(seed), REFERENCE, cell.width, cell.family)
    like, plain = calibrated(before, cell.n), Plain(before)
    hits = dict.fromkeys((OURS, ANY, BONFERRONI, PSI), 0)
    for now in clean(seed, cell):
        hits[OURS] += data_drift.compare(like, window(now), time=None, ignored=()).alarms
        least = min(plain.p(name, now[name]) for name in now)
        hits[ANY] += least < 0.05
        hits[BONFERRONI] += least < 0.01 / len(now)
        hits[PSI] += any(plain.psi(name, now[name]) > 0.2 for name in now)
    return hits


def _again(job: tuple[int, Cell]) -> int:
    """A reference that alarmed more often than others may have been unlucky: of a few windows one says little."""
    seed, cell = job
    like = calibrated(columns(np.random.default_rng(seed), REFERENCE, cell.width, cell.family), cell.n)
    fresh = clean(seed, cell, AGAIN, WINDOWS)
    return sum(data_drift.compare(like, window(now), time=None, ignored=()).alarms for now in fresh)


def calibrated(before: Columns, n: int) -> Reference:
    like = make(window(before))
    compared = tested(n, len(like.codes))
    like.limits = {compared: like.resampling.limits(compared)}
    return like


def clean(seed: int, cell: Cell, windows: int = WINDOWS, after: int = 0) -> Iterator[Columns]:
    for at in range(after, after + windows):
        yield columns(np.random.default_rng([seed, at]), cell.n, cell.width, cell.family)


def _of_evidently(peers: Peers) -> list[str]:
    """Without the column of text, for which it trains a classifier."""
    lines = []
    references, windows = SLOW
    for n in SLOW_SIZES:
        shares: list[float] = []
        for seed in range(references):
            before = columns(np.random.default_rng(seed), REFERENCE, 7)
            made: list[Any] = list(clean(seed, Cell(n, 7), windows))
            shares += drifted(peers, before, made, peers.work / "evidently" / f"{n}-{seed}")
        dataset, column = (np.mean([one >= least for one in shares]) for least in (0.5, 1e-9))
        lines.append(
            f"Evidently's default preset, n = {n:,}, 7 columns, {references} x {windows} windows because it takes "
            f"seconds each: dataset drift {dataset:.0%}, any column {column:.0%}"
        )
    return lines


TABLES = {"drift-rates": (rates, 1)}
