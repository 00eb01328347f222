"""Data that `dvc import-url` brought: has its source changed?"""

import time
from pathlib import Path
from typing import Any

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.processes import ProcessError
from mlops_kit.data.storage import DataRefused
from mlops_kit.new_data import accept
from mlops_kit.new_data.result import NotYet, WatchResult
from mlops_kit.new_data.source import NothingNew, Source
from mlops_kit.new_data.undo import kept
from mlops_kit.project.transfer import said_by_dvc


def take(source: Source) -> WatchResult:
    """Moves the pointer to what the source holds now, and pushes it.

    Raises NothingNew, NotYet or DataRefused with the workspace as it was.
    """
    pointer, was, name = source.watch.pointer, source.entry, source.name
    rows_before = accept.rows_now(source.repository, source.contract, was.path, was.md5)
    recorded = _dependency(source)
    with kept(source.repository, pointer, was.path) as before:
        before.set_aside()
        _update(source, "--no-download")
        if _dependency(source) == recorded:
            raise NothingNew(f"{name} has not changed")
        _check_settled(source)
        _update(source)
        now = source.entry
        if now.md5 == was.md5:
            raise NothingNew(f"{name} holds the same content again")
        source.not_waiting()
        rows = accept.accept(source.repository, source.contract, source.path, name)
        if source.dry:
            raise _DryRun(source.entry.md5, rows)
        source.push()
    return WatchResult(
        pointer, name, "found", f"new data from {name}", was.path, was.md5, now.md5, rows_before, rows
    )


class _DryRun(Exception):
    """A dry run that would have found: its md5 and rows; the workspace goes back."""

    def __init__(self, md5: str, rows: int | None) -> None:
        super().__init__(md5)
        self.md5, self.rows = md5, rows


def dry_run(source: Source) -> WatchResult:
    """Like `take`, but the workspace is then as it was."""
    was, name = source.entry, source.name
    try:
        return take(source)
    except _DryRun as tried:
        says = f"new data from {name} (dry run)"
        facts = (was.path, was.md5, tried.md5, None, tried.rows)
        return WatchResult(source.watch.pointer, name, "found", says, *facts)


def _dependency(source: Source) -> dict[str, Any]:
    dependency: dict[str, Any] = parse_yaml(source.text, source.watch.pointer)["deps"][0]
    return dependency


def _update(source: Source, *options: str) -> None:
    try:
        source.dvc("update", *options, source.watch.pointer)
    except ProcessError as error:
        output = said_by_dvc(error)
        gone = "does not exist" in output or "No such file" in output
        what = "vanished" if gone else "cannot be read"
        raise DataRefused(f"{source.name} {what}: {output}") from error


def _check_settled(source: Source) -> None:
    """Raises NotYet if a file of the source changed a moment ago. An object of a bucket is always whole."""
    folder = (source.repository.root / source.watch.pointer).parent
    file = Path(source.name.removeprefix("file://"))
    file = file if file.is_absolute() else folder / file
    files = [one for one in file.rglob("*") if one.is_file()] if file.is_dir() else [file]
    ages = [time.time() - one.stat().st_mtime for one in files if one.exists()]
    if ages and min(map(abs, ages)) < source.watch.settle_seconds:
        raise NotYet(f"{source.name} changed {max(min(ages), 0):.0f} s ago: half-written, it waits")
