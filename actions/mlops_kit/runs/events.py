"""The events of a run as JSON lines, kept in `.mlops/events` and published to the branch `mlops/runs`."""

import json
import os
import platform
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mlops_kit.base import clock, files, github_env
from mlops_kit.base.clock import timestamp
from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import masked
from mlops_kit.forge import runner
from mlops_kit.project.repository import Repository
from mlops_kit.runs.event_schema import RUN_ID, is_readable

BRANCH = "mlops/runs"
LOCAL = Path(".mlops/events")
REJECTED = ".mlops/rejected"
CURRENT = Path(".mlops/run")  # the run that the next command goes on with
LAST = "register"  # the command that ends a run
GIVEN = "MLOPS_RUN"  # the run's id, set by an orchestrator for all commands of its run, and by us for hooks


def new_run_id() -> str:
    """The run's id: MLOPS_RUN; else, on a runner, GitHub's run id and attempt; else the time and random digits."""
    return named_run() or f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def named_run() -> str:
    """The id that an orchestrator or the runner gives the run; empty anywhere else."""
    if run_id := os.environ.get(GIVEN):
        if not RUN_ID.fullmatch(run_id):
            raise KitError(f"{GIVEN} is {run_id!r}.", "A run's id has letters, digits, dot, _ and - alone.")
        return run_id
    return runner.run_id()


def is_of_this_workflow_run(run: str) -> bool:
    """True for the run of this workflow run, in this attempt or an earlier one, and for its parts (ID-ATTEMPT-PART).

    An orchestrator names its run in MLOPS_RUN. Where neither names one, nothing says which run it is: True.
    """
    if given := os.environ.get(GIVEN):
        return run == given or run.startswith(f"{given}-")
    workflow_run, _, attempt = runner.run_id().partition("-")
    handed, _, rest = run.partition("-")
    begun = rest.partition("-")[0]
    if not workflow_run:
        return True
    return handed == workflow_run and begun.isdecimal() and len(begun) < 6 and 0 < int(begun) <= int(attempt)


@dataclass
class Journal:
    """The events of one run. Each is written at once, so that a killed run shows how far it came."""

    repository: Repository
    run: str

    @property
    def file(self) -> Path:
        return self.repository.root / LOCAL / f"{self.run}.jsonl"

    def emit(self, stage: str, status: str, **facts: Any) -> None:
        """`status` is start, end, failed or a word of the stage's own (closed, skipped, cached)."""
        event = {"run": self.run, "at": timestamp(), "stage": stage, "status": status}
        event |= {name: value for name, value in facts.items() if value is not None}
        line = masked(json.dumps(event, ensure_ascii=False, default=str))
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a+b") as stream:
            stream.write(_begin_of_line(stream) + line.encode("utf-8", "replace") + b"\n")

    def keep(self, events: Sequence[dict[str, Any]]) -> None:
        """Begin with the events that another job wrote, as events of this run."""
        lines = [json.dumps(event | {"run": self.run}, ensure_ascii=False) + "\n" for event in events]
        files.write(self.file, masked("".join(lines)))

    def events(self) -> list[dict[str, Any]]:
        """The events so far. Lines that a killed process or a full disk cut off are left out."""
        events = []
        for line in self.file.read_text(encoding="utf-8", errors="replace").split("\n"):
            with suppress(ValueError, RecursionError):
                events.append(json.loads(line))
        return [event for event in events if isinstance(event, dict) and {"stage", "status"} <= event.keys()]

    @property
    def is_over(self) -> bool:
        return self.file.exists() and any(map(ends, self.events()))

    def end(self) -> None:
        """Mark the run as over. A run without this event was killed or abandoned."""
        self.emit("run", "end")

    @contextmanager
    def stage(self, name: str, **facts: Any) -> Iterator[dict[str, Any]]:
        """Emit start, then end or failed with seconds. The end has the facts that the block puts into the mapping."""
        begin = time.monotonic()
        self.emit(name, "start", pid=os.getpid(), **facts)
        end_facts: dict[str, Any] = {}
        try:
            yield end_facts
        except BaseException as error:
            self.emit(name, "failed", seconds=_since(begin), error=str(error) or type(error).__name__)
            raise
        self.emit(name, end_facts.pop("status", "end"), seconds=_since(begin), **end_facts)


def _begin_of_line(stream: BinaryIO) -> bytes:
    """A line end if the last line was cut off, so that it spoils no other."""
    if stream.seek(0, os.SEEK_END):
        stream.seek(-1, os.SEEK_END)
        return b"" if stream.read(1) == b"\n" else b"\n"
    return b""


def ends(event: dict[str, Any]) -> bool:
    """True for the event that ends a run. Later events, for instance of an alarm, do not change its status."""
    return (event["stage"], event["status"]) == ("run", "end")


def _since(begin: float) -> float:
    return round(time.monotonic() - begin, 3)


def begin(repository: Repository) -> Journal:
    """A new run, which the following commands go on with; an orchestrator's or a runner's own goes on."""
    journal = alone(repository)
    files.write(repository.root / CURRENT, journal.run)
    return journal


def alone(repository: Repository, part: str = "") -> Journal:
    """A new run that no other command goes on with; an orchestrator's or a runner's own goes on.

    `part`: a run beside it, for a job that shares GitHub's number with others and publishes by itself.
    """
    journal = Journal(repository, f"{new_run_id()}-{part}" if part else new_run_id())
    event = runner.event_name()
    if not journal.file.exists():
        journal.emit(
            *("run", "start"),
            commit=repository.commit(),
            machine=None if runner.on_runner() else platform.node(),
            pid=os.getpid(),
            ends_with=LAST,
            event_name=event if event != runner.BY_HAND else None,
            actor=github_env.actor() or None,
            ref=github_env.ref() or None,
        )
    return journal


def go_on(repository: Repository) -> Journal:
    """The run that the last command began; a new one where there is none or it is over."""
    current = repository.root / CURRENT
    if GIVEN in os.environ or runner.run_id() or not current.is_file():
        return begin(repository)
    journal = Journal(repository, current.read_text(encoding="utf-8", errors="replace").strip())
    if not RUN_ID.fullmatch(journal.run):  # a full disk or a killed process cut it off
        return begin(repository)
    return begin(repository) if journal.is_over else journal


def keep_rejected(repository: Repository, run: str, record: str) -> None:
    files.write(repository.root / REJECTED / f"{run}.json", record)


def published_as(run: str, lines: str) -> str:
    """By the month in which the run began, so that publishing again finds the same file."""
    first = next((event for line in lines.split("\n") if is_readable(event := parsed(line))), None)
    day = clock.moment(first["at"]) if first else clock.now()
    return f"events/{day:%Y/%m}/{run}.jsonl"


def parsed(line: str) -> Any:
    """The JSON of a line; None where it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def read(lines: str) -> list[dict[str, Any]]:
    """Parse events, a JSON object a line. Raises KitError naming the line that is not JSON."""
    events = []
    for number, line in enumerate(lines.rstrip("\n").split("\n") if lines else [], 1):
        try:
            events.append(json.loads(line))
        except ValueError as error:
            raise KitError(
                f"Line {number} of the events is not JSON: {line[:80]!r}.",
                "Delete it: a process was killed while it wrote.",
            ) from error
    return events
