"""A model that may become a version, as the job that trains hands it over and the job that registers checks it.

The first job runs the project's code and may write nothing. The second may write to the repository and runs no
code of the project, so it recomputes what Git, dvc.yaml and the runner know, and refuses what differs.
"""

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.base import github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import one_line
from mlops_kit.forge import runner
from mlops_kit.new_data import deliver
from mlops_kit.new_data.deliver import Delivery
from mlops_kit.project import lock_check, resolve
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.registry import handed_record
from mlops_kit.runs import events as run_events
from mlops_kit.runs.event_schema import RUN_ID, Event, Expected, is_readable
from mlops_kit.runs.handover import EVENTS, Handover
from mlops_kit.training import freshness
from mlops_kit.versions import record as record_schema
from mlops_kit.versions.gate_results import Verdict
from mlops_kit.versions.record import Record

FOLDER = Path("mlops-run")  # no dot in front: artifacts leave hidden files out
DRAFT, VERDICT, NEW_DATA = "record.json", "gates.json", "new-data.json"
AGAIN = "Run the training again."
_STEP = frozenset({"start", "end", "failed"})
# The events that a training leaves before it is handed over, by stage.
STAGES: Mapping[str, frozenset[str]] = {
    "run": frozenset({"start", "crashed"}),
    "watch-data": _STEP | {"found", "nothing", "waits", "refused"},
    "validate": _STEP | {"refused"},
    "train": _STEP,
    "stage:": _STEP | {"cached", "unchanged"},
    "gate": _STEP | {"open", "closed"},
    "gate:": frozenset({"pass", "fail", "unknown"}),
    "hand-over": _STEP | {"handed over", "nothing"},
    "hook:": _STEP,
}
FACTS = frozenset(
    {
        *(
            "seconds",
            "error",
            "pid",
            "commit",
            "machine",
            "ends_with",
            "event_name",
            "actor",
            "ref",
            "on",
            "stages",
        ),
        *("file", "says", "closed_by", "better", "against", "value", "bound"),
        *("found", "pointer", "source", "rows_before", "rows_after"),
    }
)


@dataclass(frozen=True)
class Candidate:
    """What a version is made of; its record has no version and no description yet."""

    record: Record
    lock: Lock
    metrics: bytes  # the metrics file
    verdict: Verdict
    pointers: dict[str, str]  # .dvc files that new data changed, with their text


def handover(contract: Contract, folder: Path) -> Handover:
    """The folder that `register --hand-over` leaves for `register --from`."""
    names = (DRAFT, LOCK, Path(contract.metrics).name, VERDICT, NEW_DATA, EVENTS)
    return Handover(folder, names, "training that was handed over", AGAIN)


def files(contract: Contract, candidate: Candidate) -> dict[str, str | bytes]:
    """The candidate as files of the hand-over, without new data's pointers."""
    return {
        DRAFT: candidate.record.text(),
        LOCK: candidate.lock.text,
        Path(contract.metrics).name: candidate.metrics,
        VERDICT: candidate.verdict.text(),
    }


def new_data(handed: Handover) -> Delivery:
    """The delivery that `watch-data` left; empty if it did not run."""
    return deliver.read_delivery(handed, NEW_DATA) if handed.has(NEW_DATA) else Delivery()


@dataclass(frozen=True)
class HandedEvents:
    """The events of the training, as events of this run. Empty if the training was killed before it handed anything over."""

    run: str
    events: list[Event]
    left_out: int


def events(repository: Repository, handed: Handover) -> HandedEvents:
    """The valid events of the training. Run, commit and person come from the runner.

    Damaged events are left out and do not stop a registration. Raises KitError for a file that is too large.
    """
    named = run_events.named_run()
    begun = "" if named else _first_run(handed)
    is_own = run_events.is_of_this_workflow_run if named else (lambda run: run == begun)
    taken = handed.events(Expected(STAGES, FACTS, is_own))
    commit = repository.commit()
    facts = [_of_this_run(event, commit) for event in taken.events]
    return HandedEvents(named or begun or run_events.new_run_id(), facts, taken.left_out)


def _first_run(handed: Handover) -> str:
    """The run of the first event, for when neither a runner nor an orchestrator names one."""
    if not handed.has(EVENTS):
        return ""
    line = handed.content(EVENTS).partition(b"\n")[0].decode(errors="replace")
    event = run_events.parsed(line)
    is_run = is_readable(event) and RUN_ID.fullmatch(event["run"])
    return str(event["run"]) if is_run else ""


def _of_this_run(event: Event, commit: str) -> Event:
    """The event, with what Git and the runner know in the place of what it says."""
    known: dict[str, Any] = {"commit": commit} if "commit" in event else {}
    if runner.run_id() and (event["stage"], event["status"]) == ("run", "start"):
        known |= {"event_name": runner.event_name(), "machine": None}
        known |= {"actor": github_env.actor() or None, "ref": github_env.ref() or None}
    return {name: value for name, value in (event | known).items() if value is not None}


def read(repository: Repository, contract: Contract, handed: Handover, run: str) -> Candidate | None:
    """Read the candidate. None if nothing was trained. Raises KitError with what does not fit this commit.

    The record is that of the run `run`: facts that this job knows, and what the training measured.
    """
    if not handed.has(DRAFT):
        return None
    _refuse_metrics_elsewhere(repository, contract)
    record = record_schema.parse(handed.text(DRAFT), str(handed.folder / DRAFT))
    verdict = handed.payload(VERDICT, Verdict, "a verdict of the gates")
    lock = parse_lock(handed.text(LOCK))
    metrics = handed.content(Path(contract.metrics).name)
    pointers = _pointers(repository, contract, handed)
    commit = repository.commit()
    expected = resolve.stages(lambda path: repository.show(commit, path))
    handed_record.refuse(repository, [f"lock: {line}" for line in lock_check.differences(lock, expected)])
    for path, text in pointers.items():
        (repository.root / path).write_text(text, encoding="utf-8", newline="\n")
    content = _metrics(contract, metrics)
    problems = [f"lock: {line}" for line in _stale(repository, contract, lock)]
    problems += handed_record.problems(repository, contract, lock, record, verdict)
    problems += _wrong_metrics(contract, lock, metrics, record, content)
    problems += _wrong_gates(repository, contract, verdict, content)
    handed_record.refuse(repository, problems)
    complete = handed_record.completed(repository, contract, lock, record, content, run)
    return Candidate(complete, lock, metrics, verdict, pointers)


def _pointers(repository: Repository, contract: Contract, handed: Handover) -> dict[str, str]:
    """The pointers that new data changed. Raises KitError for a path that is not a watched pointer with a new hash."""
    pointers = new_data(handed).pointers
    commit = repository.commit()
    content = {path: text.encode() for path, text in pointers.items()}
    deliver.check_against(repository, contract, content, commit, f"commit {commit[:7]}")
    for path in pointers:
        file = repository.root / path
        if not path.endswith(".dvc") or file.is_symlink() or not _is_within(file, repository.root):
            raise KitError(
                f"{handed.folder} is not whole: {path!r} is no .dvc file of the repository.", AGAIN
            )
    return pointers


def _refuse_metrics_elsewhere(repository: Repository, contract: Contract) -> None:
    """Raises KitError if the metrics would be written outside of the tree, for instance into Git's configuration."""
    root, path = repository.root.resolve(), posixpath.normpath(contract.metrics)
    if not lock_check.is_inside(path) or (root / path).resolve() != root / path:
        raise KitError(
            f"{one_line(contract.metrics)}, the metrics that mlops.yaml names, is a link or lies outside of the repository.",
            "Let the pipeline write them into a file of their own.",
        )


def _is_within(file: Path, root: Path) -> bool:
    return file.parent.resolve().is_relative_to(root.resolve()) and file.parent.is_dir()


def _stale(repository: Repository, contract: Contract, lock: Lock) -> list[str]:
    """Stages of the lock that do not fit the commit with the new pointers."""
    result = freshness.of(repository, contract, lock, None)
    return [f"{stage}, because {'; '.join(why)}" for stage, why in result.stages.items()]


def _metrics(contract: Contract, metrics: bytes) -> dict[str, Any]:
    from mlops_kit.data.metrics_file import parse_metrics

    return parse_metrics(metrics.decode("utf-8", "replace"), contract.metrics)


def _wrong_metrics(
    contract: Contract, lock: Lock, metrics: bytes, record: Record, content: dict[str, Any]
) -> list[str]:
    """How the metrics differ from the file that the lock names."""
    problems = []
    out = lock.out(contract.metrics)
    if out and out.md5 != hashlib.md5(metrics, usedforsecurity=False).hexdigest():
        problems.append("metrics: not the file that the lock names")
    if record.metrics != content:
        problems.append("record: the metrics are not the file's")
    return problems


def _wrong_gates(
    repository: Repository, contract: Contract, verdict: Verdict, metrics: dict[str, Any]
) -> list[str]:
    """Gates that were handed over as passed, although the metrics fail them."""
    from mlops_kit.gates import kinds

    bench = kinds.Bench(repository, contract, lambda _: None, metrics)
    passed = {result.name for result in verdict.results if result.status == "pass"}
    return [
        f"gate {again.name}: handed over as pass, but {again.says}"
        for again in kinds.by_metrics(bench)
        if again.name in passed and again.status != "pass"
    ]
