"""Makes the repository: rendered, its data under DVC, one commit. All of it, or nothing."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_new.base import dvc_files, temporary
from mlops_new.base.errors import Misused, MlopsNewError
from mlops_new.base.names import NAME, RULE, proper
from mlops_new.base.processes import ProcessError, require, run
from mlops_new.create import own_data
from mlops_new.template import releases, render, tiers

REMOTES = (
    "s3",
    "gs",
    "azure",
    "ssh",
    "http",
    "https",
    "webdav",
    "webdavs",
    "gdrive",
    "oss",
    "hdfs",
    "webhdfs",
)
OWNER = re.compile(r"@[\w-]+(/[\w.-]+)?|[^@\s]+@[^@\s]+")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """What a person asked for. `target` is None for the embedded starter data."""

    path: Path
    data: Path | None = None
    target: str | None = None
    time: str | None = None
    task: str | None = None  # None: as the target's values say
    slices: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()  # LAYER[=TOOL] each
    remote: str = ""
    kit: str = "remote"
    code_owner: str = ""  # as GitHub's CODEOWNERS names people: @name, @organisation/team or an address

    @property
    def name(self) -> str:
        return self.path.resolve().name


@dataclass(frozen=True)
class Created:
    path: Path
    name: str
    files: int
    remote: str  # as DVC has it, empty for none
    tiers: dict[str, str]  # tool of each layer that is switched on
    notes: list[str] = field(default_factory=list)  # what was inferred of the person's own data


def create(wishes: Wishes, say: Say) -> Created:
    """Raises MlopsNewError when it cannot be made; then nothing is left behind."""
    target = wishes.path.resolve()
    try:
        check(wishes, target)
    except OSError as error:
        raise MlopsNewError(
            f"{wishes.path} cannot be looked at: {error.strerror}.", "Choose another name."
        ) from error
    with _staging(target) as stage:
        try:
            chosen = _tiers(wishes.tiers) if wishes.tiers else {}
            answers = _answers(wishes) | chosen
            render.render(stage, answers)
            _expect_no_package_of_the_name(stage, wishes.name)
            notes: list[str] = []
            if wishes.data:
                inferred = own_data.bring_in(stage, wishes, say)
                notes = inferred.notes
                render.render_again(stage, answers | inferred.answers)
            dvc_files.track(stage, stage / answers.get("data_file", render.STARTER_DATA))
            files = _first_commit(stage, wishes.name)
            _move(stage, target)
        except ProcessError as error:
            raise MlopsNewError(str(error), "Nothing was made.") from error
        except OSError as error:
            raise MlopsNewError(
                f"Writing {wishes.path} failed: {error.strerror or error}", "Nothing was made."
            ) from error
    return Created(target, wishes.name, files, answers["remote"], chosen, notes)


def check(wishes: Wishes, target: Path) -> None:
    """Everything that can be known to be wrong before a byte is written."""
    if not NAME.fullmatch(wishes.name):
        better = proper(wishes.name)
        raise MlopsNewError(
            f"{wishes.name!r} is not a name: {RULE}.",
            f"Try {better!r}." if better else "",
        )
    if target.exists():
        if not target.is_dir():
            raise MlopsNewError(f"{wishes.path} exists and is not a folder.", "Choose another name.")
        inside = sorted(path.name for path in target.iterdir())
        if inside:
            shown = ", ".join(inside[:3]) + (", ..." if len(inside) > 3 else "")
            raise MlopsNewError(
                f"{wishes.path} is not empty ({shown}).", "Choose another name or empty the folder."
            )
    require("git", *(["uv"] if wishes.data else []))
    _check_identity(target)
    if wishes.data:
        own_data.check(wishes.data, wishes.target)
    elif wishes.target or wishes.time or wishes.slices or wishes.task:
        raise Misused(
            "--target, --time, --task and --slice speak of your own data, and there is none.",
            "Add --data FILE, or leave them out for the starter data.",
        )
    if wishes.code_owner and not OWNER.fullmatch(wishes.code_owner):
        raise MlopsNewError(
            f"{wishes.code_owner!r} is nobody whom GitHub could ask for a review.",
            "Give --code-owner as @name, @organisation/team or an e-mail address.",
        )
    scheme, is_url, _ = wishes.remote.partition("://")
    if is_url and scheme not in REMOTES:
        raise MlopsNewError(
            f"DVC has no remote of the kind {scheme!r} ({wishes.remote}).",
            f"Known: {', '.join(REMOTES)}, or a folder.",
        )


def _check_identity(target: Path) -> None:
    nearest = next(parent for parent in target.parents if parent.is_dir())
    try:
        run(["git", "var", "GIT_COMMITTER_IDENT"], nearest)
        run(["git", "var", "GIT_AUTHOR_IDENT"], nearest)
    except ProcessError as error:
        raise MlopsNewError(
            "Git does not know who you are, so it cannot make the first commit.",
            'Tell it: git config --global user.name "Your Name"; '
            "git config --global user.email you@example.com",
        ) from error


def _expect_no_package_of_the_name(stage: Path, name: str) -> None:
    pins = (stage / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if any(pin.startswith(f"{name}==") for pin in pins):
        raise MlopsNewError(
            f"{name!r} is a package that the pipeline uses, and uv could not tell the two apart.",
            f"Choose another name, such as '{name}-model'.",
        )


def _answers(wishes: Wishes) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "project_name": wishes.name,
        "remote": _remote(wishes.remote),
        "kit": wishes.kit,
        "code_owner": wishes.code_owner,
    }
    if wishes.data:
        answers |= {"own_data": True, "data_file": own_data.path_for(wishes.data)}
    return answers


def _tiers(words: tuple[str, ...]) -> dict[str, str]:
    """Layer and tool of each. Raises MlopsNewError, listing what there is."""
    tag = releases.current()
    with temporary.folder("mlops-new-") as folder:
        return tiers.parse(words, tiers.read(releases.open_releases(folder), tag), tag)


def _remote(url: str) -> str:
    """A folder is made absolute: DVC would take it as relative to its own configuration."""
    return url if "://" in url or not url else Path(url).resolve().as_posix()


def _first_commit(stage: Path, name: str) -> int:
    """Makes it, and says how many files are in it."""
    run(["git", "init", "--quiet"], stage)
    run(["git", "symbolic-ref", "HEAD", "refs/heads/main"], stage)  # for Git before 2.28 too
    added = run(["git", "add", "--all", "--verbose"], stage)  # a line for each file
    message = f"Start {name}\n\nMade by mlops-new {releases.current()}."
    tidy = ["-c", "gc.auto=0", "-c", "maintenance.auto=false"]  # there is nothing to tidy up
    run(["git", *tidy, "commit", "--quiet", "--no-verify", f"--message={message}"], stage)
    return len(added.splitlines())


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A folder on the target's file system that is gone afterwards."""
    nearest = next(parent for parent in target.parents if parent.is_dir())
    with ExitStack() as stack:
        try:
            stage = stack.enter_context(temporary.folder(f".{target.name}.", nearest))
        except OSError as error:
            raise MlopsNewError(f"Cannot write in {nearest}: {error.strerror}.") from error
        stage.chmod(0o777 & ~_umask())
        yield stage


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _move(stage: Path, target: Path) -> None:
    """The finished repository to its place: one rename, or one for each entry of an existing folder."""
    missing = [parent for parent in (target, *target.parents) if not parent.exists()]
    try:
        if target in missing:
            target.parent.mkdir(parents=True, exist_ok=True)
            stage.rename(target)
            return
        moved: list[Path] = []
        try:
            for entry in sorted(stage.iterdir()):
                moved.append(entry.rename(target / entry.name))
        except BaseException:
            for entry in moved:
                entry.rename(stage / entry.name)
            raise
    except BaseException:
        for parent in missing[1:]:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise
