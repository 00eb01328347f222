"""Tables that a pipeline writes and reads: Parquet or CSV."""

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.errors import KitError

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = (".parquet", ".pq")
TEXT = (".csv", ".tsv", ".txt")


def read(path: Path, columns: list[str] | None = None, *, text: tuple[str, ...] = ()) -> "pa.Table":
    """`text` names columns of a CSV that are text whatever they look like, such as the key 007.

    Raises KitError when it is not there, cannot be read, or has no such column.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        if path.suffix in PARQUET:
            return parquet.read_table(path, columns=columns)
        table = csv.read_csv(
            path,
            parse_options=csv.ParseOptions(delimiter=separator(path), newlines_in_values=True),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string())),
        )
        return table.select(columns) if columns else table
    except (OSError, KeyError, pa.ArrowException) as error:
        raise KitError(f"{path} cannot be read as a table: {error}") from error


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
