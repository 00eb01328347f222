"""What the gates decided, as typed results, kept in `.mlops/gates.json` for report and register."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlops_kit.base.errors import KitError
from mlops_kit.project import contract as contracts
from mlops_kit.project.contract import FILE, FRAGMENTS
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository

STATE = Path(".mlops/gates.json")
Status = Literal["pass", "fail", "unknown"]
REMOVED: Literal["removed"] = "removed"  # the kind of a gate that this change took out
STATUSES: tuple[Status, ...] = ("pass", "fail", "unknown")
Shown = Literal["pass", "fail", "unknown", "removed"]


def shown(kind: object, status: object) -> Shown:
    """What a table says of a result, which a record of another kit may hold: a removed gate judges nothing."""
    return REMOVED if kind == REMOVED else next((one for one in STATUSES if one == status), "unknown")


@dataclass(frozen=True)
class GateResult:
    """`unknown` (can't tell) never passes. `says` is a sentence for a person with value and bound."""

    name: str
    kind: str
    status: Status
    says: str
    value: float | None = None
    bound: float | None = None
    loosened: str = ""  # what this change loosened of the gate, in words
    because: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> Shown:
        return shown(self.kind, self.status)


@dataclass(frozen=True)
class Verdict:
    results: list[GateResult]
    measured: dict[str, Any] = field(default_factory=dict)  # latency and size, with machine and n
    better: str = ""  # better, worse, the same, can't tell or first; against the champion
    against: str = ""  # the champion's version

    @property
    def is_open(self) -> bool:
        return all(result.status == "pass" for result in self.results)

    @property
    def closed_by(self) -> list[str]:
        return [result.name for result in self.results if result.status != "pass"]


def save(repository: Repository, verdict: Verdict, run: str) -> None:
    content = asdict(verdict) | {
        "open": verdict.is_open,
        "commit": repository.commit(),
        "run": run,
        "of": _basis(repository),
    }
    path = repository.root / STATE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(repository: Repository) -> Verdict | None:
    """The last verdict; None where there is none, or lock, metrics or gates changed since."""
    text = repository.text(str(STATE))
    try:
        content = json.loads(text) if text else {}
        if not content or content["of"] != _basis(repository):
            return None
        results = [GateResult(**result) for result in content["results"]]
        return Verdict(results, content["measured"], content["better"], content["against"])
    except (ValueError, TypeError, KeyError) as error:
        raise KitError(f"{STATE} is damaged: {error!r}.", f"`rm {STATE}`, then `mlops-kit gate`.") from error


def _basis(repository: Repository) -> str:
    """Of what a verdict speaks: a model, and gates."""
    fragments = sorted((repository.root / FRAGMENTS).glob("*.y*ml"))
    metrics = contracts.load(repository.root).metrics
    files = [repository.root / name for name in (LOCK, metrics, FILE)] + fragments
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
