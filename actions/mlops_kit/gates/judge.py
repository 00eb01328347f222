"""May this model be registered? Each gate of mlops.yaml says pass, fail or unknown, and why."""

from dataclasses import replace

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data.metrics_file import read_metrics
from mlops_kit.gates import loosened as looseneds
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import Journal
from mlops_kit.versions import version
from mlops_kit.versions.gate_results import REMOVED, GateResult, Verdict


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
