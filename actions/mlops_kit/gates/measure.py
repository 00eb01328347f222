"""Measure latency and size of the model on this machine."""

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Annotated, Any

from pydantic import Field

from mlops_kit.base import strict, temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.base.strict import Exact
from mlops_kit.data import tables
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import LatencyGate

TRIES = (
    3  # of a measurement that is over the limit: a spell of a busy machine passes, a slow model stays slow
)
BYTES_A_CALL = 100  # that the measurement may take in its file, at most


class Measurement(Exact):
    """What `commands.latency` writes."""

    seconds: list[Annotated[float, Field(ge=0)]]
    """One for each call."""


@dataclass(frozen=True)
class Latency:
    """Seconds of a prediction of one row, in a process that has loaded the model."""

    p50_seconds: float
    p95_seconds: float
    n: int  # calls
    rows: int  # different ones, which the calls took in turn
    machine: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


Served = Callable[[Path, int], list[float]]
"""Times so many requests with the rows of a file, one each, to a server of what is here."""


def latency(repository: Repository, contract: Contract, gate: LatencyGate, served: Served | None) -> Latency:
    """Measure again while p95 is over the limit, at most `TRIES` times. Returns the lowest p95.

    Raises KitError if nothing can be timed, there is no row, or the measurement is not usable.
    """
    if gate.of == "server" and served is None:
        raise KitError("not measured: `serving` is missing in mlops.yaml")
    if gate.of == "predict" and not contract.commands.latency:
        raise KitError("not measured: `commands.latency` is missing in mlops.yaml")
    calls = gate.calls
    with temporary.folder() as folder:
        file, count = _first_rows(repository, contract, calls, folder)
        found: list[Latency] = []
        while len(found) < TRIES and all(one.p95_seconds > gate.p95_seconds_at_most for one in found):
            by_server = served if gate.of == "server" else None
            spent = by_server(file, calls) if by_server else _by_command(repository, contract, file, calls)
            cuts = quantiles(spent, n=20, method="inclusive")
            found.append(Latency(round(cuts[9], 6), round(cuts[18], 6), calls, count, machine()))
    return min(found, key=lambda one: one.p95_seconds)


def _by_command(repository: Repository, contract: Contract, rows: Path, calls: int) -> list[float]:
    assert contract.commands.latency
    out = rows.with_name("seconds.json")
    out.unlink(missing_ok=True)
    command = [*words(contract.commands.latency), str(rows), "--calls", str(calls), "--out", str(out)]
    # Where the model uses polars: idle threads of a larger pool wait too, which is left out of a call's seconds.
    run(command, repository.root, POLARS_MAX_THREADS="1")
    return _seconds(out, calls)


def _seconds(out: Path, calls: int) -> list[float]:
    """The seconds in the file. Raises KitError if they are not one finite number, zero or more, for each call."""
    where, do = (
        "What `commands.latency` wrote to --out",
        'Write JSON: {"seconds": [one number for each call]}.',
    )
    if not out.is_file():
        raise KitError("`commands.latency` wrote nothing to --out.", do)
    most = BYTES_A_CALL * calls
    if out.stat().st_size > most:
        raise KitError(f"{where} is longer than {most:,} bytes, too long for {calls} calls.", do)
    seconds = strict.parse(Measurement, out.read_bytes(), where, "is not a measurement", do).seconds
    if len(seconds) != calls:
        raise KitError(f"{where} holds {len(seconds)} numbers; {calls} calls were asked for.", do)
    return seconds


def _first_rows(repository: Repository, contract: Contract, rows: int, folder: Path) -> tuple[Path, int]:
    """A file with the first test rows, else with the sample's."""
    named = [contract.rows.test] if contract.rows else []
    named += [contract.sample.file] if contract.sample else []
    source = next((path for name in named if (path := repository.root / name).is_file()), None)
    if source is None:
        looked = " or ".join(named) or "mlops.yaml names neither rows nor sample"
        raise KitError(f"There are no rows to predict ({looked}).", "Pull the data, or name a sample.")
    file = folder / f"rows{source.suffix}"
    if source.suffix in tables.PARQUET:
        taken = tables.read(source).slice(0, rows)
        tables.write(taken, file)
        return file, len(taken)
    return file, _first_lines(source, file, rows)


def _first_lines(source: Path, file: Path, rows: int) -> int:
    """The header and so many records, byte for byte: separator and encoding stay the file's own."""
    taken = quotes = 0
    with source.open("rb") as lines, file.open("wb") as out:
        for line in lines:
            out.write(line)
            quotes += line.count(b'"')
            if quotes % 2 == 0:  # an odd number so far: the record goes on in the next line
                taken += 1
            if taken > rows:
                break
    return max(taken - 1, 0)


def size(repository: Repository, contract: Contract) -> dict[str, int]:
    """Return the bytes of each artifact. Raises KitError if one is missing."""
    if not contract.artifacts:
        raise KitError("mlops.yaml names no artifacts, so there is nothing to weigh.")
    return {name: _bytes(repository.root / name) for name in contract.artifacts}


def _bytes(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if not path.is_file():
        raise KitError(f"The artifact {path.name} is not here.", "Train, or pull it.")
    return path.stat().st_size
