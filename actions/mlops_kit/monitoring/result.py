"""The result of one check."""

from dataclasses import dataclass
from typing import Any

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.runs.log import Event


@dataclass(frozen=True)
class CheckResult:
    """`judged`: the kinds of alarm that this check could judge. If it finds nothing of such a kind, an open alarm closes."""

    details: (
        Any  # what was measured: a dataclass, or None; `check.Checked` names those that the JSON result holds
    )
    state: str
    findings: list[Finding]
    judged: list[Kind]
    event: Event | None = None  # of its own: stage, status and facts that a later check looks up
