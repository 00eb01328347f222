"""Git and DVC as facts: what is tracked, what a lock says, which remote there is."""

import configparser
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, environment, run
from mlops_kit.project import dvc_folders, online
from mlops_kit.project.lock import LOCK, Entry, Lock, file_md5, parse_lock, parse_pointer

HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
TREE = "tree"  # name of a temporary worktree
LISTED = ("ls-tree", "-r", "-z", "--name-only")


@dataclass(frozen=True)
class Remote:
    """DVC's default remote."""

    name: str
    url: str

    @property
    def shown(self) -> str:
        """Its address without credentials that somebody wrote into it."""
        return re.sub(r"(?<=://)[^/]*@|\?.*", "", self.url)


@dataclass(frozen=True)
class Repository:
    """A Git repository with DVC in its root. Methods that ask Git raise ProcessError, a KitError."""

    root: Path

    def git(self, *words: str, stdin: str | None = None, **more: str) -> str:
        return run(["git", *words], self.root, stdin=stdin, **more)

    def git_online(self, *words: str, seconds: float | None = None) -> str:
        """A Git command that asks origin, with login and deadline. Raises ProcessError.

        If origin did not answer in time, the next call fails at once.
        """
        return online.git(self.root, *words, seconds=seconds)

    def asks(self, *words: str) -> bool:
        """True when the Git command exits with 0."""
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=environment(), capture_output=True, check=False
        )
        return done.returncode == 0

    def commit(self, revision: str = "HEAD") -> str:
        """The commit's full hash. Raises KitError when there is none."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        try:
            return self.git(*words).strip()
        except ProcessError as error:
            if revision != "HEAD":
                raise
            says = f"{self.root} has no commit yet."
            raise KitError(says, "`git add --all && git commit`, then again.") from error

    @property
    def has_origin(self) -> bool:
        return self.asks("remote", "get-url", "origin")

    @property
    def slug(self) -> str | None:
        """OWNER/NAME of an origin on GitHub or an enterprise server."""
        if not self.has_origin:
            return None
        url = self.git("config", "--get", "remote.origin.url").strip()
        match = re.search(
            r"^(?:https?://[^/]+/|ssh://[^/]+/|[^/@]+@[^:/]+:)([\w.-]+/[\w.-]+?)(?:\.git)?/?$", url
        )
        return match[1] if match else None

    def tracked(self, revision: str | None = None) -> set[str]:
        """Paths in Git: of the index, or of a revision."""
        listed = self._git_at(revision, *LISTED, revision) if revision else self.git("ls-files", "-z")
        return set(listed.split("\0")) - {""}

    def dirty(self, *own: str) -> list[str]:
        """Changed or untracked paths, those in `own` left out."""
        listed = self.git("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
        return sorted({entry[3:] for entry in listed.split("\0") if entry} - set(own))

    def show(self, revision: str, path: str) -> str | None:
        """A file's text at a revision; None where it is not there."""
        try:
            return self._git_at(revision, "show", f"{revision}:{path}")
        except KitError:
            return None

    def _git_at(self, revision: str, *words: str) -> str:
        """The output of a Git command about a revision; cached if the revision is a full hash."""
        return _cached_git(self, *words) if HASH.fullmatch(revision) else self.git(*words)

    def text(self, path: str) -> str | None:
        """A file's text in the workspace; None where it is not there."""
        file = self.root / path
        try:
            return file.read_text(encoding="utf-8") if file.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            raise KitError(
                f"{path} cannot be read: {error}.", "It must be text in UTF-8, and yours to read."
            ) from error

    def lock(self, revision: str | None = None) -> Lock | None:
        """The lock in the workspace, or at a revision."""
        text = self.show(revision, LOCK) if revision else self.text(LOCK)
        return None if text is None else parse_lock(text)

    def pointers(self, revision: str | None = None) -> dict[str, Entry]:
        """The entries of all .dvc files, by path."""
        entries: dict[str, Entry] = {}
        for path in sorted(self.tracked(revision)):
            if path.endswith(".dvc"):
                text = self.show(revision, path) if revision else self.text(path)
                entries |= {entry.path: entry for entry in parse_pointer(text or "", path)}
        return entries

    def md5(self, path: str) -> str | None:
        """Of what is here, as DVC has it; None for what is not."""
        file = self.root / path
        return file_md5(file, self.dvc_ignored(path) if file.is_dir() else ()) if file.exists() else None

    def dvc_ignored(self, folder: str) -> set[Path]:
        """Files of a folder that .dvcignore leaves out."""
        if not (self.root / ".dvcignore").is_file():
            return set()
        matched = ("ls-files", "-z", "--ignored", "--exclude-from=.dvcignore")
        listed = [self.git(*matched, which, "--", folder) for which in ("--cached", "--others")]
        return {self.root / path for part in listed for path in part.split("\0") if path}

    @property
    def dvc_config_files(self) -> list[Path]:
        """Files of DVC's configuration, the machine's and the person's first; the last one that sets a key counts."""
        files = [folder / "config" for folder in dvc_folders.machine_and_person()]
        return [*files, self.root / ".dvc/config", self.root / ".dvc/config.local"]

    @property
    def remote(self) -> Remote | None:
        """DVC's default remote, from its own configuration files; None where there is none."""
        config = configparser.ConfigParser(interpolation=None)
        config.read(self.dvc_config_files, encoding="utf-8")
        name = config.get("core", "remote", fallback="").strip("\"'")
        url = config.get(f"'remote \"{name}\"'", "url", fallback="").strip("\"'")
        return Remote(name, url) if name else None

    @contextmanager
    def worktree(self, revision: str) -> Iterator["Repository"]:
        """Another version in a folder of its own, gone afterwards."""
        with temporary.folder() as folder, self.worktree_at(folder / TREE, revision) as tree:
            yield tree

    @contextmanager
    def worktree_at(self, path: Path, revision: str) -> Iterator["Repository"]:
        """A version in this folder, which must not exist yet; gone afterwards."""
        self.remove_abandoned_worktrees()
        # Without hooks: DVC's own would check data out, which is for the caller to say.
        add = ("-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--quiet", "--detach")
        self.git(*add, str(path), revision)
        try:
            yield Repository(path)
        finally:
            self.git("worktree", "remove", "--force", str(path))

    def remove_abandoned_worktrees(self) -> None:
        """Remove the worktrees of killed processes, and what Git remembers of worktrees whose folder is gone."""
        for line in self.git("worktree", "list", "--porcelain").splitlines():
            path = Path(line.removeprefix("worktree "))
            if line.startswith("worktree ") and path.name == TREE and temporary.is_abandoned(path.parent):
                shutil.rmtree(path.parent, ignore_errors=True)
        self.git("worktree", "prune")


@lru_cache(maxsize=256)
def _cached_git(repository: Repository, *words: str) -> str:
    return repository.git(*words)


def find(start: Path) -> Repository:
    """The repository around a folder. Raises KitError when there is none."""
    try:
        top = run(["git", "rev-parse", "--show-toplevel"], start).strip()
    except KitError as error:
        raise KitError(f"{start} is not in a Git repository.", "`git init`, or go to one.") from error
    return Repository(Path(top))
