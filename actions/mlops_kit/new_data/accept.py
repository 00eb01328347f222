"""Is a file whole, are there rows, and does the project accept them? Asked before a pointer moves."""

import json
from pathlib import Path
from typing import Any

from mlops_kit.base.processes import ProcessError, run, words
from mlops_kit.data import tables
from mlops_kit.data.storage import DataRefused
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version


def accept(repository: Repository, contract: Contract, path: Path, called: str) -> int | None:
    """The rows of a file, or of a folder's files. Raises DataRefused when it must not be trained on."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    if not files or not any(file.stat().st_size for file in files):
        raise DataRefused(f"{called} is empty")
    for file in files:
        _check_whole(file, called if file == path else f"{called}/{file.name}", contract)
    rows = tables.count(path)
    if rows == 0:
        raise DataRefused(f"{called} has no rows")
    validate(repository, contract, path, called)
    return rows


def _check_whole(path: Path, called: str, contract: Contract) -> None:
    """Raises DataRefused if the file cannot be read to its end. Text files are left to the validation, if there is one."""
    if path.suffix in tables.PARQUET and tables.count(path) is None:
        raise DataRefused(f"{called} cannot be read as Parquet: half-written?")
    if path.suffix in tables.TEXT and not contract.commands.validate_:
        _read_every_line(path, called)


def _read_every_line(path: Path, called: str) -> None:
    from pyarrow import ArrowException, csv

    separator = "\t" if path.suffix == ".tsv" else ","
    parse = csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    try:
        with csv.open_csv(path, parse_options=parse) as stream:
            names = stream.schema.names
        text = csv.ConvertOptions(column_types=dict.fromkeys(names, "string"))  # types are not our matter
        with csv.open_csv(path, parse_options=parse, convert_options=text) as stream:
            for _ in stream:
                pass
    except (OSError, ArrowException) as error:
        raise DataRefused(f"{called} cannot be read as CSV (half-written?): {error}") from error


def validate(repository: Repository, contract: Contract, path: Path, called: str) -> None:
    """Runs the project's own validation on the file."""
    if not contract.commands.validate_:
        return
    inside = path.relative_to(repository.root).as_posix()
    try:
        run([*words(contract.commands.validate_), inside], repository.root)
    except ProcessError as error:
        raise DataRefused(f"{called} is refused by the validation:\n{error.last_words()}") from error


def rows_now(repository: Repository, contract: Contract, path: str, md5: str) -> int | None:
    """The rows of the data that the pointer names: counted if the data is here, else as the newest version recorded."""
    file = repository.root / path
    if file.exists():
        return tables.count(file)
    newest = version.newest(repository, contract.model)
    text = repository.show(newest.commit, "record.json") if newest else None
    entries: list[dict[str, Any]] = json.loads(text).get("data", []) if text else []
    return next((one.get("rows") for one in entries if one.get("md5") == md5), None)
