"""The differences in words: the description in record, tag and card, the same for the same records."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mlops_kit.base.markdown import code, number, plain, size
from mlops_kit.versions.columns_text import move_in_words
from mlops_kit.versions.differences import (
    DataChange,
    Differences,
    FileChange,
    MetricChange,
    TableChange,
    ValueChange,
)
from mlops_kit.versions.record import File

T = TypeVar("T")
MOST_COMMITS, MOST_FILES, MOST_DATA, MOST_PARAMETERS, MOST_METRICS, MOST_PACKAGES = 20, 12, 20, 25, 12, 15
MOST_COLUMNS = 8


def in_words(differences: Differences) -> str:
    """Markdown, of bounded length, headed by code, data, parameters, metrics and environment."""
    paragraphs = [f"**{head}**\n\n" + "\n".join(lines) for head, lines in sections(differences).items()]
    return "\n\n".join([opening(differences), *paragraphs])


def opening(differences: Differences) -> str:
    if differences.since is None:
        origin = "".join(f" Made from {_commit(commit)}." for commit in differences.commits)
        return f"First version of {code(differences.model)}: nothing to compare with.{origin}"
    if differences.is_empty:
        return f"Nothing differs from {differences.since}."
    return f"Compared with {differences.since}."


def sections(differences: Differences) -> dict[str, list[str]]:
    """Lines of Markdown by heading; only what changed."""
    if differences.since is None:
        return {}
    parts = {
        "Code": _code(differences),
        "Data": [*_some(differences.data, MOST_DATA, data, "file"), *_tables(differences.tables)],
        "Parameters": _some(differences.parameters, MOST_PARAMETERS, change, "parameter"),
        "Metrics": _metrics(differences),
        "Environment": _some(differences.environment, MOST_PACKAGES, change, "package"),
    }
    return {head: lines for head, lines in parts.items() if lines}


def _some(items: Sequence[T], most: int, say: Callable[[T], str], noun: str) -> list[str]:
    lines = [f"- {say(item)}" for item in items[:most]]
    left = len(items) - most
    return [*lines, f"- and {left} more {noun}{'s' if left > 1 else ''}"] if left > 0 else lines


def _commit(commit: Any) -> str:
    return f"{code(commit.sha[:7])} {plain(commit.subject, 120)} ({plain(commit.author, 60)})"


def _code(differences: Differences) -> list[str]:
    lines = _some(differences.commits, MOST_COMMITS, _commit, "commit")
    if differences.shallow:
        lines.append(
            f"- This clone's history does not reach back to {differences.since}: commits are missing."
        )
    if differences.aside:
        lines.append(
            f"- The code of {differences.since} is not in this history: another branch, or rewritten."
        )
    pipeline = [file for file in differences.files if file.is_pipeline]
    others = [file for file in differences.files if not file.is_pipeline]
    for head, files in (("Pipeline", pipeline), ("Beside the pipeline", others)):
        if files:
            lines.append(f"- {head}: {_files(files)}")
    return lines + [f"- Command of {change(command)}" for command in differences.commands[:MOST_FILES]]


def _files(files: list[FileChange]) -> str:
    named = [
        code(file.path) + (f" ({file.status})" if file.status != "changed" else "")
        for file in files[:MOST_FILES]
    ]
    left = len(files) - MOST_FILES
    return ", ".join(named) + (f" and {left} more" if left > 0 else "")


def data(change: DataChange) -> str:
    old, new = change.before, change.after
    if old is None or new is None:
        file, word = (new, "new") if old is None else (old, "no longer used")
        return f"{code(change.path)}: {word} ({_rows(file)}{size(file.bytes if file else None)})"
    rows = ""
    if old.rows is not None and new.rows is not None:
        rows = f"{old.rows:,} → {new.rows:,} rows ({new.rows - old.rows:+,}), "
    grown = f"{size(old.bytes)} → {size(new.bytes)}"
    return f"{code(change.path)}: {rows}{grown}, md5 {code(old.md5[:8])} → {code(new.md5[:8])}"


def _tables(tables: list[TableChange]) -> list[str]:
    return [line for change in tables for line in table(change)]


def table(change: TableChange) -> list[str]:
    """The columns that moved most, from the largest move."""
    moved = change.moved
    if moved.is_empty:
        return [f"- {code(change.path)}: none of {moved.compared} columns moved beyond what chance does"]
    lines = [f"{code(column.name)}: new ({column.type})" for column in moved.added]
    lines += [f"{code(column.name)}: removed ({column.type})" for column in moved.removed]
    lines += [f"{code(pair.name)}: {pair.before.type} → {pair.after.type}" for pair in moved.retyped]
    lines += [move_in_words(move) for move in moved.moves]
    head = f"- {code(change.path)}: {change.before.rows:,} → {change.after.rows:,} rows; columns that moved most:"
    return [head, *(f"  {line}" for line in _some(lines, MOST_COLUMNS, str, "column"))]


def _rows(file: File | None) -> str:
    return f"{file.rows:,} rows, " if file and file.rows is not None else ""


def change(value_change: ValueChange) -> str:
    if value_change.before is None:
        return f"{code(value_change.name)}: {value(value_change.after)} (new)"
    if value_change.after is None:
        return f"{code(value_change.name)}: {value(value_change.before)} (removed)"
    return f"{code(value_change.name)}: {value(value_change.before)} → {value(value_change.after)}"


def value(item: Any) -> str:
    return plain(item, 80) if isinstance(item, bool | int | float) else code(item, 80)


def _metrics(differences: Differences) -> list[str]:
    moved = [change for change in differences.metrics if change.difference != 0]
    lines = _some(moved, MOST_METRICS, metric, "metric")
    judged = [change for change in differences.slices if change.is_noise is not None]
    beyond = [change for change in judged if not change.is_noise]
    if judged and any(change.difference for change in judged):
        lines.append(f"- Slices: {len(beyond)} of {len(judged)} metrics moved beyond their noise band")
        lines += [f"  {line}" for line in _some(beyond, 5, metric, "metric")]
    return lines


def metric(change: MetricChange) -> str:
    if change.before is None or change.after is None:
        known, word = (
            (change.after, "new") if change.before is None else (change.before, "no longer measured")
        )
        return f"{code(change.name)}: {number(known.value if known else None)} ({word})"
    moved = f"{code(change.name)}: {number(change.before.value)} → {number(change.after.value)}"
    return f"{moved} ({change.difference:+.4g}, {judgement(change)})"


def judgement(change: MetricChange) -> str:
    if change.is_noise is None:
        return "no interval to judge by"
    band = f"the noise band of ±{change.noise:.2g}"
    if change.is_noise:
        return f"inside {band}"
    word = {True: "better, ", False: "worse, ", None: ""}[change.better]
    return f"{word}outside {band}"
