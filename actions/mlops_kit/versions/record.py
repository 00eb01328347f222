"""The record of a trained model: what made it, how good it is, and what changed."""

import hashlib
import json
import os
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.base.strict import Strict
from mlops_kit.data import columns
from mlops_kit.data.metrics_file import read_metrics
from mlops_kit.data.tables import count
from mlops_kit.forge import runner
from mlops_kit.new_data import age
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import LOCK, Entry, Lock, Repository
from mlops_kit.runs.events import now

if TYPE_CHECKING:
    from mlops_kit.gates import judge as gates_module

FILE = "record.json"
CARD = "MODEL_CARD.md"
MOST_TABLES = 10


class File(Strict):
    path: str
    md5: str
    bytes: int | None = None
    rows: int | None = None
    """Of a table; None for what is not one, or is not here."""


class Summed(Strict):
    """A table by its columns. Like rows it can be told only where the data is, and is believed."""

    path: str
    md5: str
    """Of the output around it where the table is inside one."""
    table: columns.Table


class Code(Strict):
    commit: str
    files: list[File]
    """Dependencies of the pipeline that are in Git."""


class Environment(Strict):
    files: dict[str, str]
    """SHA-256 of each file that pins what runs."""
    python: str | None
    """None where the pipeline is not Python."""
    platform: str
    threads: int


class Trigger(Strict):
    event: str
    actor: str
    run: str
    """Run id, as `mlops-kit runs` has it."""
    url: str | None = None


class Identity(Strict):
    """The same inputs and the same predictions are the same result."""

    inputs: str
    """SHA-256 over code, data, parameters, commands and environment."""
    predictions: str
    """md5 of the evaluated predictions."""


class Record(Strict):
    """`record.json` of a version's commit. A rejected model has one too, on the branch mlops/runs."""

    schema_: Literal[1] = 1
    model: str
    version: str | None
    """None for a model that the gates rejected."""
    created: str
    code: Code
    data: list[File]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    environment: Environment
    artifacts: list[File]
    trigger: Trigger
    gates: list[dict[str, Any]]
    measured: dict[str, Any]
    """Latency and size as the gate measured them, with machine and n."""
    identity: Identity
    description: str
    """What changed since the version before, for a person."""
    since: str | None
    """The version that the description compares with."""
    tables: Annotated[list[Summed], Field(max_length=MOST_TABLES)] = []
    """What was trained on, column by column: the rows of `rows.train`, else each table of the data."""
    newest_row: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")] | None = None
    """Time of the newest row, by the column that `new_data.newest_row` names."""

    def text(self) -> str:
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"


def parse(text: str, where: str) -> Record:
    """Raises KitError naming the field that is missing or wrong."""
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc'])) or 'JSON'}: {one['msg']}" for one in error.errors()]
        raise KitError(
            f"{where} is not a record: {'; '.join(problems[:5])}.",
            "It was altered, or written by a newer kit: `mlops-kit doctor` says which is wanted.",
        ) from error


# ---- what the workspace says ----


def code(repository: Repository, lock: Lock, commit: str) -> Code:
    tracked = repository.tracked(commit)
    files = [_file(entry) for path, entry in lock.inputs.items() if path in tracked]
    return Code(commit=commit, files=files)


def of_dvc(repository: Repository, lock: Lock, commit: str) -> dict[str, str]:
    """md5 of each input of the pipeline that Git does not hold."""
    tracked = repository.tracked(commit)
    return {path: entry.md5 for path, entry in lock.inputs.items() if path not in tracked}


def data(repository: Repository, lock: Lock, commit: str, before: "Record | None") -> list[File]:
    """Inputs of the pipeline that are DVC's; rows as `before` has them, else counted where the file is here."""
    known = {(one.path, one.md5): one.rows for one in before.data} if before else {}
    found = []
    for path, md5 in of_dvc(repository, lock, commit).items():
        rows = known.get((path, md5))
        found.append(_file(lock.inputs[path], count(repository.root / path) if rows is None else rows))
    return found


def trained_on(repository: Repository, contract: Contract, lock: Lock, commit: str) -> dict[str, str]:
    """Tables that `tables` may sum up, with the md5 that the lock has for each."""
    rows = contract.rows
    if rows and rows.train and (made := lock.out(rows.train)):
        return {rows.train: made.md5}
    return of_dvc(repository, lock, commit)


def tables(repository: Repository, contract: Contract, lock: Lock, before: "Record | None") -> list[Summed]:
    """Summed up here, or as `before` has it where the data is the same and need not be here."""
    from mlops_kit.data import profile

    known = {(one.path, one.md5): one for one in before.tables} if before else {}
    key = [contract.rows.key] if contract.rows else []
    found = []
    for path, md5 in trained_on(repository, contract, lock, repository.commit()).items():
        if one := known.get((path, md5)):
            found.append(one)
        elif table := profile.table(repository.root / path, key):
            found.append(Summed(path=path, md5=md5, table=table))
    return found[:MOST_TABLES]


def _file(entry: Entry, rows: int | None = None) -> File:
    return File(path=entry.path, md5=entry.md5, bytes=entry.size, rows=rows)


def environment(repository: Repository, contract: Contract) -> Environment:
    """Raises KitError when a file that pins the environment is not there."""
    found = {}
    for name in contract.environment:
        path = repository.root / name
        if not path.is_file():
            raise KitError(
                f"{name}, which pins the environment, is not there.", "Make it, or edit mlops.yaml."
            )
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    python = None
    if contract.commands.python:
        ask = "import platform; print(platform.python_version())"
        python = run([*words(contract.commands.python), "-c", ask], repository.root).strip()
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    where = f"{platform.system()} {platform.machine()}"
    return Environment(files=found, python=python, platform=where, threads=threads)


def artifacts(contract: Contract, lock: Lock) -> list[File]:
    """Raises KitError when the training made none of what the contract says is served."""
    found = [lock.out(path) for path in contract.artifacts]
    if missing := [path for path, out in zip(contract.artifacts, found, strict=True) if out is None]:
        raise KitError(
            f"{', '.join(missing)}: an artifact of mlops.yaml that no stage of {LOCK} makes.",
            "Name the outputs of dvc.yaml that are the model, under `artifacts`.",
        )
    return [_file(out) for out in found if out]


def identity(contract: Contract, lock: Lock, environment_files: dict[str, str]) -> Identity:
    """Raises KitError when the pipeline does not make the predictions that mlops.yaml names."""
    inputs = {
        "stages": {name: stage.cmd for name, stage in lock.stages.items()},
        "inputs": {path: entry.md5 for path, entry in lock.inputs.items()},
        "parameters": lock.params,
        "environment": environment_files,
    }
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False, default=str)
    made = lock.out(contract.predictions.file) if contract.predictions else None
    made = made or lock.out(contract.metrics)
    if made is None:
        raise KitError(
            f"No stage of {LOCK} makes the predictions or metrics that mlops.yaml names.",
            "Declare them as outputs of a stage in dvc.yaml.",
        )
    return Identity(inputs=hashlib.sha256(text.encode()).hexdigest(), predictions=made.md5)


def trigger(repository: Repository, run_id: str) -> Trigger:
    """By whoever GitHub names, else Git; where Git knows nobody, whoever is logged in."""
    names = (os.environ.get(name) for name in ("USER", "USERNAME"))
    actor = (
        os.environ.get("GITHUB_ACTOR") or commits.person(repository) or next(filter(None, names), "unknown")
    )
    return Trigger(event=runner.event_name(), actor=actor, run=run_id, url=runner.run_url())


def draft(
    repository: Repository,
    contract: Contract,
    lock: Lock,
    run_id: str,
    verdict: "gates_module.Verdict | None",
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
        created=now(),
        code=code(repository, lock, commit),
        data=data(repository, lock, commit, before),
        parameters=lock.params,
        metrics=read_metrics(repository.root / contract.metrics),
        environment=pinned,
        artifacts=artifacts(contract, lock),
        trigger=trigger(repository, run_id),
        gates=[asdict(result) for result in verdict.results] if verdict else [],
        measured=verdict.measured if verdict else {},
        identity=identity(contract, lock, pinned.files),
        description="",
        since=None,
        tables=tables(repository, contract, lock, before) if on_data else [],
        newest_row=age.newest(repository, contract),
    )
