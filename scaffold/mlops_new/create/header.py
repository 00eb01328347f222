"""The columns of a data file, read without a data library and before an environment is installed."""

import csv
import difflib
import io
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.create import parquet_header

READ = 1 << 18  # bytes of the file
SHOWN = 10  # columns that an error lists


def columns(data: Path) -> list[str] | None:
    """The names of the columns, as the pipeline will call them; None if they cannot be told from here.

    A CSV is decoded and split as the inference does it; of a Parquet file the footer is read.
    """
    try:
        return parquet_header.columns(data) if data.suffix.lower() in (".parquet", ".pq") else _of_csv(data)
    except (OSError, ValueError, LookupError, StopIteration, csv.Error):
        return None  # the inference says what is wrong with the file


def expect(data: Path, named: Sequence[tuple[str, str | None]]) -> None:
    """Raise MlopsNewError if the file lacks a column that an option names. `named`: option and column."""
    known = columns(data)
    if known is None:
        return
    for option, column in named:
        if column is None or column in known:
            continue
        near = difflib.get_close_matches(column, known, n=3, cutoff=0.5)
        shown = ", ".join(map(repr, near or known[:SHOWN]))
        raise MlopsNewError(
            f"{data.name} has no column {column!r} ({option}).",
            f"Did you mean {shown}?"
            if near
            else f"Its columns: {shown}{', ...' if len(known) > SHOWN else ''}",
        )


def _of_csv(data: Path) -> list[str]:
    dialect: Mapping[str, Any] = runpy.run_path(str(Path(__file__).parent / "inference" / "dialect.py"))
    with data.open("rb") as stream:
        start = stream.read(READ)
    if len(start) == READ:  # up to the end of a line, so that no letter is cut in half
        start = start[: start.rfind(b"\n") + 1] or start
    encoding = dialect["encoding"](start)
    text = start.decode(encoding, errors="replace")
    separator = dialect["separator"](text)
    dialect["expect_header"](text, separator)
    header = next(row for row in csv.reader(io.StringIO(text, newline=None), delimiter=separator) if row)
    return [name.strip() or f"column_{at}" for at, name in enumerate(header)]
