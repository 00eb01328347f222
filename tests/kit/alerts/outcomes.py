"""Checks that found something, and the command that tells of them."""

from datetime import UTC, datetime

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.alerts.outcome import Outcome

from tests.act.api import Api
from tests.conftest import Done
from tests.kit.small_repository import Small

DRIFT = Finding(
    "data-drift", "dep_delay: median 2 -> 14, +0.61 sd; 24.1% of the rows moved (n = 2,000)", "dep_delay"
)


SLOW = Finding("latency", "latency p95 is 1.2 s, at most 0.5 s (n = 2000)")


def found(project: Small, *findings: Finding, judged: tuple[Kind, ...] = ()) -> None:
    """What a check left; it judged the kinds of its findings, and `judged`."""
    kinds = [*(one.kind for one in findings), *judged]
    at = datetime.now(UTC).isoformat()
    again = "mlops-kit monitor check --window 'w*.parquet'"
    shown: dict[Kind, str] = {"data-drift": "| column | moved |\n| --- | --- |"}
    outcome = Outcome(at, "v0.3.0", "w.parquet", list(findings), kinds, "run-1", shown, again)
    outcome.write(project.root)


def alert(project: Small, *words: str) -> Done:
    return project.kit("alert", *words)


def named(api: Api, state: str = "open") -> list[str]:
    return [issue["title"] for issue in api.issues if issue["state"] == state]
