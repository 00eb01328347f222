"""Move the new files from the copy into the repository: all of them, or none."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.request import AdoptRequest
from mlops_new.adopt.result import Adoption
from mlops_new.adopt.write import dvc_yaml, patches
from mlops_new.base import temporary
from mlops_new.base.processes import run


def deliver(copy: Path, repo: Repository, adoption: Adoption, request: AdoptRequest) -> None:
    """Move the new files to their places and add them to Git's index; undo all of it if that fails."""
    adoption.applied = request.apply
    results = [dvc_yaml.LOCK] if (copy / dvc_yaml.LOCK).is_file() and not repo.has(dvc_yaml.LOCK) else []
    adoption.adds = sorted({*adoption.adds, *results})
    outs = (
        [path for path in adoption.stage.outputs if (copy / path).exists()]
        if adoption.stage and adoption.ran
        else []
    )
    with temporary.delay_interrupt(), _undo_on_error() as undo_steps:
        for path in [*adoption.adds, *outs]:
            if not repo.has(path):
                undo_steps += _move(copy / path, repo.root / path)
        cache = copy / ".dvc/cache"
        if cache.is_dir() and not cache.is_symlink():
            undo_steps += _move(cache, repo.root / ".dvc/cache")
        undo_steps.append(_exclude(repo, adoption))
        run(
            ["git", "add", "--force", "--", *adoption.adds], repo.root
        )  # whatever their .gitignore says of ours
    if request.apply:
        for patch in adoption.patches:
            patch.apply(repo.root)
        run(["git", "add", "--", *(patch.path for patch in adoption.patches)], repo.root)
    elif adoption.patches:
        file = _git_path(repo, "mlops-new.patch")
        patches.write_patch_file(adoption.patches, file)
        adoption.patch_file = (
            file.relative_to(repo.root).as_posix() if file.is_relative_to(repo.root) else str(file)
        )


def _git_path(repo: Repository, name: str) -> Path:
    return repo.root / run(["git", "rev-parse", "--git-path", name], repo.root).strip()


Undo = Callable[[], object]


@contextmanager
def _undo_on_error() -> Iterator[list[Undo]]:
    undo_steps: list[Undo] = []
    try:
        yield undo_steps
    except BaseException:
        for undo in reversed(undo_steps):
            undo()
        raise


def _move(source: Path, target: Path) -> list[Undo]:
    """Move by renaming, or by copying to another file system."""
    undo: list[Undo] = []
    missing = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    undo += [parent.rmdir for parent in reversed(missing)]
    shutil.move(source, target)
    undo.append(lambda: shutil.rmtree(target) if target.is_dir() else target.unlink())
    return undo


def _exclude(repo: Repository, adoption: Adoption) -> Undo:
    """Add the missing lines of .gitignore to the list of this clone, until .gitignore has them."""
    file = _git_path(repo, "info/exclude")
    before = file.read_bytes() if file.is_file() else b""
    patch = next((patch for patch in adoption.patches if patch.path == ".gitignore"), None)
    if patch and not adoption.applied:
        lines = patch.after[len(patch.before) :].decode().strip().splitlines()
        patches.write_file(
            file,
            patches.with_lines(
                file.name, before, ["# by mlops-new adopt, until .gitignore has it:", *lines], ""
            ).after,
        )
    return lambda: file.write_bytes(before)
