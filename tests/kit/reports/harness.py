"""A report of a repository, and gates that answered for it."""

from typing import Any

from mlops_kit.project import contract
from mlops_kit.project.repository import Repository
from mlops_kit.reports import report
from mlops_kit.reports.report import Report
from mlops_kit.versions import gate_results
from mlops_kit.versions.gate_results import GateResult, Verdict


def built(repository: Repository) -> Report:
    return report.build(repository, contract.load(repository.root))


def judged(repository: Repository, *statuses: str, better: str = "", against: str = "", **more: str) -> None:
    """The gates answered so."""
    results = []
    for at, status in enumerate(statuses):
        said: dict[str, Any] = {"name": f"g{at}", "kind": "threshold", "status": status, "says": f"why {at}"}
        results.append(GateResult(**said | more))
    gate_results.save(
        repository, Verdict.model_validate({"results": results, "better": better, "against": against}), "r"
    )
