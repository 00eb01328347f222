"""The hand-over between two jobs of a run: a folder of named files.

The first job runs the project's code and has no right to write to the repository. The second has that right and
runs no code of the project. The room that the content belongs to gives its strict model, and checks against Git
what Git can tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mlops_kit.base import strict
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events
from mlops_kit.runs.events import Journal

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
        """The bytes of a file. Everything that is received is read here: the place for limits of size."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise KitError(f"{self.folder} holds no {self.holds}: {error}.", self.again) from error

    def text(self, name: str) -> str:
        try:
            return self.content(name).decode()
        except UnicodeError as error:
            raise KitError(f"{self.folder / name} is not UTF-8: {error}.", self.again) from error

    def payload(self, name: str, model: type[M], what: str) -> M:
        """The content of a JSON file as a strict model. Raises KitError: it is not `what`, with field and value."""
        return strict.parse(model, self.content(name), str(self.folder / name), f"is not {what}", self.again)

    def journal(self, repository: Repository) -> Journal:
        """Take over the run that the first job began. Raises KitError if the events are not all of that run."""
        run, lines = self.text(RUN).strip(), self.text(EVENTS)
        if not events.RUN_ID.fullmatch(run):
            raise KitError(f"{self.folder / RUN} is {run[:80]!r}, which is no run.", self.again)
        if others := [event for event in events.read(lines) if event.get("run") != run]:
            raise KitError(
                f"{self.folder / EVENTS} tells of another run, {others[0].get('run')!r}.", self.again
            )
        journal = Journal(repository, run)
        journal.keep(lines)
        return journal
