"""Lock, pointers and results as they were, kept until a training ends well."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mlops_kit.project import undo
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository
from mlops_kit.project.undo import Undo

NAME = "training"


@contextmanager
def restore_on_failure(repository: Repository, outs: Iterable[str]) -> Iterator[None]:
    """DVC deletes a stage's outputs before it runs, writes half a lock when it fails, and takes data that was edited
    into its pointer: all of it is undone when the block fails or is interrupted, and by the next command when the
    process is killed. The data itself is not touched.
    """
    undo.recover(repository.root)
    kept = Undo(repository.root, NAME)
    for path in (LOCK, *(path for path in sorted(repository.tracked()) if path.endswith(".dvc"))):
        kept.keep_text(path)
    try:
        kept.keep_links(sorted(set(outs)))
        kept.write()
        yield
    except BaseException:
        kept.restore()
        kept.forget()
        raise
    kept.forget()
