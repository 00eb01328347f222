"""Past checks as events: which count, which share rows, and the event of a new one."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from mlops_kit.alerts.kinds import STAGE
from mlops_kit.base import clock
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.predictions_log import sources
from mlops_kit.runs.events import Journal
from mlops_kit.runs.log import Event

if TYPE_CHECKING:
    from mlops_kit.monitoring.check import Checked


# Share of its time that a window may have in common with the next one. Two daily windows never border to the minute, but
# a drift that lasted one day of a week must not be counted in two windows.
SHARED = 0.1
MOST_CHANGES = 50  # schema changes in an event


def checks(events: Iterable[Event], log: str | None) -> list[Event]:
    """Checks that finished, newest first. If there is a log, windows that a person named do not count."""
    ended = [one for one in events if one["stage"] == STAGE and one["status"] in ("fine", "alarm")]
    of_the_log = (None, sources.shown(log or ""))
    counted = [
        one for one in ended if log is None or (one.get("window") in of_the_log and not one.get("by_hand"))
    ]
    return sorted(counted, key=lambda one: str(one["at"]), reverse=True)


def apart(checks: list[Event]) -> list[Event]:
    """The checks, newest first, whose windows share no rows with a newer one that counts.

    A drift in rows that are checked again is no second drift: seven daily checks of the last seven days count as one.
    Windows of a log are compared by their times, tables by their rows.
    """
    counted: list[Event] = []
    for check in checks:
        if check.get("window") and not any(_share_rows(check, other) for other in counted):
            counted.append(check)
    return counted


def _share_rows(check: Event, other: Event) -> bool:
    if check.get("identity", check["at"]) == other.get("identity", other["at"]):
        return True
    if not (check.get("span") and other.get("span")):
        return False
    (began, ended), (since, until) = (
        [clock.moment(at).timestamp() for at in each["span"]] for each in (check, other)
    )
    return min(ended, until) - max(began, since) > SHARED * min(ended - began, until - since)


def emit(journal: Journal, checked: "Checked", results: dict[str, CheckResult]) -> None:
    """One event with every verdict, small enough to be kept for years; before it the events of single checks."""
    for result in results.values():
        if result.event:
            journal.emit(**result.event)
    journal.emit(STAGE, "alarm" if checked.findings else "fine", **facts(checked))


def facts(checked: "Checked") -> dict[str, Any]:
    concept, service = checked.concept, checked.infrastructure
    changes = sorted(checked.data.changes, key=lambda one: one.by)
    metric = concept.figure
    return {
        "window": checked.window or None,
        "by_hand": checked.by_hand or None,
        "identity": checked.identity or None,
        "span": checked.span,
        "version": checked.version or None,
        "kinds": list(dict.fromkeys(one.kind for one in checked.findings)),
        "judged": checked.judged,
        "data": checked.data.state,
        "rows": checked.data.n,
        "columns": [one.column for one in checked.data.drifts] or None,
        "changes": [asdict(replace(one, what="")) for one in changes[:MOST_CHANGES]] or None,
        "concept": concept.state,
        "metric": concept.metric or None,
        "value": round(metric.value, 6) if metric else None,
        "labelled": concept.labelled or None,
        "infrastructure": service.state,
        "predictions": service.rows or None,
        "errors": service.errors or None,
        "p95_seconds": service.p95_seconds,
        "training": checked.training.state,
    }
