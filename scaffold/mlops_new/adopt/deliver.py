"""From the copy into the repository: all of it, or nothing."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_new.adopt.plan import Wishes
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.result import Adopted
from mlops_new.adopt.write import dvc_yaml, patches
from mlops_new.base import temporary
from mlops_new.base.processes import run


def bring(copy: Path, here: Place, made: Adopted, wishes: Wishes) -> None:
    """Moves what is new to its place and puts it into Git's index; undone where that fails."""
    made.applied = wishes.apply
    results = [dvc_yaml.LOCK] if (copy / dvc_yaml.LOCK).is_file() and not here.has(dvc_yaml.LOCK) else []
    made.adds = sorted({*made.adds, *results})
    outs = [path for path in made.stage.made if (copy / path).exists()] if made.stage and made.ran else []
    with temporary.delay_interrupt(), _undone() as moved:
        for path in [*made.adds, *outs]:
            if not here.has(path):
                moved += _move(copy / path, here.root / path)
        cache = copy / ".dvc/cache"
        if cache.is_dir() and not cache.is_symlink():
            moved += _move(cache, here.root / ".dvc/cache")
        moved.append(_exclude(here, made))
        run(["git", "add", "--force", "--", *made.adds], here.root)  # whatever their .gitignore says of ours
    if wishes.apply:
        for patch in made.patches:
            patch.apply(here.root)
        run(["git", "add", "--", *(patch.path for patch in made.patches)], here.root)
    elif made.patches:
        file = _of_git(here, "mlops-new.patch")
        patches.keep(made.patches, file)
        made.patch_file = (
            file.relative_to(here.root).as_posix() if file.is_relative_to(here.root) else str(file)
        )


def _of_git(here: Place, name: str) -> Path:
    return here.root / run(["git", "rev-parse", "--git-path", name], here.root).strip()


Undo = Callable[[], object]


@contextmanager
def _undone() -> Iterator[list[Undo]]:
    done: list[Undo] = []
    try:
        yield done
    except BaseException:
        for undo in reversed(done):
            undo()
        raise


def _move(source: Path, target: Path) -> list[Undo]:
    """By renaming, or by copying where the copy is on another file system."""
    undo: list[Undo] = []
    missing = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    undo += [parent.rmdir for parent in reversed(missing)]
    shutil.move(source, target)
    undo.append(lambda: shutil.rmtree(target) if target.is_dir() else target.unlink())
    return undo


def _exclude(here: Place, made: Adopted) -> Undo:
    """Until the .gitignore has them, the lines that it lacks stand in this clone's own list."""
    file = _of_git(here, "info/exclude")
    before = file.read_bytes() if file.is_file() else b""
    patch = next((one for one in made.patches if one.path == ".gitignore"), None)
    if patch and not made.applied:
        lines = patch.after[len(patch.before) :].decode().strip().splitlines()
        patches.put(
            file,
            patches.with_lines(
                file.name, before, ["# by mlops-new adopt, until .gitignore has it:", *lines], ""
            ).after,
        )
    return lambda: file.write_bytes(before)
