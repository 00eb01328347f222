"""One check: the inputs, the relation and what runs, each with its own verdict."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.monitoring import history
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import concept_drift, data_drift, trainings
from mlops_kit.monitoring.checks import histograms as shares_module
from mlops_kit.monitoring.checks import infrastructure as infrastructures
from mlops_kit.monitoring.checks import training_data as successions
from mlops_kit.monitoring.checks.concept_drift import Concept
from mlops_kit.monitoring.checks.data_drift import Data
from mlops_kit.monitoring.checks.histograms import Group
from mlops_kit.monitoring.checks.infrastructure import Operation
from mlops_kit.monitoring.checks.prediction_drift import Watched
from mlops_kit.monitoring.checks.trainings import Trained
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log import by_version, labels, masks, sources
from mlops_kit.predictions_log import window as windows
from mlops_kit.predictions_log.window import Window
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import log as runs
from mlops_kit.runs.events import Journal
from mlops_kit.runs.log import Log
from mlops_kit.versions.version import Version

PICTURED = 3


class Seen(Protocol):
    """Is shown what is compared."""

    def begin(self, reference: Reference) -> windows.Each | None: ...

    def take(self, reference: Reference, window: Window) -> None: ...


@dataclass(frozen=True)
class Checked:
    at: str
    version: str  # empty: before the first, what is here
    window: str  # empty: nothing is connected
    identity: str  # of the window's rows
    data: Data
    concept: Concept
    infrastructure: Operation
    training: Trained
    succession: list[Finding] | None = None  # None: no new version to compare with the one before
    shares: dict[str, list[Group]] = field(default_factory=dict)  # of the columns that moved most
    span: tuple[str, str] | None = None  # times of the window's first and newest rows, where it is of a log
    by_hand: bool = False  # of a window that was named, not of the log's last days

    @property
    def findings(self) -> list[Finding]:
        parts = (self.concept, self.infrastructure, self.training)
        alarms = [one for part in parts for one in part.alarms]
        return [*_of_data(self.data, self.concept.watched), *alarms, *(self.succession or [])]

    @property
    def judged(self) -> list[Kind]:
        """Kinds of alarm that this check could tell: of the others silence says nothing."""
        found: list[Kind] = []
        seen: dict[Kind, bool] = {"data-drift": self.data.tells, "schema": self.data.tells_schema}
        found += [kind for kind, known in seen.items() if known]
        found += [*self.concept.judged, *self.infrastructure.judged]
        if self.training.state != "not connected":
            found += ["training-failed", "training-missing", "gate-closed", "model-old"]
        if self.succession is not None:
            found.append("training-data")
        return found


def _of_data(data: Data, predictions: Watched | None) -> list[Finding]:
    """Predictions that moved as far as the inputs did are a line of the inputs' alarm, and none of their own."""
    found = [
        Finding(
            "data-drift",
            f"{one.column}: {one.what}; {one.by:.1%} of the rows moved (n = {one.n:,})",
            one.column,
        )
        for one in data.drifts
    ]
    found += [Finding("schema", f"{one.column} ({one.kind}) {one.what}", one.column) for one in data.changes]
    if predictions and predictions.explained:
        found.append(Finding(found[0].kind, predictions.what))
    return found


@dataclass(frozen=True)
class Calibrated:
    version: str
    rows: int
    columns: list[str]
    not_compared: list[str]
    visible: dict[int, dict[str, float | None]] = field(default_factory=dict)  # by rows of the window
    run: int = 1  # rows that are drawn together
    notes: list[str] = field(default_factory=list)


def calibrate(repository: Repository, contract: Contract, say: Say) -> Calibrated:
    return calibrated(references.load(repository, contract, say, anew=True))


def calibrated(made: Reference) -> Calibrated:
    visible = {n: data_drift.visible(made.cells, limits) for n, limits in made.limits.items()}
    run = made.resampling.run
    notes = [
        "like the reference means: drawn from its rows at random; what comes with a season that it does not hold is drift"
    ]
    if made.times is None:
        notes.append(
            "no time column is named (monitoring.time): rows are taken to be independent of each other"
        )
    return Calibrated(
        made.version, made.rows, [one.name for one in made.cells], made.other, visible, run, notes
    )


def check(
    repository: Repository,
    contract: Contract,
    where: str,
    labelled: str | None,
    say: Say,
    seen: Seen | None = None,
    against: Version | None = None,
) -> Checked:
    """One window. `labelled`: where labels are, instead of what mlops.yaml says. `seen` is shown what is compared.

    `against`: another version than the one in use.
    """
    reference = references.load(repository, contract, say, version=against)
    ours = contract.monitoring
    say(f"read {sources.shown(where)}")
    each = seen.begin(reference) if seen else None
    window = windows.read(where, reference.largest, ours.slices, each=each, say=say)
    windows.hide(window, masks.masked(repository))
    if not window.rows and not window.is_log:
        why = f": none of its {window.broken} lines is a JSON object" if window.broken else ""
        raise KitError(
            f"{sources.shown(where)} has no rows{why}.", "Name one that has, or mend what writes it."
        )
    log = window if window.is_log else log_of(repository, contract, reference, say)
    windows.hide(window, log.masked if log else ())
    if seen:
        seen.take(reference, window)
    if labelled and log is None:
        raise KitError(
            f"Labels say nothing without predictions, and {sources.shown(where)} holds none.",
            "Give a predictions log as --window, or name one in mlops.yaml: monitoring.log.",
        )
    found = _checked(repository, contract, reference, window, log, labelled, runs.read(repository), say)
    return replace(found, by_hand=True)


def scheduled(
    repository: Repository,
    contract: Contract,
    journal: Journal,
    say: Say,
    seen: Seen | None = None,
    against: Version | None = None,
) -> Checked:
    """The newest window of the predictions log, where there is one; and the trainings, which are there from the
    first day.
    """
    known = runs.read(repository)
    training = trainings.check(repository, contract, known)
    moved = successions.check(repository, contract, known, journal, say)
    gone = infrastructures.without_log(known, contract.monitoring.log)
    where = _log_at(repository, contract)
    if where is None:
        nothing = Data("not connected", 0, 0), Concept("not connected"), gone
        return Checked(clock.timestamp(), training.version, "", "", *nothing, training, moved)
    reference = references.load(repository, contract, say, version=against)
    say(f"read {sources.shown(contract.monitoring.log or where)}")
    log = _read(repository, where, contract, reference, say, seen.begin(reference) if seen else None)
    if seen:
        seen.take(reference, log)
    found = _checked(repository, contract, reference, log, log, None, known, say)
    if found.infrastructure.state == "not connected":
        found = replace(found, infrastructure=gone)
    return replace(found, training=training, succession=moved)


def _checked(
    repository: Repository,
    contract: Contract,
    reference: Reference,
    window: Window,
    log: Window | None,
    labelled: str | None,
    known: Log,
    say: Say,
) -> Checked:
    ours = contract.monitoring
    window.notes += windows.repeated(window, contract.key)
    raised = history.schema_of(known.every(), ours.log)
    left_out = references.left_out(contract)
    data = data_drift.check(reference, window, time=ours.time, ignored=left_out, raised=raised)
    mine, notes = by_version.only(repository, contract, log.facts if log else None, reference.version)
    came, said = labels.NONE
    if mine is not None and labelled:
        came, said = labels.read(labelled, contract.key, ours.label, mine["key"], say)
    elif mine is not None:
        came, said = labels.come(repository, contract, mine["key"], say)
    since, drawn = (log.since, log.of_a_draw) if log else (None, [])
    explained = data.explains if window is log else 0.0
    concept = concept_drift.check(reference, mine, came, contract.predictions, ours, since, explained)
    concept = replace(concept, notes=[*concept.notes, *said, *notes, *drawn])
    running = infrastructures.check(log, ours)
    moved = {one.column: shares_module.of(reference, window, one.column) for one in data.drifts[:PICTURED]}
    span = windows.span(window)
    return Checked(
        clock.timestamp(),
        reference.version,
        window.name,
        windows.identity(window),
        data,
        concept,
        running,
        Trained("not connected"),
        shares=moved,
        span=span and (span[0].isoformat(), span[1].isoformat()),
    )


def _log_at(repository: Repository, contract: Contract) -> str | None:
    """Address or path of the predictions log; None before the first prediction."""
    log = contract.monitoring.log
    if log is None:
        return None
    where = sources.at(repository, log)
    return where if sources.is_there(where) else None


def log_of(repository: Repository, contract: Contract, reference: Reference, say: Say) -> Window | None:
    """Its last days; None before the first prediction."""
    where = _log_at(repository, contract)
    return _read(repository, where, contract, reference, say) if where else None


def _read(
    repository: Repository,
    where: str,
    contract: Contract,
    reference: Reference,
    say: Say,
    each: windows.Each | None = None,
) -> Window:
    ours = contract.monitoring
    window = windows.read(where, reference.largest, ours.slices, ours.window_days, each, say)
    windows.hide(window, masks.masked(repository))
    named = sources.shown(ours.log or where)  # as mlops.yaml says it, on whatever machine
    return replace(window, name=named)
