"""Trainings: did the newest one end well, was every merge trained, is the version in production too old? Needs no predictions."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mlops_kit.alerts.kinds import Finding, judged_by
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.monitoring.training_facts import TrainingFacts
from mlops_kit.project.sections import Monitoring
from mlops_kit.runs.log import Run


@dataclass(frozen=True)
class Trainings:
    state: Literal["not connected", "fine", "alarm"]
    run: str = ""  # the newest
    status: str = ""
    started: str = ""
    version: str = ""  # in use
    age_days: int | None = None  # of the version in production
    alarms: list[Finding] = field(default_factory=list)


def check(inputs: Inputs) -> CheckResult:
    """Not connected if a person named the window: such a check is about that window alone."""
    facts = inputs.trainings
    trainings = judge(facts, inputs.contract.monitoring, inputs.now) if facts else Trainings("not connected")
    judged = judged_by("trainings") if trainings.state != "not connected" else []
    return CheckResult(trainings, trainings.state, trainings.alarms, judged)


def judge(facts: TrainingFacts, limits: Monitoring, now: datetime) -> Trainings:
    newest, used = facts.newest, facts.used
    age = max((now - datetime.fromisoformat(used.created)).days, 0) if used else None
    alarms = [*_failed(newest), *_missing(facts), *_old(age, limits)]
    state: Literal["not connected", "fine", "alarm"] = "fine" if newest else "not connected"
    return Trainings(
        "alarm" if alarms else state,
        newest.run if newest else "",
        newest.status if newest else "",
        newest.start if newest else "",
        used.name if used else "",
        age,
        alarms,
    )


def _failed(newest: Run | None) -> list[Finding]:
    """How the newest run ended. New data that was refused has an alarm of its own."""
    if newest is None:
        return []
    which = f"{newest.start[:16].replace('T', ' ')} UTC, run {newest.run}, commit {newest.commit[:7]}"
    why = f": {newest.error.splitlines()[0]}" if newest.error else ""
    if newest.status in ("closed", "rejected"):
        return [Finding("gate-closed", f"the gates rejected the model of main ({which}){why}")]
    if newest.status in ("failed", "crashed") or (newest.status == "refused" and newest.trigger == "push"):
        return [
            Finding("training-failed", f"the training on main has the status {newest.status} ({which}){why}")
        ]
    return []


def _missing(facts: TrainingFacts) -> list[Finding]:
    if facts.committed is None:
        return []
    what = f"commit {facts.untrained[:7]} of {facts.committed:%Y-%m-%d} was not trained"
    return [Finding("training-missing", what)]


def _old(age: int | None, limits: Monitoring) -> list[Finding]:
    most = limits.model_days_at_most
    if age is None or most is None or age <= most:
        return []
    return [Finding("model-old", f"the version in production is {age} days old; the limit is {most:g}")]
