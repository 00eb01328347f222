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
    said = [f"**{head}**\n\n" + "\n".join(lines) for head, lines in sections(differences).items()]
    return "\n\n".join([opening(differences), *said])


def opening(differences: Differences) -> str:
    if differences.since is None:
        made = "".join(f" Made from {_commit(one)}." for one in differences.commits)
        return f"First version of {code(differences.model)}: nothing to compare with.{made}"
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
    return lines + [f"- Command of {change(one)}" for one in differences.commands[:MOST_FILES]]


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
        one, word = (new, "new") if old is None else (old, "no longer used")
        return f"{code(change.path)}: {word} ({_rows(one)}{size(one.bytes if one else None)})"
    rows = ""
    if old.rows is not None and new.rows is not None:
        rows = f"{old.rows:,} → {new.rows:,} rows ({new.rows - old.rows:+,}), "
    grown = f"{size(old.bytes)} → {size(new.bytes)}"
    return f"{code(change.path)}: {rows}{grown}, md5 {code(old.md5[:8])} → {code(new.md5[:8])}"


def _tables(tables: list[TableChange]) -> list[str]:
    return [line for one in tables for line in table(one)]


def table(one: TableChange) -> list[str]:
    """The columns that moved most, from the largest move."""
    moved = one.moved
    if moved.is_empty:
        return [f"- {code(one.path)}: none of {moved.compared} columns moved beyond what chance does"]
    said = [f"{code(column.name)}: new ({column.type})" for column in moved.added]
    said += [f"{code(column.name)}: removed ({column.type})" for column in moved.removed]
    said += [f"{code(pair.name)}: {pair.before.type} → {pair.after.type}" for pair in moved.retyped]
    said += [move_in_words(move) for move in moved.moves]
    head = f"- {code(one.path)}: {one.before.rows:,} → {one.after.rows:,} rows; columns that moved most:"
    return [head, *(f"  {line}" for line in _some(said, MOST_COLUMNS, str, "column"))]


def _rows(file: File | None) -> str:
    return f"{file.rows:,} rows, " if file and file.rows is not None else ""


def change(one: ValueChange) -> str:
    if one.before is None:
        return f"{code(one.name)}: {value(one.after)} (new)"
    if one.after is None:
        return f"{code(one.name)}: {value(one.before)} (removed)"
    return f"{code(one.name)}: {value(one.before)} → {value(one.after)}"


def value(one: Any) -> str:
    return plain(one, 80) if isinstance(one, bool | int | float) else code(one, 80)


def _metrics(differences: Differences) -> list[str]:
    moved = [one for one in differences.metrics if one.difference != 0]
    lines = _some(moved, MOST_METRICS, metric, "metric")
    judged = [one for one in differences.slices if one.is_noise is not None]
    beyond = [one for one in judged if not one.is_noise]
    if judged and any(one.difference for one in judged):
        lines.append(f"- Slices: {len(beyond)} of {len(judged)} metrics moved beyond their noise band")
        lines += [f"  {line}" for line in _some(beyond, 5, metric, "metric")]
    return lines


def metric(one: MetricChange) -> str:
    if one.before is None or one.after is None:
        known, word = (one.after, "new") if one.before is None else (one.before, "no longer measured")
        return f"{code(one.name)}: {number(known.value if known else None)} ({word})"
    moved = f"{code(one.name)}: {number(one.before.value)} → {number(one.after.value)}"
    return f"{moved} ({one.difference:+.4g}, {judgement(one)})"


def judgement(one: MetricChange) -> str:
    if one.is_noise is None:
        return "no interval to judge by"
    band = f"the noise band of ±{one.noise:.2g}"
    if one.is_noise:
        return f"inside {band}"
    word = {True: "better, ", False: "worse, ", None: ""}[one.better]
    return f"{word}outside {band}"
