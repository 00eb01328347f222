"""An update, tried in a temporary clone of the project.

The result is applied to the project as one patch: all of it, or nothing. So the changes can be shown before, and files
that Git ignores are never touched.
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
    """The result in the clone. `apply` brings it into the project."""

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
        """Apply the patch and mark the conflicts. Raises MlopsNewError, and then nothing was changed."""
        self.applied = True
        if not self.changes.any:
            return
        try:
            with temporary.delay_interrupt():
                run(["git", "apply", "--whitespace=nowarn", self.patch], self.project.top)
                self.unmerged.mark(self.clone, self.project.top)
        except ProcessError as error:
            raise MlopsNewError(
                f"The changes do not fit on what is in {self.project.top}. Git says:\n{error.last_words()}",
                "Nothing was changed. Where it says `already exists`, a file that Git ignores is in the way.",
            ) from error


@contextmanager
def clone_of(project: Project) -> Iterator[Path]:
    """Clone the project into a temporary folder. Raises MlopsNewError if it has uncommitted changes or is damaged."""
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
    """Read what was changed in the clone, with the conflicts that are in its index."""
    unmerged = UnmergedFiles.read(clone)
    run(["git", "add", "--all", "--force"], clone)  # also what the owner ignores, to see it
    patch = clone.parent / "trial.patch"
    run(["git", "diff", "--cached", "--binary", "--no-renames", f"--output={patch}", "HEAD"], clone)
    return Trial(project, clone, patch, changes.read(clone, unmerged.entries), unmerged, edited)
