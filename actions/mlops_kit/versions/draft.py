"""The record of what the workspace holds, before it has a version and a description."""

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.base import github_env
from mlops_kit.base.clock import timestamp
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run_within, words
from mlops_kit.data import newest_row as newest_rows
from mlops_kit.data.metrics_file import read_metrics
from mlops_kit.data.tables import count
from mlops_kit.forge import runner
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Entry, Lock, file_md5, file_sha256, folder_md5
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import STALL
from mlops_kit.versions.record import (
    MOST_DIGESTS,
    MOST_TABLES,
    Code,
    Digest,
    Environment,
    File,
    Identity,
    Record,
    Summed,
    Trigger,
)

if TYPE_CHECKING:
    from mlops_kit.versions import gate_results


def code(repository: Repository, lock: Lock, commit: str) -> Code:
    tracked = repository.tracked(commit)
    files = [_file(entry) for path, entry in lock.inputs.items() if path in tracked]
    return Code(commit=commit, files=files)


def of_dvc(repository: Repository, lock: Lock, commit: str) -> dict[str, str]:
    """md5 of each input of the pipeline that Git does not hold."""
    tracked = repository.tracked(commit)
    return {path: entry.md5 for path, entry in lock.inputs.items() if path not in tracked}


def data(repository: Repository, lock: Lock, commit: str, before: "Record | None") -> list[File]:
    """The inputs of the pipeline that DVC holds. Rows are counted only if `before` does not have the same file."""
    known = {(file.path, file.md5): file.rows for file in before.data} if before else {}
    files = []
    for path, md5 in of_dvc(repository, lock, commit).items():
        rows = known.get((path, md5))
        files.append(_file(lock.inputs[path], count(repository.root / path) if rows is None else rows))
    return files


def trained_on(repository: Repository, contract: Contract, lock: Lock, commit: str) -> dict[str, str]:
    """Tables that `tables` may sum up, with the md5 that the lock has for each."""
    rows = contract.rows
    if rows and rows.train and (out := lock.out(rows.train)):
        return {rows.train: out.md5}
    return of_dvc(repository, lock, commit)


def tables(repository: Repository, contract: Contract, lock: Lock, before: "Record | None") -> list[Summed]:
    """The summary of each training table; that of `before` if the data did not change, since it need not be here."""
    from mlops_kit.data import profile

    known = {(summary.path, summary.md5): summary for summary in before.tables} if before else {}
    key = [contract.rows.key] if contract.rows else []
    summaries = []
    for path, md5 in trained_on(repository, contract, lock, repository.commit()).items():
        if summary := known.get((path, md5)):
            summaries.append(summary)
        elif table := profile.table(repository.root / path, key):
            summaries.append(Summed(path=path, md5=md5, table=table))
    return summaries[:MOST_TABLES]


def _file(entry: Entry, rows: int | None = None) -> File:
    return File(path=entry.path, md5=entry.md5, bytes=entry.size, rows=rows)


def environment(repository: Repository, contract: Contract) -> Environment:
    """Raises KitError when a file that pins the environment is not there."""
    digests = environment_hashes(repository, contract)
    for name in contract.environment:
        if name not in digests:
            raise KitError(
                f"{name}, which pins the environment, is not there.", "Make it, or edit mlops.yaml."
            )
    python = python_version(repository, contract)
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    where = f"{platform.system()} {platform.machine()}"
    return Environment(files=digests, python=python, platform=where, threads=threads)


def environment_hashes(repository: Repository, contract: Contract) -> dict[str, str]:
    """SHA-256 of each file that pins the environment and is there."""
    paths = {name: repository.root / name for name in contract.environment}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.is_file()
    }


def python_version(repository: Repository, contract: Contract) -> str | None:
    """The version of the project's Python; None if mlops.yaml names none. Raises KitError if it does not start."""
    if not contract.commands.python:
        return None
    ask = "import platform; print(platform.python_version())"
    return run_within([*words(contract.commands.python), "-c", ask], repository.root, stall=STALL).strip()


def artifacts(contract: Contract, lock: Lock) -> list[File]:
    """Raises KitError when the training made none of what the contract says is served."""
    outs = [lock.out(path) for path in contract.artifacts]
    if missing := [path for path, out in zip(contract.artifacts, outs, strict=True) if out is None]:
        raise KitError(
            f"{', '.join(missing)}: an artifact of mlops.yaml that no stage of {LOCK} makes.",
            "Name the outputs of dvc.yaml that are the model, under `artifacts`.",
        )
    return [_file(out) for out in outs if out]


def digests(repository: Repository, contract: Contract, lock: Lock) -> list[Digest]:
    """Both hashes of each file of the artifacts; empty if they are too many for a record."""
    files: dict[str, Path] = {}
    for out in artifacts(contract, lock):
        root = repository.root / out.path
        left_out = repository.dvc_ignored(out.path) if root.is_dir() else set()
        inside = [path for path in root.rglob("*") if path.is_file() and path not in left_out]
        found = inside if root.is_dir() else [root] if root.is_file() else []
        files |= {path.relative_to(repository.root).as_posix(): path for path in found}
    if len(files) > MOST_DIGESTS:
        return []
    return [_digest(path, file) for path, file in sorted(files.items())]


def _digest(path: str, file: Path) -> Digest:
    return Digest(path=path, md5=file_md5(file), sha256=file_sha256(file))


def wrong_digests(artifact_files: list[File], measured: list[Digest]) -> list[str]:
    """The artifacts whose files, as measured, do not give the md5 that the lock has. Those not measured are left out."""
    wrong, known = [], set()
    for artifact in artifact_files:
        inside = [one for one in measured if _is_inside(one.path, artifact.path)]
        known |= {one.path for one in inside}
        if inside and _md5_of(artifact.path, inside) != artifact.md5:
            wrong.append(artifact.path)
    return wrong + [one.path for one in measured if one.path not in known]


def _is_inside(path: str, artifact: str) -> bool:
    return path == artifact or path.startswith(f"{artifact}/")


def _md5_of(artifact: str, measured: list[Digest]) -> str:
    if [one.path for one in measured] == [artifact]:
        return measured[0].md5
    return folder_md5({one.path.removeprefix(f"{artifact}/"): one.md5 for one in measured})


def identity(contract: Contract, lock: Lock, environment_files: dict[str, str]) -> Identity:
    """Raises KitError when the pipeline does not make the predictions that mlops.yaml names."""
    inputs = {
        "stages": {name: stage.cmd for name, stage in lock.stages.items()},
        "inputs": {path: entry.md5 for path, entry in lock.inputs.items()},
        "parameters": lock.params,
        "environment": environment_files,
    }
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False, default=str)
    out = lock.out(contract.predictions.file) if contract.predictions else None
    out = out or lock.out(contract.metrics)
    if out is None:
        raise KitError(
            f"No stage of {LOCK} makes the predictions or metrics that mlops.yaml names.",
            "Declare them as outputs of a stage in dvc.yaml.",
        )
    return Identity(inputs=hashlib.sha256(text.encode()).hexdigest(), predictions=out.md5)


def trigger(repository: Repository, run_id: str) -> Trigger:
    """By whoever GitHub names, else Git; where Git knows nobody, whoever is logged in."""
    names = (os.environ.get(name) for name in ("USER", "USERNAME"))
    actor = github_env.actor() or commits.person(repository) or next(filter(None, names), "unknown")
    return Trigger(event=runner.event_name(), actor=actor, run=run_id, url=runner.run_url())


def draft(
    repository: Repository,
    contract: Contract,
    lock: Lock,
    run_id: str,
    verdict: "gate_results.Verdict | None",
    before: Record | None,
    *,
    on_data: bool = True,
) -> Record:
    """The record of what the workspace holds, without version and description.

    What `before` says of the same data is not read again; after a training on the sample, no table is summed up.
    Raises KitError naming the field that cannot be filled.
    """
    commit = repository.commit()
    pinned = environment(repository, contract)
    return Record(
        model=contract.model,
        version=None,
        created=timestamp(),
        code=code(repository, lock, commit),
        data=data(repository, lock, commit, before),
        parameters=lock.params,
        metrics=read_metrics(repository.root / contract.metrics),
        environment=pinned,
        artifacts=artifacts(contract, lock),
        trigger=trigger(repository, run_id),
        gates=[result.model_dump() for result in verdict.results] if verdict else [],
        measured=verdict.measured if verdict else {},
        identity=identity(contract, lock, pinned.files),
        description="",
        since=None,
        digests=digests(repository, contract, lock) if on_data else [],
        tables=tables(repository, contract, lock, before) if on_data else [],
        newest_row=newest_rows.newest(repository, contract),
    )
