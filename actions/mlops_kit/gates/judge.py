"""May this model be registered? Each gate of mlops.yaml says pass, fail or unknown, and why."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data.metrics_file import read_metrics
from mlops_kit.gates import loosened as looseneds
from mlops_kit.project import contract as contracts
from mlops_kit.project.contract import FILE, FRAGMENTS, Contract
from mlops_kit.project.repository import LOCK, Repository
from mlops_kit.runs.events import Journal
from mlops_kit.versions import version

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


def judge(repository: Repository, contract: Contract, journal: Journal, say: Say, only: str = "") -> Verdict:
    """Raises KitError when there are no metrics to judge by, or no gate is called `only`."""
    if only and only not in contract.gates:
        known = ", ".join(contract.gates) or "none"
        raise KitError(f"mlops.yaml has no gate {only!r}.", f"Its gates: {known}.")
    from mlops_kit.gates import kinds  # and with it numpy: who only reads a verdict needs none

    version.refresh(repository, contract.model, say)
    bench = kinds.Bench(repository, contract, say, read_metrics(repository.root / contract.metrics))
    results = []
    for name, gate in contract.gates.items():
        if name == only or not only:
            say(f"Gate {name}")
            results.append(kinds.judged(name, gate, bench))
            _emit(journal, results[-1])
    results = _flagged(results, repository, contract, say, complete=not only)
    return Verdict(results, kinds.with_size(bench), bench.better, bench.against)


def _emit(journal: Journal, result: GateResult) -> None:
    journal.emit(f"gate:{result.name}", result.status, value=result.value, bound=result.bound)


# ---- what was loosened ----


def _flagged(
    results: list[GateResult], repository: Repository, contract: Contract, say: Say, *, complete: bool
) -> list[GateResult]:
    """The results with what this change loosened, and one more for each gate that it removed."""
    try:
        found = looseneds.before(repository, contract)
    except KitError as error:
        say(f"Whether a gate was loosened is not known: {error.what}")
        return results
    if found is None:
        return results
    where, then = found
    flagged = []
    for result in results:
        words = looseneds.loosened(result.name, contract, then)
        flagged.append(replace(result, loosened=f"since {where}: {words}") if words else result)
    for name, gate in looseneds.removed(contract, then).items() if complete else ():
        says = f"the {gate.kind} gate of {where} is not in mlops.yaml any more"
        flagged.append(
            GateResult(name, REMOVED, "pass", says, loosened=f"since {where}: removed", because=gate.because)
        )
    return flagged


# ---- kept for report and register ----


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
