"""What came true, joined to the predictions by their key; late, in part, and sometimes contradicting itself."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Progress, Say
from mlops_kit.predictions_log import lines, sources, window
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository

Keys = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Come = tuple[pa.Table | None, list[str]]  # and what is to be said of them
NONE: Come = None, []
AT_ONCE = 1_000_000  # labels, before those that came twice are left out


def come(repository: Repository, contract: Contract, keys: pa.ChunkedArray, say: Say) -> Come:
    """What is at `monitoring.labels` of mlops.yaml of these keys, no rows where nothing is there yet; None where it names
    none.
    """
    ours = contract.monitoring
    if ours.labels is None:
        return NONE
    where = sources.at(repository, ours.labels)
    return read(where, contract.key, ours.label, keys, say) if sources.is_there(where) else (_table([]), [])


def read(where: str, key: str, label: str, keys: pa.ChunkedArray, say: Say) -> Come:
    """The labels of these keys, which are hashes: with the columns key and actual, as text. There may be any number of
    others. Raises KitError when a column is not there.
    """
    wanted, given, found = np.unique(np.asarray(keys.drop_null())), 0, _table([])
    parts: list[pa.Table] = []
    progress = Progress(say, "labels")
    with TemporaryDirectory(prefix="mlops-kit-") as folder:
        for file in sources.files(where, Path(folder)):
            for part in _of_file(file, where, key, label) if file.stat().st_size else ():
                given += len(part)
                progress.add(len(part))
                parts.append(
                    lines.only(part, pa.array(_are_in(np.asarray(part["key"].fill_null(0)), wanted)))
                )
                if sum(map(len, parts)) > AT_ONCE:
                    found, parts = _different(_table([found, *parts])), []
    found = _table([found, *parts])
    if len(found) or not given or not len(wanted):
        return found, []
    return found, [f"none of {given:,} labels has the key of a prediction: is `{key}` the key of both?"]


def _of_file(file: Path, where: str, key: str, label: str) -> Iterator[pa.Table]:
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


def _are_in(keys: Keys, wanted: Keys) -> npt.NDArray[np.bool_]:
    """`wanted` in order."""
    places = np.searchsorted(wanted, keys)
    found = places < len(wanted)
    found[found] = wanted[places[found]] == keys[found]
    return found


def _different(labels: pa.Table) -> pa.Table:
    """A label that came several times, as in a full copy of each day, once."""
    codes, texts = lines.codes(labels["actual"])
    keys = np.asarray(labels["key"])
    order = np.lexsort((codes, keys))
    keys, codes = keys[order], codes[order]
    first = np.append(True, (keys[1:] != keys[:-1]) | (codes[1:] != codes[:-1]))[: len(keys)]
    held, places = np.unique(codes[first], return_inverse=True)  # null, whose code is -1, is one of them
    texts = texts.take(pa.array(held, mask=held < 0))
    return pa.table({"key": keys[first], "actual": texts.take(pa.array(places)).dictionary_encode()})


def _table(parts: list[pa.Table]) -> pa.Table:
    none = pa.table({"key": lines.hashed([]), "actual": pa.array([], pa.string()).dictionary_encode()})
    return pa.concat_tables([none, *parts])


def joined(made: pa.Table, labels: pa.Table | None) -> tuple[pa.Table, list[str]]:
    """The predictions with their `actual`, null where it is not known."""
    if labels is None or not len(labels):
        unknown = made.append_column("actual", pa.nulls(len(made), pa.string()))
        return unknown, [] if labels is None else ["no label has come yet"]
    keys, actual, texts, contradicting = _clear(labels)
    codes = np.full(len(made), -1, np.int32)
    mine = np.asarray(made["key"].fill_null(0))
    order = np.argsort(mine)  # looked up in order, which is ten times as fast
    mine = mine[order]
    places = np.searchsorted(keys, mine)
    there = np.flatnonzero(places < len(keys))
    there = there[keys[places[there]] == mine[there]]
    codes[order[there]] = actual[places[there]]
    none = (codes < 0) | np.asarray(made["key"].is_null())
    came = pa.DictionaryArray.from_arrays(pa.array(codes, mask=none), texts)
    notes = [f"{contradicting} keys have labels that contradict each other and are left out"]
    return made.append_column("actual", came), notes if contradicting else []


def _clear(labels: pa.Table) -> tuple[Keys, Codes, pa.Array, int]:
    """Keys in order, the code of each one's label, the labels; and how many keys contradict themselves."""
    given = lines.only(labels, pc.and_(pc.is_valid(labels["key"]), pc.is_valid(labels["actual"])))
    actual, texts = lines.codes(given["actual"])
    in_order = pc.sort_indices(texts)
    place = np.empty(len(texts), np.int32)
    place[in_order] = np.arange(len(texts))
    spelt = texts.take(in_order)
    same = pc.utf8_lower(pc.utf8_trim_whitespace(spelt)).dictionary_encode()  # True and true are one label
    keys = given["key"].to_numpy()
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
