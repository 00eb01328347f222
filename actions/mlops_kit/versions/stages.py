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
PROMOTION, ROLLBACK, RESTORED = "promotion", "rollback", "restored"
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
    run: str = ""  # of the workflow that made the tag; empty elsewhere


@dataclass(frozen=True)
class Stay:
    """A version in a stage; without `until` it is there still."""

    commit: str
    since: datetime
    until: datetime | None
    put: Assignment


def assignments(repository: Repository, model: str) -> list[Assignment]:
    """The assignments to all stages, in the order in which they count."""
    stage_assignments = [
        _assignment(tag) for tag in tags.read(repository, model, tags.STAGE, messages=True) if tag.annotated
    ]
    version_withdrawals = [
        _assignment(tag)
        for tag in tags.read(repository, model, tags.VERSION)
        if tag.takes_back and tag.annotated
    ]
    unordered = [
        *stage_assignments,
        *(replace(assignment, stage=EVERY) for assignment in version_withdrawals),
    ]
    return _by_sane_clocks(
        sorted(unordered, key=lambda assignment: (assignment.dated, assignment.count or 0))
    )


def _assignment(tag: Tag) -> Assignment:
    why, trailers = split(tag.message)
    at = _by_our_clock(trailers.get("Clock", "")) if tag.at > datetime.now(UTC) + SKEW else None
    who = trailers.get("By") or tag.tagger
    kind, was = trailers.get("Kind", PROMOTION), trailers.get("Was", "")
    about = tag.subject, tag.commit, at or tag.at, tag.at, tag.count
    return Assignment(*about, who, why, kind, tag.name, tag.takes_back, was, trailers.get("Run", ""))


def _by_our_clock(text: str) -> datetime | None:
    """When a promotion was made that had to be dated after one of the future; None where nobody said so."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _by_sane_clocks(ordered: list[Assignment]) -> list[Assignment]:
    """Correct wrong clocks: a tag that is dated later than its successor gets its successor's time."""
    corrected: list[Assignment] = []
    latest: datetime | None = None
    for assignment in reversed(ordered):
        latest = min(assignment.at, latest) if latest else assignment.at
        corrected.append(replace(assignment, at=latest))
    return corrected[::-1]


def message(title: str, why: str, **trailers: str) -> str:
    """The message of a tag: title, reason, and a line `Name: value` for each trailer that is not empty."""
    lines = "\n".join(f"{name}: {value}" for name, value in trailers.items() if value)
    return f"{title}\n\n{why.strip()}\n\n{lines}\n"


def split(text: str) -> tuple[str, dict[str, str]]:
    """The reason in a tag's message, and its trailers; the whole text if the kit did not write the message."""
    _, *paragraphs = text.strip().split("\n\n")
    pairs = [line.partition(": ") for line in paragraphs[-1].splitlines()] if paragraphs else []
    trailers = {name: value for name, _, value in pairs}
    return ("\n\n".join(paragraphs[:-1]), trailers) if "Was" in trailers else (text.strip(), {})


# ---- what holds ----


def stays(ordered: Iterable[Assignment], stage: str) -> list[Stay]:
    """The commits that were in the stage, each with the times, oldest first."""
    held: dict[str, Assignment] = {}  # by commit, the one that holds last
    history: list[Stay] = []
    for assignment in ordered:
        if assignment.stage not in (stage, EVERY):
            continue
        held.pop(assignment.commit, None)
        if not assignment.takes_back:
            held[assignment.commit] = assignment
        commit = next(reversed(held), None)
        now = history[-1].commit if history and history[-1].until is None else None
        if commit != now or not assignment.takes_back:
            if now:
                history[-1] = replace(history[-1], until=assignment.at)
            if commit:
                put = held[commit] if assignment.takes_back else assignment
                history.append(Stay(commit, assignment.at, None, put))
    return history


def current_stay(ordered: Iterable[Assignment], stage: str) -> Stay | None:
    history = stays(ordered, stage)
    return history[-1] if history and history[-1].until is None else None


def rollback_target(ordered: Iterable[Assignment], stage: str) -> str | None:
    """The commit that a rollback goes back to: the one that was there before, rolled-back ones left out."""
    commits: list[str] = []
    for assignment in ordered:
        if assignment.stage not in (stage, EVERY):
            continue
        if assignment.takes_back:
            commits = [commit for commit in commits if commit != assignment.commit]
        elif assignment.kind == ROLLBACK and assignment.commit in commits:
            del commits[len(commits) - commits[::-1].index(assignment.commit) :]
        elif commits[-1:] != [assignment.commit]:
            commits.append(assignment.commit)
    return commits[-2] if len(commits) > 1 else None


def stage_names(ordered: Iterable[Assignment]) -> list[str]:
    return sorted({assignment.stage for assignment in ordered} - {EVERY})


def stages_by_commit(ordered: list[Assignment]) -> dict[str, list[str]]:
    """The stages that each commit is in now."""
    by_commit: dict[str, list[str]] = {}
    for stage in stage_names(ordered):
        if stay := current_stay(ordered, stage):
            by_commit.setdefault(stay.commit, []).append(stage)
    return by_commit
