"""Labels, joined to predictions by key. They come late and in part, and some contradict each other."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Progress, Say
from mlops_kit.predictions_log import lines, sources, window
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository

Keys = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Labels = tuple[pa.Table | None, list[str]]  # with columns key and actual; and notes
NONE: Labels = None, []
AT_ONCE = 1_000_000  # labels in memory before duplicates are dropped


def come(repository: Repository, contract: Contract, keys: pa.ChunkedArray, say: Say) -> Labels:
    """The labels of these keys from `monitoring.labels`: no rows if nothing is there yet, None if mlops.yaml names none."""
    settings = contract.monitoring
    if settings.labels is None:
        return NONE
    where = sources.at(repository, settings.labels)
    return (
        read(where, contract.key, settings.label, keys, say) if sources.is_there(where) else (_table([]), [])
    )


def read(where: str, key: str, label: str, keys: pa.ChunkedArray, say: Say) -> Labels:
    """The labels of these keys, which are hashes, as text. There may be any number of labels for other keys.

    Raises KitError if a file has no column of the key or of the label.
    """
    prediction_keys, read_labels, labels = np.unique(np.asarray(keys.drop_null())), 0, _table([])
    parts: list[pa.Table] = []
    progress = Progress(say, "labels")
    with temporary.folder() as folder:
        for file in sources.files(where, folder):
            for part in _read_file(file, where, key, label) if file.stat().st_size else ():
                read_labels += len(part)
                progress.add(len(part))
                parts.append(
                    lines.only(part, pa.array(_are_in(np.asarray(part["key"].fill_null(0)), prediction_keys)))
                )
                if sum(map(len, parts)) > AT_ONCE:
                    labels, parts = _drop_duplicates(_table([labels, *parts])), []
    labels = _table([labels, *parts])
    if len(labels) or not read_labels or not len(prediction_keys):
        return labels, []
    return labels, [
        f"none of {read_labels:,} labels has the key of a prediction: is `{key}` the key of both?"
    ]


def _read_file(file: Path, where: str, key: str, label: str) -> Iterator[pa.Table]:
    try:
        for batch in window.batches(file):
            if missing := [name for name in (key, label) if name not in batch.column_names]:
                raise KitError(
                    f"The labels {sources.shown(where)} have no column {missing[0]!r}: {file.name} has {', '.join(batch.column_names)}.",
                    "`rows.key` and `monitoring.label` of mlops.yaml say how they are called.",
                )
            keys = lines.hashed(_texts(batch[key]).to_pylist())
            yield pa.table({"key": keys, "actual": _texts(batch[label]).dictionary_encode()})
    except window.UNREADABLE as error:
        raise window.unreadable(f"{file.name} of the labels {sources.shown(where)}", error) from error


def _are_in(keys: Keys, known_keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of `keys` are in `known_keys`, which is sorted."""
    places = np.searchsorted(known_keys, keys)
    matched = places < len(known_keys)
    matched[matched] = known_keys[places[matched]] == keys[matched]
    return matched


def _drop_duplicates(labels: pa.Table) -> pa.Table:
    """The labels without the duplicates that daily full exports contain."""
    codes, texts = lines.codes(labels["actual"])
    keys = np.asarray(labels["key"])
    order = np.lexsort((codes, keys))
    keys, codes = keys[order], codes[order]
    first = np.append(True, (keys[1:] != keys[:-1]) | (codes[1:] != codes[:-1]))[: len(keys)]
    distinct, places = np.unique(codes[first], return_inverse=True)  # null, whose code is -1, is one of them
    texts = texts.take(pa.array(distinct, mask=distinct < 0))
    return pa.table({"key": keys[first], "actual": texts.take(pa.array(places)).dictionary_encode()})


def _table(parts: list[pa.Table]) -> pa.Table:
    none = pa.table({"key": lines.hashed([]), "actual": pa.array([], pa.string()).dictionary_encode()})
    return pa.concat_tables([none, *parts])


def joined(predictions: pa.Table, labels: pa.Table | None) -> tuple[pa.Table, list[str]]:
    """The predictions with a column `actual`, null if the label is unknown; and notes."""
    if labels is None or not len(labels):
        unknown = predictions.append_column("actual", pa.nulls(len(predictions), pa.string()))
        return unknown, [] if labels is None else ["no label has come yet"]
    keys, actual, texts, contradicting = _consistent(labels)
    codes = np.full(len(predictions), -1, np.int32)
    prediction_keys = np.asarray(predictions["key"].fill_null(0))
    order = np.argsort(prediction_keys)  # looked up in order, which is ten times as fast
    prediction_keys = prediction_keys[order]
    places = np.searchsorted(keys, prediction_keys)
    matched = np.flatnonzero(places < len(keys))
    matched = matched[keys[places[matched]] == prediction_keys[matched]]
    codes[order[matched]] = actual[places[matched]]
    none = (codes < 0) | np.asarray(predictions["key"].is_null())
    actual_labels = pa.DictionaryArray.from_arrays(pa.array(codes, mask=none), texts)
    notes = [f"{contradicting} keys have labels that contradict each other and are left out"]
    return predictions.append_column("actual", actual_labels), notes if contradicting else []


def _consistent(labels: pa.Table) -> tuple[Keys, Codes, pa.Array, int]:
    """Sorted keys, the label code of each, the labels; and the number of keys with contradicting labels."""
    valid = lines.only(labels, pc.and_(pc.is_valid(labels["key"]), pc.is_valid(labels["actual"])))
    actual, texts = lines.codes(valid["actual"])
    in_order = pc.sort_indices(texts)
    place = np.empty(len(texts), np.int32)
    place[in_order] = np.arange(len(texts))
    spelt = texts.take(in_order)
    same = pc.utf8_lower(pc.utf8_trim_whitespace(spelt)).dictionary_encode()  # True and true are one label
    keys = valid["key"].to_numpy()
    order = np.argsort(keys, kind="stable")
    keys, actual = keys[order], place[actual[order]]
    meant = np.asarray(same.indices)[actual]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    clear = np.minimum.reduceat(meant, first) == np.maximum.reduceat(meant, first)
    least = np.minimum.reduceat(actual, first)
    return keys[first[clear]], least[clear], spelt, int((~clear).sum())


def _texts(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()).combine_chunks()
