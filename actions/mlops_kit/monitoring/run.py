"""The journal of a check: its events are published, or handed to the job that may write."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.alerts import heartbeat, outcome
from mlops_kit.alerts.kinds import STAGE
from mlops_kit.base.errors import KitError
from mlops_kit.forge import runner
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events as events_module
from mlops_kit.runs import publish as publishs
from mlops_kit.runs.events import Journal

AGAIN = "The job before writes it: `mlops-kit monitor check --hand-over FOLDER`."


OUTCOME, EVENTS, RUN = "outcome.json", "events.jsonl", "run"  # what one job hands over to the next


@contextmanager
def journal(repository: Repository, contract: Contract, handed: Path | None) -> Iterator[Journal]:
    """A run of its own, published on a runner or `handed` over, whatever came of it."""
    made = events_module.alone(repository, STAGE)
    alive = False
    try:
        yield made
        alive = True
    except BaseException as error:
        # of an earlier check: nobody is told of it again
        (repository.root / outcome.FILE).unlink(missing_ok=True)
        made.emit(STAGE, "failed", error=str(error) or type(error).__name__)
        raise
    finally:
        if handed is None:
            publish(repository, contract, made, alive=alive)
        else:
            _hand_over(repository, made, handed, alive=alive)


def _hand_over(repository: Repository, made: Journal, folder: Path, *, alive: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN).write_text(made.run, encoding="utf-8")
    shutil.copyfile(made.file, folder / EVENTS)
    kept = repository.root / outcome.FILE
    if alive:
        shutil.copyfile(kept, folder / OUTCOME)


def take_over(repository: Repository, folder: Path) -> Journal:
    """The run that another job began. Raises KitError for what `monitor check --hand-over` does not write."""
    try:
        run = (folder / RUN).read_text(encoding="utf-8").strip()
        lines = (folder / EVENTS).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise KitError(
            f"{folder} holds no check that was handed over: {error}.",
            AGAIN,
        ) from error
    if not events_module.RUN_ID.fullmatch(run):
        raise KitError(f"{folder / RUN} is {run[:80]!r}, which is no run.", AGAIN)
    if strangers := [one for one in events_module.read(lines) if one.get("run") != run]:
        raise KitError(f"{folder / EVENTS} tells of another run, {strangers[0].get('run')!r}.", AGAIN)
    made = Journal(repository, run)
    made.file.parent.mkdir(parents=True, exist_ok=True)
    made.file.write_text(lines, encoding="utf-8")
    return made


def publish(repository: Repository, contract: Contract, made: Journal, *, alive: bool) -> None:
    """On a runner; `alive`: the monitor's heartbeat too, which only a check that came to its end gives."""
    if runner.on_runner() and not runner.is_fork():
        beat = heartbeat.beat(contract.monitoring.heartbeat_hours) if alive else {}
        publishs.end_publishing(repository, made, beat)
    else:
        made.end()
