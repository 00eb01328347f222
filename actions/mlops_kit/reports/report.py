"""Facts of the report: the results of a training, compared with the version in production."""

from dataclasses import dataclass
from typing import Any

from mlops_kit.data import metrics_file
from mlops_kit.data.metrics import higher_is_better
from mlops_kit.data.metrics_file import Metric
from mlops_kit.forge import runner
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import ChampionGate, SlicesGate
from mlops_kit.reports.curves import Curve, curves
from mlops_kit.runs import events
from mlops_kit.training import train
from mlops_kit.training.train import Training
from mlops_kit.versions import draft, foreign, gate_results
from mlops_kit.versions import version as versions
from mlops_kit.versions.differences import SLICES, Differences, between
from mlops_kit.versions.gate_results import Verdict
from mlops_kit.versions.record import Record

MOST_VERSIONS = 12  # in the history


@dataclass(frozen=True)
class Slice:
    """The metric of the rows with this value of the column; None if they are too few."""

    column: str
    value: str
    metric: str
    figure: Metric | None
    n: int | None


@dataclass(frozen=True)
class Report:
    now: Record
    before: Record | None
    differences: Differences
    verdict: Verdict | None  # None: the gates have not been run
    training: Training | None  # None: trained without `mlops-kit train`
    slices: list[Slice]  # of each column the worst first
    curves: list[Curve]
    history: list[tuple[str, dict[str, Metric]]]  # version and headline metrics, oldest first, this one last
    steps: dict[str, float]  # seconds
    link: str | None

    @property
    def model(self) -> str:
        return self.now.model

    @property
    def is_open(self) -> bool | None:
        """True if every gate passes; None if no gate was run."""
        return self.verdict.is_open if self.verdict and self.verdict.results else None

    @property
    def verdict_in_words(self) -> str:
        gates = {True: "all gates pass", False: "not all gates pass", None: "no gate was run"}[self.is_open]
        return f"{gates}; {self.compared}"

    @property
    def compared(self) -> str:
        """The comparison in words: better, worse, the same or can't tell, and with which version."""
        if self.before is None:
            return "first version"
        than = self.before.version
        better = self.verdict.better if self.verdict else ""
        if better == "worse" and self.is_open:
            return f"worse than {than}, but by no more than the champion gate allows"
        if better in ("better", "worse"):
            return f"{better} than {than}"
        return f"the same as {than}" if better == "the same" else f"can't tell whether better than {than}"


def build(repository: Repository, contract: Contract) -> Report:
    """Build the report of the workspace. Raises KitError if nothing was trained yet."""
    last, verdict = train.load(repository), gate_results.load(repository)
    before = _before(repository, contract, verdict)
    lock, run = train.lock(repository), last.run if last else ""
    on_data = last is None or last.registers
    now = draft.draft(repository, contract, lock, run, verdict, before, on_data=on_data)
    commits.deepen_to(repository, before.code.commit if before else None)
    return Report(
        now=now,
        before=before,
        differences=between(before, now, repository),
        verdict=verdict,
        training=last,
        slices=_slices(contract, now.metrics),
        curves=curves(repository, contract.predictions),
        history=[*_history(repository, contract.model), ("now", headline(now.metrics))],
        steps=_steps(repository, last),
        link=runner.run_url(),
    )


def headline(content: dict[str, Any]) -> dict[str, Metric]:
    """Return the metrics without those of slices."""
    return metrics_file.all_metrics({key: value for key, value in content.items() if key != SLICES})


# ---- the workspace ----


def _steps(repository: Repository, training: Training | None) -> dict[str, float]:
    """Seconds of each step of this run, by its events."""
    text = repository.text(str(events.LOCAL / f"{training.run}.jsonl")) if training else None
    ended = [event for event in events.read(text or "") if "seconds" in event]
    return {str(event["stage"]): float(event["seconds"]) for event in ended}


# ---- versions ----


def _before(repository: Repository, contract: Contract, verdict: Verdict | None) -> Record | None:
    """The record of the version that the gates compared with, else of the one in production."""
    model = contract.model
    if verdict and verdict.against:
        return foreign.record_of(repository, versions.find(repository, model, verdict.against))
    stages = [gate.stage for gate in contract.gates.values() if isinstance(gate, ChampionGate)]
    champion = versions.champion(repository, model, stages[0] if stages else "production")
    return foreign.record_of(repository, champion) if champion else None


def _history(repository: Repository, model: str) -> list[tuple[str, dict[str, Metric]]]:
    newest = versions.versions(repository, model)[-MOST_VERSIONS:]
    records = [(version.name, foreign.record_of(repository, version)) for version in newest]
    return [(name, headline(one.metrics)) for name, one in records if one]


# ---- slices ----


def _slices(contract: Contract, content: dict[str, Any]) -> list[Slice]:
    """The slices of each column by the metric of its gate; without a gate, by the first metric measured."""
    gates = [gate for gate in contract.gates.values() if isinstance(gate, SlicesGate)]
    watched = {gate.of: (gate.metric, gate.min_rows) for gate in gates}
    paths = [f"{SLICES}.{column}" for column in content.get(SLICES) or {}]
    slices: list[Slice] = []
    for path in dict.fromkeys([*watched, *paths]):
        metric, least = watched.get(path, ("", 0))
        values = metrics_file.value_at(content, path)
        if isinstance(values, dict):
            slices += _column_slices(path.removeprefix(f"{SLICES}."), values, metric or _first(values), least)
    return slices


def _column_slices(column: str, values: dict[str, Any], metric: str, least: int) -> list[Slice]:
    slices = []
    for value, content in values.items():
        inner = content if isinstance(content, dict) else {}
        figure, n = metrics_file.metric_at(inner, metric), inner.get("n")
        n = n if isinstance(n, int) else figure.n if figure else None
        judged = figure if figure and figure.is_number and (n is None or n >= least) else None
        slices.append(Slice(column, str(value), metric, judged, n))
    sign = -1 if higher_is_better(metric) is False else 1
    return sorted(
        slices, key=lambda slice_: (slice_.figure is None, sign * slice_.figure.value if slice_.figure else 0)
    )


def _first(values: dict[str, Any]) -> str:
    measured = (metrics_file.all_metrics(inner) for inner in values.values() if isinstance(inner, dict))
    return next((name for figures in measured for name in figures), "")
