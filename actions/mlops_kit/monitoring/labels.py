"""What came true, joined to the predictions by their key; late, in part, and sometimes contradicting itself."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.contract import Contract
from mlops_kit.errors import KitError
from mlops_kit.monitoring import sources, windows
from mlops_kit.repository import Repository

SLICE = "slice."


def come(repository: Repository, contract: Contract) -> pa.Table | None:
    """What is at `monitoring.labels` of mlops.yaml, no rows where nothing is there yet; None where it names none."""
    ours = contract.monitoring
    if ours.labels is None:
        return None
    where = sources.at(repository, ours.labels)
    return read(where, contract.key, ours.label) if sources.is_there(where) else _table([])


def read(where: str, key: str, label: str) -> pa.Table:
    """With the columns key and actual, as text. Raises KitError when one is not there."""
    with TemporaryDirectory(prefix="mlops-kit-") as folder:
        parts = []
        for file in sources.files(where, Path(folder)):
            if file.stat().st_size:
                parts += _of_file(file, where, key, label)
    return _table(parts)


def _of_file(file: Path, where: str, key: str, label: str) -> list[pa.Table]:
    parts = []
    try:
        for batch in windows.batches(file):
            if missing := [name for name in (key, label) if name not in batch.column_names]:
                raise KitError(
                    f"The labels {where} have no column {missing[0]!r}: {file.name} has {', '.join(batch.column_names)}.",
                    "`rows.key` and `monitoring.label` of mlops.yaml say how they are called.",
                )
            parts.append(pa.table({"key": _texts(batch[key]), "actual": _texts(batch[label])}))
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise KitError(
            f"{file.name} of the labels {where} cannot be read: {error}",
            "Is it whole, and is its text UTF-8?",
        ) from error
    return parts


def _table(parts: list[pa.Table]) -> pa.Table:
    none = pa.table({"key": pa.array([], pa.string()), "actual": pa.array([], pa.string())})
    return pa.concat_tables([none, *parts])


def joined(made: pa.Table, labels: pa.Table | None) -> tuple[pa.Table, list[str]]:
    """The predictions with their `actual`, null where it is not known."""
    if labels is None or not len(labels):
        unknown = made.append_column("actual", pa.nulls(len(made), pa.string()))
        return unknown, [] if labels is None else ["no label has come yet"]
    given = labels.filter(pc.is_valid(labels["actual"]))
    spelt = pc.utf8_lower(pc.utf8_trim_whitespace(given["actual"]))  # True and true are one label
    once = given.append_column("same", spelt).group_by(["key", "same"]).aggregate([("actual", "min")])
    counted = once.group_by("key").aggregate([("same", "count"), ("actual_min", "min")])
    clear = counted.filter(pc.equal(counted["same_count"], 1))
    places = pc.index_in(made["key"], clear["key"].combine_chunks())
    contradicting = len(counted) - len(clear)
    notes = (
        [f"{contradicting} keys have labels that contradict each other and are left out"]
        if contradicting
        else []
    )
    return made.append_column("actual", clear["actual_min_min"].combine_chunks().take(places)), notes


def _texts(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()).combine_chunks()
