"""The folders of served versions: made once, shared by the servers of a repository, removed when none uses them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from mlops_kit.project.repository import Repository
from mlops_kit.versions.version import Version

VERSIONS = Path(".mlops/serving/versions")


class VersionFolders:
    """The folders that this server uses; they are released when the process ends, however it ends."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._held: dict[Path, int] = {}  # a file descriptor for each, which holds a shared lock

    def path(self, version: Version) -> Path:
        return self.repository.root / VERSIONS / version.name

    @contextmanager
    def hold(self, version: Version) -> Iterator[Path]:
        """Use the version's folder from now on. Inside the block no other server changes it."""
        folder = self.path(version)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "checkout.lock").open("w") as one_at_a_time:
            fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
            if folder not in self._held:
                self._held[folder] = os.open(_lock_of(folder), os.O_CREAT | os.O_RDWR)
                fcntl.flock(self._held[folder], fcntl.LOCK_SH)
            yield folder

    def check_out(self, version: Version) -> None:
        """A fresh worktree of the version, without DVC's outputs."""
        folder = self.path(version)
        self._remove(folder)
        # Without hooks: DVC's own would check all data out.
        add = ("-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--quiet", "--force", "--detach")
        self.repository.git(*add, str(folder), version.commit)

    def keep_only(self, *kept: Path) -> list[str]:
        """Release the other folders, and remove those that no server uses. Returns the names of the removed ones."""
        for folder in [folder for folder in self._held if folder not in kept]:
            os.close(self._held.pop(folder))
        folders = [path for path in (self.repository.root / VERSIONS).glob("*/") if path not in kept]
        return [folder.name for folder in folders if self._removed(folder)]

    def _removed(self, folder: Path) -> bool:
        with _lock_of(folder).open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another server uses it
                return False
            self._remove(folder)
        return True

    def _remove(self, folder: Path) -> None:
        if folder.exists() and not self.repository.asks("worktree", "remove", "--force", str(folder)):
            rmtree(folder)
        self.repository.git("worktree", "prune")


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
