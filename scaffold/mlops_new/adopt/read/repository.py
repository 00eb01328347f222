"""The repository to adopt: its root, the files that Git tracks, and why it cannot be adopted."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, require, run
from mlops_new.template.answers import ANSWERS

# Folders that hold no code or data of the repository's own.
SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", "site-packages",
        ".ipynb_checkpoints", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache",
        ".mlops", "mlops-run",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A Git repository. Paths are relative to `root`, with slashes."""

    root: Path
    within: str  # the folder that was asked for; empty for all of it
    branch: str
    tracked: frozenset[str]
    others: frozenset[str]  # neither tracked nor ignored

    @property
    def files(self) -> list[str]:
        """The files of the folder that was asked for."""
        paths = sorted(self.tracked | self.others)
        return [path for path in paths if not self.within or path.startswith(f"{self.within}/")]

    def has(self, path: str) -> bool:
        return (self.root / path).exists()

    def text(self, path: str) -> str:
        """The text of a file, empty if it does not exist; bytes that are not UTF-8 are replaced."""
        file = self.root / path
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def open_repository(path: Path) -> Repository:
    """Open the repository of this folder. Raises MlopsNewError if it cannot be adopted."""
    require("git")
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise MlopsNewError(f"{path} {what}.", "Name the folder of a Git repository.")
    root = _root(path)
    _refuse_twice(root)
    try:
        run(["git", "rev-parse", "--verify", "--quiet", "HEAD^{commit}"], root)
    except ProcessError as error:
        raise MlopsNewError(
            f"{root} has no commit yet.", "Make the first: git add --all && git commit"
        ) from error
    _refuse_dirty(root)
    within = path.resolve().relative_to(root).as_posix()
    return Repository(
        root,
        "" if within == "." else within,
        _branch(root),
        frozenset(_listed(root, "--cached")),
        frozenset(_listed(root, "--others", "--exclude-standard")),
    )


def _root(path: Path) -> Path:
    try:
        if run(["git", "rev-parse", "--is-bare-repository"], path).strip() == "true":
            raise MlopsNewError(f"{path} is a bare repository.", "Clone it, and adopt the clone.")
        return Path(run(["git", "rev-parse", "--show-toplevel"], path).rstrip("\n")).resolve()
    except ProcessError as error:
        words = error.stderr.splitlines()[0] if error.stderr else "Git says nothing."
        raise MlopsNewError(
            f"{path} is not in a Git repository that can be used: {words}",
            f"Make it one: cd {path} && git init && git add --all && git commit",
        ) from error


def _refuse_twice(root: Path) -> None:
    answers = root / ANSWERS
    text = answers.read_text(encoding="utf-8", errors="replace") if answers.is_file() else ""
    if "mlops-new" in text:
        how = "was adopted already" if "adopted: true" in text else "was made by mlops-new"
        raise MlopsNewError(f"{root} {how}.", "What is wrong with it, if anything: mlops-kit doctor")
    if (root / "mlops.yaml").exists():
        raise MlopsNewError(
            f"{root} has an mlops.yaml, so the kit operates it already.",
            "What is wrong with it, if anything: mlops-kit doctor",
        )


def _refuse_dirty(root: Path) -> None:
    listed = run(["git", "status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames"], root)
    if changed := [entry[3:] for entry in listed.split("\0") if entry]:
        shown = ", ".join(changed[:5]) + (f", ... ({len(changed)} in all)" if len(changed) > 5 else "")
        raise MlopsNewError(
            f"Changed and not committed: {shown}. What is added must be told from what was there.",
            "Commit the changes (git commit --all), or put them aside (git stash).",
        )


def _branch(root: Path) -> str:
    """The main branch of origin, or else the branch that is checked out."""
    for words in (["refs/remotes/origin/HEAD"], ["HEAD"]):
        try:
            name = run(["git", "symbolic-ref", "--quiet", "--short", *words], root).strip()
            return name.removeprefix("origin/")
        except ProcessError:
            continue
    return "main"


def _listed(root: Path, *how: str) -> Iterator[str]:
    for path in run(["git", "ls-files", "-z", *how], root).split("\0"):
        if path and not SKIPPED & set(path.split("/")):
            yield path


def walk(root: Path) -> Iterator[os.DirEntry[str]]:
    """Every file and link of the folder, without environments and caches."""
    with os.scandir(root) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED and not Path(entry.path, "pyvenv.cfg").exists():
                    yield from walk(Path(entry.path))
            else:
                yield entry


def ignored(root: Path, paths: list[str]) -> set[str]:
    """The paths among these that Git ignores."""
    if not paths:
        return set()
    try:
        listed = run(["git", "check-ignore", "--no-index", "--stdin", "-z"], root, stdin="\0".join(paths))
    except ProcessError as error:
        if error.code == 1:  # none
            return set()
        raise
    return set(listed.split("\0")) - {""}
