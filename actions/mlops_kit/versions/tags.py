"""A model's tags in GTO's format: how they are spelled, and how they are read. No other module spells them.

A version is `flights@v0.3.0`; the fourth assignment to a stage is `flights#production#4`. A `!` behind the version or
the stage takes it back.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops_kit.base import notices
from mlops_kit.base.markdown import one_line
from mlops_kit.project.repository import Repository

VERSION, STAGE = "@", "#"  # the sign behind the model's name
REFS = "refs/tags/"
FIELDS = (
    "%(refname:lstrip=2)",
    "%(objecttype)",
    "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)",
    "%(creatordate:unix)",
    "%(taggername)",
)


@dataclass(frozen=True)
class Tag:
    name: str
    subject: str  # the version or the stage: v0.3.0, production
    takes_back: bool
    count: int | None  # None for a tag that GTO calls simple
    annotated: bool
    commit: str
    at: datetime
    tagger: str
    message: str

    @property
    def order(self) -> tuple[datetime, int]:
        """GTO sorts by time; the count decides between two tags of one second."""
        return self.at, self.count or 0


# ---- how a tag is spelled ----


def version_tag(model: str, version: str | None) -> str:
    """For instance flights@v0.3.0."""
    return f"{model}{VERSION}{version}"


def stage_tag(model: str, stage: str, count: int) -> str:
    """For instance flights#production#4."""
    return f"{model}{STAGE}{stage}{STAGE}{count}"


def version_in(model: str, name: str) -> str:
    """v0.3.0, from v0.3.0, 0.3.0 or flights@v0.3.0."""
    return "v" + name.removeprefix(f"{model}{VERSION}").removeprefix("v")


def version_glob(model: str) -> str:
    """A pattern for every tag of a version, as rules of GitHub and messages name it: flights@*."""
    return f"{model}{VERSION}*"


def stage_glob(model: str) -> str:
    return f"{model}{STAGE}*"


# ---- refs ----


def ref(tag: str) -> str:
    """The full name of a tag; of a pattern, too."""
    return f"{REFS}{tag}"


def tag_of(full_ref: str) -> str:
    return full_ref.removeprefix(REFS)


def globs(model: str) -> list[str]:
    """The model's tags for `git ls-remote`, whose star crosses slashes."""
    return [ref(version_glob(model)), ref(stage_glob(model))]


def refspecs(model: str) -> list[str]:
    """The model's tags for `git fetch`, overwriting those of this clone."""
    return [f"+{glob}:{glob}" for glob in globs(model)]


def patterns(model: str, sign: str) -> list[str]:
    """Tags with VERSION or STAGE behind the model's name for `git for-each-ref`, whose star ends at a slash.

    A stage's name may hold slashes.
    """
    return [f"{REFS}{model}{sign}*", f"{REFS}{model}{sign}*/**"]


# ---- reading ----


def read(repository: Repository, model: str, sign: str, *, messages: bool = False) -> list[Tag]:
    """Tags with VERSION or STAGE behind the model's name, oldest first, by one Git process."""
    fields = [*FIELDS, "%(contents)" if messages else ""]
    form = "--format=" + "%00".join([*fields, ""])
    parts = repository.git("for-each-ref", form, *patterns(model, sign)).split("\0")
    wide = len(fields)
    rows = [parts[start : start + wide] for start in range(0, len(parts) - wide, wide)]
    pattern = re.compile(rf"{re.escape(model)}{re.escape(sign)}([^!#]+)(!?)(?:#(\d+))?")
    tags = []
    for name, kind, commit, moment, tagger, message in rows:
        name = name.lstrip("\n")
        if match := pattern.fullmatch(name):
            count = int(match[3]) if match[3] else None
            try:
                at = datetime.fromtimestamp(int(moment or 0), UTC)
            except (ValueError, OverflowError, OSError):
                notices.note(f"{one_line(name)} is left out: it is dated {moment}, which is no time.")
                continue
            about = match[1], bool(match[2]), count, kind == "tag"
            tags.append(Tag(name, *about, commit, at, tagger, message))
    return sorted(tags, key=lambda tag: tag.order)


def exists(repository: Repository, tag: str) -> bool:
    return repository.asks("rev-parse", "--verify", "--quiet", ref(tag))
