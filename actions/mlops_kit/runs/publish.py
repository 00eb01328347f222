"""Publish the events of runs on the branch `mlops/runs`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import plain
from mlops_kit.forge import alarms, github, runner
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events
from mlops_kit.runs import log as runs_module
from mlops_kit.runs.events import Journal

ALARM = "events-not-published"


@dataclass(frozen=True)
class PublishedRuns:
    runs: list[str]
    alarm: str = ""  # address of the alarm that was closed


def publish(repository: Repository) -> PublishedRuns:
    """Put this clone's runs onto the branch, and update those that grew.

    Raises KitError after retries, with an alarm raised where that is possible; nothing else is undone.
    """
    new: dict[str, bytes] = {}
    with _alarm_on_failure(repository):
        tip = commits.remote_tip(repository, events.BRANCH)
        if new := _unpublished_files(repository, tip):
            commits.append(repository, events.BRANCH, new, f"Events of {_runs_in_words(new)}")
    cleared = alarms.clear(repository, ALARM, "Events are published again.") if new else ""
    return PublishedRuns([_run(path) for path in new if path.endswith(".jsonl")], alarm=cleared)


def begin_publishing(repository: Repository, journal: Journal) -> str | None:
    """Put a run onto the branch before it is over, so that it is known if it is killed. Returns the branch's tip."""
    tip = None
    with suppress(KitError):  # the end of the run is published too, and an alarm raised where it cannot be
        tip = _append(repository, journal)
    if not _last_was_published(repository, tip):
        github.get_ready()
    return tip


def end_publishing(
    repository: Repository,
    journal: Journal,
    beside: Mapping[str, bytes] | None = None,
    begun: str | None = None,
) -> None:
    """Ends a run and puts it onto the branch, and small files `beside` it. Raises KitError as `publish` does.

    `begun` is where the branch stood after the beginning was published.
    """
    journal.end()
    with _alarm_on_failure(repository):
        _append(repository, journal, {**(beside or {}), **_latest()}, begun)
    if not _last_was_published(repository, begun):
        alarms.clear(repository, ALARM, "Events are published again.")


def _latest() -> dict[str, bytes]:
    """On a runner the file of its workflow, which holds the number of the newest run that was published."""
    workflow, number = runner.workflow_run()
    return {f"latest/{workflow}": f"{number}\n".encode()} if workflow else {}


def _last_was_published(repository: Repository, begun: str | None) -> bool:
    """Then this workflow left no alarm open, and GitHub is not asked: half a second of every merge."""
    workflow, number = runner.workflow_run()
    return bool(
        workflow and begun and (repository.show(begun, f"latest/{workflow}") or "").strip() == str(number - 1)
    )


def _append(
    repository: Repository,
    journal: Journal,
    beside: Mapping[str, bytes] | None = None,
    on: str | None = None,
) -> str:
    """All that the run said, and its record where the gates closed."""
    lines = journal.file.read_text(encoding="utf-8")
    files = {events.published_as(journal.run, lines): lines.encode(), **(beside or {})}
    if record := repository.text(f"{events.REJECTED}/{journal.run}.json"):
        files[f"rejected/{journal.run}.json"] = record.encode()
    return commits.append(repository, events.BRANCH, files, f"Events of run {journal.run}", on)


@contextmanager
def _alarm_on_failure(repository: Repository) -> Iterator[None]:
    try:
        yield
    except KitError as error:
        alarm = Alarm(ALARM, "Events of runs cannot be published", _explanation(error))
        where = alarms.ring(repository, alarm)
        raise KitError(
            f"The events could not be published: {error.what}\nAlarm: {where}",
            "What was trained stands. `mlops-kit runs --publish` tries again.",
        ) from error


def _unpublished_files(repository: Repository, tip: str | None) -> dict[str, bytes]:
    """Path and content of each run of this clone that the branch does not hold, or not all of."""
    known = _blobs(repository, tip) if tip else {}
    by_run = {_run(path): path for path in known}
    local_runs = runs_module.local(repository)
    names = "".join(f"{events.LOCAL / run}.jsonl\n" for run in local_runs)
    hashes = repository.git("hash-object", "--no-filters", "--stdin-paths", stdin=names).split()
    files = {}
    for (run, text), blob in zip(local_runs.items(), hashes, strict=True):
        path = by_run.get(run) or events.published_as(run, text)
        if known.get(path) != blob and not _is_running(run, text):
            published = (repository.show(tip, path) or "") if tip and path in known else ""
            if missing := [line for line in text.split("\n") if line not in published.split("\n")]:
                files[path] = (published + "\n".join(missing) + "\n").encode()
                if record := repository.text(f"{events.REJECTED}/{run}.json"):
                    files[f"rejected/{run}.json"] = record.encode()
    return files


def _run(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".jsonl")


def _is_running(run: str, text: str) -> bool:
    """True if the run still runs here, or has no events: published now, it would look like a crash to others."""
    run_events = runs_module.by_run(text.split("\n")).get(run, [])
    return not run_events or runs_module.summary(run, run_events, published=False).status == "running"


def _blobs(repository: Repository, tip: str) -> dict[str, str]:
    """The events files of the branch, by path."""
    listed = repository.git("ls-tree", "-r", "-z", tip, "--", "events/")
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {path: facts.split()[2] for facts, _, path in entries}


def _runs_in_words(new: dict[str, bytes]) -> str:
    names = [_run(path) for path in new if path.endswith(".jsonl")]
    return f"run {names[0]}" if len(names) == 1 else f"{len(names)} runs"


def _explanation(error: KitError) -> str:
    why = "\n".join(f"> {plain(line, 500)}" for line in error.what.splitlines() if line.strip())
    return (
        f"`mlops-kit runs --publish` failed:\n\n{why}\n\n"
        "The models that were trained stand; only the log of what ran is behind. "
        "The next run that can be published closes this issue."
    )
