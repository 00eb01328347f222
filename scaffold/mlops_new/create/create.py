"""Make a repository: render the template, put its data under DVC, make the first commit. All of it, or nothing."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_new.base import dvc_files, temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run
from mlops_new.base.progress import Progress
from mlops_new.create import environment, own_data
from mlops_new.create.own_data import text_of_sample
from mlops_new.create.request import CreateRequest, check_request
from mlops_new.template import releases, render, tiers


@dataclass(frozen=True)
class NewRepository:
    """What was made: `files` counts those of the first commit."""

    path: Path
    name: str
    files: int
    remote: str  # as DVC has it, empty for none
    tiers: dict[str, str]  # tool of each layer that is switched on
    notes: list[str] = field(default_factory=list)  # what was inferred of the person's own data
    warnings: list[str] = field(default_factory=list)  # for instance that there are too few rows
    locked: bool = True  # the first commit has uv.lock


def create(request: CreateRequest, progress: Progress) -> NewRepository:
    """Make the repository. Raises MlopsNewError if that fails, and leaves nothing behind."""
    target = request.path.resolve()
    try:
        check_request(request, target)
    except OSError as error:
        raise MlopsNewError(
            f"{request.path} cannot be looked at: {error.strerror}.", "Choose another name."
        ) from error
    with _draft_folder(target) as draft:
        try:
            tools = _parse_tiers(request.tiers) if request.tiers else {}
            answers = _answers(request) | tools
            render.render(draft, answers)
            _expect_no_package_of_the_name(draft, request.name)
            notes: list[str] = []
            warnings: list[str] = []
            if request.data:
                inferred = own_data.add(draft, request, progress)
                notes, warnings = inferred.notes, inferred.overview["warnings"]
                render.render_again(draft, answers | inferred.answers)
                progress(f"Making the first commit: {text_of_sample(inferred.overview['sample'])}")
            else:
                progress("Locking the tested versions")
                environment.lock_if_possible(draft)
            locked = (draft / "uv.lock").exists()
            dvc_files.track(draft, draft / answers.get("data_file", render.STARTER_DATA))
            files = _first_commit(draft, request.name)
            _move(draft, target)
        except ProcessError as error:
            raise MlopsNewError(str(error), "Nothing was made.") from error
        except OSError as error:
            raise MlopsNewError(
                f"Writing {request.path} failed: {error.strerror or error}", "Nothing was made."
            ) from error
    return NewRepository(target, request.name, files, answers["remote"], tools, notes, warnings, locked)


@dataclass(frozen=True)
class Plan:
    """What `create` would make."""

    path: Path
    name: str
    remote: str  # as DVC would have it, empty for none
    tiers: dict[str, str]
    inference: own_data.Inference | None  # of the person's own data


def plan(request: CreateRequest, progress: Progress) -> Plan:
    """Infer what `create` would make, in a temporary folder. Raises MlopsNewError as `create` does."""
    target = request.path.resolve()
    check_request(request, target)
    tools = _parse_tiers(request.tiers) if request.tiers else {}
    answers = _answers(request) | tools
    inference = None
    with temporary.folder("mlops-new-") as folder:
        rendered = folder / "rendered"
        try:
            render.render(rendered, answers)
            _expect_no_package_of_the_name(rendered, request.name)
            if request.data:
                inference = own_data.preview(rendered, request, progress)
        except ProcessError as error:
            raise MlopsNewError(str(error), "Nothing was made.") from error
    return Plan(target, request.name, answers["remote"], tools, inference)


def _expect_no_package_of_the_name(draft: Path, name: str) -> None:
    pins = (draft / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if any(pin.startswith(f"{name}==") for pin in pins):
        raise MlopsNewError(
            f"{name!r} is a package that the pipeline uses, and uv could not tell the two apart.",
            f"Choose another name, such as '{name}-model'.",
        )


def _answers(request: CreateRequest) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "project_name": request.name,
        "remote": _remote(request.remote),
        "kit": request.kit,
        "code_owner": request.code_owner,
    }
    if request.data:
        answers |= {"own_data": True, "data_file": own_data.repository_path(request.data)}
        answers |= {"sample": request.sample_kind}
    return answers


def _parse_tiers(words: tuple[str, ...]) -> dict[str, str]:
    """Layer and tool of each LAYER[=TOOL]. Raises MlopsNewError, which lists what there is."""
    tag = releases.current()
    with temporary.folder("mlops-new-") as folder:
        return tiers.parse(words, tiers.read(releases.open_releases(folder), tag), tag)


def _remote(url: str) -> str:
    """Make the path of a folder absolute: DVC reads a relative one from its own configuration."""
    return url if "://" in url or not url else Path(url).resolve().as_posix()


def _first_commit(draft: Path, name: str) -> int:
    """Make the first commit, and return the number of its files."""
    run(["git", "init", "--quiet"], draft)
    run(["git", "symbolic-ref", "HEAD", "refs/heads/main"], draft)  # for Git before 2.28 too
    # a line for each file; a person's own list of ignored files must not keep any of them out
    added = run(["git", "-c", f"core.excludesFile={os.devnull}", "add", "--all", "--verbose"], draft)
    message = f"Start {name}\n\nMade by mlops-new {releases.current()}."
    tidy = ["-c", "gc.auto=0", "-c", "maintenance.auto=false"]  # there is nothing to tidy up
    run(["git", *tidy, "commit", "--quiet", "--no-verify", f"--message={message}"], draft)
    return len(added.splitlines())


@contextmanager
def _draft_folder(target: Path) -> Iterator[Path]:
    """A temporary folder on the target's file system."""
    nearest = next(parent for parent in target.parents if parent.is_dir())
    with ExitStack() as stack:
        try:
            draft = stack.enter_context(temporary.folder(f".{target.name}.", nearest))
        except OSError as error:
            raise MlopsNewError(f"Cannot write in {nearest}: {error.strerror}.") from error
        draft.chmod(0o777 & ~_umask())
        yield draft


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _move(draft: Path, target: Path) -> None:
    """Move the repository to its place: by one rename, or one for each entry of an existing folder."""
    missing = [parent for parent in (target, *target.parents) if not parent.exists()]
    try:
        if target in missing:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(target)
            return
        moved: list[Path] = []
        try:
            for entry in sorted(draft.iterdir()):
                moved.append(entry.rename(target / entry.name))
        except BaseException:
            for entry in moved:
                entry.rename(draft / entry.name)
            raise
    except BaseException:
        for parent in missing[1:]:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise
