"""What the job that trains hands to the job that registers, and what the second one checks of it.

The first runs the project's code and may write nothing; the second may write to the repository and runs no
code of the project. So the second believes nothing that it can work out itself from Git and the lock.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.base import strict
from mlops_kit.base.errors import KitError
from mlops_kit.new_data import deliver
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.training import freshness
from mlops_kit.versions import draft, record
from mlops_kit.versions.gate_results import Verdict
from mlops_kit.versions.record import Record

FOLDER = Path("mlops-run")  # no dot in front: artifacts leave hidden files out
DRAFT, VERDICT, EVENTS, NEW_DATA = "record.json", "gates.json", "events.jsonl", "new-data.json"

AGAIN = "Run the training again; if it comes back, somebody altered the hand-over."


@dataclass(frozen=True)
class Handover:
    made: Record
    lock: Lock
    metrics: bytes
    verdict: Verdict
    pointers: dict[str, str]  # .dvc files that new data changed, with their text


def write(repository: Repository, contract: Contract, folder: Path, handed: Handover) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DRAFT).write_text(handed.made.text(), encoding="utf-8")
    (folder / LOCK).write_text(handed.lock.text, encoding="utf-8", newline="\n")
    (folder / Path(contract.metrics).name).write_bytes(handed.metrics)
    (folder / VERDICT).write_text(handed.verdict.text(), encoding="utf-8")


def new_data(folder: Path) -> deliver.Handover:
    """What the look for new data found; empty where nobody looked."""
    path = folder / NEW_DATA
    return deliver.read_handover(path) if path.is_file() else deliver.Handover()


def events(folder: Path) -> str:
    """The run's events; empty where the first job was killed before it could hand anything over."""
    path = folder / EVENTS
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def read(repository: Repository, contract: Contract, folder: Path) -> Handover | None:
    """None where nothing was trained. Raises KitError naming what does not fit this commit."""
    if not (folder / DRAFT).is_file():
        return None
    try:
        handed = Handover(
            made=record.parse((folder / DRAFT).read_text(encoding="utf-8"), str(folder / DRAFT)),
            lock=parse_lock((folder / LOCK).read_text(encoding="utf-8")),
            metrics=(folder / Path(contract.metrics).name).read_bytes(),
            verdict=strict.parse(
                Verdict,
                (folder / VERDICT).read_bytes(),
                str(folder / VERDICT),
                "a verdict of the gates",
                AGAIN,
            ),
            pointers=_pointers(new_data(folder).pointers),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise KitError(f"{folder} is not whole: {error!r}.", "Run the training again.") from error
    for path, text in handed.pointers.items():
        (repository.root / path).write_text(text, encoding="utf-8", newline="\n")
    if problems := _problems(repository, contract, handed):
        raise KitError(
            f"What was handed over does not fit commit {repository.commit()[:7]}: {'; '.join(problems)}.",
            "Nothing is registered. Run the training again; if it comes back, somebody altered the hand-over.",
        )
    return handed


def _pointers(content: Mapping[str, str]) -> dict[str, str]:
    for path in content:
        if not path.endswith(".dvc") or Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError(f"{path!r} is no .dvc file of the repository")
    return dict(content)


def _problems(repository: Repository, contract: Contract, handed: Handover) -> list[str]:
    """Everything of the hand-over that Git and the lock can tell: all but what was measured."""
    commit, made, lock = repository.commit(), handed.made, handed.lock
    problems = []
    if made.code.commit != commit:
        problems.append(f"it was made at {made.code.commit[:7]}")
    problems += [f"lock: {line}" for line in _stale(repository, contract, handed)]
    if made.code != draft.code(repository, lock, commit):
        problems.append("record: the code is not the lock's")
    if {file.path: file.md5 for file in made.data} != draft.of_dvc(repository, lock, commit):
        problems.append("record: the data is not the lock's")
    tables = draft.trained_on(repository, contract, lock, commit)
    if any(tables.get(one.path) != one.md5 for one in made.tables):
        problems.append("record: the tables are not the lock's")
    if made.parameters != lock.params:
        problems.append("record: the parameters are not the lock's")
    if made.environment.files != _pinned(repository, contract):
        problems.append("record: the environment is not the commit's")
    if made.identity != draft.identity(contract, lock, made.environment.files):
        problems.append("record: the identity is not the lock's")
    if made.artifacts != draft.artifacts(contract, lock):
        problems.append("record: the artifacts are not the lock's")
    return problems + _wrong_metrics(repository, contract, handed)


def _stale(repository: Repository, contract: Contract, handed: Handover) -> list[str]:
    """What of the lock is not what the commit, with the new pointers, says."""
    found = freshness.of(repository, contract, handed.lock, None)
    return [f"{stage}, because {'; '.join(why)}" for stage, why in found.stages.items()]


def _pinned(repository: Repository, contract: Contract) -> dict[str, str]:
    paths = {name: repository.root / name for name in contract.environment}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.is_file()
    }


def _wrong_metrics(repository: Repository, contract: Contract, handed: Handover) -> list[str]:
    """The figures are the pipeline's own, and the gates that need only figures say the same again."""
    from mlops_kit.data.metrics_file import parse_metrics

    problems = []
    out = handed.lock.out(contract.metrics)
    if out and out.md5 != hashlib.md5(handed.metrics, usedforsecurity=False).hexdigest():
        problems.append("metrics: not the file that the lock names")
    content = parse_metrics(handed.metrics.decode("utf-8", "replace"), contract.metrics)
    if handed.made.metrics != content:
        problems.append("record: the metrics are not the file's")
    if handed.made.gates != [result.model_dump() for result in handed.verdict.results]:
        problems.append("record: the gates are not the verdict's")
    missing = contract.gates.keys() - {result.name for result in handed.verdict.results}
    problems += [f"gate {name}: no result" for name in sorted(missing)]
    return problems + _wrong_gates(repository, contract, handed, content)


def _wrong_gates(
    repository: Repository, contract: Contract, handed: Handover, metrics: dict[str, Any]
) -> list[str]:
    """Gates that are said to pass and by the figures do not."""
    from mlops_kit.gates import kinds

    bench = kinds.Bench(repository, contract, lambda _: None, metrics)
    passed = {result.name for result in handed.verdict.results if result.status == "pass"}
    return [
        f"gate {again.name}: handed over as pass, but {again.says}"
        for again in kinds.by_metrics(bench)
        if again.name in passed and again.status != "pass"
    ]
