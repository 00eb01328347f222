"""What ran, when and how it ended: asked of the branch `mlops/runs` and of this machine, with no server."""

import json
import os
import platform
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops_kit import alarms, commits, events
from mlops_kit.alarms import Alarm
from mlops_kit.errors import KitError
from mlops_kit.processes import environment
from mlops_kit.repository import Repository

Event = dict[str, Any]
ALARM = "events-not-published"
AT_ONCE = 2000  # lines
NEEDED = {"run", "at", "stage", "status"}
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# From the worst: what a run is called when its stages ended differently.
WORST = ("failed", "rejected", "refused", "closed")


@dataclass(frozen=True)
class Run:
    """One run, summed up from its events."""

    run: str
    status: str  # done, failed, rejected, refused, closed, running or crashed
    start: str
    seconds: float
    trigger: str
    commit: str
    version: str
    stages: dict[str, str]  # name -> how it ended
    published: bool
    error: str = ""


@dataclass(frozen=True)
class Wish:
    """Which runs; an empty word does not matter."""

    stage: str = ""
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 0  # 0: all

    def wants(self, run: Run) -> bool:
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


@dataclass(frozen=True)
class Published:
    runs: list[str]
    note: str = ""
    alarm: str = field(default="")


def ask(repository: Repository, wish: Wish) -> tuple[list[Run], str]:
    """Runs, newest first, and what must be said beside them."""
    log = read(repository)
    runs = [summary(run, listed, run in log.published) for run, listed in log.events.items()]
    wanted = sorted(filter(wish.wants, runs), key=lambda run: run.start, reverse=True)
    return wanted[: wish.limit or None], log.note


def events_of(repository: Repository, run: str) -> list[Event]:
    """Every event of one run, in order. Raises KitError naming the newest runs when there is none."""
    log = read(repository)
    if run not in log.events:
        newest = sorted(log.events, key=lambda one: _start(log.events[one]), reverse=True)[:5]
        raise KitError(f"There is no run {run!r}.", f"The newest: {', '.join(newest) or 'none yet'}.")
    return log.events[run]


def read(repository: Repository) -> Log:
    """Of the branch, fetched where origin answers, and of this clone's own files."""
    note = ""
    try:
        tip = commits.remote_tip(repository, events.BRANCH)
    except KitError:
        note = "origin does not answer: what was fetched last, and the runs of this machine"
        tip = commits.tip(repository, f"refs/remotes/origin/{events.BRANCH}")
    published = _by_run(_lines(repository, tip)) if tip else {}
    found = dict(published)
    for run, text in local(repository).items():
        ours = _by_run(text.split("\n")).get(run, [])
        if len(ours) > len(found.get(run, [])):
            found[run] = ours
    return Log(found, set(published), note)


def local(repository: Repository) -> dict[str, str]:
    """The events files of this clone, by run."""
    folder = repository.root / events.LOCAL
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.jsonl"))}


def _lines(repository: Repository, tip: str) -> list[str]:
    """Every line of every events file: two processes, however many files there are."""
    listed = repository.git("ls-tree", "-r", "--format=%(objectname)", tip, "--", "events/")
    command = ["git", "cat-file", "--batch", "--buffer"]
    done = subprocess.run(
        command,
        cwd=repository.root,
        env=environment(),
        input=listed.encode(),
        capture_output=True,
        check=True,
    )
    text = done.stdout.decode(errors="replace")
    return [line for line in text.split("\n") if line.startswith("{")]


def _by_run(lines: list[str]) -> dict[str, list[Event]]:
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


def summary(run: str, listed: list[Event], published: bool) -> Run:
    started, stages = _stages(listed)
    open_stages = [name for name, how in stages.items() if how == "start"]
    begun = "run" in started and len(listed) == 1
    if any(event["stage"] == "run" and event["status"] == "crashed" for event in listed):
        status = "crashed"
    elif open_stages or begun:
        status = "running" if not published and _alive(started, listed) else "crashed"
        stages |= dict.fromkeys(open_stages, status)
    else:
        status = next((word for word in WORST if word in stages.values()), "done")
    facts = {name: value for event in listed for name, value in event.items()}
    error = next((str(event["error"]) for event in reversed(listed) if event.get("error")), "")
    first = listed[0]
    seconds = (moment(listed[-1]["at"]) - moment(first["at"])).total_seconds()
    trigger = str(facts.get("event_name") or "manual")
    commit = next((str(event["commit"]) for event in listed if event.get("commit")), "")
    named = commit, str(facts.get("version") or "")
    return Run(run, status, first["at"], seconds, trigger, *named, stages, published, error)


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


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def when(text: str, now: datetime | None = None) -> datetime:
    """A moment: 2026-11-24, 2026-11-24T08:00, or so long ago: 90m, 24h, 7d, 2w."""
    if found := re.fullmatch(r"(\d+)([mhdw])", text):
        ago = timedelta(**{UNITS[found[2]]: int(found[1])})
        return (now or datetime.now(UTC)) - ago
    try:
        return moment(text)
    except ValueError as error:
        raise KitError(
            f"{text!r} is no moment.", "Write 2026-11-24, 2026-11-24T08:00, or 24h, 7d, 2w for so long ago."
        ) from error


# ---- publish ----


def publish(repository: Repository) -> Published:
    """Puts this clone's runs onto the branch; one that is there and grew is brought up to date.

    Raises KitError after retries, with an alarm raised where that is possible; nothing else is undone.
    """
    try:
        tip = commits.remote_tip(repository, events.BRANCH)
        if new := _unpublished(repository, tip):
            commits.append(repository, events.BRANCH, new, f"Events of {_counted(new)}")
    except KitError as error:
        alarm = Alarm(ALARM, "Events of runs cannot be published", _explained(error))
        where = alarms.ring(repository, alarm)
        raise KitError(
            f"The events could not be published: {error.what}\nAlarm: {where}",
            "What was trained stands. `mlops-kit runs --publish` tries again.",
        ) from error
    cleared = alarms.clear(repository, ALARM, "Events are published again.") if new else ""
    return Published([_run(path) for path in new if path.endswith(".jsonl")], alarm=cleared)


def _unpublished(repository: Repository, tip: str | None) -> dict[str, bytes]:
    """Path and content of each run of this clone that the branch does not hold, or not all of."""
    known = _blobs(repository, tip) if tip else {}
    by_run = {_run(path): path for path in known}
    ours = local(repository)
    names = "".join(f"{events.LOCAL / run}.jsonl\n" for run in ours)
    hashes = repository.git("hash-object", "--no-filters", "--stdin-paths", stdin=names).split()
    found = {}
    for (run, text), blob in zip(ours.items(), hashes, strict=True):
        path = by_run.get(run) or events.published_as(run, text)
        if known.get(path) != blob and not _goes_on(run, text):
            theirs = (repository.show(tip, path) or "") if tip and path in known else ""
            if more := [line for line in text.split("\n") if line not in theirs.split("\n")]:
                found[path] = (theirs + "\n".join(more) + "\n").encode()
                if record := repository.text(f"{events.REJECTED}/{run}.json"):
                    found[f"rejected/{run}.json"] = record.encode()
    return found


def _run(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".jsonl")


def _goes_on(run: str, text: str) -> bool:
    """It would look like a crash to everybody else."""
    listed = _by_run(text.split("\n")).get(run, [])
    return not listed or summary(run, listed, published=False).status == "running"


def _blobs(repository: Repository, tip: str) -> dict[str, str]:
    """The events files of the branch, by path."""
    listed = repository.git("ls-tree", "-r", "-z", tip, "--", "events/")
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {path: facts.split()[2] for facts, _, path in entries}


def _counted(new: dict[str, bytes]) -> str:
    runs = [_run(path) for path in new if path.endswith(".jsonl")]
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"


def _explained(error: KitError) -> str:
    return (
        f"`mlops-kit runs --publish` failed:\n\n> {error.what.replace(chr(10), chr(10) + '> ')}\n\n"
        "The models that were trained stand; only the log of what ran is behind. "
        "The next run that can be published closes this issue."
    )
