"""What the checks look at, read once: window, reference, predictions log, labels, trainings and events."""

from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring import training_facts
from mlops_kit.monitoring.reference import Reference
from mlops_kit.monitoring.training_facts import NewTrainingData, TrainingFacts
from mlops_kit.monitoring.window_file import WindowFile
from mlops_kit.predictions_log import by_version, masks, sources
from mlops_kit.predictions_log import labels as label_tables
from mlops_kit.predictions_log import window as windows
from mlops_kit.predictions_log.window import OnRows, Window
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import log as runs
from mlops_kit.runs.log import Event, Log
from mlops_kit.versions.version import Version


@dataclass(frozen=True)
class Request:
    """What `monitor check` is asked for. Without a window it is the scheduled check: the log's last days, and main."""

    window: str | None = None  # file, pattern or address
    labels: str | None = None  # file, pattern or address, in place of `monitoring.labels`
    against: str | None = None  # name of a version; None: the version in production


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that a check may look at. A check reads nothing else: no file, no Git, no clock."""

    now: datetime
    contract: Contract
    events: tuple[Event, ...]  # of every run
    reference: Reference | None = None  # None, as `window`: nothing is connected
    window: Window | None = None
    log: Window | None = None  # the predictions log; the window itself if that is one
    predictions: pa.Table | None = None  # lines of the log that the version in production wrote
    labels: pa.Table | None = None  # None: no labels are named
    notes: tuple[str, ...] = ()  # what to say about labels and predictions
    trainings: TrainingFacts | None = None  # None: a person named the window
    training_data: NewTrainingData | None = None

    @property
    def is_scheduled(self) -> bool:
        return self.trainings is not None


def read(
    repository: Repository,
    contract: Contract,
    request: Request,
    against: Version | None,
    say: Say,
    all_rows: WindowFile | None = None,
) -> Inputs:
    """Reads everything that `request` is about. `against`: the version that it names. All rows of the window go into
    `all_rows`, too.

    Raises KitError if the window, the log, the labels or the rows of the reference cannot be read.
    """
    log_of_runs, where = runs.read(repository), request.window
    inputs = Inputs(clock.now(), contract, tuple(log_of_runs.every()))
    if where is None:
        inputs = _with_trainings(repository, inputs, log_of_runs, say)
        where = _log_address(repository, contract)
    if where is None:
        return inputs
    reference = references.load(repository, contract, say, version=against)
    on_rows = all_rows.begin(reference.bins) if all_rows else None
    say(f"read {sources.shown(request.window or contract.monitoring.log or where)}")
    if request.window is None:
        window = _log(repository, contract, where, reference, say, on_rows)
        log: Window | None = window
    else:
        window = _named_window(repository, contract, where, reference, say, on_rows)
        log = window if window.is_log else read_log(repository, contract, reference, say)
        windows.hide(window, log.masked if log else ())
    window.notes += windows.repeated(window, contract.key)
    inputs = replace(inputs, now=clock.now(), reference=reference, window=window)
    return _with_labels(repository, inputs, log, request.labels, say)


def _with_trainings(repository: Repository, inputs: Inputs, log: Log, say: Say) -> Inputs:
    facts = training_facts.read(repository, inputs.contract, log, inputs.now)
    return replace(
        inputs,
        trainings=facts,
        training_data=training_facts.new_data(repository, inputs.contract, log, say),
    )


def _named_window(
    repository: Repository,
    contract: Contract,
    where: str,
    reference: Reference,
    say: Say,
    on_rows: OnRows | None,
) -> Window:
    window = windows.read(where, reference.largest, contract.monitoring.slices, on_rows=on_rows, say=say)
    windows.hide(window, masks.masked(repository))
    if not window.rows and not window.is_log:
        why = f": none of its {window.broken} lines is a JSON object" if window.broken else ""
        raise KitError(
            f"{sources.shown(where)} has no rows{why}.", "Name one that has, or mend what writes it."
        )
    return window


def read_log(repository: Repository, contract: Contract, reference: Reference, say: Say) -> Window | None:
    """The last days of `monitoring.log`; None before the first prediction."""
    where = _log_address(repository, contract)
    return _log(repository, contract, where, reference, say) if where else None


def _log_address(repository: Repository, contract: Contract) -> str | None:
    log = contract.monitoring.log
    if log is None:
        return None
    where = sources.at(repository, log)
    return where if sources.is_there(where) else None


def _log(
    repository: Repository,
    contract: Contract,
    where: str,
    reference: Reference,
    say: Say,
    on_rows: OnRows | None = None,
) -> Window:
    settings = contract.monitoring
    window = windows.read(where, reference.largest, settings.slices, settings.window_days, on_rows, say)
    windows.hide(window, masks.masked(repository))
    name = sources.shown(settings.log or where)  # as mlops.yaml spells it: the same on every machine
    return replace(window, name=name)


def _with_labels(
    repository: Repository, inputs: Inputs, log: Window | None, labelled: str | None, say: Say
) -> Inputs:
    """With the log, its lines that the version in production wrote, and their labels."""
    contract, reference = inputs.contract, inputs.reference
    assert reference is not None and inputs.window is not None
    if labelled and log is None:
        raise KitError(
            f"Labels say nothing without predictions, and {inputs.window.name} holds none.",
            "Give a predictions log as --window, or name one in mlops.yaml: monitoring.log.",
        )
    if log is None or log.facts is None:
        return replace(inputs, log=log)
    predictions, notes = by_version.only(repository, contract, log.facts, reference.version)
    if labelled:
        actual, label_notes = label_tables.read(
            labelled, contract.key, contract.monitoring.label, predictions["key"], say
        )
    else:
        actual, label_notes = label_tables.come(repository, contract, predictions["key"], say)
    notes = [*label_notes, *notes, *log.of_a_draw]
    return replace(inputs, log=log, predictions=predictions, labels=actual, notes=tuple(notes))
