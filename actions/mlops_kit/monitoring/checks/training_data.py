"""Training data: did a column of the newest version's training data move against the version before it?"""

from dataclasses import dataclass
from datetime import datetime

from mlops_kit.alerts.kinds import Finding, judged_by
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.monitoring.training_facts import COMPARED, NewTrainingData
from mlops_kit.project.contract import Contract

MOST_DRIFTS = 10  # in the event


@dataclass(frozen=True)
class TrainingData:
    version: str = ""  # empty: there is no new training data
    before: str = ""
    moved: tuple[str, ...] = ()  # one line a column


def check(inputs: Inputs) -> CheckResult:
    """Judges only while nobody was told: the next version, not the next check, can end this alarm."""
    data = inputs.training_data
    if data is None:
        return CheckResult(TrainingData(), "not connected", [], [])
    state, moved, event = "", (data.earlier or {}).get("moved", []), None
    if data.earlier is None:
        state, moved = _compare(data, inputs.contract, inputs.now)
        event = {
            "stage": COMPARED,
            "status": state,
            "version": data.version,
            "before": data.before,
            "moved": moved,
        }
    details = TrainingData(data.version, data.before, tuple(moved))
    between = f"{data.version} against {data.before}"
    findings = [Finding("training-data", f"{between}: {line}") for line in moved]
    return CheckResult(details, state, findings, judged_by("training_data"), event)


def _compare(data: NewTrainingData, contract: Contract, now: datetime) -> tuple[str, list[str]]:
    assert data.reference is not None and data.window is not None
    drift = data_drift.compare(
        data.reference, data.window, time=None, ignored=references.left_out(contract), now=now
    )
    moved = [f"{one.column}: {one.what}" for one in drift.drifts[:MOST_DRIFTS]]
    moved += [f"{change.column} {change.what}" for change in drift.changes]
    return drift.state, moved
