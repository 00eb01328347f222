"""One `new_data.watch`, and what the pointer and DVC say about it."""

from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run_within, words
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import Entry, parse_pointer
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Watch
from mlops_kit.project.transfer import STALL, transfer


class NothingNew(Exception):
    """There is no new data: the reason, in a sentence."""


class OnBranch(NothingNew):
    """It is on the branch mlops/data already."""


@dataclass(frozen=True)
class Source:
    repository: Repository
    contract: Contract
    watch: Watch
    waiting: str | None  # the pointer's text on mlops/data, where that is not on main yet
    dry: bool = False

    @property
    def text(self) -> str:
        """The pointer's text as it is now. Raises KitError if there is no pointer."""
        text = self.repository.text(self.watch.pointer)
        if text is None:
            raise KitError(
                f"{self.watch.pointer}, which mlops.yaml watches, is not there.",
                "Make it with `dvc add` or `dvc import-url` first: it says where the data belongs.",
            )
        return text

    @property
    def entry(self) -> Entry:
        entries = parse_pointer(self.text, self.watch.pointer)
        if len(entries) != 1:
            raise KitError(
                f"{self.watch.pointer} names {len(entries)} outputs; exactly one can be watched.",
                "Give each a pointer of its own, and a new_data.watch.",
            )
        return entries[0]

    @property
    def path(self) -> Path:
        return self.repository.root / self.entry.path

    @property
    def name(self) -> str:
        """Where the data comes from."""
        if self.watch.folder:
            return f"{self.watch.folder.rstrip('/')}/{self.watch.pattern}"
        deps = parse_yaml(self.text, self.watch.pointer).get("deps") or []
        if not deps:
            raise KitError(
                f"{self.watch.pointer} was not made by `dvc import-url`, so nothing says where its data comes from.",
                "Name the folder where it lands: `folder:` in new_data.watch.",
            )
        return str(deps[0].get("path", ""))

    def dvc(self, *arguments: str) -> str:
        """Run a DVC command. Raises TimedOut if it does nothing for a minute: a remote or source is silent."""
        return run_within([*words(self.contract.commands.dvc), *arguments], self.repository.root, stall=STALL)

    def push(self) -> None:
        """Push the data. This comes before anybody can see the pointer, so that nobody finds it without its data."""
        if self.repository.remote:
            transfer(self.repository, self.contract.commands.dvc, "push", self.watch.pointer)

    def bring(self) -> None:
        """Fetch the pointer's data from the remote; without a remote, from the cache of this clone."""
        if self.repository.remote:
            transfer(self.repository, self.contract.commands.dvc, "pull", self.watch.pointer)
        else:
            self.dvc("checkout", "--quiet", self.watch.pointer)

    def not_waiting(self) -> None:
        """Raises OnBranch if the branch mlops/data has this data already."""
        if self.waiting and parse_pointer(self.waiting, self.watch.pointer) == [self.entry]:
            raise OnBranch("the new data waits on the branch mlops/data to be merged")
