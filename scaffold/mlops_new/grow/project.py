"""A project: a repository that was made from the template, or adopted."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, require, run
from mlops_new.template import releases
from mlops_new.template.answers import ANSWERS


@dataclass(frozen=True)
class Project:
    root: Path  # where the answers are
    top: Path  # of its Git repository; another folder in a repository of several projects
    answers: dict[str, Any]
    template: str  # tag of the version it was made from or last updated to
    origin: str  # where that is published, as Copier writes it: gh:OWNER/REPO

    @property
    def inside(self) -> Path:
        """Path of the project in its Git repository."""
        return self.root.relative_to(self.top)

    @property
    def own_answers(self) -> dict[str, Any]:
        """The answers without those that Copier records for itself."""
        return {key: value for key, value in self.answers.items() if not key.startswith("_")}


def find_root(start: Path) -> Path | None:
    """This folder or the nearest one above it that has the answers of a project; None if there is none."""
    return next((at for at in (start, *start.parents) if (at / ANSWERS).is_file()), None)


def find_project(start: Path) -> Project:
    """Find the project of this folder or of one above it. Raises MlopsNewError."""
    require("git")
    root = find_root(start)
    if not root:
        raise MlopsNewError(
            f"There is no {ANSWERS} in {start} or above it: this was not made by mlops-new.",
            "Go to a repository that was, or bring this one in with `mlops-new adopt`.",
        )
    answers = _answers(root / ANSWERS)
    try:
        top = Path(run(["git", "rev-parse", "--show-toplevel"], root).strip())
        run(["git", "rev-parse", "--verify", "--quiet", "HEAD"], root)
    except ProcessError as error:
        raise MlopsNewError(
            f"{root} has no commit: {error.stderr or 'there is no HEAD'}.",
            "What grows must be in Git, so that you can look at what changed: git init, git add, git commit.",
        ) from error
    return Project(root, top, answers, str(answers["_commit"]), str(answers["_src_path"]))


def _answers(path: Path) -> dict[str, Any]:
    import yaml  # a fifth of what `--help` takes

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MlopsNewError(
            f"{path} cannot be read: {error}",
            f"Take it from an older commit: git checkout HEAD~1 -- {path.name}",
        ) from error
    missing = [
        key for key in ("_commit", "_src_path") if not isinstance(content, dict) or not content.get(key)
    ]
    if missing:
        raise MlopsNewError(
            f"{path} has no {' and no '.join(missing)}: the template it was made from is not known.",
            "Both were written when the repository was made: see git log -p " + path.name,
        )
    return {str(key): value for key, value in content.items()}


def check_clean(project: Project) -> None:
    """Raise MlopsNewError if something is not committed: nobody could tell it from the update."""
    changed = run(["git", "status", "--porcelain", "-z"], project.top)
    names = list(_names(changed))
    if names:
        shown = "\n".join(f"  {name}" for name in names[:10])
        more = f"\n  and {len(names) - 10} more" if len(names) > 10 else ""
        raise MlopsNewError(
            f"{project.top} has changes that are not committed:\n{shown}{more}",
            "Commit them, or put them aside: git stash --include-untracked",
        )


def _names(porcelain: str) -> Iterator[str]:
    entries = iter(porcelain.split("\0"))
    for entry in entries:
        if entry:
            yield entry[3:]
        if entry[:2].strip()[:1] in ("R", "C"):
            next(entries, None)  # the name it had before


def check_version(project: Project, tags: list[str]) -> None:
    """Raise MlopsNewError if this command does not have the version of the template that the project has."""
    if project.template in tags:
        return
    try:
        newer = releases.numbers(project.template) > releases.numbers(tags[-1])
    except ValueError:
        newer = False
    number = project.template.removeprefix("v")
    if newer:
        raise MlopsNewError(
            f"{project.root.name} was made with template {project.template}; this mlops-new knows up to {tags[-1]}.",
            f"Run the newer one: uvx mlops-new@{number} ..., or install it: uv tool install mlops-new=={number}",
        )
    raise MlopsNewError(
        f"{project.root.name} was made with template {project.template}, which was never released "
        f"(released: {', '.join(tags)}).",
        f"Write the version that is nearest as _commit into {ANSWERS} and commit it.",
    )


def check_origin(project: Project, publisher: str) -> None:
    """Raise MlopsNewError if the project's template is published by somebody else."""
    places = (f"gh:{publisher}", f"https://github.com/{publisher}", f"https://github.com/{publisher}.git")
    if project.origin.rstrip("/") not in places:
        raise MlopsNewError(
            f"{project.root.name} was made from {project.origin}; this mlops-new carries gh:{publisher}.",
            f"Use the mlops-new that {project.origin} publishes, or Copier itself: uvx copier update",
        )
