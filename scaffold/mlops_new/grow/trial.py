"""What a change would do to a project, found out in a clone that is thrown away.

What came of it is applied to the project as one patch: all of it, or nothing. So what would change can be shown
before, and files that Git ignores are nobody's business.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_new.base import temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run
from mlops_new.grow import changes
from mlops_new.grow.changes import Changes, UnmergedFiles
from mlops_new.grow.project import Project, check_clean


@dataclass
class Trial:
    """Nothing of it is done before `apply`."""

    project: Project
    clone: Path
    patch: Path
    changes: Changes
    unmerged: UnmergedFiles
    edited: tuple[str, ...] = ()  # files that would be deleted although their owner edited them
    applied: bool = False

    def diff(self) -> str:
        """The patch as `git diff` prints it."""
        return self.patch.read_text(encoding="utf-8", errors="replace")

    def apply(self) -> None:
        """Raises MlopsNewError, and then nothing was changed."""
        self.applied = True
        if not self.changes.any:
            return
        try:
            with temporary.held_back():
                run(["git", "apply", "--whitespace=nowarn", self.patch], self.project.top)
                self.unmerged.mark(self.clone, self.project.top)
        except ProcessError as error:
            raise MlopsNewError(
                f"The changes do not fit on what is in {self.project.top}. Git says:\n{error.last_words()}",
                "Nothing was changed. Where it says `already exists`, a file that Git ignores is in the way.",
            ) from error


@contextmanager
def clone_of(project: Project) -> Iterator[Path]:
    """To change at will. Raises MlopsNewError naming what is not committed, or what Git cannot read."""
    check_clean(project)
    with temporary.folder("mlops-new-") as folder:
        clone = folder / "project"
        try:
            run(["git", "clone", "--quiet", "--shared", "--no-tags", project.top, clone], folder)
        except ProcessError as error:
            raise MlopsNewError(
                f"{project.top} could not be cloned, to try it there. Git says:\n{error.last_words()}",
                "Nothing was changed. `git fsck` says more of a repository that is damaged.",
            ) from error
        yield clone


def read(project: Project, clone: Path, edited: tuple[str, ...] = ()) -> Trial:
    """Of a clone that was changed; Git's index may have conflicts, which the trial keeps."""
    unmerged = UnmergedFiles.read(clone)
    run(["git", "add", "--all", "--force"], clone)  # also what the owner ignores, to see it
    patch = clone.parent / "trial.patch"
    run(["git", "diff", "--cached", "--binary", "--no-renames", f"--output={patch}", "HEAD"], clone)
    return Trial(project, clone, patch, changes.read(clone, unmerged.entries), unmerged, edited)
