"""The versions of a model, as the Git tags of this clone and of origin say."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.versions import foreign, stages, tags

NUMBER = re.compile(r"v(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
FIRST = (0, 1, 0)
FAR = 100_000_000  # from this number on, a tag of others would leave too few for the versions after it
BUMPS = ("major", "minor", "patch")

Number = tuple[int, int, int]


@dataclass(frozen=True)
class Version:
    model: str
    number: Number
    commit: str  # the commit that holds lock, metrics and record
    created: str  # ISO 8601, of the tag
    tag: str

    @property
    def name(self) -> str:
        return "v" + ".".join(map(str, self.number))


def fetch(repository: Repository, model: str) -> None:
    """Brings the model's tags of origin, however shallow the clone is."""
    commits.fetch(repository, *tags.refspecs(model))


def only_here(repository: Repository, model: str) -> list[str]:
    """The model's tags that origin does not have; none where there is no origin. Raises KitError when it is silent."""
    if not repository.has_origin:
        return []
    listed = repository.git_online("ls-remote", "--refs", "origin", *tags.globs(model))
    at_origin = {line.partition("\t")[2] for line in listed.splitlines()}
    patterns = [*tags.patterns(model, tags.VERSION), *tags.patterns(model, tags.STAGE)]
    local_refs = repository.git("for-each-ref", "--format=%(refname)", *patterns).splitlines()
    return [tags.tag_of(ref) for ref in local_refs if ref not in at_origin]


def versions(repository: Repository, model: str) -> list[Version]:
    """The versions of this clone, lowest number first, without those that were taken back.

    Tags that `register` did not make are left out: `versions/foreign.py`.
    """
    last = {version: taken for version, taken in _events(repository, model)}
    registered = foreign.own(repository, [version for version, taken in last.items() if not taken])
    return sorted(registered, key=lambda version: version.number)


def _events(repository: Repository, model: str) -> Iterator[tuple[Version, bool]]:
    """Each registration and, with True, each that takes a version back, in the order in which they count."""
    known: dict[Number, Version] = {}
    for tag in tags.read(repository, model, tags.VERSION):
        if match := NUMBER.fullmatch(tag.subject):
            number = (int(match[1]), int(match[2]), int(match[3]))
            version = Version(model, number, tag.commit, tag.at.isoformat(), tag.name)
            yield known.setdefault(number, version), tag.takes_back


def highest(repository: Repository, model: str) -> Number | None:
    """The largest number that was ever given; one that was taken back is not given again.

    A tag that `register` did not make counts unless its number is so large that few would be left.
    """
    known = [version for version, _ in _events(repository, model)]
    own = set(foreign.own(repository, [version for version in known if max(version.number) >= FAR]))
    return max((one.number for one in known if max(one.number) < FAR or one in own), default=None)


def next_free(repository: Repository, model: str, bump: str) -> Number:
    """The number of the next version. One whose tag is there already is left out."""
    number = next_number(highest(repository, model), bump)
    while tags.exists(repository, tags.version_tag(model, "v" + ".".join(map(str, number)))):
        number = next_number(number, bump)
    return number


def newest(repository: Repository, model: str) -> Version | None:
    newest_first = reversed(versions(repository, model))
    return next((version for version in newest_first if foreign.is_sound(repository, version)), None)


def in_stage(repository: Repository, model: str, stage: str) -> Version | None:
    """The version that is in a stage now."""
    stay = stages.current_stay(stages.assignments(repository, model), stage)
    by_commit = {version.commit: version for version in versions(repository, model)} if stay else {}
    version = by_commit.get(stay.commit) if stay else None
    return version if version and foreign.is_sound(repository, version) else None


def champion(repository: Repository, model: str, stage: str) -> Version | None:
    """The version in the stage; before any promotion, the newest one."""
    return in_stage(repository, model, stage) or newest(repository, model)


def find(repository: Repository, model: str, name: str) -> Version:
    """A version by v0.3.0, 0.3.0 or flights@v0.3.0. Raises KitError listing what there is."""
    registered = versions(repository, model)
    version_name = tags.version_in(model, name)
    for version in registered:
        if version.name == version_name and foreign.is_sound(repository, version):
            return version
    for version, taken in _events(repository, model):
        if version.name == version_name and not taken and (why := foreign.fault(repository, version)):
            raise KitError(
                f"{version.tag} has no record that `mlops-kit register` made: {why}.", "Use another one."
            )
    newest_first = ", ".join(version.name for version in reversed(registered[-5:])) or "none yet"
    raise KitError(f"{model} has no version {name!r}.", f"The newest: {newest_first}.")


def next_number(number: Number | None, bump: str) -> Number:
    if number is None:
        return FIRST
    place = BUMPS.index(bump)
    major, minor, patch = (
        count + 1 if at == place else count if at < place else 0 for at, count in enumerate(number)
    )
    return major, minor, patch


def refresh(repository: Repository, model: str, say: Callable[[str], None]) -> None:
    """Brings the tags where origin can be reached; else says that this clone's have to do."""
    try:
        fetch(repository, model)
    except KitError as error:
        last = error.what.splitlines()[-1]
        say(f"origin cannot be reached ({last}); working with the versions that are here")
