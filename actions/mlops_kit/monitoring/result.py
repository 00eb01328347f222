"""What a check returns."""

from dataclasses import dataclass
from typing import Any

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.runs.log import Event


@dataclass(frozen=True)
class CheckResult:
    """`judged`: the kinds that this check could judge. An open alarm of such a kind is over if no finding is of it."""

    details: Any  # what was measured: a dataclass, which is the check's part of the JSON result
    state: str
    findings: list[Finding]
    judged: list[Kind]
    event: Event | None = None  # of its own: stage, status and facts that a later check looks up
