"""Folders and buckets where files land, through one interface."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mlops_kit.base import deadline
from mlops_kit.base.errors import KitError

# pyarrow, which reads the tables anyway, holds clients of these; nothing else need be installed.
ARROW = ("s3://", "gs://", "gcs://", "abfs://", "abfss://")
SECONDS = 60.0  # in which a place answers, or sends the next 4 MB
SKIPPED = (".", "_")  # how writers call what is not finished


@dataclass(frozen=True)
class Landed:
    """A file as a look saw it; `modified` in seconds since 1970, None where the place does not say."""

    path: str
    name: str  # from the folder
    size: int
    modified: float | None

    def settled(self, seconds: float) -> bool:
        """Was it left alone for so long? A clock that is ahead counts like one behind."""
        return self.modified is None or abs(time.time() - self.modified) >= seconds


class Place:
    """A folder of any kind. What goes wrong with it refuses the data, naming it."""

    def __init__(self, folder: str, root: Path) -> None:
        self.folder = folder
        self.root = root
        with _refusing(f"{folder} cannot be opened"):
            self.system, self.path = deadline.call(SECONDS, _open, folder, root)

    def files(self, pattern: str) -> list[Landed]:
        """Oldest first. Raises DataRefused when the folder is not there or cannot be read."""
        with _refusing(f"{self.folder} cannot be read"):
            if not deadline.call(SECONDS, self.system.exists, self.path):
                raise DataRefused(f"{self.folder} is not there: its data vanished, or it is misspelt")
            listed = deadline.call(SECONDS, self.system.find, self.path, detail=True)
        landed = [self._to_landed(path, facts) for path, facts in listed.items()]
        matching = [file for file in landed if _matches(file.name, pattern)]
        return sorted(matching, key=lambda file: (file.modified or 0, file.name))

    def is_empty(self) -> bool:
        """A bucket has no folder where it has no file: the bucket is there, and nothing in it is called like this."""
        if not self.folder.startswith(ARROW):
            return False
        with _refusing(f"{self.folder} cannot be read"):
            found, bucket = (
                deadline.call(SECONDS, self.system.exists, path)
                for path in (self.path, self.path.partition("/")[0])
            )
            return not found and bool(bucket)

    def _to_landed(self, path: str, facts: dict[str, Any]) -> Landed:
        name = path.removeprefix(self.path.rstrip("/")).lstrip("/")
        return Landed(path, name, int(facts.get("size") or 0), _moment(facts))

    def fetch(self, landed: Landed, to: Path) -> str:
        """Brings the file and gives its md5. Raises DataRefused when it vanished meanwhile."""
        to.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.md5(usedforsecurity=False)
        with _refusing(f"{self.folder}: {landed.name} cannot be read"):
            try:
                opened = deadline.call(SECONDS, self.system.open, landed.path, "rb")
                with opened as source, to.open("wb") as target:
                    while block := deadline.call(SECONDS, source.read, 1 << 22):
                        digest.update(block)
                        target.write(block)
            except FileNotFoundError as error:
                link = "is a link to nothing: its data vanished"
                gone = link if Path(landed.path).is_symlink() else "vanished while it was read"
                raise DataRefused(f"{landed.name} {gone}") from error
        return digest.hexdigest()

    def again(self, landed: Landed) -> Landed | None:
        """A second look at the file; None when it is gone."""
        with _refusing(f"{self.folder}: {landed.name} cannot be read"):
            try:
                self.system.invalidate_cache()
                return self._to_landed(landed.path, deadline.call(SECONDS, self.system.info, landed.path))
            except FileNotFoundError:
                return None


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """What a place's client raises, which for a login that fails may be an error of Arrow's own, refuses the data."""
    from pyarrow import ArrowException

    try:
        yield
    except (ImportError, ValueError, OSError, ArrowException) as error:
        raise DataRefused(f"{what}: {error}") from error


def _open(folder: str, root: Path) -> tuple[Any, str]:
    if folder.startswith(ARROW):
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow.fs import FileSystem

        address = folder.replace("gcs://", "gs://", 1)
        system, path = FileSystem.from_uri(address)  # AWS_ENDPOINT_URL and the like: from the environment
        return ArrowFSWrapper(system), path
    from fsspec.core import url_to_fs

    system, path = url_to_fs(folder if "://" in folder else str(root / Path(folder).expanduser()))
    return system, str(path)


def _moment(facts: dict[str, Any]) -> float | None:
    """Systems call it differently, and some give a date and some a number. Of a link that of what it leads to."""
    if facts.get("islink") and (target := Path(facts["name"])).exists():
        return target.stat().st_mtime
    value = next((facts[key] for key in ("mtime", "LastModified", "last_modified") if facts.get(key)), None)
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None


def _matches(name: str, pattern: str) -> bool:
    base = name.rpartition("/")[2]
    if not base or base.startswith(SKIPPED):
        return False
    return fnmatch(name if "/" in pattern else base, pattern)


class DataRefused(KitError):
    """The new data must not be trained on: the reason, in a sentence."""
