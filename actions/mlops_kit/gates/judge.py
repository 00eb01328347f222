"""Judge the trained model by the gates of mlops.yaml. Each gate passes, fails or is unknown, with a reason."""

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data.metrics_file import read_metrics
from mlops_kit.gates import kinds, loosened
from mlops_kit.gates.measure import Served
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import hooks
from mlops_kit.runs.events import Journal
from mlops_kit.versions import gate_results, version
from mlops_kit.versions.gate_results import REMOVED, GateResult, Verdict


def gate(
    repository: Repository,
    contract: Contract,
    journal: Journal,
    say: Say,
    only: str = "",
    served: Served | None = None,
) -> Verdict:
    """Judge, keep the verdict for `report` and `register`, and run the hooks of `after_gate`.

    With `only`, one gate is judged; then nothing is kept and no hook runs.
    """
    with journal.stage("gate") as facts:
        verdict = judge(repository, contract, journal, say, only, served)
        status = "open" if verdict.is_open else "closed"
        facts |= {"status": status, "closed_by": verdict.closed_by}
        facts |= {"better": verdict.better, "against": verdict.against}
    if not only:
        gate_results.save(repository, verdict, journal.run)
        about = {"verdict": status, "better": verdict.better}
        hooks.run_hooks(contract, repository, "after_gate", journal, say, **about)
    return verdict


def judge(
    repository: Repository,
    contract: Contract,
    journal: Journal,
    say: Say,
    only: str = "",
    served: Served | None = None,
) -> Verdict:
    """Judge every gate, or the one called `only`. Raises KitError if there are no metrics, or no such gate."""
    if only and only not in contract.gates:
        known = ", ".join(contract.gates) or "none"
        raise KitError(f"mlops.yaml has no gate {only!r}.", f"Its gates: {known}.")
    version.refresh(repository, contract.model, say)
    bench = kinds.Bench(repository, contract, say, read_metrics(repository.root / contract.metrics), served)
    results = []
    for name, section in contract.gates.items():
        if name == only or not only:
            say(f"Gate {name}")
            results.append(kinds.judged(name, section, bench))
            _emit(journal, results[-1])
    results = _flag_loosened(results, repository, contract, say, complete=not only)
    return Verdict(
        results=results, measured=kinds.with_size(bench), better=bench.better, against=bench.against
    )


def _emit(journal: Journal, result: GateResult) -> None:
    journal.emit(f"gate:{result.name}", result.status, value=result.value, bound=result.bound)


def _flag_loosened(
    results: list[GateResult], repository: Repository, contract: Contract, say: Say, *, complete: bool
) -> list[GateResult]:
    """The results with what this change loosened, and one more for each gate that it removed."""
    try:
        start = loosened.before(repository, contract)
    except KitError as error:
        say(f"Whether a gate was loosened is not known: {error.what}")
        return results
    if start is None:
        return results
    where, then = start
    results_with_flags = []
    for result in results:
        changes = loosened.changes(result.name, contract, then)
        flag = {"loosened": f"since {where}: {changes}"} if changes else {}
        results_with_flags.append(result.model_copy(update=flag))
    for name, section in loosened.removed(contract, then).items() if complete else ():
        results_with_flags.append(
            GateResult(
                name=name,
                kind=REMOVED,
                status="pass",
                says=f"the {section.kind} gate of {where} is not in mlops.yaml any more",
                loosened=f"since {where}: removed",
                because=section.because,
            )
        )
    return results_with_flags
