"""Heartbeat of the monitor: each check writes its time to `mlops/runs`, and each merge looks how old that is.

A schedule cannot report its own death: GitHub disables it after 60 quiet days, and with it every alarm.
"""

import json
from datetime import datetime, timedelta

from mlops_kit.alerts.kinds import KINDS, Kind
from mlops_kit.base import clock
from mlops_kit.forge import alarms
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events

FILE = "heartbeat.json"
SCHEDULES = ("schedule.yml", "mlops-schedule.yml")  # the second in a repository that was adopted
NAME: Kind = "monitor-dead"


def beat(hours: float) -> dict[str, bytes]:
    """Return the heartbeat file to publish. After `hours` without a newer one, the monitor counts as dead."""
    content = {"at": clock.timestamp(), "hours": hours}
    return {FILE: (json.dumps(content) + "\n").encode()}


def silent(repository: Repository, now: datetime | None = None) -> timedelta | None:
    """Return the time since the last check, if it is over the limit; None if not, or if there was no check yet.

    Reads the branch as it was fetched last: the caller has just published its own events.
    """
    tip = commits.tip(repository, f"refs/remotes/origin/{events.BRANCH}")
    text = repository.show(tip, FILE) if tip else None
    try:
        content = json.loads(text or "{}")
        at, limit = clock.moment(content["at"]), timedelta(hours=float(content["hours"]))
        since = (now or clock.now()) - at
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return since if since > limit else None


def schedule_file(repository: Repository) -> str | None:
    """Name of the scheduled workflow; None if there is none."""
    workflows = repository.root / ".github/workflows"
    return next((name for name in reversed(SCHEDULES) if (workflows / name).is_file()), None)


def look(repository: Repository) -> str:
    """Raise the alarm if it is due, and return a message; empty if it is not. The next check closes the alarm."""
    since = silent(repository)
    if since is None:
        return ""
    lasted = clock.lasting(since)
    text = (
        f"The last check ended {lasted} ago. Until the next one, nobody hears about drift, failing predictions or missing "
        "trainings.\n\n"
        f"{_mend(schedule_file(repository))}\n\n"
        "`mlops-kit doctor` looks for other problems. The next check closes this issue."
    )
    where = alarms.ring(repository, Alarm(NAME, KINDS[NAME].title, text))
    return f"The monitor has not run for {lasted}: {where}"


def _mend(file: str | None) -> str:
    if file is None:
        return "This repository has no scheduled workflow of mlops-new. Start the job that runs `mlops-kit monitor check`."
    return (
        "GitHub disables the schedule of a public repository after 60 days without activity. Enable it again:\n\n"
        f"    gh workflow enable {file} && gh workflow run {file}"
    )
