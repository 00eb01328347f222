"""Past checks, as the events of runs tell them: which count, and what they found."""

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


# Of its time, that a window may have in common with the next: the newest predictions of two days are not a day apart to the
# minute, and what lasted for a day of a week must not be in both.
SHARED = 0.1
MOST_CHANGES = 50  # of the schema, in an event


def checks(events: Iterable[Event], log: str | None) -> list[Event]:
    """Those that came to their end, newest first.

    Where there is a log, a window that somebody named counts for nothing, be it all of the log.
    """
    ended = [one for one in events if one["stage"] == STAGE and one["status"] in ("fine", "alarm")]
    of_the_log = (None, sources.shown(log or ""))
    counted = [
        one for one in ended if log is None or (one.get("window") in of_the_log and not one.get("by_hand"))
    ]
    return sorted(counted, key=lambda one: str(one["at"]), reverse=True)


def apart(checks: list[Event]) -> list[Event]:
    """Of `checks`, newest first, those of a window that shares no rows with one that is counted already.

    What moved in rows that are looked at again has not moved again: seven checks of the last seven days say as much as
    one. Windows of a log are told apart by their times, tables by their rows.
    """
    found: list[Event] = []
    for one in checks:
        if one.get("window") and not any(_share_rows(one, other) for other in found):
            found.append(one)
    return found


def _share_rows(one: Event, other: Event) -> bool:
    if one.get("identity", one["at"]) == other.get("identity", other["at"]):
        return True
    if not (one.get("span") and other.get("span")):
        return False
    (began, ended), (since, until) = (
        [clock.moment(at).timestamp() for at in each["span"]] for each in (one, other)
    )
    return min(ended, until) - max(began, since) > SHARED * min(ended - began, until - since)


def emit(journal: Journal, checked: "Checked", results: dict[str, CheckResult]) -> None:
    """One event with every verdict, small enough to be kept for years; before it the events of single checks."""
    for result in results.values():
        if result.event:
            journal.emit(**result.event)
    journal.emit(STAGE, "alarm" if checked.findings else "fine", **facts(checked))


def facts(found: "Checked") -> dict[str, Any]:
    concept, running = found.concept, found.infrastructure
    rarest = sorted(found.data.changes, key=lambda one: one.by)
    figure = concept.figure
    return {
        "window": found.window or None,
        "by_hand": found.by_hand or None,
        "identity": found.identity or None,
        "span": found.span,
        "version": found.version or None,
        "kinds": list(dict.fromkeys(one.kind for one in found.findings)),
        "judged": found.judged,
        "data": found.data.state,
        "rows": found.data.n,
        "columns": [one.column for one in found.data.drifts] or None,
        "changes": [asdict(replace(one, what="")) for one in rarest[:MOST_CHANGES]] or None,
        "concept": concept.state,
        "metric": concept.metric or None,
        "value": round(figure.value, 6) if figure else None,
        "labelled": concept.labelled or None,
        "infrastructure": running.state,
        "predictions": running.rows or None,
        "errors": running.errors or None,
        "p95_seconds": running.p95_seconds,
        "training": found.training.state,
    }
