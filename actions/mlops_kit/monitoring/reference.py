"""The reference that windows are compared with: the training and test rows of the version in production, as bin codes.

It is kept in .mlops/monitoring/, named after the version and the hash of its data. It is a cache: made again from the same
version, it is the same to the byte. It stays out of Git because it holds rows, if only as bin codes.
"""

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data import predictions as predictions_module
from mlops_kit.data.tables import NAMED, read, typed, write
from mlops_kit.predictions_log import window as windows
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import file_md5
from mlops_kit.project.repository import Repository
from mlops_kit.statistics import bins as binning
from mlops_kit.statistics.bins import Bins, Codes
from mlops_kit.statistics.resampling import BLOCK, LEAST_REFERENCE, Limits, Resampling, tested
from mlops_kit.versions import version as versions
from mlops_kit.versions.version import Version

FOLDER = Path(".mlops/monitoring")
FORMAT = 5  # of the kept file; another number makes every reference again
KEPT, TOGETHER = 100_000, 1000  # more rows would only show shifts that are too small to act on
GRID = (50, 200, 1000, 5000, 20_000)


@dataclass
class Reference:
    version: str  # empty before the first version: the rows of the workspace
    rows: int  # `codes` holds a random sample of them
    bins: list[Bins]
    codes: Codes
    other: list[str]  # columns that are not compared
    times: npt.NDArray[np.int64] | None = None  # of each row of `codes`, in seconds since 1970, sorted
    predictions: pa.Table | None = None  # those of the evaluation
    limits: dict[int, Limits] = field(default_factory=dict)

    @property
    def resampling(self) -> Resampling:
        return Resampling(self.bins, self.codes, ordered=self.times is not None)

    @property
    def largest(self) -> int:
        """The most rows of a window that are compared."""
        return tested(len(self.codes), len(self.codes))

    def calibrate(self) -> None:
        sizes = {n for n in GRID if n < self.largest} | {self.largest}
        self.limits = self.resampling.limits_by_size(sorted(sizes))


@dataclass(frozen=True)
class _Source:
    """The files of a version, or of the workspace."""

    version: str
    contract: Contract
    md5s: dict[str, str]
    file: Callable[[str], Path]


def load(
    repository: Repository,
    contract: Contract,
    say: Say,
    *,
    anew: bool = False,
    version: Version | None = None,
) -> Reference:
    """The reference of a version, by default of the one in production: from the cache, or made and calibrated.

    Raises KitError if its rows cannot be fetched.
    """
    with temporary.folder() as folder:
        version = version or versions.champion(repository, contract.model, "production")
        source = _source(repository, contract, folder, version)
        name = source.version or "no-version"
        path = repository.root / FOLDER / f"{name}-{_key(source, contract)}.npz"
        if path.is_file() and not anew:
            try:
                return _load(path)
            except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, KitError):
                say(f"{path.name} cannot be read and is made again")
        say(f"calibrate on the rows of {source.version or 'the workspace'}")
        reference = _make(source, contract)
    reference.calibrate()
    _save(reference, path)
    return reference


def make(
    window: windows.Window, *, version: str = "", time: str | None = None, left_out: tuple[str, ...] = ()
) -> Reference:
    """A reference of these rows. Raises KitError if there are too few rows, or no column can be compared."""
    columns = {name: values for name, values in window.drawn.items() if name not in left_out}
    named_bins = [(name, binning.cut(name, values)) for name, values in columns.items()]
    compared = [one for _, one in named_bins if one]
    n = len(next(iter(columns.values()))) if columns else 0
    if n < LEAST_REFERENCE or not compared:
        raise KitError(
            f"The reference has {n} rows and {len(compared)} columns that can be compared; it takes {LEAST_REFERENCE} rows.",
            "Name the rows in `rows:` of mlops.yaml.",
        )
    order, times = in_order(window, time)
    codes = np.column_stack([one.encode(binning.plain(columns[one.name])) for one in compared])[order]
    other = [name for name, one in named_bins if one is None] + [
        name for name in left_out if name in window.drawn
    ]
    return Reference(version, window.rows, compared, codes, other, times)


def in_order(
    window: windows.Window, time: str | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64] | None]:
    """Indices of the rows that the reference holds, a multiple of the block size; and their times, if there are some."""
    n = len(next(iter(window.drawn.values())))
    n -= n % BLOCK
    if time is None or time not in window.drawn:
        return np.arange(n), None
    times = np.asarray(binning.moments(window.drawn[time]).cast(pa.int64()).fill_null(0))
    order = np.argsort(times, kind="stable")[-n:]
    return order, times[order]


def drawn(repository: Repository, contract: Contract, name: str) -> windows.Window:
    """The rows behind the reference of a version, or of the workspace if `name` is empty. Raises KitError if they cannot be fetched."""
    with temporary.folder() as folder:
        version = versions.find(repository, contract.model, name) if name else None
        return _draw(_source(repository, contract, folder, version))


def _draw(source: _Source) -> windows.Window:
    rows = source.contract.rows
    files = [source.file(path) for path in (rows.train, rows.test) if path] if rows else []
    if not files:
        raise KitError(
            "mlops.yaml names no `rows`, so there is nothing to compare with.",
            "`rows: {train: ..., test: ..., key: ...}` says which rows the model was made of.",
        )
    window = windows.read_files("the reference", files, KEPT, together=TOGETHER)
    if all(file.suffix in NAMED for file in files):  # read as text, so that 007 of a window stays 007
        window.drawn = typed(window.drawn)
    return window


def _make(source: _Source, contract: Contract) -> Reference:
    reference = make(
        _draw(source),
        version=source.version,
        time=contract.monitoring.time,
        left_out=left_out(contract, source.contract),
    )
    if form := source.contract.predictions:
        reference.predictions = _by_time(
            predictions_module.read(source.file(form.file), form), source, contract
        )
    return reference


def _by_time(evaluated: pa.Table, source: _Source, contract: Contract) -> pa.Table:
    """Sorted by the time of their rows, if that is known, because neighbouring rows are autocorrelated."""
    rows, time = source.contract.rows, contract.monitoring.time
    if rows is None or rows.test is None or time is None:
        return evaluated
    path = source.file(rows.test)
    try:
        test_rows = read(path, [rows.key, time], text=(rows.key,))
        moments = binning.moments(test_rows[time].combine_chunks()).cast(pa.int64())
    except (KitError, pa.ArrowInvalid, pa.ArrowNotImplementedError):  # no such column, or no times in it
        return evaluated
    places = predictions_module.positions(evaluated["key"], test_rows[rows.key].cast(pa.string()))
    return evaluated.take(pc.sort_indices(moments.take(places)))


def left_out(*contracts: Contract) -> tuple[str, ...]:
    """Columns that are not compared: keys, the label, and `monitoring.left_out`."""
    keys = [one.rows.key for one in contracts if one.rows]
    settings = contracts[0].monitoring
    return tuple(dict.fromkeys([*keys, settings.label, *settings.left_out]))


def _source(repository: Repository, contract: Contract, folder: Path, version: Version | None) -> _Source:
    if version is None:
        files = [path for path in _paths(contract) if (repository.root / path).is_file()]
        md5s = {path: file_md5(repository.root / path) for path in files}
        return _Source("", contract, md5s, lambda path: _workspace_file(repository, path))
    earlier = snapshot.take(repository, version.tag, folder, contract.commands.dvc)
    lock = earlier.lock
    md5s = {path: out.md5 for path in _paths(earlier.contract) if lock and (out := lock.out(path))}
    return _Source(version.name, earlier.contract, md5s, earlier.file)


def _workspace_file(repository: Repository, path: str) -> Path:
    if not (repository.root / path).is_file():
        raise KitError(
            f"{path} is not here, and no version has it either.",
            "Train first: `mlops-kit train` or `dvc repro`.",
        )
    return repository.root / path


def _paths(contract: Contract) -> list[str]:
    named = [contract.rows.train, contract.rows.test] if contract.rows else []
    return [path for path in (*named, contract.predictions and contract.predictions.file) if path]


def _key(source: _Source, contract: Contract) -> str:
    settings = contract.monitoring
    facts = [FORMAT, source.md5s, settings.time, left_out(contract, source.contract)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _save(reference: Reference, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = {
        "version": reference.version,
        "rows": reference.rows,
        "other": reference.other,
        "cells": [asdict(one) | {"edges": one.edges.tolist()} for one in reference.bins],
        "limits": [asdict(one) for one in reference.limits.values()],
    }
    arrays: dict[str, Any] = {"codes": reference.codes, "facts": np.array(json.dumps(facts))}
    if reference.times is not None:
        arrays["times"] = reference.times
    if reference.predictions is not None:
        write(reference.predictions, path.with_suffix(".parquet"))
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)
    part.replace(path)  # atomic: a reader never sees half a file


def _load(path: Path) -> Reference:
    with np.load(path, allow_pickle=False) as kept:
        facts = json.loads(str(kept["facts"]))
        codes, times = kept["codes"], kept["times"] if "times" in kept.files else None
    bins = [
        Bins(**one | {"edges": np.array(one["edges"], float), "levels": tuple(one["levels"])})
        for one in facts["cells"]
    ]
    evaluated = path.with_suffix(".parquet")
    table = read(evaluated) if evaluated.is_file() else None
    limits = {one["n"]: Limits(**one) for one in facts["limits"]}
    return Reference(facts["version"], facts["rows"], bins, codes, facts["other"], times, table, limits)
