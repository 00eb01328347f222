"""What ran, when and how it ended, read from the branch `mlops/runs` and from this clone."""

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from mlops_kit.base import clock
from mlops_kit.base.clock import moment
from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.git_objects import lines
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events as run_events

Event = dict[str, Any]
AT_ONCE = 2000  # lines
NEEDED = {"run", "at", "stage", "status"}


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
        named = not self.stage or self.stage in run.stages
        how = run.stages.get(self.stage) if self.stage else run.status
        return in_time and named and (not self.status or self.status in (how, run.status))


@dataclass
class Log:
    """The events of every run, by run id."""

    events: dict[str, list[Event]]
    published: set[str]
    note: str = ""

    def every(self) -> Iterator[Event]:
        """The events of all runs, in no order."""
        return chain.from_iterable(self.events.values())


def find(repository: Repository, wanted: Filter, now: datetime | None = None) -> tuple[list[Run], str]:
    """The matching runs, newest first, and notes for the reader (empty if there are none)."""
    log = read(repository)
    every = newest_first(log, now)
    notes = [log.note, _unknown_stage(wanted.stage, every)]
    return list(filter(wanted.matches, every))[: wanted.limit or None], "\n".join(filter(None, notes))


def _unknown_stage(stage: str, every: list[Run]) -> str:
    known = {name for run in every for name in run.stages if ":" not in name}
    if not stage or any(stage in run.stages for run in every):
        return ""
    return f"No run had the stage {stage!r}; there were: {', '.join(sorted(known)) or 'none yet'}."


def newest_first(log: Log, now: datetime | None = None) -> list[Run]:
    """The runs of a log, newest first."""
    found = [summary(run, listed, run in log.published, now) for run, listed in log.events.items()]
    return sorted(found, key=lambda run: run.start, reverse=True)


def events_of(repository: Repository, run: str) -> list[Event]:
    """Every event of one run, in order. Raises KitError naming the newest runs when there is none."""
    log = read(repository)
    if run not in log.events:
        newest = sorted(log.events, key=lambda one: _start(log.events[one]), reverse=True)[:5]
        raise KitError(f"There is no run {run!r}.", f"The newest: {', '.join(newest) or 'none yet'}.")
    return log.events[run]


def read(repository: Repository) -> Log:
    """The log of the branch, fetched if origin answers, and of this clone."""
    note = ""
    try:
        tip = commits.remote_tip(repository, run_events.BRANCH)
    except KitError:
        note = "origin does not answer: what was fetched last, and the runs of this machine"
        tip = commits.tip(repository, f"refs/remotes/origin/{run_events.BRANCH}")
    published = by_run(lines(repository, tip)) if tip else {}
    found = dict(published)
    for run, text in local(repository).items():
        here = by_run(text.split("\n")).get(run, [])
        if len(here) > len(found.get(run, [])):
            found[run] = here
    return Log(found, set(published), note)


def local(repository: Repository) -> dict[str, str]:
    """The events files of this clone, by run."""
    folder = repository.root / run_events.LOCAL
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.jsonl"))}


def by_run(lines: list[str]) -> dict[str, list[Event]]:
    """A line that is cut off, as a killed process leaves it, is left out."""
    found: dict[str, list[Event]] = {}
    for start in range(0, len(lines), AT_ONCE):
        for event in _parsed(lines[start : start + AT_ONCE]):
            found.setdefault(event["run"], []).append(event)
    return found


def _parsed(lines: list[str]) -> list[Event]:
    """One call for many lines takes a third of the time."""
    try:
        found = json.loads(f"[{','.join(lines)}]")
    except ValueError:
        if len(lines) < 2:
            return []
        half = len(lines) // 2
        return _parsed(lines[:half]) + _parsed(lines[half:])
    return [event for event in found if event.keys() >= NEEDED]


# ---- one run, summed up ----


def summary(run: str, listed: list[Event], published: bool, now: datetime | None = None) -> Run:
    """A run is over when it says so: status and seconds stay, whatever is told of it later."""
    until = listed[: next((place for place, event in enumerate(listed, 1) if run_events.ends(event)), None)]
    started, stages = _stages(until)
    status = _status(started, stages, until, published, now or clock.now())
    stages |= {name: status for name, how in stages.items() if how == "start"}
    stages |= _stages(listed[len(until) :])[1]
    facts = {name: value for event in listed for name, value in event.items()}
    error = next((str(event["error"]) for event in reversed(listed) if event.get("error")), "")
    first = listed[0]
    seconds = (moment(until[-1]["at"]) - moment(first["at"])).total_seconds()
    trigger = str(facts.get("event_name") or "manual")
    commit = next((str(event["commit"]) for event in listed if event.get("commit")), "")
    named = commit, str(facts.get("version") or "")
    return Run(run, status, first["at"], seconds, trigger, *named, stages, published, error)


def _status(
    started: dict[str, Event], stages: dict[str, str], listed: list[Event], published: bool, now: datetime
) -> str:
    """One that does not say that it is over was killed, or left by the person who began it."""
    begun = started.get("run", {})
    by_hand = bool(begun.get("machine"))
    heard = not by_hand and now - moment(listed[-1]["at"]) < LONGEST_JOB
    said = {event["status"] for event in listed if event["stage"] == "run"}
    if "crashed" in said:
        return "crashed"
    if "start" in stages.values() or not stages:
        here = not published and _alive(started, listed)
        return "running" if here or (published and heard) else "crashed"
    if badly := next((word for word in WORST if word in stages.values()), ""):
        return badly
    if "end" in said or "ends_with" not in begun:
        return "done"
    if by_hand:
        return "stopped" if "train" in stages else "done"
    return "running" if heard else "crashed"


def _stages(listed: list[Event]) -> tuple[dict[str, Event], dict[str, str]]:
    """The last start of each stage, and how it ended; what a stage says on its way is no end."""
    started: dict[str, Event] = {}
    ended: dict[str, str] = {}
    for event in listed:
        name, status = event["stage"], event["status"]
        if status == "start":
            started[name] = event
        if name != "run" and (status == "start" or "seconds" in event or name not in started):
            ended[name] = status
    return started, ended


def _alive(started: dict[str, Event], listed: list[Event]) -> bool:
    """Does the process live that began the last stage, or the run?"""
    begun = [event for event in listed if event["status"] == "start" and event.get("pid")]
    here = started.get("run", {}).get("machine") in (None, platform.node())
    if not begun or not here:
        return False
    try:
        os.kill(int(begun[-1]["pid"]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start(listed: list[Event]) -> str:
    return str(listed[0]["at"])


# ---- time ----
