"""The results of the gates: typed, and kept in `.mlops/gates.json` for `report` and `register`."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field

from mlops_kit.base import files, strict
from mlops_kit.base.strict import Exact, JsonObject
from mlops_kit.project import contract as contracts
from mlops_kit.project.contract import FILE, FRAGMENTS
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository

STATE = Path(".mlops/gates.json")
Status = Literal["pass", "fail", "unknown"]
REMOVED: Literal["removed"] = "removed"  # the kind of a gate that this change removed from mlops.yaml
STATUSES: tuple[Status, ...] = ("pass", "fail", "unknown")
Shown = Literal["pass", "fail", "unknown", "removed"]
Better = Literal["", "better", "worse", "the same", "can't tell", "first"]


def shown(kind: object, status: object) -> Shown:
    """The status as tables show it. The record of a newer kit may hold a status that this one does not know."""
    return REMOVED if kind == REMOVED else next((known for known in STATUSES if known == status), "unknown")


class GateResult(Exact):
    """The result of one gate. `unknown` (can't tell) never passes."""

    name: str
    kind: str
    status: Status
    says: str  # a sentence for a person, with value and bound
    value: float | None = None
    bound: float | None = None
    loosened: str = ""  # how this change loosened the gate, in words
    because: str = ""
    details: JsonObject = Field(default_factory=dict)

    @property
    def shown(self) -> Shown:
        return shown(self.kind, self.status)


class Verdict(Exact):
    """The results of all gates of one model."""

    results: list[GateResult]
    measured: JsonObject = Field(default_factory=dict)  # latency and size, with machine and n
    better: Better = ""  # than the champion; "first" if there is none, empty if no gate compares
    against: str = ""  # the champion's version

    @property
    def is_open(self) -> bool:
        return all(result.status == "pass" for result in self.results)

    @property
    def closed_by(self) -> list[str]:
        return [result.name for result in self.results if result.status != "pass"]


class KeptVerdict(Verdict):
    """`.mlops/gates.json`: a verdict, and what it is about. Every key is required: `save` writes them all."""

    measured: JsonObject
    better: Better
    against: str
    open: bool
    commit: str
    run: str
    of: str  # SHA-256 of lock, metrics and gates

    @property
    def verdict(self) -> Verdict:
        return Verdict(**{name: getattr(self, name) for name in Verdict.model_fields})


def save(repository: Repository, verdict: Verdict, run: str) -> None:
    kept = KeptVerdict(
        **dict(verdict),
        open=verdict.is_open,
        commit=repository.commit(),
        run=run,
        of=_basis(repository),
    )
    files.write(repository.root / STATE, kept.text())


def load(repository: Repository) -> Verdict | None:
    """The last verdict; None if there is none, or if lock, metrics or gates changed since.

    Raises KitError if the file is not what `save` writes.
    """
    text = repository.text(str(STATE))
    if not text:
        return None
    do = f"`rm {STATE}`, then `mlops-kit gate`."
    kept = strict.parse(KeptVerdict, text, str(STATE), "is damaged", do)
    return kept.verdict if kept.of == _basis(repository) else None


def _basis(repository: Repository) -> str:
    """SHA-256 of what a verdict depends on: lock, metrics, mlops.yaml and its fragments."""
    fragments = sorted((repository.root / FRAGMENTS).glob("*.y*ml"))
    metrics = contracts.load(repository.root).metrics
    files = [repository.root / name for name in (LOCK, metrics, FILE)] + fragments
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
