"""Checks as events: what the weekly review, the retraining policy and whoever asks later read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlops_kit import events, heartbeat, logbook, runner
from mlops_kit.contract import Contract
from mlops_kit.events import Journal
from mlops_kit.monitoring.checking import Checked
from mlops_kit.repository import Repository

STAGE = "monitor"


@contextmanager
def journal(repository: Repository, contract: Contract) -> Iterator[Journal]:
    """A run of its own; on a runner it is published with the monitor's heartbeat, whatever came of it."""
    made = events.alone(repository, STAGE)
    try:
        yield made
    except BaseException as error:
        made.emit(STAGE, "failed", error=str(error) or type(error).__name__)
        raise
    finally:
        publish(repository, contract, made)


def publish(repository: Repository, contract: Contract, made: Journal) -> None:
    if runner.on_runner() and not runner.is_fork():
        beat = heartbeat.beat(contract.monitoring.heartbeat_hours)
        logbook.end_publishing(repository, made, beat)
    else:
        made.end()


def emit(made: Journal, found: Checked) -> None:
    """One event with every verdict, small enough to be kept for years."""
    made.emit(STAGE, "alarm" if found.findings else "fine", **facts(found))


def facts(found: Checked) -> dict[str, Any]:
    concept, running = found.concept, found.infrastructure
    figure = concept.figure
    return {
        "window": found.window or None,
        "version": found.version or None,
        "kinds": list(dict.fromkeys(one.kind for one in found.findings)),
        "data": found.data.state,
        "rows": found.data.n,
        "columns": [one.column for one in found.data.drifts] or None,
        "concept": concept.state,
        "metric": concept.metric or None,
        "value": round(figure.value, 6) if figure else None,
        "labelled": concept.labelled or None,
        "infrastructure": running.state,
        "predictions": running.rows or None,
        "errors": running.errors or None,
        "p95_seconds": running.p95_seconds,
        "training": found.training.state,
    }
