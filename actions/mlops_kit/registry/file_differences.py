"""How two files differ that should be the same, in words that point to the cause."""

import gzip
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import one_line
from mlops_kit.data import predictions, tables
from mlops_kit.project.lock import file_md5
from mlops_kit.project.sections import Predictions

if TYPE_CHECKING:
    import pyarrow as pa

LARGE = 20_000_000  # bytes; of larger files only the size is told
CLOSE = 1e-9  # of the larger one: what another order of summing does to a figure
MOST = 3  # differences that are named
# What makes the same inputs give another output.
CLOCK, ORDER, SUMMING = "a clock", "a set (PYTHONHASHSEED), or threads?", "another order of summing, threads?"
SEED = "no seed?"
KINDS = (CLOCK, ORDER, SUMMING, SEED)
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
# A moment as text, or as seconds, milliseconds or nanoseconds since 1970, of the years 2017 to 2033.
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d\d:\d\d:\d\d(?:\.\d+)?|\b1[5-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b"
)
WORD = re.compile(r"[^\W\d]+")
NAMED = re.compile(rf"([A-Za-z_]*)[^\w+-]*({NUMBER.pattern})")  # a number and the word before it
DURATION = re.compile(r"second|time|duration|elapsed|took|_ms$", re.IGNORECASE)


def names_a_kind(text: str) -> bool:
    return any(kind in text for kind in KINDS)


def how(old: Path, new: Path) -> str:
    """How two files or folders differ; empty if they are the same."""
    if old.is_dir() and new.is_dir():
        return "; ".join(_folders(old, new))
    if old.is_dir() or new.is_dir():
        return "a folder became a file, or a file a folder"
    if file_md5(old) == file_md5(new):
        return ""
    sizes = old.stat().st_size, new.stat().st_size
    if max(sizes) <= LARGE:
        if old.suffix in tables.PARQUET:
            return _tables(old, new)
        try:
            return _texts(old.read_text(encoding="utf-8"), new.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            return _archives(old, new) or _bytes(old.read_bytes(), new.read_bytes())
    return f"other bytes ({sizes[0]:,} -> {sizes[1]:,})"


def _folders(old: Path, new: Path) -> Iterator[str]:
    names = sorted({path.relative_to(at) for at in (old, new) for path in at.rglob("*") if path.is_file()})
    count = 0
    for name in names:
        pair = old / name, new / name
        difference = how(*pair) if all(path.is_file() for path in pair) else "is in one of the two only"
        count += bool(difference)
        if difference and count <= MOST:
            yield f"{name}: {difference}"
    if count > MOST:
        yield f"and {count - MOST} more files"


def _archives(old: Path, new: Path) -> str:
    """Compare the content of archives, which also hold the time of packing. Empty if the content differs."""
    try:
        if all(map(zipfile.is_zipfile, (old, new))):
            inside = [
                [(one.filename, one.CRC) for one in zipfile.ZipFile(path).infolist()] for path in (old, new)
            ]
            same = inside[0] == inside[1]
        else:
            same = gzip.decompress(old.read_bytes()) == gzip.decompress(new.read_bytes())
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return ""
    return f"the same content, packed at another moment: {CLOCK}" if same else ""


def _bytes(old: bytes, new: bytes) -> str:
    if len(old) != len(new):
        return f"other bytes, {len(old):,} -> {len(new):,} of them"
    if Counter(old) == Counter(new):
        return f"the same bytes in another order: {ORDER}"
    return f"{sum(a != b for a, b in zip(old, new, strict=True)):,} of {len(old):,} bytes differ"


# ---- text ----


def _texts(old: str, new: str) -> str:
    if difference := _moments(old, new):
        return difference
    if Counter(old.splitlines()) == Counter(new.splitlines()):
        return f"the same lines in another order: {ORDER}"
    if Counter(re.findall(r"[\w.-]+", old)) == Counter(re.findall(r"[\w.-]+", new)):
        return f"the same words in another order: {ORDER}"
    return _numbers(old, new) or _more_numbers(old, new) or _lines(old, new)


def _moments(old: str, new: str) -> str:
    if MOMENT.sub("", old) != MOMENT.sub("", new):
        return ""
    first = next(
        pair for pair in zip(MOMENT.findall(old), MOMENT.findall(new), strict=False) if len({*pair}) > 1
    )
    return f"the same but for a moment ({first[0]} -> {first[1]}): {CLOCK}"


def _numbers(old: str, new: str) -> str:
    """The difference of texts in which only numbers differ; empty for others."""
    if NUMBER.sub("", old) != NUMBER.sub("", new):
        return ""
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    differences = [_relative_difference(float(a), float(b)) for a, b in pairs if a != b]
    if max(differences) <= CLOSE:
        return f"{len(differences)} numbers differ by at most {max(differences):.1g} of themselves: {SUMMING}"
    kind = CLOCK if _are_durations(old, new) else SEED
    return f"{len(differences)} numbers differ, by up to {max(differences):.2g} of themselves{_example(old, new)}: {kind}"


def _are_durations(old: str, new: str) -> bool:
    pairs = zip(NAMED.findall(old), NAMED.findall(new), strict=False)
    return all(DURATION.search(a[0]) for a, b in pairs if a != b)


def _more_numbers(old: str, new: str) -> str:
    """The difference of texts with the same words and more or fewer numbers, as of trees, steps or rows; else empty."""
    if {*WORD.findall(old)} != {*WORD.findall(new)}:
        return ""
    counts = [len(NUMBER.findall(text)) for text in (old, new)]
    return f"the same words with other numbers, {counts[0]:,} -> {counts[1]:,} of them{_example(old, new)}: {SEED}"


def _relative_difference(a: float, b: float) -> float:
    return abs(a - b) / max(abs(a), abs(b), 1e-300)


def _example(old: str, new: str) -> str:
    pairs = zip(old.splitlines(), new.splitlines(), strict=False)
    a, b = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
    return f", for instance {one_line(a, 60)!r} -> {one_line(b, 60)!r}"


def _lines(old: str, new: str) -> str:
    before, after = old.splitlines(), new.splitlines()
    count = sum(a != b for a, b in zip(before, after, strict=False)) + abs(len(before) - len(after))
    return f"{count} of {max(len(before), len(after))} lines differ{_example(old, new)}"


# ---- tables ----


def _tables(old: Path, new: Path) -> str:
    try:
        before, after = tables.read(old), tables.read(new)
    except KitError:
        return _bytes(old.read_bytes(), new.read_bytes())
    if before.column_names != after.column_names:
        same = sorted(before.column_names) == sorted(after.column_names)
        kind = f": {ORDER}" if same else ""
        return f"other columns, {before.column_names} -> {after.column_names}{kind}"
    if len(before) != len(after):
        return f"{len(before):,} -> {len(after):,} rows: {SEED}"
    differ = [name for name in before.column_names if before[name].to_pylist() != after[name].to_pylist()]
    if not differ:
        return "the same rows in other bytes"
    if Counter(map(json.dumps, _rows(before))) == Counter(map(json.dumps, _rows(after))):
        return f"the same rows in another order: {ORDER}"
    more = f" and of {len(differ) - MOST} more" if len(differ) > MOST else ""
    return f"the values of {', '.join(differ[:MOST])} differ{more}{_kind(before, after, differ)}"


def _kind(before: "pa.Table", after: "pa.Table", differ: list[str]) -> str:
    """The cause if all differing columns are times, or all are numbers; empty for others."""
    import pyarrow as pa

    types = [before[name].type for name in differ]
    if all(map(pa.types.is_temporal, types)):
        return f": {CLOCK}"
    if not all(pa.types.is_floating(one) or pa.types.is_integer(one) for one in types):
        return ""
    rounding = all(
        pa.types.is_floating(one) and not _column(before[name], after[name])[0]
        for one, name in zip(types, differ, strict=True)
    )
    return f": {SUMMING if rounding else SEED}"


def _rows(table: "pa.Table") -> list[Any]:
    return [[str(value) for value in row.values()] for row in table.to_pylist()]


def predictions_apart(old: Path, new: Path, form: Predictions) -> str:
    """How the predictions of the same rows differ; empty where they agree.

    Figures agree that differ by less than another order of summing explains.
    """
    before, after = predictions.read(old, form), predictions.read(new, form)
    place = predictions.positions(before["key"], after["key"])
    if place.null_count or len(before) != len(after):
        return f"other rows are predicted: {len(before):,} -> {len(after):,}, {place.null_count:,} of the old ones not"
    after = after.take(place)
    names = [name for name in before.column_names if name == "prediction" or name.startswith("probability")]
    if missing := [name for name in names if name not in after.column_names]:
        return f"{', '.join(missing)} is not predicted any more"
    worst = {name: _column(before[name], after[name]) for name in names}
    differing = [
        f"{name} of {count:,} of {len(before):,} rows{by}" for name, (count, by) in worst.items() if count
    ]
    return f"the predictions differ: {', '.join(differing)}" if differing else ""


def _column(old: Any, new: Any) -> tuple[int, str]:
    """How many values are others, and by how much at most where they are numbers."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_floating(old.type) or not pa.types.is_floating(new.type):
        return sum(a != b for a, b in zip(old.to_pylist(), new.to_pylist(), strict=True)), ""
    a, b = (np.asarray(column.to_numpy(), dtype=float) for column in (old, new))
    apart = ~np.isclose(a, b, rtol=CLOSE, atol=0.0, equal_nan=True)
    return int(apart.sum()), f" (by up to {np.abs(a - b)[apart].max(initial=0.0):.3g})"
