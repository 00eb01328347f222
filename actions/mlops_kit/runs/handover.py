"""The hand-over between two jobs of a run: a folder of named files.

The first job runs the project's code and has no right to write to the repository. The second has that right and
runs no code of the project. Everything that it receives is read here, with limits on size and depth. Other
rooms define the strict model of each file, and recompute what Git and the runner know.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mlops_kit.base import strict
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.runs import event_schema
from mlops_kit.runs import events as run_events
from mlops_kit.runs.event_schema import RUN_ID, Expected, Taken
from mlops_kit.runs.events import Journal

LARGEST = 8_000_000  # bytes of a file; a lock of 50,000 entries is no larger
EVENTS, RUN = "events.jsonl", "run"  # the events of the run, and its id

M = TypeVar("M")


@dataclass(frozen=True)
class Handover:
    folder: Path
    names: tuple[str, ...]  # of the files that belong to it; other files of the folder are left alone
    holds: str  # what it holds, for errors
    again: str  # what to do if it does not

    # ---- the job that hands over ----

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write each file atomically, texts in UTF-8, and remove those of an earlier run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            if name not in files:
                (self.folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            part = self.folder / f"{name}.part"
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(self.folder / name)

    # ---- the job that receives ----

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def content(self, name: str) -> bytes:
        """The bytes of a file. Raises KitError if it is missing, is no file, or is larger than LARGEST."""
        path = self.folder / name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise KitError(f"{path} is a link or a device, not a file.", self.again)
            with path.open("rb") as stream:
                content = stream.read(LARGEST + 1)
        except OSError as error:
            raise KitError(f"{self.folder} holds no {self.holds}: {error}.", self.again) from error
        if len(content) > LARGEST:
            size = f"{path.lstat().st_size:,} bytes; a file that is handed over has {LARGEST:,} at most"
            raise KitError(f"{path} has {size}.", self.again)
        return content

    def text(self, name: str) -> str:
        try:
            return self.content(name).decode()
        except UnicodeError as error:
            raise KitError(f"{self.folder / name} is not UTF-8: {error}.", self.again) from error

    def payload(self, name: str, model: type[M], what: str) -> M:
        """The content of a JSON file as a strict model. Raises KitError: it is not `what`, with field and value."""
        return strict.parse(model, self.content(name), str(self.folder / name), f"is not {what}", self.again)

    def events(self, expected: Expected) -> Taken:
        """The events of the run, without those that are damaged, of another run, or not of the job's stages.

        Damaged events do not stop a registration. Raises KitError if the file is too large.
        """
        if not self.has(EVENTS):
            return Taken()
        lines = self.content(EVENTS).decode(errors="replace").split("\n")
        return event_schema.take([run_events.parsed(line) for line in lines if line.strip()], expected)

    def journal(
        self, repository: Repository, expected: Mapping[str, frozenset[str]], facts: frozenset[str]
    ) -> Journal:
        """Take over the run that the first job began. Raises KitError if the events are not all of that run."""
        run = self.text(RUN).strip()
        if not RUN_ID.fullmatch(run) or not run_events.is_of_this_workflow_run(run):
            raise KitError(
                f"{self.folder / RUN} is {run[:80]!r}, which is not a run of this workflow run.", self.again
            )
        taken = self.events(Expected(expected, facts, lambda one: one == run))
        if taken.left_out:
            raise KitError(
                f"{self.folder / EVENTS} holds {taken.left_out} events that are damaged, of another run than {run}, "
                "or not of this job.",
                self.again,
            )
        journal = Journal(repository, run)
        journal.keep(taken.events)
        return journal
