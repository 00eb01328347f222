"""Facts by week. A week without predictions is a gap, not a zero."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base.clock import moment as moment_of
from mlops_kit.monitoring import history
from mlops_kit.monitoring.checks import concept_drift
from mlops_kit.monitoring.checks.seasons import THURSDAY
from mlops_kit.monitoring.reference import Reference
from mlops_kit.new_data import age
from mlops_kit.predictions_log import labels
from mlops_kit.predictions_log.counts import Tally
from mlops_kit.project.contract import Contract
from mlops_kit.runs.log import Event, Run
from mlops_kit.statistics.intervals import Estimate

WEEK = timedelta(days=7)


@dataclass
class Week:
    monday: date
    predictions: int = 0
    failed: int = 0
    labelled: int = 0
    figure: Estimate | None = None
    slices: dict[str, Estimate] = field(default_factory=dict)  # mean loss
    checks: int = 0
    windows: int = 0  # of these checks, that share no rows
    telling: int = 0  # checks that could judge data drift
    drifted: list[str] = field(default_factory=list)  # columns
    trainings: dict[str, int] = field(default_factory=dict)  # by workflows: how they ended
    by_hand: dict[str, int] = field(default_factory=dict)  # by a person, without a workflow: how they ended

    @property
    def name(self) -> str:
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"

    def holds(self, at: datetime | date) -> bool:
        day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
        return self.monday <= day < self.monday + WEEK


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def before(monday: date, many: int) -> list[Week]:
    """The week of this Monday and those before it, oldest first."""
    return [Week(monday - WEEK * back) for back in reversed(range(many))]


def fill_traffic(weeks: list[Week], tally: Tally) -> None:
    """Set the predictions and failures of each week."""
    every = tally.every
    mondays = _mondays(every.starts.astype("datetime64[s]"))
    for week in weeks:
        of_week = mondays == np.datetime64(week.monday)
        week.predictions, week.failed = int(every.asked[of_week].sum()), int(every.failed[of_week].sum())


def fill_quality(
    weeks: list[Week],
    reference: Reference,
    facts: pa.Table,
    actual_labels: pa.Table | None,
    contract: Contract,
) -> str:
    """Set the metric and the losses of each week. Returns the name of the metric."""
    metric, form = "", contract.predictions
    predictions = facts.filter(pc.is_valid(facts["prediction"]))
    labelled, _ = labels.joined(predictions, actual_labels)
    mondays = _mondays(labelled["time"].to_numpy())
    for week in weeks:
        of_week = labelled.filter(pa.array(mondays == np.datetime64(week.monday)))
        week.labelled = len(of_week) - of_week["actual"].null_count
        if form is None or reference.predictions is None or not week.labelled:
            continue
        if result := concept_drift.measured(of_week, reference.predictions, form):
            metric, week.figure, week.slices = result
    return metric


def _mondays(times: "npt.NDArray[np.datetime64]") -> "npt.NDArray[np.datetime64]":
    """The Monday of each time's week; NaT for a missing time."""
    days = times.astype("datetime64[D]")
    return np.asarray(days - (days.astype(np.int64) + THURSDAY) % 7)


def fill_checks(weeks: list[Week], checks: list[Event]) -> None:
    """Set the checks and the drifted columns of each week. `checks` are sorted, newest first."""
    for week in weeks:
        checks_of_week = [one for one in checks if one.get("window") and week.holds(moment_of(one["at"]))]
        week.checks, week.windows = len(checks_of_week), len(history.apart(checks_of_week))
        week.telling = sum("data-drift" in one.get("judged", []) for one in checks_of_week)
        week.drifted = list(
            dict.fromkeys(name for one in checks_of_week[::-1] for name in one.get("columns") or [])
        )


def fill_trainings(weeks: list[Week], runs: list[Run], by_hand: list[Run]) -> None:
    """Count trainings by status. A training by hand counts as such only, even if it was published."""
    manual = {run.run for run in by_hand}
    for run in [*(one for one in runs if one.run not in manual), *by_hand]:
        if week := _of(weeks, moment_of(run.start)):
            counts = week.by_hand if run.run in manual else week.trainings
            counts[run.status] = counts.get(run.status, 0) + 1


def _of(weeks: list[Week], at: datetime) -> Week | None:
    return next((week for week in weeks if week.holds(at)), None)


# ---- alarms ----


@dataclass(frozen=True)
class RaisedAlarm:
    kind: str
    began: datetime
    ended: datetime | None
    where: str  # address of its issue in this repository; empty if there is none

    def touches(self, week: Week) -> bool:
        over = self.ended.astimezone(UTC).date() if self.ended else date.max
        return self.began.astimezone(UTC).date() < week.monday + WEEK and over >= week.monday


def alarms(checks: list[Event], events: list[Event], pages: str) -> list[RaisedAlarm]:
    """Alarms in the order in which they began. One is over when a later check judged its kind and found nothing.

    `checks`: those that count. `events`: for the addresses of issues and the age of the data. `pages`: what the address
    of each page of the repository begins with; an issue elsewhere is left out.
    """
    ended: list[RaisedAlarm] = []
    open_now: dict[str, RaisedAlarm] = {}
    where = _issues(events, pages)
    ages = [one for one in events if one["stage"] == age.ALARM and one["status"] in ("old", "ok")]
    for event in sorted([*checks, *ages], key=lambda event: str(event["at"])):
        at, (kinds, judged) = moment_of(event["at"]), _raised_and_judged(event)
        for kind in kinds:
            open_now.setdefault(kind, RaisedAlarm(kind, at, None, where.get(kind, "")))
        for kind in judged:
            if kind not in kinds and kind in open_now:
                ended.append(replace(open_now.pop(kind), ended=at))
    return sorted([*ended, *open_now.values()], key=lambda alarm: (alarm.began, alarm.kind))


def _raised_and_judged(event: Event) -> tuple[list[str], list[str]]:
    """The kinds of alarm that an event raised, and the kinds that it judged."""
    if event["stage"] == age.ALARM:
        return [age.ALARM] if event["status"] == "old" else [], [age.ALARM]
    return event.get("kinds", []), event.get("judged", [])


def _issues(events: list[Event], pages: str) -> dict[str, str]:
    """The newest issue of each kind, in this repository: an event can name any address."""
    reported = [
        event
        for event in events
        if event["stage"].startswith("alarm:") and _is_issue(str(event.get("where")), pages)
    ]
    ordered = sorted(reported, key=lambda event: str(event["at"]))
    return {event["stage"].removeprefix("alarm:"): str(event["where"]) for event in ordered}


def _is_issue(address: str, pages: str) -> bool:
    """True for the address of an issue of this repository, whose name GitHub writes in its own case."""
    own = re.escape(f"{pages}issues/")
    return bool(pages) and re.fullmatch(f"(?i:{own})[0-9]{{1,10}}", address) is not None
