"""What depends on the machine, measured here and now: seconds of `predict`, bytes of the artifacts."""

import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.data import tables
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository


@dataclass(frozen=True)
class Latency:
    """Of one call of `predict`, start included."""

    p50_seconds: float
    p95_seconds: float
    n: int  # calls
    rows: int  # in each call
    machine: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def latency(repository: Repository, contract: Contract, rows: int, calls: int) -> Latency:
    """Raises KitError when there is nothing to call or it fails."""
    predict = contract.commands.predict
    if not predict:
        raise KitError("mlops.yaml names no commands.predict, so nothing can be timed.")
    with TemporaryDirectory(prefix="mlops-kit-") as folder:
        file, count = _first_rows(repository, contract, rows, Path(folder))
        form = contract.predictions
        out = Path(folder) / f"out{Path(form.file).suffix if form else '.csv'}"
        command = [*words(predict), str(file), "--out", str(out)]
        spent = [_seconds(command, repository, out) for _ in range(calls)]
    cuts = quantiles(spent, n=20, method="inclusive")
    return Latency(round(cuts[9], 4), round(cuts[18], 4), calls, count, machine())


def _seconds(command: list[str], repository: Repository, out: Path) -> float:
    """Raises KitError when the command fails or writes nothing."""
    out.unlink(missing_ok=True)
    begin = time.perf_counter()
    run(command, repository.root)
    spent = time.perf_counter() - begin
    if not out.is_file():
        raise KitError(f"`{' '.join(command[:-3])}` wrote no predictions to --out.")
    return spent


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
    """Bytes of each artifact. Raises KitError when one is not here."""
    if not contract.artifacts:
        raise KitError("mlops.yaml names no artifacts, so there is nothing to weigh.")
    return {name: _bytes(repository.root / name) for name in contract.artifacts}


def _bytes(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if not path.is_file():
        raise KitError(f"The artifact {path.name} is not here.", "Train, or pull it.")
    return path.stat().st_size
