"""`alert`: raise and close alarms by the last check, made here or handed over by another job."""

from pathlib import Path

from mlops_kit.alerts import notify, outcome
from mlops_kit.alerts.kinds import STAGE
from mlops_kit.alerts.notify import Told
from mlops_kit.base.progress import Say
from mlops_kit.forge import runner
from mlops_kit.monitoring import run
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import Journal


def alert(
    repository: Repository,
    contract: Contract,
    say: Say,
    *,
    checked: Path | None = None,
    handed: Path | None = None,
    labels: tuple[str, ...] = (),
) -> list[Told]:
    """Raise and close alarms by a check: the last one here, the file `checked`, or the folder `handed` of another job.

    The events of a handed check are published even if it failed and left no result. Raises KitError then.
    """
    journal = run.take_over(repository, handed) if handed else None
    if journal and handed and not (handed / run.OUTCOME).is_file():
        run.publish(repository, contract, journal, alive=False)
    result = outcome.read(_file(repository, checked, handed))
    journal = journal or Journal(repository, result.run or STAGE)
    results = notify.bring(repository, contract, result, journal, labels, say)
    if handed or any(one.is_news for one in results):
        run.publish(repository, contract, journal, alive=handed is not None)
    _tell_runner(results)
    return results


def plan(repository: Repository, *, checked: Path | None = None, handed: Path | None = None) -> list[Told]:
    """Return the results that `alert` would give, without a message to anybody."""
    results = notify.plan(outcome.read(_file(repository, checked, handed)))
    _tell_runner(results)
    return results


def test(repository: Repository, contract: Contract) -> list[Told]:
    """Raise and close a test alarm."""
    results = notify.test(repository, contract)
    _tell_runner(results)
    return results


def _file(repository: Repository, checked: Path | None, handed: Path | None) -> Path:
    return handed / run.OUTCOME if handed else checked or repository.root / outcome.FILE


def _tell_runner(results: list[Told]) -> None:
    runner.output(raised=" ".join(one.kind for one in results if one.done in ("created", "reopened")))
    for problem in notify.problems(results):
        runner.annotate("error", problem)
