"""Tables that a pipeline writes and reads: Parquet or CSV."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.base.errors import KitError

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = (".parquet", ".pq")
TEXT = (".csv", ".tsv", ".txt")
NAMED = (".csv", ".tsv")  # .txt is more often text than a table with names in its first line
AT_ONCE = 65_536


def read(path: Path, columns: list[str] | None = None, *, text: tuple[str, ...] = ()) -> "pa.Table":
    """`text` names columns of a CSV that are text whatever they look like, such as the key 007.

    Raises KitError when it is not there, cannot be read, or has no such column.
    """
    import pyarrow as pa
    from pyarrow import csv

    try:
        if path.suffix in PARQUET:
            return _parquet(path, columns)
        table = csv.read_csv(
            path,
            parse_options=csv.ParseOptions(delimiter=separator(path), newlines_in_values=True),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string())),
        )
        return table.select(columns) if columns else table
    except (OSError, KeyError, pa.ArrowException) as error:
        raise KitError(
            f"{path} cannot be read as a table: {error}", "Is it whole, and is it what its name ends with?"
        ) from error


def _parquet(path: Path, columns: list[str] | None) -> "pa.Table":
    """Of one file without Arrow's datasets, which `read_table` imports for it: they take as long as the rest."""
    from pyarrow import parquet

    if path.is_dir():
        return parquet.read_table(path, columns=columns)
    with parquet.ParquetFile(path) as file:
        if missing := set(columns or ()).difference(file.schema_arrow.names):
            raise KeyError(f"no column {', '.join(sorted(missing))}")
        table = file.read(columns)
    return table.select(columns) if columns else table


def write(table: "pa.Table", path: Path) -> None:
    """Parquet or CSV, by the name's ending."""
    from pyarrow import csv, parquet

    if path.suffix in PARQUET:
        parquet.write_table(table, path)
        return
    csv.write_csv(table, path, csv.WriteOptions(delimiter=separator(path)))


def separator(path: Path) -> str:
    return "\t" if path.suffix == ".tsv" else ","


def count(path: Path) -> int | None:
    """Rows of a table, or of all tables of a folder; None for what is not one or is not here."""
    if path.is_dir():
        counts = [count(file) for file in sorted(path.rglob("*")) if file.is_file()]
        known = [n for n in counts if n is not None]
        return sum(known) if known else None
    if not path.is_file():
        return None
    if path.suffix in PARQUET:
        from pyarrow import ArrowException, parquet

        try:
            return int(parquet.read_metadata(path).num_rows)
        except (OSError, ArrowException):
            return None
    if path.suffix in TEXT:
        with path.open("rb") as stream:
            lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
            stream.seek(max(stream.tell() - 1, 0))
            ends_open = stream.read(1) not in (b"\n", b"")
        return max(lines + ends_open - 1, 0)
    return None


# ---- some rows at a time, however many there are ----


def files(path: Path) -> list[Path]:
    """The file, or the files of a folder, that may be tables with named columns."""
    paths = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
    return [file for file in paths if file.is_file() and file.suffix in (*PARQUET, *NAMED)]


def batches(file: Path, choose: Callable[[list[str]], list[str]]) -> Iterator["pa.RecordBatch"]:
    """Read the columns that `choose` picks, in batches of rows. Yields nothing for a CSV file without a header.

    Raises what pyarrow raises for a file that it cannot read.
    """
    if file.suffix in PARQUET:
        from pyarrow import parquet

        # Buffered ahead, as is the default, it would hold whole row groups.
        with parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20) as opened:
            columns = choose(opened.schema_arrow.names)
            yield from opened.iter_batches(AT_ONCE, columns=columns)
        return
    with _csv(file, {}) as reader:
        names = reader.schema.names
    if any(_is_number(name) for name in names):  # the first row of a file without names: not for a record
        return
    columns = choose(names)
    with _csv(file, _types(file, columns)) as reader:
        yield from reader


def texts(file: Path) -> Iterator["pa.RecordBatch"]:
    """Of a CSV file every column as it is written, so that 007 stays 007."""
    import pyarrow as pa

    with _csv(file, {}) as reader:
        names = reader.schema.names
    with _csv(file, {name: pa.string() for name in names if names.count(name) == 1}) as reader:
        yield from reader


def typed(columns: "dict[str, pa.Array]") -> "dict[str, pa.Array]":
    """Columns that were read as text, each with the type that fits all of its values."""
    import pyarrow as pa

    return {
        name: values.cast(_fitting_type(values, None))
        if pa.types.is_string(values.type) and values.null_count < len(values)
        else values
        for name, values in columns.items()
    }


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _types(file: Path, columns: list[str]) -> dict[str, "pa.DataType"]:
    """The type that fits every value of each column. Arrow's own reader decides by the first block alone."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {}
    with _csv(file, dict.fromkeys(columns, pa.string())) as reader:
        for batch in reader:
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                if values.null_count < len(values) and types.get(name) != pa.string():
                    types[name] = _fitting_type(values, types.get(name))
    return {name: types.get(name, pa.null()) for name in columns}


def _fitting_type(values: "pa.Array", so_far: "pa.DataType | None") -> "pa.DataType":
    """The first type that fits all values, else text. `so_far` is the type that fits the batches before."""
    import pyarrow as pa

    whole, real = pa.int64(), pa.float64()
    first = (whole, real, pa.bool_(), pa.timestamp("ns"), pa.timestamp("ns", "UTC"))
    candidates = first if so_far is None else (whole, real) if so_far == whole else (so_far,)
    for kind in candidates:
        try:
            values.cast(kind)
        except pa.ArrowInvalid:
            continue
        return kind
    return pa.string()


def _csv(file: Path, types: dict[str, "pa.DataType"]) -> Any:
    from pyarrow import csv

    return csv.open_csv(
        file,
        parse_options=csv.ParseOptions(delimiter=separator(file), newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=True
        ),
    )
