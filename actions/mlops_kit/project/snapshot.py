"""A version as it was: its contract and lock from Git, its files from DVC's cache or remote, its own environment."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base import documents
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, run_within, words
from mlops_kit.project import contract as contracts
from mlops_kit.project import hashed
from mlops_kit.project.contract import FILE, FRAGMENTS, Contract
from mlops_kit.project.dvc_config import settings, settings_file, share_cache
from mlops_kit.project.lock import Lock, file_md5, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import STALL, check, said_by_dvc, transfer
from mlops_kit.project.undo import remove

GONE = "Was it pushed (`dvc push`), and can the remote be reached?"


def contract_at(repository: Repository, revision: str) -> Contract:
    """Raises KitError when there is none, or one that this kit cannot read."""
    text = repository.show(revision, FILE)
    if text is None:
        raise KitError(f"{revision} has no {FILE}.", "`mlops-kit versions` lists what was made with one.")
    inside = repository.git("ls-tree", "--name-only", revision, f"{FRAGMENTS}/").splitlines()
    fragments = {
        name: documents.parse_yaml(repository.show(revision, name) or "", name)
        for name in sorted(inside)
        if name.endswith((".yaml", ".yml"))
    }
    return contracts.whole(documents.parse_yaml(text, FILE), fragments)


def readable_contract(repository: Repository, revision: str, today: Contract) -> Contract:
    """The version's own contract; today's where it has none, or one of a kit with other keys."""
    try:
        return contract_at(repository, revision)
    except KitError:
        return today


@dataclass(frozen=True)
class Snapshot:
    """A version's contract and lock, and access to its files."""

    repository: Repository
    revision: str  # a tag
    contract: Contract
    lock: Lock | None
    folder: Path  # where its files are put
    dvc: str  # today's command

    def is_todays(self, path: str) -> bool:
        """True if the version's output is, byte for byte, the one in the workspace."""
        out, local = self.lock.out(path) if self.lock else None, self.repository.root / path
        if out is None or not local.exists():
            return False
        return file_md5(self.repository.root / out.path) == out.md5

    def file(self, path: str) -> Path:
        """A copy of an output. Raises KitError when neither cache nor remote has it."""
        if self.is_todays(path):
            return self.repository.root / path
        to = self.folder / path
        if not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            if cached := self._cached_file(path):  # DVC would take a second, and asks for a remote
                shutil.copyfile(cached, to)
                return to
            self._get(path)
        return to

    def _get(self, path: str) -> None:
        """Bring the output around a path from the remote. Raises KitError if it is missing, AlteredError if altered."""
        out = self.lock.out(path) if self.lock else None
        name = out.path if out else path  # all of a folder: only its hash as a whole is in the lock
        to = self.folder / name
        remove(to)
        try:
            self._ask("get", name, "--out", str(to))
        except ProcessError as error:
            message = said_by_dvc(error)
            raise KitError(f"{path} of {self.revision} cannot be had: {message}", GONE) from error
        if out and (md5 := file_md5(to)) != out.md5:
            remove(to)
            raise hashed.AlteredError(
                f"{name} of {self.revision} was altered in the remote: found md5 {md5}, wanted {out.md5}.",
                "It was removed here, and nothing used it. Take another version, or put the right bytes into the remote.",
            )

    def _cached_file(self, path: str) -> Path | None:
        """The path in this clone's cache of an output, or of a file inside an output; None if it is not cached."""
        out = self.lock.out(path) if self.lock else None
        cached = self._cached_object(out.md5) if out else None
        if out is None or cached is None or not out.md5.endswith(".dir"):
            return cached
        inside = {entry["relpath"]: entry["md5"] for entry in json.loads(cached.read_text("utf-8"))}
        md5 = inside.get(path.removeprefix(f"{out.path}/"))
        return self._cached_object(md5) if md5 else None

    def _cached_object(self, md5: str) -> Path | None:
        """The path of an object in this clone's cache, for a folder of its list; None if it is absent or damaged."""
        cached = object_path(Path(settings(self.repository).get("cache", "dir")), md5)
        return cached if cached.is_file() and file_md5(cached) == md5.removesuffix(".dir") else None

    def md5s(self, path: str) -> list[str]:
        """The md5 of each file of an output. Raises KitError if a folder's list is in neither cache nor remote."""
        out = self.lock.out(path) if self.lock else None
        if out is None or not out.md5.endswith(".dir"):
            return [out.md5] if out else []
        cached = self._cached_object(out.md5)
        options = ("--recursive", "--show-hash", "--json")
        try:
            listed = cached.read_text("utf-8") if cached else self._ask("ls", path, *options)
            return [str(entry["md5"]) for entry in json.loads(listed)]
        except (OSError, ProcessError, ValueError, TypeError, KeyError) as error:
            raise KitError(f"What {path} of {self.revision} holds cannot be had: {error}", GONE) from error

    def _ask(self, command: str, path: str, *options: str) -> str:
        """The answer of a DVC command about an output of this revision."""
        ask = [*words(self.dvc), command, ".", path, "--rev", self.revision, *options]
        config = str(settings_file(self.repository, self.folder))
        return run_within([*ask, "--config", config], self.repository.root, stall=STALL)

    @contextmanager
    def alive(self) -> Iterator[Repository]:
        """The version in a worktree with its environment and artifacts, gone afterwards."""
        with self.repository.worktree(self.revision) as tree:
            if self.contract.commands.install:
                run_within(words(self.contract.commands.install), tree.root, stall=STALL)
            bring_outputs(self.repository, tree, self.contract.commands.dvc, self.contract.artifacts)
            yield tree


def bring_outputs(repository: Repository, tree: Repository, dvc: str, paths: Sequence[str]) -> None:
    """Put these outputs into a worktree of the repository, from its cache or today's remote.

    Raises AlteredError if one is not what the lock of the worktree names.
    """
    share_cache(repository, tree)
    if repository.remote:
        transfer(tree, dvc, "pull", *paths)
    else:  # `pull` would give up before it has looked into the cache
        lock = tree.lock()
        check(tree, [out for path in paths if lock and (out := lock.out(path))])
        run_within([*words(dvc), "checkout", *paths], tree.root, stall=STALL)


def take(repository: Repository, revision: str, folder: Path, dvc: str) -> Snapshot:
    """Raises KitError when the version has no contract that can be read."""
    contract = contract_at(repository, revision)
    return Snapshot(repository, revision, contract, repository.lock(revision), folder, dvc)
