"""`drift-power`: what a check finds, beside tests whose threshold was set to alarm as often on the same clean windows."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from mlops_kit.monitoring.checks import data_drift

from tests.bench.false_alarms import REFERENCE, REFERENCES, WINDOWS, Cell, calibrated, clean
from tests.bench.peer_tests import Plain, drifted
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table
from tests.kit.monitoring.distributions import Columns, columns, window

SIZES, WIDTHS = (50, 200, 1000), (8, 20, 100)
EVIDENTLY_WINDOWS = 10
CLEAN = "clean"
Change = Callable[[Columns, np.random.Generator], None]


def _mixed(made: Columns, draw: np.random.Generator, level: str) -> None:
    made["level"] = np.where(draw.random(len(made["level"])) < 0.05, level, made["level"])


CHANGES: dict[str, tuple[str, Change]] = {  # the column that is changed, and how
    "normal + 0.25 sd": ("normal", lambda made, _: made.update(normal=made["normal"] + 0.25)),
    "normal + 0.5 sd": ("normal", lambda made, _: made.update(normal=made["normal"] + 0.5)),
    "normal + 1 sd": ("normal", lambda made, _: made.update(normal=made["normal"] + 1)),
    "normal, variance x 2": ("normal", lambda made, _: made.update(normal=made["normal"] * math.sqrt(2))),
    "Poisson + 0.25 sd": (
        "count",
        lambda made, draw: made.update(count=draw.poisson(3 + 0.25 * math.sqrt(3), len(made["count"])) * 1.0),
    ),
    "flag 10 -> 15 %": ("flag", lambda made, draw: made.update(flag=draw.random(len(made["flag"])) < 0.15)),
    "common level + 5 points": ("level", lambda made, draw: _mixed(made, draw, "a")),
    "rare level + 5 points": ("level", lambda made, draw: _mixed(made, draw, "h")),
}


@dataclass(frozen=True)
class Seen:
    """Of one reference's windows, by change: did ours alarm, and the least p and the largest PSI of the columns."""

    ours: dict[str, list[bool]]
    p: dict[str, list[float]]
    psi: dict[str, list[float]]


@dataclass(frozen=True)
class Power:
    change: str
    n: int
    width: int
    clean: float  # rate of alarms on clean windows, of all three
    ours: float
    tests: float
    psi: float
    windows: int

    @property
    def behind(self) -> float:
        """In standard errors of the difference to the better peer."""
        best = max(self.tests, self.psi)
        scatter = math.sqrt(
            sum(max(one * (1 - one), 1 / self.windows) for one in (self.ours, best)) / self.windows
        )
        return (best - self.ours) / scatter


def power(peers: Peers, runs: int) -> Table:
    """Of 8, 20 or 100 columns one moves. The same on every machine."""
    found: list[Power] = []
    for width in WIDTHS:
        jobs = [(seed, n, width) for n in SIZES for seed in range(REFERENCES * runs)]
        with ProcessPoolExecutor() as pool:
            seen = list(pool.map(_seen, jobs))
        for n in SIZES:
            found += _compared(
                [one for (_, size, _), one in zip(jobs, seen, strict=True) if size == n], n, width
            )
    notes = [f"| {one.change} | {one.width} | {one.n:,} | {_in_words(one)} |" for one in found]
    lost = [f"{one.change}, {one.width} columns, n = {one.n:,}" for one in found if one.behind > 2]
    notes.append(f"behind the better peer by more than two standard errors: {'; '.join(lost) or 'nowhere'}")
    reach = Reach("cells that lose by more than two standard errors", len(lost), 0, "")
    return Table("drift-power", {}, [reach], [HEAD, RULE, *notes, *_of_evidently(peers)])


HEAD = "| change | columns | n | mlops-kit | KS and chi2 | PSI | alarms on clean windows, of each |"
RULE = "|---" * 7 + "|"


def _in_words(one: Power) -> str:
    return " | ".join(f"{share:.1%}" for share in (one.ours, one.tests, one.psi, one.clean))


def _compared(seen: list[Seen], n: int, width: int) -> Iterator[Power]:
    """The peers' thresholds let as many clean windows alarm as ours did, and at least one."""
    ours, p, psi = (
        {name: _joined(seen, of, name) for name in (CLEAN, *CHANGES)} for of in ("ours", "p", "psi")
    )
    alarms = max(int(ours[CLEAN].sum()), 1)
    least, most = np.sort(p[CLEAN])[alarms - 1], np.sort(psi[CLEAN])[-alarms]
    windows = len(ours[CLEAN])
    for name in CHANGES:
        tests, scores = float((p[name] <= least).mean()), float((psi[name] >= most).mean())
        yield Power(name, n, width, alarms / windows, float(ours[name].mean()), tests, scores, windows)


def _joined(seen: list[Seen], of: str, name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([value for one in seen for value in getattr(one, of)[name]], dtype=float)


def _seen(job: tuple[int, int, int]) -> Seen:
    seed, n, width = job
    before = columns(np.random.default_rng([7, seed]), REFERENCE, width)
    like, plain = calibrated(before, n), Plain(before)
    names = (CLEAN, *CHANGES)
    found = Seen({name: [] for name in names}, {name: [] for name in names}, {name: [] for name in names})
    for at, now in enumerate(clean(1000 + seed, Cell(n, width), WINDOWS)):
        p = {name: plain.p(name, values) for name, values in now.items()}
        psi = {name: plain.psi(name, values) for name, values in now.items()}
        for name, (column, change) in {CLEAN: ("normal", lambda *_: None), **CHANGES}.items():
            moved = dict(now)
            change(moved, np.random.default_rng([seed, at]))
            found.ours[name].append(data_drift.compare(like, window(moved), time=None, ignored=()).alarms)
            found.p[name].append(min((p | {column: plain.p(column, moved[column])}).values()))
            found.psi[name].append(max((psi | {column: plain.psi(column, moved[column])}).values()))
    return found


def _of_evidently(peers: Peers) -> list[str]:
    """Its own default thresholds, whose false alarms `drift-rates` counts."""
    lines = []
    before = columns(np.random.default_rng([7, 0]), REFERENCE, 7)
    for n in (200, 1000):
        windows: list[Columns] = []
        for _, change in CHANGES.values():
            for at, now in enumerate(clean(1000, Cell(n, 7), EVIDENTLY_WINDOWS)):
                change(now, np.random.default_rng([0, at]))
                windows.append(now)
        shares = np.array(drifted(peers, before, windows, peers.work / "evidently" / f"power-{n}"))
        by_change = shares.reshape(len(CHANGES), -1)
        said = ", ".join(
            f"{name} {(found >= 0.5).mean():.0%} / {(found > 0).mean():.0%}"
            for name, found in zip(CHANGES, by_change, strict=True)
        )
        lines.append(
            f"Evidently's default preset, n = {n:,}, {EVIDENTLY_WINDOWS} windows, dataset drift / any column: {said}"
        )
    return lines


TABLES = {"drift-power": (power, 1)}
