"""A model that may become a version, as the job that trains hands it over and the job that registers checks it.

The first job runs the project's code and may write nothing. The second may write to the repository and runs no
code of the project, so it works out again what Git and the lock can tell, and refuses what differs.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.new_data import deliver
from mlops_kit.new_data.deliver import Delivery
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.runs.handover import EVENTS, Handover
from mlops_kit.training import freshness
from mlops_kit.versions import draft
from mlops_kit.versions import record as record_schema
from mlops_kit.versions.gate_results import Verdict
from mlops_kit.versions.record import Record

FOLDER = Path("mlops-run")  # no dot in front: artifacts leave hidden files out
DRAFT, VERDICT, NEW_DATA = "record.json", "gates.json", "new-data.json"
AGAIN = "Run the training again."


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
    """The delivery that the look for new data left; empty if nobody looked."""
    return deliver.read_delivery(handed, NEW_DATA) if handed.has(NEW_DATA) else Delivery()


def events(handed: Handover) -> str:
    """The run's events; empty if the first job was killed before it could hand anything over.

    Bytes that are not UTF-8 are replaced: a damaged log does not keep a model out.
    """
    return handed.content(EVENTS).decode(errors="replace") if handed.has(EVENTS) else ""


def read(repository: Repository, contract: Contract, handed: Handover) -> Candidate | None:
    """None if nothing was trained. Raises KitError naming what does not fit this commit."""
    if not handed.has(DRAFT):
        return None
    candidate = Candidate(
        record=record_schema.parse(handed.text(DRAFT), str(handed.folder / DRAFT)),
        lock=parse_lock(handed.text(LOCK)),
        metrics=handed.content(Path(contract.metrics).name),
        verdict=handed.payload(VERDICT, Verdict, "a verdict of the gates"),
        pointers=_pointers(handed),
    )
    for path, text in candidate.pointers.items():
        (repository.root / path).write_text(text, encoding="utf-8", newline="\n")
    if problems := _problems(repository, contract, candidate):
        raise KitError(
            f"What was handed over does not fit commit {repository.commit()[:7]}: {'; '.join(problems)}.",
            "Nothing is registered. Run the training again; if it comes back, somebody altered the hand-over.",
        )
    return candidate


def _pointers(handed: Handover) -> dict[str, str]:
    """Raises KitError for a path that is not a .dvc file inside the repository."""
    pointers = new_data(handed).pointers
    for path in pointers:
        if not path.endswith(".dvc") or Path(path).is_absolute() or ".." in Path(path).parts:
            raise KitError(
                f"{handed.folder} is not whole: {path!r} is no .dvc file of the repository.", AGAIN
            )
    return pointers


def _problems(repository: Repository, contract: Contract, candidate: Candidate) -> list[str]:
    """Differences from what Git and the lock say, which is everything but measurements."""
    commit, record, lock = repository.commit(), candidate.record, candidate.lock
    problems = []
    if record.code.commit != commit:
        problems.append(f"it was made at {record.code.commit[:7]}")
    problems += [f"lock: {line}" for line in _stale(repository, contract, candidate)]
    if record.code != draft.code(repository, lock, commit):
        problems.append("record: the code is not the lock's")
    if {file.path: file.md5 for file in record.data} != draft.of_dvc(repository, lock, commit):
        problems.append("record: the data is not the lock's")
    tables = draft.trained_on(repository, contract, lock, commit)
    if any(tables.get(one.path) != one.md5 for one in record.tables):
        problems.append("record: the tables are not the lock's")
    if record.parameters != lock.params:
        problems.append("record: the parameters are not the lock's")
    if record.environment.files != _environment_hashes(repository, contract):
        problems.append("record: the environment is not the commit's")
    if record.identity != draft.identity(contract, lock, record.environment.files):
        problems.append("record: the identity is not the lock's")
    if record.artifacts != draft.artifacts(contract, lock):
        problems.append("record: the artifacts are not the lock's")
    if draft.wrong_digests(record.artifacts, record.digests):
        problems.append("record: the digests are not the artifacts'")
    return problems + _wrong_metrics(repository, contract, candidate)


def _stale(repository: Repository, contract: Contract, candidate: Candidate) -> list[str]:
    """Stages of the lock that do not fit the commit with the new pointers."""
    result = freshness.of(repository, contract, candidate.lock, None)
    return [f"{stage}, because {'; '.join(why)}" for stage, why in result.stages.items()]


def _environment_hashes(repository: Repository, contract: Contract) -> dict[str, str]:
    paths = {name: repository.root / name for name in contract.environment}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.is_file()
    }


def _wrong_metrics(repository: Repository, contract: Contract, candidate: Candidate) -> list[str]:
    """The metrics must be the pipeline's own, and gates that need only metrics must pass again."""
    from mlops_kit.data.metrics_file import parse_metrics

    problems = []
    out = candidate.lock.out(contract.metrics)
    if out and out.md5 != hashlib.md5(candidate.metrics, usedforsecurity=False).hexdigest():
        problems.append("metrics: not the file that the lock names")
    content = parse_metrics(candidate.metrics.decode("utf-8", "replace"), contract.metrics)
    if candidate.record.metrics != content:
        problems.append("record: the metrics are not the file's")
    if candidate.record.gates != [result.model_dump() for result in candidate.verdict.results]:
        problems.append("record: the gates are not the verdict's")
    missing = contract.gates.keys() - {result.name for result in candidate.verdict.results}
    problems += [f"gate {name}: no result" for name in sorted(missing)]
    return problems + _wrong_gates(repository, contract, candidate, content)


def _wrong_gates(
    repository: Repository, contract: Contract, candidate: Candidate, metrics: dict[str, Any]
) -> list[str]:
    """Gates that were handed over as passed and fail by the metrics."""
    from mlops_kit.gates import kinds

    bench = kinds.Bench(repository, contract, lambda _: None, metrics)
    passed = {result.name for result in candidate.verdict.results if result.status == "pass"}
    return [
        f"gate {again.name}: handed over as pass, but {again.says}"
        for again in kinds.by_metrics(bench)
        if again.name in passed and again.status != "pass"
    ]
