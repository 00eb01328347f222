"""A copy of the repository to train in, where nothing of the owner's can break."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_new.adopt.read import repository
from mlops_new.adopt.read.repository import Repository
from mlops_new.base import temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import run
from mlops_new.base.progress import Progress


@contextmanager
def copy_of(repo: Repository, progress: Progress, paths: Collection[str] | None = None) -> Iterator[Path]:
    """Copy the repository, or these paths of it, into a temporary Git repository beside it."""
    beside = repo.root.parent if os.access(repo.root.parent, os.W_OK) else None
    with temporary.folder(f".{repo.root.name}.", beside) as copy:  # so that `..` is the same folder
        run(["git", "clone", "--quiet", "--shared", "--no-checkout", repo.root, copy], copy)
        run(["git", "reset", "--quiet"], copy)
        excluded = repo.root / ".git/info/exclude"
        if excluded.is_file():
            (copy / ".git/info").mkdir(exist_ok=True)
            shutil.copy(excluded, copy / ".git/info/exclude")
        scratch_folder(copy).mkdir()
        _copy(repo.root, copy, progress, paths)
        yield copy


def scratch_folder(copy: Path) -> Path:
    """A folder of the copy for files that neither Git nor the training sees."""
    return copy / ".git/mlops-new"


def _copy(root: Path, copy: Path, progress: Progress, paths: Collection[str] | None) -> None:
    entries = [
        entry
        for entry in repository.walk(root)
        if paths is None
        or any(_within(Path(entry.path).relative_to(root).as_posix(), path) for path in paths)
    ]
    mb = sum(entry.stat(follow_symlinks=False).st_size for entry in entries) // 1_000_000
    if mb > shutil.disk_usage(copy).free // 1_000_000:
        raise MlopsNewError(
            f"The training would run in a copy of {root}, and there is no room for its {mb:,} MB.",
            "Make room, or adopt without running: --no-run",
        )
    if mb > 500:
        progress(f"Copying {mb:,} MB, to train where nothing can be broken")
    for entry in entries:
        if "/.dvc/cache/" in entry.path or "/.dvc/tmp/" in entry.path:
            continue
        to = copy / Path(entry.path).relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_symlink() or entry.is_file():
            with suppress(PermissionError):  # what we may not read, the training may not either
                shutil.copy2(entry.path, to, follow_symlinks=False)
    if (root / ".dvc/cache").is_dir():
        _share_cache(root, copy)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/")


def _share_cache(root: Path, copy: Path) -> None:
    """Link DVC's cache of the original: files in it are named by their content, so none changes."""
    (copy / ".dvc/cache").symlink_to(root / ".dvc/cache")
