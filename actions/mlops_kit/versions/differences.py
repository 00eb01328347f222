"""What changed between two records: code, data, parameters, metrics, environment."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.data.columns import Table, TableMoves, table_moves
from mlops_kit.data.metrics import higher_is_better
from mlops_kit.data.metrics_file import Metric, all_metrics
from mlops_kit.project.repository import Repository
from mlops_kit.versions import tags
from mlops_kit.versions.record import Environment, File, Record, Summed

SLICES = "slices"  # the key of the metrics file that a person reads as a table of its own


@dataclass(frozen=True)
class Commit:
    sha: str
    subject: str
    author: str


@dataclass(frozen=True)
class FileChange:
    path: str
    status: str  # added, removed or changed
    is_pipeline: bool  # a dependency of a stage


@dataclass(frozen=True)
class DataChange:
    path: str
    before: File | None
    after: File | None


@dataclass(frozen=True)
class TableChange:
    """The columns of a table that is another one in each version."""

    path: str
    before: Table
    after: Table
    moved: TableMoves


@dataclass(frozen=True)
class ValueChange:
    """A value that changed; None where there was none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class MetricChange:
    name: str
    before: Metric | None
    after: Metric | None

    @property
    def difference(self) -> float | None:
        return self.after.value - self.before.value if self.before and self.after else None

    @property
    def noise(self) -> float | None:
        """How large a difference the two intervals explain, as if each had rows of its own.

        On the same rows less is noise: the champion gate's paired bootstrap is the sharper answer.
        """
        halves = [_half_width(metric) for metric in (self.before, self.after) if metric]
        if len(halves) < 2 or None in halves:
            return None
        return float(sum(half**2 for half in halves if half is not None) ** 0.5)

    @property
    def is_noise(self) -> bool | None:
        """None: there is no interval to say so."""
        if self.difference is None or self.noise is None:
            return None
        return abs(self.difference) <= self.noise

    @property
    def better(self) -> bool | None:
        """None for a metric of which the kit does not know which way is better."""
        higher = higher_is_better(self.name)
        if self.difference is None or higher is None:
            return None
        return (self.difference > 0) == higher


@dataclass(frozen=True)
class Differences:
    model: str
    since: str | None  # version before; None for the first one
    commits: list[Commit]  # newest first; of a first version the one it was made from
    shallow: bool  # history does not reach back to the version before
    aside: bool  # the version before is not among the ancestors
    files: list[FileChange]
    data: list[DataChange]
    tables: list[TableChange]
    parameters: list[ValueChange]
    metrics: list[MetricChange]
    slices: list[MetricChange]
    environment: list[ValueChange]
    commands: list[ValueChange]

    @property
    def is_empty(self) -> bool:
        changed = (self.files, self.data, self.tables, self.parameters, self.environment, self.commands)
        measured = [metric for metric in (*self.metrics, *self.slices) if metric.difference != 0]
        return (
            self.since is not None and not any((*changed, self.commits)) and not measured and not self.shallow
        )


def between(before: Record | None, after: Record, repository: Repository) -> Differences:
    """What changed since `before`; commits and files only as far as this clone's history goes."""
    new = after.code.commit
    if before is None:
        made_from = list(_log(repository, "--max-count=1", new)) if _has(repository, new) else []
        return Differences(after.model, None, made_from, False, False, [], [], [], [], [], [], [], [])
    old = before.code.commit
    reaches = _has(repository, old) and _has(repository, new)
    related = reaches and repository.asks("merge-base", "--is-ancestor", old, new)
    shallow = repository.git("rev-parse", "--is-shallow-repository").strip() == "true"
    metric_changes = _metrics(before.metrics, after.metrics)
    return Differences(
        model=after.model,
        since=before.version,
        commits=list(_log(repository, f"{old}..{new}")) if reaches else [],
        shallow=not related and (shallow or not reaches),
        aside=reaches and not related and not shallow,
        files=_files(repository, before, after, reaches),
        data=_data(before.data, after.data),
        tables=_tables(before.tables, after.tables),
        parameters=_changes(before.parameters, after.parameters),
        metrics=[metric for metric in metric_changes if not metric.name.startswith(f"{SLICES}.")],
        slices=[metric for metric in metric_changes if metric.name.startswith(f"{SLICES}.")],
        environment=_environment(repository, before, after),
        commands=_changes(_commands(repository, before), _commands(repository, after)),
    )


def _has(repository: Repository, commit: str) -> bool:
    return repository.asks("cat-file", "-e", f"{commit}^{{commit}}")


def _log(repository: Repository, *which: str) -> Iterator[Commit]:
    text = repository.git("log", "--topo-order", "-z", "--format=%H%x1f%an%x1f%s%x1f%b", *which, "--")
    for entry in filter(None, text.split("\0")):
        sha, author, subject, body = entry.split("\x1f", 3)
        yield Commit(sha, commit_subject(subject, body), author)


def commit_subject(subject: str, body: str) -> str:
    """GitHub writes the pull request's title below a merge commit's own subject."""
    first = body.strip().partition("\n")[0]
    return f"{subject}: {first}" if subject.startswith("Merge pull request #") and first else subject


def _files(repository: Repository, before: Record, after: Record, reaches: bool) -> list[FileChange]:
    """The files that changed, from Git; if this clone lacks a commit, the pipeline's files from the records."""
    pipeline = {file.path: file.md5 for file in before.code.files}, {f.path: f.md5 for f in after.code.files}
    known = pipeline[0] | pipeline[1]
    if not reaches:
        return [FileChange(change.name, _status(change), True) for change in _changes(*pipeline)]
    diff = ("diff", "--name-status", "--no-renames", "-z", before.code.commit, after.code.commit)
    parts = repository.git(*diff, "--").split("\0")
    words = {"A": "added", "D": "removed"}
    pairs = zip(parts[::2], parts[1::2], strict=False)
    return [FileChange(path, words.get(status, "changed"), path in known) for status, path in pairs]


def _status(change: ValueChange) -> str:
    return "added" if change.before is None else "removed" if change.after is None else "changed"


def _data(before: list[File], after: list[File]) -> list[DataChange]:
    old, new = ({file.path: file for file in files} for files in (before, after))
    paths = sorted(old.keys() | new.keys())
    changes = [DataChange(path, old.get(path), new.get(path)) for path in paths]
    return [
        change
        for change in changes
        if not (change.before and change.after and change.before.md5 == change.after.md5)
    ]


def _tables(before: list[Summed], after: list[Summed]) -> list[TableChange]:
    """The tables that both versions summed up and whose data changed."""
    old = {table.path: table for table in before}
    pairs = [
        (old[table.path], table) for table in after if table.path in old and old[table.path].md5 != table.md5
    ]
    return [TableChange(b.path, a.table, b.table, table_moves(a.table, b.table)) for a, b in pairs]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ValueChange]:
    names = sorted(before.keys() | after.keys())
    changes = [ValueChange(name, before.get(name), after.get(name)) for name in names]
    return [
        change
        for change in changes
        if change.before != change.after or (change.name in before) != (change.name in after)
    ]


def _metrics(before: dict[str, Any], after: dict[str, Any]) -> list[MetricChange]:
    """In the order of the newer file, those that are gone last."""
    old, new = all_metrics(before), all_metrics(after)
    return [MetricChange(name, old.get(name), new.get(name)) for name in (new | old)]


def _half_width(metric: Metric) -> float | None:
    return None if metric.low is None or metric.high is None else (metric.high - metric.low) / 2


def _environment(repository: Repository, before: Record, after: Record) -> list[ValueChange]:
    """Python, platform, threads, and of each file that pins what runs the packages that moved."""
    old, new = before.environment, after.environment
    changes = _changes(_facts(old), _facts(new))
    for file in _changes(old.files, new.files):
        texts = [_pins(repository, record, file.name) for record in (before, after)]
        packages = _changes(*texts) if all(texts) else []
        changes += packages or [ValueChange(file.name, _short_digest(file.before), _short_digest(file.after))]
    return changes


def _facts(environment: Environment) -> dict[str, Any]:
    return {"Python": environment.python, "platform": environment.platform, "threads": environment.threads}


def _short_digest(digest: str | None) -> str | None:
    return digest and digest[:8]


def _pins(repository: Repository, record: Record, name: str) -> dict[str, str]:
    """Versions by package, of a lock in TOML with `package` tables; empty for any other form."""
    text = repository.show(record.code.commit, name) if name.endswith(".lock") else None
    try:
        packages = tomllib.loads(text or "").get("package", [])
        return {package["name"]: str(package["version"]) for package in packages if "version" in package}
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError):
        return {}


def _commands(repository: Repository, record: Record) -> dict[str, str]:
    """Of each stage, from the version's lock; the workspace's where it is no version yet."""
    tag = tags.version_tag(record.model, record.version)
    is_tag = record.version and tags.exists(repository, tag)
    lock = repository.lock(tag if is_tag else None)
    return {name: stage.cmd for name, stage in lock.stages.items()} if lock else {}
