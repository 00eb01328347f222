"""From a version, a stage, a moment or a model file back to data, code, parameters, run and person; and forward."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlops_kit.base.clock import when
from mlops_kit.base.errors import KitError
from mlops_kit.project import git_objects
from mlops_kit.project.lock import file_md5
from mlops_kit.project.repository import Repository
from mlops_kit.versions import differences, foreign, record, used_by
from mlops_kit.versions.record import Environment, File, Record
from mlops_kit.versions.stages import SKEW, Assignment, Stay, assignments, stage_names, stays
from mlops_kit.versions.used_by import Role
from mlops_kit.versions.version import Version, find, versions


@dataclass(frozen=True)
class SourceCommit:
    commit: str
    subject: str = ""  # what is not in this clone's history has no words
    author: str = ""
    date: str = ""


@dataclass(frozen=True)
class TrainingRun:
    id: str
    event: str
    by: str
    url: str | None


@dataclass(frozen=True)
class Held:
    """A version in a stage. Without `until` it is there still."""

    stage: str
    version: str
    since: datetime
    until: datetime | None
    by: str
    why: str
    kind: str
    note: str = ""


@dataclass(frozen=True)
class Lineage:
    """Of one version. One that `register` did not make has no record, so little is known of it."""

    model: str
    version: str
    tag: str
    commit: str
    created: str
    code: SourceCommit | None = None
    data: list[File] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    environment: Environment | None = None
    run: TrainingRun | None = None
    artifacts: list[File] = field(default_factory=list)
    since: str | None = None
    stages: list[Held] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """What was asked, as the heading of the answer, and the versions that answer it, the one meant first."""

    asked: str
    found: list[Lineage]
    note: str = ""


@dataclass(frozen=True)
class Book:
    """What the tags of this clone say, read once."""

    repository: Repository
    model: str
    versions: list[Version]
    ordered: list[Assignment]

    def held(self, stage: str) -> list[Held]:
        known = {version.commit: version.name for version in self.versions}
        return [_to_held(stage, stay, known) for stay in stays(self.ordered, stage)]

    def every_stay(self) -> list[Held]:
        all_held = [held for stage in stage_names(self.ordered) for held in self.held(stage)]
        return sorted(all_held, key=lambda held: held.since)


def book(repository: Repository, model: str) -> Book:
    return Book(repository, model, versions(repository, model), assignments(repository, model))


def _to_held(stage: str, stay: Stay, known: dict[str, str]) -> Held:
    put, version = stay.put, known.get(stay.commit, f"commit {stay.commit[:7]}, no version any more")
    note = f"its tag is dated {put.dated:%Y-%m-%d %H:%M}: a wrong clock" if _is_wrong(put) else ""
    return Held(stage, version, stay.since, stay.until, put.who, put.why, put.kind, note)


def _is_wrong(put: Assignment) -> bool:
    return put.dated - put.at > SKEW or put.dated > datetime.now(UTC) + SKEW


# ---- what was asked ----


def answer(book: Book, version: str, stage: str, at: str, model: Path | None, data: Path | None) -> Answer:
    """By the first that is given: a version, a moment (of a stage), a stage, a model file, data; else the default."""
    if version:
        return of_version(book, version)
    if at:
        return of_moment(book, at, stage or "production")
    if stage:
        return of_stage(book, stage)
    if model:
        return of_file(book, model)
    return trained_on(book, data) if data else of_default(book)


def of_version(book: Book, name: str) -> Answer:
    version = find(book.repository, book.model, name)
    return Answer(version.tag, of_versions(book, [version]))


def of_stage(book: Book, stage: str) -> Answer:
    """What is in it now."""
    return _in_stage(
        book, f"in {stage} now", [held for held in book.held(stage) if held.until is None], stage
    )


def of_default(book: Book) -> Answer:
    """Production's version; before any promotion the newest one."""
    if any(held.until is None for held in book.held("production")):
        return of_stage(book, "production")
    note = "" if book.versions else f"{book.model} has no version yet"
    return Answer("the newest version", of_versions(book, book.versions[-1:]), note)


def of_moment(book: Book, text: str, stage: str) -> Answer:
    """The versions that were in the stage at a moment, or on a day, the last one first."""
    begin = when(text)
    end = begin + timedelta(days=1) if len(text) == len("2026-11-24") and "-" in text else begin
    stays_then = [stay for stay in book.held(stage) if _overlaps(stay, begin, end)]
    return _in_stage(book, f"in {stage} at {text}", stays_then[::-1], stage)


def _overlaps(held: Held, begin: datetime, end: datetime) -> bool:
    """At a moment the one that came, not the one that went."""
    last = end if end == begin else end - timedelta(microseconds=1)
    return held.since <= last and (held.until is None or held.until > begin)


def _in_stage(book: Book, asked: str, held: list[Held], stage: str) -> Answer:
    by_name = {version.name: version for version in book.versions}
    matching = [by_name[stay.version] for stay in held if stay.version in by_name]
    lost = [stay.version for stay in held if stay.version not in by_name]
    note = "; ".join(stay.note for stay in held if stay.note)
    if lost:
        note = f"{stage} held {', '.join(lost)}"
    elif not held:
        note = f"nothing was in {stage}" if " at " in asked else f"nothing is in {stage}"
        if known := book.held(stage):
            note += f"; the first came at {known[0].since:%Y-%m-%d %H:%M} UTC"
        elif others := stage_names(book.ordered):
            note += f"; stages with a history: {', '.join(others)}"
    return Answer(asked, of_versions(book, list(dict.fromkeys(matching))), note)


def of_file(book: Book, file: Path) -> Answer:
    """The versions that have this file or folder as their model or in it, byte for byte, oldest first."""
    found, md5, notes = _with_file(book, file, "artifacts")
    note = [] if found else [f"no version has a model with md5 {md5}"]
    return Answer(f"the model {file}", of_versions(book, found), "; ".join(note + notes))


def trained_on(book: Book, file: Path) -> Answer:
    """The versions that were trained on this data, alone or in a folder."""
    found, md5, notes = _with_file(book, file, "data")
    note = [] if found else [f"no version was trained on data with md5 {md5}"]
    return Answer(f"trained on {file}", of_versions(book, found), "; ".join(note + notes))


def _with_file(book: Book, file: Path, role: Role) -> tuple[list[Version], str, list[str]]:
    """The versions that have the file in this role, alone or in a folder; its md5; what could not be seen."""
    md5 = _md5(file)
    sources = used_by.read(book.repository, book.versions)
    folders, unseen = used_by.folders_with(book.repository, sources, md5, role)
    users = {
        version
        for one in (md5, *folders)
        for version, roles in used_by.using(sources, one).items()
        if role in roles
    }
    notes = []
    if unseen and not (users and role == "artifacts"):  # a model has one place, data may have many
        notes.append(
            f"{unseen} folders could not be looked into: their lists are not in the cache (`dvc fetch`)"
        )
    return [version for version in book.versions if version in users], md5, notes


def _md5(file: Path) -> str:
    """Of a file that is here; or the one that a lock, a record or a predictions log has, as it was typed."""
    if file.exists():
        return file_md5(file)
    typed = str(file).removeprefix("md5:")
    if re.fullmatch(r"[0-9a-f]{32}(\.dir)?", typed):
        return typed
    raise KitError(f"{file} is not there.", "Name a file, a folder, or the md5 that a lock or record has.")


# ---- the way back ----


def of_versions(book: Book, chosen: list[Version]) -> list[Lineage]:
    version_records = records(book.repository, chosen)
    hashes = dict.fromkeys(version_record.code.commit for version_record in version_records if version_record)
    texts = git_objects.read(book.repository, list(hashes))
    source_commits = {commit: _code(commit, text) for commit, text in zip(hashes, texts, strict=True)}
    held_by_version: dict[str, list[Held]] = {}
    for stay in book.every_stay():
        held_by_version.setdefault(stay.version, []).append(stay)
    return [
        _lineage(version, version_record, source_commits, held_by_version.get(version.name, []))
        for version, version_record in zip(chosen, version_records, strict=True)
    ]


def records(repository: Repository, chosen: list[Version]) -> list[Record | None]:
    """The record of each version; None for one that cannot be read."""
    texts = git_objects.read(repository, [f"{version.commit}:{record.FILE}" for version in chosen])
    found = [foreign.parsed((text or b"").decode(errors="replace")) for text in texts]
    return [None if isinstance(one, str) else one for one in found]


def _code(commit: str, text: bytes | None) -> SourceCommit:
    """The words of a commit; of one that this clone's history does not reach its hash alone."""
    head, _, words = (text or b"").decode(errors="replace").partition("\n\n")
    author = re.search(r"^author (.*) <.*> (\d+) ", head, re.MULTILINE)
    if author is None:
        return SourceCommit(commit)
    subject, _, body = words.partition("\n")
    date = datetime.fromtimestamp(int(author[2]), UTC).isoformat()
    return SourceCommit(commit, differences.commit_subject(subject, body), author[1], date)


def _lineage(
    version: Version, version_record: Record | None, source_commits: dict[str, SourceCommit], held: list[Held]
) -> Lineage:
    about = version.model, version.name, version.tag, version.commit, version.created
    if version_record is None:
        return Lineage(
            *about, stages=held, note="its record cannot be read: `mlops-kit register` did not make it"
        )
    trigger = version_record.trigger
    return Lineage(
        *about,
        code=source_commits[version_record.code.commit],
        data=version_record.data,
        parameters=version_record.parameters,
        environment=version_record.environment,
        run=TrainingRun(trigger.run, trigger.event, trigger.actor, trigger.url),
        artifacts=version_record.artifacts,
        since=version_record.since,
        stages=held,
    )
