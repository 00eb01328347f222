"""A model's tags in GTO's format, read with one Git process however many there are."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops_kit.project.repository import Repository

FIELDS = (
    "%(refname:lstrip=2)",
    "%(objecttype)",
    "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)",
    "%(creatordate:unix)",
    "%(taggername)",
)


@dataclass(frozen=True)
class Tag:
    """`flights@v0.3.0` or `flights#production#4`; with a `!` behind version or stage it takes back."""

    name: str
    subject: str  # what stands between sign and count: v0.3.0, production
    takes_back: bool
    count: int | None  # none for a tag that GTO calls simple
    annotated: bool
    commit: str
    at: datetime
    tagger: str
    message: str

    @property
    def order(self) -> tuple[datetime, int]:
        """GTO goes by time; a second that two tags share is settled by the count."""
        return self.at, self.count or 0


def patterns(model: str, sign: str) -> list[str]:
    """For `for-each-ref`, whose star ends at a slash; a stage may hold some."""
    return [f"refs/tags/{model}{sign}*", f"refs/tags/{model}{sign}*/**"]


def read(repository: Repository, model: str, sign: str, *, messages: bool = False) -> list[Tag]:
    """Tags with `@` (versions) or `#` (stages) behind the model's name, oldest first."""
    fields = [*FIELDS, "%(contents)" if messages else ""]
    form = "--format=" + "%00".join([*fields, ""])
    parts = repository.git("for-each-ref", form, *patterns(model, sign)).split("\0")
    wide = len(fields)
    rows = [parts[start : start + wide] for start in range(0, len(parts) - wide, wide)]
    pattern = re.compile(rf"{re.escape(model)}{re.escape(sign)}([^!#]+)(!?)(?:#(\d+))?")
    found = []
    for name, kind, commit, moment, tagger, message in rows:
        name = name.lstrip("\n")
        if match := pattern.fullmatch(name):
            count = int(match[3]) if match[3] else None
            at = datetime.fromtimestamp(int(moment or 0), UTC)
            about = match[1], bool(match[2]), count, kind == "tag"
            found.append(Tag(name, *about, commit, at, tagger, message))
    return sorted(found, key=lambda tag: tag.order)
