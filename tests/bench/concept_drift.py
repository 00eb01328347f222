"""`concept`: how soon a changed relation is noticed, and how often an unchanged one; beside river's detectors."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from mlops_kit.monitoring.checks.concept_drift import ODDS, SURE
from mlops_kit.statistics import chance

from tests.bench.measure import output
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table

OURS, DEFAULT, TUNED = "mlops-kit", "ADWIN", "ADWIN, as seldom"
SEEDS, EVALUATED, BEFORE, AFTER = 8, 2000, 2000, 2000
# Losses of a model that was trained before the change: of the evaluated rows, then of the rows that come, with a change or
# without; and where river's detectors, which saw the evaluated rows too, first say that something changed.
RIVER = """import sys, json, itertools
from river import drift, naive_bayes, tree
from river.datasets import synth
seeds, evaluated, before, after = map(int, sys.argv[1:])
STREAMS = {
    "SEA": lambda concept, seed: synth.SEA(variant=(0, 2)[concept], seed=seed, noise=0.1),
    "Sine": lambda concept, seed: synth.Sine(classification_function=concept, seed=seed, balance_classes=False),
    "STAGGER": lambda concept, seed: synth.STAGGER(classification_function=concept, seed=seed, balance_classes=False),
    "Agrawal": lambda concept, seed: synth.Agrawal(classification_function=(0, 3)[concept], seed=seed, perturbation=0.1),
    "Mixed": lambda concept, seed: synth.Mixed(classification_function=concept, seed=seed, balance_classes=False),
}
DELTAS = [10.0 ** -power for power in (2, 3, 4, 6, 8, 10, 12)]
DETECTORS = {
    "ADWIN": drift.ADWIN, "KSWIN": lambda: drift.KSWIN(seed=1), "PageHinkley": drift.PageHinkley, "DDM": drift.binary.DDM,
    "EDDM": drift.binary.EDDM, "HDDM-A": drift.binary.HDDMA, "HDDM-W": drift.binary.HDDMW,
} | {f"ADWIN {delta:g}": (lambda delta=delta: drift.ADWIN(delta=delta)) for delta in DELTAS}
def losses(name, seed, changes):
    old, new = (STREAMS[name](concept, 1000 * seed + 17 + concept) for concept in (0, changes))
    rows, model = iter(old), tree.HoeffdingTreeClassifier()
    for x, y in itertools.islice(rows, 2000):
        model.learn_one(x, y)
    following = itertools.chain(itertools.islice(rows, evaluated + before), itertools.islice(new if changes else rows, after))
    return [int(model.predict_one(x) != y) for x, y in following]
def first(make, stream):
    detector = make()
    for at, loss in enumerate(stream):
        detector.update(loss)
        if at >= evaluated and detector.drift_detected:
            return at - evaluated
    return None
made = []
for name in STREAMS:
    for seed in range(seeds):
        for changes in (0, 1):
            stream = losses(name, seed, changes)
            said = {detector: first(make, stream) for detector, make in DETECTORS.items()}
            made.append({"stream": name, "changes": changes, "losses": stream, "first": said})
print(json.dumps(made))
"""


@dataclass(frozen=True)
class Told:
    """Of one stream's runs: rows from the change to the alarm, None where there was none."""

    false: float  # share of the unchanged runs that alarm, and of the changed before the change
    missed: float
    delay: float | None

    @property
    def said(self) -> str:
        return f"{'-' if self.delay is None else f'{self.delay:.0f}'} | {self.missed:.0%} | {self.false:.0%}"


def concept(peers: Peers, runs: int) -> Table:
    """River's synthetic streams: a tree learns 2,000 rows and stays as it is, like a model in production."""
    made = _made(peers, SEEDS * runs)
    for run in made:
        run["first"][OURS] = _ours(run["losses"])
    deltas = [name for name in made[0]["first"] if name.startswith("ADWIN ")]
    most = _told(made, OURS).false
    seldom = next((name for name in deltas if _told(made, name).false <= most), deltas[-1])
    detectors = [OURS, *(name for name in made[0]["first"] if name not in (*deltas, OURS)), seldom]
    streams = list(dict.fromkeys(run["stream"] for run in made))
    lines, reaches = [HEAD, RULE], []
    for stream in streams:
        here = [run for run in made if run["stream"] == stream]
        told = {name: _told(here, name) for name in detectors}
        lines += [f"| {stream} | {name} | {one.said} |" for name, one in told.items()]
        if (ours := told[OURS].delay) is not None and (theirs := told[seldom].delay) is not None:
            reaches.append(Reach(f"{stream}: delay, times {seldom}'s", ours / max(theirs, 1), 1.0, "x"))
        reaches.append(
            Reach(f"{stream}: missed more than {seldom}", told[OURS].missed - told[seldom].missed, 0.0, "")
        )
    lines += [f"| all | {name} | {_told(made, name).said} |" for name in detectors]
    reaches.append(Reach("false alarms", most * 100, 1.0, "%"))
    return Table("concept", {}, reaches, lines)


HEAD = "| stream | detector | median delay in rows | missed | false alarms |"
RULE = "|---" * 5 + "|"


def _made(peers: Peers, seeds: int) -> list[dict[str, Any]]:
    """Made once in a work folder."""
    kept = peers.work / f"streams-{seeds}.json"
    if not kept.is_file():
        python: Path = peers.installed("river", "river").with_name("python")
        numbers = [str(one) for one in (seeds, EVALUATED, BEFORE, AFTER)]
        kept.write_text(output([python, "-c", RIVER, *numbers], peers.work))
    found: list[dict[str, Any]] = json.loads(kept.read_text())
    return found


def _ours(losses: list[int]) -> int | None:
    """As `monitor check` judges labels."""
    evaluated, came = np.array(losses[:EVALUATED], float), np.array(losses[EVALUATED:], float)
    usual = float(evaluated.mean() + SURE * evaluated.std() / np.sqrt(len(evaluated)))
    above = chance.evidence(came, usual)[0] >= np.log(1 / ODDS)
    return int(above.argmax()) if above.any() else None


def _told(runs: list[dict[str, Any]], detector: str) -> Told:
    changed, unchanged = ([run["first"][detector] for run in runs if run["changes"] == is_] for is_ in (1, 0))
    early = sum(one is not None and one < BEFORE for one in changed)
    wrong = early + sum(one is not None for one in unchanged)
    delays = [one - BEFORE for one in changed if one is not None and one >= BEFORE]
    missed = sum(one is None for one in changed) / len(changed)
    return Told(wrong / len(runs), missed, median(delays) if delays else None)


TABLES = {"concept": (concept, 1)}
