"""Find rows, predictions and labels: a file, a folder, a pattern, or a bucket."""

import re
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import MASK, masked
from mlops_kit.data import tables
from mlops_kit.data.storage import DataRefused, Landed, Place
from mlops_kit.project.repository import Repository

LOG = (".jsonl", ".ndjson")
READABLE = (*tables.PARQUET, *tables.NAMED, *LOG)
PAGES = ("http://", "https://")
SIGNED = re.compile(r"(://[^\s?]*\?)(?=\S*=)\S+")
REACHED = "Is the address spelt as the bucket is, and may whoever checks read it?"


def shown(where: str) -> str:
    """An address without its credentials: login and signature are masked. A `?` without `=` belongs to a pattern."""
    return masked(SIGNED.sub(rf"\1{MASK}", where))


def files(where: str, folder: Path) -> list[Path]:
    if "://" in where:
        return _fetch(where, folder)
    matching = found_at(where)
    if readable := [file for file in matching if file.is_file() and file.suffix in READABLE]:
        return readable
    if matching:
        raise KitError(
            f"{where}: no file of it ends in {', '.join(READABLE)}.", "Name a file that does, or rename it."
        )
    raise KitError(f"{where} is not there.", "Name a file, a pattern in quotes, or an address.")


def found_at(where: str) -> list[Path]:
    """A file, the files of a folder, or those that match a pattern."""
    path = Path(where).expanduser()
    if path.is_dir():
        return sorted(path.rglob("*"))
    if path.is_file():
        return [path]
    fixed = next((n for n, part in enumerate(path.parts) if set(part) & set("*?[")), len(path.parts) - 1)
    return sorted(Path(*path.parts[:fixed]).glob("/".join(path.parts[fixed:])))


def at(repository: Repository, where: str) -> str:
    """An address as it is; a path, which mlops.yaml gives relative to the repository's root, made absolute."""
    return where if "://" in where else str(repository.root / Path(where).expanduser())


def is_there(where: str) -> bool:
    """True if it holds a file. Raises KitError if that cannot be known, for instance of a bucket that does not exist."""
    return bool(_landed_files(where)[1] if "://" in where else found_at(where))


def _fetch(where: str, folder: Path) -> list[Path]:
    place, landed = _landed_files(where)
    if not landed:
        raise KitError(
            f"{shown(where)}: nothing there has such a name and ends in {', '.join(READABLE)}.",
            "Name a file, a pattern in quotes, or a folder that ends with /.",
        )
    try:
        for file in landed:
            place.fetch(file, folder / file.name)
    except DataRefused as error:
        raise KitError(shown(str(error)), REACHED) from error
    return [folder / file.name for file in landed]


def _landed_files(where: str) -> tuple[Place, list[Landed]]:
    if where.startswith(PAGES):
        page = where.partition("?")[0]  # what follows may be a signature
        raise KitError(
            f"{page} is a page of the web, and those are not read.",
            "Fetch it (`curl -fLO ADDRESS`) and name the file, or name the bucket that it is in (s3://, gs://, abfs://).",
        )
    parent, _, pattern = where.rpartition("/")
    try:
        place = Place(parent, Path.cwd())
        landed = [] if place.is_empty() else place.files(pattern or "*")
    except DataRefused as error:
        raise KitError(shown(str(error)), REACHED) from error
    return place, [one for one in landed if Path(one.name).suffix in READABLE]
