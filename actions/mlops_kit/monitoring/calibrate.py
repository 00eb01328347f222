"""`monitor calibrate`: resample the rows of the version in production, and say which changes windows of each size will show."""

from dataclasses import dataclass, field

from mlops_kit.base.progress import Say
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.monitoring.reference import Reference
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions


@dataclass(frozen=True)
class Calibrated:
    version: str
    rows: int
    columns: list[str]
    not_compared: list[str]
    visible: dict[int, dict[str, float | None]] = field(default_factory=dict)  # by rows of the window
    run: int = 1  # rows that are drawn together
    notes: list[str] = field(default_factory=list)


def calibrate(repository: Repository, contract: Contract, say: Say) -> Calibrated:
    """Calibrate the thresholds of drift. Raises KitError if the rows of the version in production cannot be read."""
    versions.refresh(repository, contract.model, say)
    return calibrated(references.load(repository, contract, say, anew=True))


def calibrated(reference: Reference) -> Calibrated:
    visible = {n: data_drift.visible(reference.bins, limits) for n, limits in reference.limits.items()}
    notes = [
        "like the reference means: drawn from its rows at random; what comes with a season that it does not hold is drift"
    ]
    if reference.times is None:
        notes.append(
            "no time column is named (monitoring.time): rows are taken to be independent of each other"
        )
    return Calibrated(
        reference.version,
        reference.rows,
        [one.name for one in reference.bins],
        reference.other,
        visible,
        reference.resampling.run,
        notes,
    )
