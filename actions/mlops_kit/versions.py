"""Versions of a model are Git tags in GTO's format: flights@v0.3.0, and flights#production#4 for a stage."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from mlops_kit import commits
from mlops_kit.errors import KitError
from mlops_kit.repository import Repository

FIRST = (0, 1, 0)
BUMPS = ("major", "minor", "patch")

Number = tuple[int, int, int]


@dataclass(frozen=True)
class Version:
    model: str
    number: Number
    commit: str  # the commit that holds lock, metrics and record
    created: str  # ISO 8601, of the tag

    @property
    def name(self) -> str:
        return "v" + ".".join(map(str, self.number))

    @property
    def tag(self) -> str:
        return f"{self.model}@{self.name}"


@dataclass(frozen=True)
class Assignment:
    """That a version was put into a stage; the one with the highest count holds."""

    model: str
    stage: str
    count: int
    commit: str
    created: str
    message: str


def fetch(repository: Repository, model: str) -> None:
    """Brings the model's tags of origin, however shallow the clone is."""
    commits.fetch(
        repository,
        f"+refs/tags/{model}@*:refs/tags/{model}@*",
        f"+refs/tags/{model}#*:refs/tags/{model}#*",
    )


def versions(repository: Repository, model: str) -> list[Version]:
    """Of this clone, oldest number first. One Git process, however many there are."""
    pattern = re.compile(rf"{re.escape(model)}@v(\d+)\.(\d+)\.(\d+)")
    found = []
    for name, commit, created, _ in _tags(repository, f"{model}@*"):
        if match := pattern.fullmatch(name):
            major, minor, patch = map(int, match.groups())
            found.append(Version(model, (major, minor, patch), commit, created))
    return sorted(found, key=lambda version: version.number)


def assignments(repository: Repository, model: str) -> list[Assignment]:
    """Oldest first."""
    pattern = re.compile(rf"{re.escape(model)}#([a-z][a-z0-9-]*)#(\d+)")
    found = []
    for name, commit, created, message in _tags(repository, f"{model}#*"):
        if match := pattern.fullmatch(name):
            found.append(Assignment(model, match[1], int(match[2]), commit, created, message))
    return sorted(found, key=lambda assignment: assignment.count)


def _tags(repository: Repository, pattern: str) -> list[list[str]]:
    form = "%(refname:lstrip=2)%09%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
    form += "%09%(creatordate:iso-strict)%09%(contents:subject)"
    listed = repository.git("for-each-ref", f"--format={form}", f"refs/tags/{pattern}")
    return [line.split("\t", 3) for line in listed.splitlines()]


def newest(repository: Repository, model: str) -> Version | None:
    found = versions(repository, model)
    return found[-1] if found else None


def in_stage(repository: Repository, model: str, stage: str) -> Version | None:
    """The version that is in a stage now."""
    held = [one for one in assignments(repository, model) if one.stage == stage]
    by_commit = {version.commit: version for version in versions(repository, model)}
    return by_commit.get(held[-1].commit) if held else None


def champion(repository: Repository, model: str, stage: str) -> Version | None:
    """The version in the stage; before any promotion, the newest one."""
    return in_stage(repository, model, stage) or newest(repository, model)


def named(repository: Repository, model: str, name: str) -> Version:
    """A version by v0.3.0, 0.3.0 or flights@v0.3.0. Raises KitError listing what there is."""
    found = versions(repository, model)
    wanted = "v" + name.removeprefix(f"{model}@").removeprefix("v")
    for version in found:
        if version.name == wanted:
            return version
    newest_first = ", ".join(version.name for version in reversed(found[-5:])) or "none yet"
    raise KitError(f"{model} has no version {name!r}.", f"The newest: {newest_first}.")


def after(number: Number | None, bump: str) -> Number:
    if number is None:
        return FIRST
    place = BUMPS.index(bump)
    return (*number[:place], number[place] + 1, *(0,) * (2 - place))  # type: ignore[return-value]  # three


def refresh(repository: Repository, model: str, say: Callable[[str], None]) -> None:
    """Brings the tags where origin can be reached; else says that this clone's have to do."""
    try:
        fetch(repository, model)
    except KitError as error:
        last = error.what.splitlines()[-1]
        say(f"origin cannot be reached ({last}); working with the versions that are here")
