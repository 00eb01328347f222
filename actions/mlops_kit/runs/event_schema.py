"""What an event may hold. Readers leave out events that break it; a job that receives events accepts no others.

One command reads the events of a year, so a check takes a few microseconds and uses no model class.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops_kit.base import clock
from mlops_kit.base.markdown import one_line

Event = dict[str, Any]
Check = Callable[[Any], bool]

NEEDED = ("run", "at", "stage", "status")
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")  # a file name
TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?")
YEARS = range(1971, 9999)  # a day earlier or later is still a valid time
LONGEST, MOST = 4000, 1000  # characters of a text; entries of a list
LARGEST_PID = 2**31 - 1


def _is_number(value: Any) -> bool:
    if isinstance(value, int):  # JSON has whole numbers of any length, which no float can hold
        return not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, float) and math.isfinite(value)


def is_time(value: Any) -> bool:
    """True for a time in ISO 8601 that Python can calculate with."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return False
    try:
        return clock.moment(value).year in YEARS
    except ValueError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


FACTS: dict[str, Check] = {
    **dict.fromkeys(("run", "stage", "status", "version", "commit", "error", "window", "where"), _is_text),
    **dict.fromkeys(("webhook", "week", "event_name", "pointer", "source", "before"), _is_text),
    **dict.fromkeys(
        ("seconds", "rows", "predictions", "errors", "labelled", "days", "p95_seconds"), _is_number
    ),
    **dict.fromkeys(("kinds", "judged", "columns", "moved"), _is_list_of(_is_text)),
    "at": is_time,
    "pid": lambda value: isinstance(value, int) and 0 < value <= LARGEST_PID,
    "span": lambda value: _is_list_of(is_time)(value) and len(value) == 2,
}


def is_readable(event: Any) -> bool:
    """True for an event that every command of the kit can read; a newer kit may have put more facts into it."""
    if not isinstance(event, dict) or any(name not in event for name in NEEDED):
        return False
    return all(
        FACTS[name](value) for name, value in event.items() if name in FACTS and value is not None
    ) and all(isinstance(event[name], str) for name in NEEDED)


# ---- events that another job hands over ----


@dataclass(frozen=True)
class Expected:
    """The events that a job may hand over. A stage that ends in `:` stands for all stages that begin with it."""

    stages: Mapping[str, frozenset[str]]  # with the statuses of each
    facts: frozenset[str]
    runs: Callable[[str], bool]  # is this the id of the run that is handed over?
    most: int = 20_000

    def takes(self, event: Any) -> bool:
        if not is_readable(event) or not self.runs(event["run"]) or not _is_recent(event["at"]):
            return False
        name = event["stage"]
        group = name.partition(":")[0] + ":" if ":" in name else name
        return event["status"] in self.stages.get(group, ()) and name == one_line(name)


@dataclass(frozen=True)
class Taken:
    events: list[Event] = field(default_factory=list)
    left_out: int = 0


def take(events: list[Any], expected: Expected) -> Taken:
    """The events that `expected` accepts, in order. Unknown facts are removed, long ones shortened."""
    good = [event for event in events if expected.takes(event)][: expected.most]
    known = expected.facts.union(NEEDED)
    kept = [
        {name: bounded(value) for name, value in event.items() if name in known and value is not None}
        for event in good
    ]
    return Taken(kept, len(events) - len(kept))


def _is_recent(at: str) -> bool:
    """True for a time of the last 40 days: a job may wait for an approval, or be started again within 30 days."""
    ages = [now - clock.moment(at) for now in (clock.now(), datetime.now(UTC))]
    return any(timedelta(hours=-1) < age < timedelta(days=40) for age in ages)


def bounded(value: Any, depth: int = 3) -> Any:
    """A value of JSON cut to what an event may hold; what is nested deeper is left out."""
    if isinstance(value, str):
        text = value.encode(errors="replace").decode()  # JSON can hold half of a surrogate pair
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):  # and bool
        return value if abs(value) < 2**63 else None
    if depth and isinstance(value, dict):
        pairs = list(value.items())[:MOST]
        return {str(bounded(name)): bounded(inner, depth - 1) for name, inner in pairs}
    if depth and isinstance(value, list):
        return [bounded(inner, depth - 1) for inner in value[:MOST]]
    return None
