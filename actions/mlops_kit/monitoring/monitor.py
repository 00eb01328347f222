"""`monitor check`: read the inputs, run every check, and write the result for `alert`, the events and the tiers."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from mlops_kit.alerts.outcome import Outcome
from mlops_kit.base import clock
from mlops_kit.base.progress import Say
from mlops_kit.forge import runner
from mlops_kit.monitoring import check as checks
from mlops_kit.monitoring import export, history, inputs, issue_text, run, terminal_text
from mlops_kit.monitoring.check import Checked
from mlops_kit.monitoring.inputs import Request
from mlops_kit.monitoring.reference import FOLDER
from mlops_kit.monitoring.window_file import WindowFile
from mlops_kit.predictions_log import sources
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions

ALL_ROWS = FOLDER / "rows.parquet"  # while the check runs


def check_now(
    repository: Repository, contract: Contract, request: Request, say: Say, handed: Path | None = None
) -> Checked:
    """Check a window, and main if no window is named. `handed`: folder for another job, which publishes the result.

    Raises KitError if the inputs cannot be read; the events then say that the check failed.
    """
    versions.refresh(repository, contract.model, say)
    against = versions.find(repository, contract.model, request.against) if request.against else None
    with run.journal(repository, contract, handed) as journal, _file_of_rows(repository, contract) as rows:
        read = inputs.read(repository, contract, request, against, say, rows)
        results = checks.run(read)
        checked = checks.checked(read, results)
        outcome = issue_text.outcome(checked, journal.run, _command(request, checked))
        outcome.write(repository.root)
        history.emit(journal, checked, results)
        if rows:
            content = json.dumps(asdict(checked), indent=2, ensure_ascii=False)
            export.for_tiers(repository, read, checked, rows, journal, content, say, handed)
    _tell_runner(checked, outcome)
    return checked


@contextmanager
def _file_of_rows(repository: Repository, contract: Contract) -> Iterator[WindowFile | None]:
    """None if no hook of a tier asks for the rows."""
    if not contract.hooks.get(export.HOOK):
        yield None
        return
    rows = WindowFile(repository.root / ALL_ROWS)
    try:
        yield rows
    finally:
        rows.close()


def _command(request: Request, checked: Checked) -> str:
    """Return the command that repeats this check, at its time and against its version."""
    against = checked.version if checked.window else ""
    values = {"--window": request.window, "--labels": request.labels, "--against": against}
    options = [word for name, value in values.items() if value for word in (name, sources.shown(value))]
    return f"{clock.VARIABLE}={checked.at} {shlex.join(['mlops-kit', 'monitor', 'check', *options])}"


def _tell_runner(checked: Checked, outcome: Outcome) -> None:
    runner.output(alarms=" ".join(outcome.kinds), version=checked.version)
    runner.summary(f"### Monitor\n\n```\n{terminal_text.of_check(checked)}\n```")
