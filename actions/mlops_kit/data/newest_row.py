"""The time of the newest row of a table, or of the data that a model was trained on."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.base.errors import KitError
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository

if TYPE_CHECKING:
    import pyarrow as pa

FORM = "%Y-%m-%dT%H:%M:%SZ"


def newest(repository: Repository, contract: Contract) -> str | None:
    """The time of the newest row that the model was made of, in the column that mlops.yaml names.

    Reads the tables of the workspace. The rows to test on are among them: where the data has a time they are the
    newest. Raises KitError if there is no such column, or it does not hold times.
    """
    setting = contract.new_data.newest_row
    if setting is None:
        return None
    rows = contract.rows
    paths = [rows.test, rows.train] if rows else [entry.path for entry in repository.pointers().values()]
    times = [latest(repository.root / path, setting.column) for path in paths if path]
    known = [time for time in times if time]
    return max(known).strftime(FORM) if known else None


def latest(path: Path, column: str) -> datetime | None:
    """The highest time in a column of a table; None where there is none, or no table."""
    import pyarrow as pa

    from mlops_kit.data import tables

    highest = None
    for file in tables.files(path):
        try:
            for batch in tables.batches(file, partial(_only, column, file)):
                highest = max(filter(None, (highest, _highest(batch.column(0)))), default=None)
        except (pa.ArrowException, TypeError) as error:
            raise KitError(
                f"{file.name}: column {column!r}, which new_data.newest_row of mlops.yaml names, holds no times: "
                f"{error}.",
                "Name a column of times, or write them as 2026-01-31 12:00:00.",
            ) from error
    return highest.replace(tzinfo=UTC) if highest else None


def _highest(values: "pa.Array") -> datetime | None:
    """Raises TypeError for numbers, which Arrow would take for microseconds since 1970."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        raise TypeError(f"it holds numbers ({values.type})")
    moment: datetime | None = pc.max(values.cast(pa.timestamp("us"), safe=False)).as_py()
    return moment


def _only(column: str, file: Path, names: list[str]) -> list[str]:
    if column not in names:
        raise KitError(
            f"{file.name} has no column {column!r}, which new_data.newest_row of mlops.yaml names.",
            f"Its columns: {', '.join(names[:20])}.",
        )
    return [column]
