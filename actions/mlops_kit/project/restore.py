"""Lock, pointers and results as they were, kept until a training ends well."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository

ASIDE = Path(".mlops/before-training")


@contextmanager
def restore_on_failure(repository: Repository, outs: Iterable[str]) -> Iterator[None]:
    """DVC deletes a stage's outputs before it runs, writes half a lock when it fails, and takes data that was edited
    into its pointer: all of it is undone when the block fails or is interrupted. The data itself is not touched.

    What is kept of `outs` are links: a deleted file lives on in them, and none is read.
    """
    root, aside = repository.root, repository.root / ASIDE
    pointers = [path for path in repository.tracked() if path.endswith(".dvc")]
    texts = {root / path: _bytes(root / path) for path in (LOCK, *pointers)}
    kept = {root / path: aside / str(number) for number, path in enumerate(sorted(set(outs)))}
    remove(aside)
    for original, link in kept.items():
        _link(original, link)
    try:
        yield
    except BaseException:
        for path, content in texts.items():
            put(path, content)
        for original, link in kept.items():
            remove(original)
            if os.path.lexists(link):
                original.parent.mkdir(parents=True, exist_ok=True)
                link.rename(original)
        raise
    finally:
        remove(aside)


def put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif _bytes(path) != content:
        path.write_bytes(content)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _link(source: Path, target: Path) -> None:
    if not os.path.lexists(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, copy_function=_hard_link)
    else:
        _hard_link(source, target)


def _hard_link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(source, target, follow_symlinks=False)
