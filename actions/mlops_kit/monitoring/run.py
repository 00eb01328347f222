"""The journal of a check: its events are published, or handed to the job that may write."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.alerts import heartbeat, outcome
from mlops_kit.alerts.kinds import STAGE
from mlops_kit.base.errors import KitError
from mlops_kit.forge import runner
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events as run_events
from mlops_kit.runs import publish as publication
from mlops_kit.runs.events import Journal
from mlops_kit.runs.handover import EVENTS, RUN, Handover

OUTCOME = "outcome.json"
VERDICTS = ((STAGE, "fine"), (STAGE, "alarm"))  # a check ends with one of them
# The events that a check leaves before it is handed over, by stage.
STAGES: Mapping[str, frozenset[str]] = {
    "run": frozenset({"start"}),
    STAGE: frozenset({"fine", "alarm", "failed"}),
    "training-data": frozenset({"drift", "no drift", "can't tell", "not connected"}),
    "hook:": frozenset({"start", "end", "failed"}),
}
FACTS = frozenset(
    {
        *("seconds", "error", "pid", "commit", "machine", "ends_with", "event_name", "actor", "ref"),
        *("window", "by_hand", "identity", "span", "version", "kinds", "judged", "data", "rows", "columns"),
        *("changes", "concept", "metric", "value", "labelled", "infrastructure", "predictions", "errors"),
        *("p95_seconds", "training", "before", "moved"),
    }
)


def handover(folder: Path) -> Handover:
    """What `monitor check --hand-over` leaves for `alert --from`."""
    again = "The job before writes it: `mlops-kit monitor check --hand-over FOLDER`."
    return Handover(folder, (RUN, EVENTS, OUTCOME), "check that was handed over", again)


@contextmanager
def journal(repository: Repository, contract: Contract, handed: Path | None) -> Iterator[Journal]:
    """The journal of a new run. Its events are published or written into `handed`, even if the check fails."""
    run_journal = run_events.alone(repository, STAGE)
    alive = False
    try:
        yield run_journal
        alive = True
    except BaseException as error:
        # of an earlier check: nobody is told of it again
        (repository.root / outcome.FILE).unlink(missing_ok=True)
        run_journal.emit(STAGE, "failed", error=str(error) or type(error).__name__)
        raise
    finally:
        if handed is None:
            publish(repository, contract, run_journal, alive=alive)
        else:
            _hand_over(repository, run_journal, handed, alive=alive)


def _hand_over(repository: Repository, run_journal: Journal, folder: Path, *, alive: bool) -> None:
    """Write the run and its events, and the outcome too if the check came to its end (`alive`)."""
    files = {RUN: run_journal.run.encode(), EVENTS: run_journal.file.read_bytes()}
    if alive:
        files[OUTCOME] = (repository.root / outcome.FILE).read_bytes()
    handover(folder).write(files)


def take_over(repository: Repository, folder: Path) -> Journal:
    """The run that another job began. Raises KitError for what `monitor check --hand-over` does not write.

    One run is one check: `retrain` counts checks, so one that claims several could start a training by itself.
    """
    handed = handover(folder)
    if handed.has(EVENTS):
        parsed = [event for event in map(run_events.parsed, _lines(handed)) if isinstance(event, dict)]
        if sum((one.get("stage"), one.get("status")) in VERDICTS for one in parsed) > 1:
            raise KitError(f"{folder / EVENTS} holds the events of more than one check.", handed.again)
    return handed.journal(repository, STAGES, FACTS)


def _lines(handed: Handover) -> list[str]:
    return handed.content(EVENTS).decode(errors="replace").split("\n")


def publish(repository: Repository, contract: Contract, run_journal: Journal, *, alive: bool) -> None:
    """Publish the events if this is a runner. `alive`: the check came to its end, so the heartbeat is published too."""
    if runner.on_runner() and not runner.is_fork():
        beat = heartbeat.beat(contract.monitoring.heartbeat_hours) if alive else {}
        publication.end_publishing(repository, run_journal, beat)
    else:
        run_journal.end()
