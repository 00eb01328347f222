"""What ran, when and how it ended, read from the branch `mlops/runs` and from this clone."""

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from mlops_kit.base import clock, notices
from mlops_kit.base.clock import moment
from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.git_objects import lines
from mlops_kit.project.repository import Repository
from mlops_kit.runs import event_schema
from mlops_kit.runs import events as run_events

Event = event_schema.Event
AT_ONCE = 2000  # lines
MANUAL = "manual"  # the trigger of a run that a person started on a machine, without a workflow

STATUSES = ("done", "failed", "rejected", "refused", "closed", "stopped", "running", "crashed")
# From the worst: what a run is called when its stages ended differently.
WORST = ("failed", "rejected", "refused", "closed")
LONGEST_JOB = timedelta(hours=6)  # after which GitHub ends a job, whatever it does


@dataclass(frozen=True)
class Run:
    """One run, summarized from its events."""

    run: str
    status: str  # one of STATUSES
    start: str
    seconds: float
    trigger: str
    commit: str
    version: str
    stages: dict[str, str]  # name -> how it ended
    published: bool
    error: str = ""


@dataclass(frozen=True)
class Filter:
    """Which runs to list. Empty fields match every run."""

    stage: str = ""
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 0  # 0: all

    def matches(self, run: Run) -> bool:
        start = moment(run.start)
        in_time = not (self.since and start < self.since) and not (self.until and start > self.until)
        has_stage = not self.stage or self.stage in run.stages
        status = run.stages.get(self.stage) if self.stage else run.status
        return in_time and has_stage and (not self.status or self.status in (status, run.status))


@dataclass
class Log:
    """The events of every run, by run id."""

    events: dict[str, list[Event]]
    published: set[str]
    note: str = ""

    def every(self) -> Iterator[Event]:
        """The events of all runs, in no order."""
        return chain.from_iterable(self.events.values())


def find(repository: Repository, run_filter: Filter, now: datetime | None = None) -> tuple[list[Run], str]:
    """The matching runs, newest first, and notes for the reader (empty if there are none)."""
    log = read(repository)
    runs = newest_first(log, now)
    notes = [log.note, _unknown_stage(run_filter.stage, runs)]
    return list(filter(run_filter.matches, runs))[: run_filter.limit or None], "\n".join(filter(None, notes))


def _unknown_stage(stage: str, runs: list[Run]) -> str:
    known = {name for run in runs for name in run.stages if ":" not in name}
    if not stage or any(stage in run.stages for run in runs):
        return ""
    return f"No run had the stage {stage!r}; there were: {', '.join(sorted(known)) or 'none yet'}."


def newest_first(log: Log, now: datetime | None = None) -> list[Run]:
    """The runs of a log, newest first."""
    runs = [summary(run, events, run in log.published, now) for run, events in log.events.items()]
    return sorted(runs, key=lambda run: run.start, reverse=True)


def events_of(repository: Repository, run: str) -> list[Event]:
    """Every event of one run, in order. Raises KitError naming the newest runs when there is none."""
    log = read(repository)
    if run not in log.events:
        newest = sorted(log.events, key=lambda run_id: _start(log.events[run_id]), reverse=True)[:5]
        raise KitError(f"There is no run {run!r}.", f"The newest: {', '.join(newest) or 'none yet'}.")
    return log.events[run]


def read(repository: Repository) -> Log:
    """The log of the branch, fetched if origin answers, and of this clone."""
    notes = []
    try:
        tip = commits.remote_tip(repository, run_events.BRANCH)
    except KitError:
        notes.append("origin does not answer: what was fetched last, and the runs of this machine")
        tip = commits.tip(repository, f"refs/remotes/origin/{run_events.BRANCH}")
    published, left_out = _by_run(lines(repository, tip)) if tip else ({}, 0)
    events_by_run = dict(published)
    for run, text in local(repository).items():
        local_events = by_run(text.split("\n")).get(run, [])
        if len(local_events) > len(events_by_run.get(run, [])):
            events_by_run[run] = local_events
    if left_out:
        what = f"{left_out} event{'s' * (left_out != 1)} of the branch {run_events.BRANCH}"
        notices.note(f"{what} cannot be read and {'are' if left_out > 1 else 'is'} left out.")
    return Log(events_by_run, set(published), "; ".join(notes))


def local(repository: Repository) -> dict[str, str]:
    """The events files of this clone, by run."""
    folder = repository.root / run_events.LOCAL
    return {file.stem: file.read_text("utf-8", "replace") for file in sorted(folder.glob("*.jsonl"))}


def by_run(lines: list[str]) -> dict[str, list[Event]]:
    """Parse events and group them by run. What cannot be read, for instance a line that was cut off, is left out."""
    return _by_run(lines)[0]


def _by_run(lines: list[str]) -> tuple[dict[str, list[Event]], int]:
    """The events by run, and the number of those that are whole lines of JSON and no events that can be read."""
    events_by_run: dict[str, list[Event]] = {}
    left_out = 0
    for start in range(0, len(lines), AT_ONCE):
        for event in _parse(lines[start : start + AT_ONCE]):
            if event_schema.is_readable(event):
                events_by_run.setdefault(event["run"], []).append(event)
            else:
                left_out += 1
    return events_by_run, left_out


def _parse(lines: list[str]) -> list[Any]:
    """Parse many lines in one call, which takes a third of the time. Lines that are not JSON are left out."""
    try:
        events: list[Any] = json.loads(f"[{','.join(lines)}]")
    except (ValueError, RecursionError):
        if len(lines) < 2:
            return []
        half = len(lines) // 2
        return _parse(lines[:half]) + _parse(lines[half:])
    return events


# ---- one run, summed up ----


def summary(run: str, events: list[Event], published: bool, now: datetime | None = None) -> Run:
    """Summarize a run. Events after the end of the run do not change its status and seconds."""
    until_end = events[
        : next((place for place, event in enumerate(events, 1) if run_events.ends(event)), None)
    ]
    started, stages = _stages(until_end)
    status = _status(started, stages, until_end, published, now or clock.now())
    stages |= {name: status for name, how in stages.items() if how == "start"}
    stages |= _stages(events[len(until_end) :])[1]
    facts = {name: value for event in events for name, value in event.items()}
    error = next((str(event["error"]) for event in reversed(events) if event.get("error")), "")
    first = events[0]
    seconds = (moment(until_end[-1]["at"]) - moment(first["at"])).total_seconds()
    trigger = str(facts.get("event_name") or MANUAL)
    commit = next((str(event["commit"]) for event in events if event.get("commit")), "")
    commit_and_version = commit, str(facts.get("version") or "")
    return Run(run, status, first["at"], seconds, trigger, *commit_and_version, stages, published, error)


def _status(
    started: dict[str, Event], stages: dict[str, str], events: list[Event], published: bool, now: datetime
) -> str:
    """The status of a run. A run without an end event was killed, or abandoned by the person who began it."""
    start_event = started.get("run", {})
    by_hand = bool(start_event.get("machine"))
    recent = not by_hand and now - moment(events[-1]["at"]) < LONGEST_JOB
    statuses = {event["status"] for event in events if event["stage"] == "run"}
    if "crashed" in statuses:
        return "crashed"
    if "start" in stages.values() or not stages:
        alive = not published and _alive(started, events)
        return "running" if alive or (published and recent) else "crashed"
    if worst := next((word for word in WORST if word in stages.values()), ""):
        return worst
    if "end" in statuses or "ends_with" not in start_event:
        return "done"
    if by_hand:
        return "stopped" if "train" in stages else "done"
    return "running" if recent else "crashed"


def _stages(events: list[Event]) -> tuple[dict[str, Event], dict[str, str]]:
    """The last start event of each stage, and its last status; events in the middle of a stage do not count."""
    started: dict[str, Event] = {}
    ended: dict[str, str] = {}
    for event in events:
        name, status = event["stage"], event["status"]
        if status == "start":
            started[name] = event
        if name != "run" and (status == "start" or "seconds" in event or name not in started):
            ended[name] = status
    return started, ended


def _alive(started: dict[str, Event], events: list[Event]) -> bool:
    """True if the process that began the last stage, or the run, is alive on this machine."""
    starts = [event for event in events if event["status"] == "start" and event.get("pid")]
    this_machine = started.get("run", {}).get("machine") in (None, platform.node())
    if not starts or not this_machine:
        return False
    try:
        os.kill(starts[-1]["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start(events: list[Event]) -> str:
    return str(events[0]["at"])


# ---- time ----
