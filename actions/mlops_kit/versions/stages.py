"""Which version was in which stage, and when: GTO's assignments, the tags of stages, and what takes them back.

As in GTO, the moment of a tag counts; an assignment that is taken back leaves the stage to the one before
it; a lightweight tag assigns nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mlops_kit.project.repository import Repository
from mlops_kit.versions import tags
from mlops_kit.versions.tags import Tag

EVERY = ""  # the stage of a version that was taken back: it is in none any more
PROMOTION, ROLLBACK = "promotion", "rollback"
SKEW = timedelta(minutes=1)  # less is nobody's wrong clock


@dataclass(frozen=True)
class Assignment:
    """That a version was put into a stage, or taken out of it."""

    stage: str
    commit: str
    at: datetime
    dated: datetime  # by the tag, which a wrong clock may have written
    count: int | None
    who: str
    why: str
    kind: str
    tag: str
    takes_back: bool = False
    was: str = ""  # what the stage held, as the one who wrote the tag saw it


@dataclass(frozen=True)
class Stay:
    """A version in a stage; without `until` it is there still."""

    commit: str
    since: datetime
    until: datetime | None
    put: Assignment


def assignments(repository: Repository, model: str) -> list[Assignment]:
    """Of every stage, in the order in which they count."""
    given = [
        _assignment(tag) for tag in tags.read(repository, model, tags.STAGE, messages=True) if tag.annotated
    ]
    gone = [
        _assignment(tag)
        for tag in tags.read(repository, model, tags.VERSION)
        if tag.takes_back and tag.annotated
    ]
    found = [*given, *(replace(one, stage=EVERY) for one in gone)]
    return _by_sane_clocks(sorted(found, key=lambda one: (one.dated, one.count or 0)))


def _assignment(tag: Tag) -> Assignment:
    why, said = split(tag.message)
    at = _by_our_clock(said.get("Clock", "")) if tag.at > datetime.now(UTC) + SKEW else None
    who = said.get("By") or tag.tagger
    kind, was = said.get("Kind", PROMOTION), said.get("Was", "")
    about = tag.subject, tag.commit, at or tag.at, tag.at, tag.count
    return Assignment(*about, who, why, kind, tag.name, tag.takes_back, was)


def _by_our_clock(text: str) -> datetime | None:
    """When a promotion was made that had to be dated after one of the future; None where nobody said so."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _by_sane_clocks(ordered: list[Assignment]) -> list[Assignment]:
    """Nothing happened after what came after it: a tag dated into the future counts from its successor's time."""
    found: list[Assignment] = []
    latest: datetime | None = None
    for one in reversed(ordered):
        latest = min(one.at, latest) if latest else one.at
        found.append(replace(one, at=latest))
    return found[::-1]


def message(title: str, why: str, **said: str) -> str:
    """Of a tag: the reason, and what else is known, a line each."""
    lines = "\n".join(f"{name}: {value}" for name, value in said.items() if value)
    return f"{title}\n\n{why.strip()}\n\n{lines}\n"


def split(text: str) -> tuple[str, dict[str, str]]:
    """The reason in a tag's message and the lines behind it; of a message that is not ours all of it."""
    _, *rest = text.strip().split("\n\n")
    pairs = [line.partition(": ") for line in rest[-1].splitlines()] if rest else []
    said = {name: value for name, _, value in pairs}
    return ("\n\n".join(rest[:-1]), said) if "Was" in said else (text.strip(), {})


# ---- what holds ----


def stays(ordered: Iterable[Assignment], stage: str) -> list[Stay]:
    """Who held the stage from when to when, oldest first."""
    held: dict[str, Assignment] = {}  # by commit, the one that holds last
    found: list[Stay] = []
    for one in ordered:
        if one.stage not in (stage, EVERY):
            continue
        held.pop(one.commit, None)
        if not one.takes_back:
            held[one.commit] = one
        commit = next(reversed(held), None)
        now = found[-1].commit if found and found[-1].until is None else None
        if commit != now or not one.takes_back:
            if now:
                found[-1] = replace(found[-1], until=one.at)
            if commit:
                found.append(Stay(commit, one.at, None, one if not one.takes_back else held[commit]))
    return found


def current_stay(ordered: Iterable[Assignment], stage: str) -> Stay | None:
    found = stays(ordered, stage)
    return found[-1] if found and found[-1].until is None else None


def rollback_target(ordered: Iterable[Assignment], stage: str) -> str | None:
    """The commit that a rollback goes back to: the one that was there before, rolled-back ones left out."""
    line: list[str] = []
    for one in ordered:
        if one.stage not in (stage, EVERY):
            continue
        if one.takes_back:
            line = [commit for commit in line if commit != one.commit]
        elif one.kind == ROLLBACK and one.commit in line:
            del line[len(line) - line[::-1].index(one.commit) :]
        elif line[-1:] != [one.commit]:
            line.append(one.commit)
    return line[-2] if len(line) > 1 else None


def stage_names(ordered: Iterable[Assignment]) -> list[str]:
    return sorted({one.stage for one in ordered} - {EVERY})


def stages_by_commit(ordered: list[Assignment]) -> dict[str, list[str]]:
    """The stages that each commit is in now."""
    found: dict[str, list[str]] = {}
    for stage in stage_names(ordered):
        if stay := current_stay(ordered, stage):
            found.setdefault(stay.commit, []).append(stage)
    return found
