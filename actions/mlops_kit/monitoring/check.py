"""The table of checks, and the result of `monitor check` that they make together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.base import clock
from mlops_kit.monitoring.checks import concept_drift, data_drift, histograms, training_data, trainings
from mlops_kit.monitoring.checks import infrastructure as infrastructure_check
from mlops_kit.monitoring.checks.concept_drift import ConceptDrift
from mlops_kit.monitoring.checks.data_drift import DataDrift
from mlops_kit.monitoring.checks.histograms import Group
from mlops_kit.monitoring.checks.infrastructure import Infrastructure
from mlops_kit.monitoring.checks.trainings import Trainings
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.predictions_log import window as windows

MOST_PLOTS = 3
Details = TypeVar("Details")
CHECKS: dict[str, Callable[[Inputs], CheckResult]] = {
    "data_drift": data_drift.check,
    "concept_drift": concept_drift.check,
    "infrastructure": infrastructure_check.check,
    "trainings": trainings.check,
    "training_data": training_data.check,
}


@dataclass(frozen=True)
class Checked:
    """The result of all checks. Its fields are the keys of the JSON result."""

    at: str
    version: str  # that the window was compared with; empty before the first: the rows of the workspace
    window: str  # empty: nothing is connected
    identity: str  # of the window's rows
    data: DataDrift
    concept: ConceptDrift
    infrastructure: Infrastructure
    training: Trainings
    succession: list[Finding] | None = None  # of training data; None: no version has other data than the last
    shares: dict[str, list[Group]] = field(default_factory=dict)  # histograms of the columns that moved most
    span: tuple[str, str] | None = None  # times of the window's first and newest rows, if it is of a log
    by_hand: bool = False  # a person named the window
    findings: list[Finding] = field(default_factory=list)
    judged: list[Kind] = field(default_factory=list)


def run(inputs: Inputs) -> dict[str, CheckResult]:
    return {name: check(inputs) for name, check in CHECKS.items()}


def checked(inputs: Inputs, results: dict[str, CheckResult]) -> Checked:
    data, training = _details(results, DataDrift), _details(results, Trainings)
    reference, window = inputs.reference, inputs.window
    span = windows.span(window) if window else None
    shares = {}
    if reference and window:
        moved = [one.column for one in data.drifts[:MOST_PLOTS]]
        shares = {column: histograms.of(reference, window, column) for column in moved}
    return Checked(
        clock.timestamp(inputs.now),
        reference.version if reference else training.version,
        window.name if window else "",
        windows.identity(window) if window else "",
        data,
        _details(results, ConceptDrift),
        _details(results, Infrastructure),
        training,
        results["training_data"].findings if inputs.training_data else None,
        shares,
        span and (span[0].isoformat(), span[1].isoformat()),
        not inputs.is_scheduled,
        [finding for one in results.values() for finding in one.findings],
        [kind for one in results.values() for kind in one.judged],
    )


def _details(results: dict[str, CheckResult], kind: type[Details]) -> Details:
    return next(one.details for one in results.values() if isinstance(one.details, kind))
