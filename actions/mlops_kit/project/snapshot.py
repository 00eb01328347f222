"""A version as it was: its contract and lock from Git, its files from DVC's cache or remote, its own environment."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base import documents
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, run, words
from mlops_kit.project import contract as contracts
from mlops_kit.project.contract import FILE, FRAGMENTS, Contract
from mlops_kit.project.dvc_config import _share_cache, settings, settings_file
from mlops_kit.project.lock import Lock, file_md5, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import said_by_dvc, transfer

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
    repository: Repository
    revision: str  # a tag
    contract: Contract
    lock: Lock | None
    folder: Path  # where its files are put
    dvc: str  # today's command

    def is_todays(self, path: str) -> bool:
        """True when the version's output is, byte for byte, the one that is here."""
        theirs, here = self.lock.out(path) if self.lock else None, self.repository.root / path
        if theirs is None or not here.exists():
            return False
        return file_md5(self.repository.root / theirs.path) == theirs.md5

    def file(self, path: str) -> Path:
        """A copy of an output. Raises KitError when neither cache nor remote has it."""
        if self.is_todays(path):
            return self.repository.root / path
        to = self.folder / path
        if not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            if kept := self._kept(path):  # DVC would take a second, and asks for a remote
                shutil.copyfile(kept, to)
                return to
            try:
                self._ask("get", path, "--out", str(to))
            except ProcessError as error:
                said = said_by_dvc(error)
                raise KitError(f"{path} of {self.revision} cannot be had: {said}", GONE) from error
        return to

    def _kept(self, path: str) -> Path | None:
        """An output that is a file, or a file in one that is a folder, where this clone's cache has it."""
        out = self.lock.out(path) if self.lock else None
        kept = self._object(out.md5) if out else None
        if out is None or kept is None or not out.md5.endswith(".dir"):
            return kept
        inside = {one["relpath"]: one["md5"] for one in json.loads(kept.read_text("utf-8"))}
        md5 = inside.get(path.removeprefix(f"{out.path}/"))
        return self._object(md5) if md5 else None

    def _object(self, md5: str) -> Path | None:
        """Of this clone's cache, where it is whole; of a folder its list."""
        kept = object_path(Path(settings(self.repository).get("cache", "dir")), md5)
        return kept if kept.is_file() and file_md5(kept) == md5.removesuffix(".dir") else None

    def md5s(self, path: str) -> list[str]:
        """Of an output's files; what a folder holds is asked of cache or remote. Raises KitError when neither has it."""
        out = self.lock.out(path) if self.lock else None
        if out is None or not out.md5.endswith(".dir"):
            return [out.md5] if out else []
        kept = self._object(out.md5)
        wish = ("--recursive", "--show-hash", "--json")
        try:
            listed = kept.read_text("utf-8") if kept else self._ask("ls", path, *wish)
            return [str(one["md5"]) for one in json.loads(listed)]
        except (OSError, ProcessError, ValueError, TypeError, KeyError) as error:
            raise KitError(f"What {path} of {self.revision} holds cannot be had: {error}", GONE) from error

    def _ask(self, command: str, path: str, *wish: str) -> str:
        """What DVC says of an output of this revision, wherever data is now."""
        asked = [*words(self.dvc), command, ".", path, "--rev", self.revision, *wish]
        config = str(settings_file(self.repository, self.folder))
        return run([*asked, "--config", config], self.repository.root)

    @contextmanager
    def alive(self) -> Iterator[Repository]:
        """The version in a worktree with its environment and artifacts, gone afterwards."""
        with self.repository.worktree(self.revision) as tree:
            _share_cache(self.repository, tree)
            if self.contract.commands.install:
                run(words(self.contract.commands.install), tree.root)
            dvc, artifacts = self.contract.commands.dvc, self.contract.artifacts
            if self.repository.remote:
                transfer(tree, dvc, "pull", *artifacts)
            else:  # `pull` would give up before it has looked into the cache
                run([*words(dvc), "checkout", *artifacts], tree.root)
            yield tree


def take(repository: Repository, revision: str, folder: Path, dvc: str) -> Snapshot:
    """Raises KitError when the version has no contract that can be read."""
    contract = contract_at(repository, revision)
    return Snapshot(repository, revision, contract, repository.lock(revision), folder, dvc)
