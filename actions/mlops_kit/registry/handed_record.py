"""Check the record that another job handed over: recompute what can be recomputed, limit and mark the rest."""

import re
from collections import Counter
from typing import Any

from mlops_kit.base.clock import timestamp
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import one_line
from mlops_kit.forge import runner
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import Lock
from mlops_kit.project.repository import Repository
from mlops_kit.versions import draft
from mlops_kit.versions.gate_results import REMOVED, Verdict
from mlops_kit.versions.record import Environment, File, Record, Trigger

LONGEST_LINE, LONGEST_TEXT = 300, 20_000  # characters
MOST_THREADS = 100_000
VERSION = re.compile(r"(v\d{1,9}\.\d{1,9}\.\d{1,9})?")
# What only the job that has the data, the model and the machine can measure.
REPORTED = [
    *("data.rows", "tables", "newest_row", "measured", "environment.python", "environment.platform"),
    *("environment.threads", "gates", "digests"),
]


def problems(
    repository: Repository, contract: Contract, lock: Lock, record: Record, verdict: Verdict
) -> list[str]:
    """Fields that differ from what Git, the lock and the verdict say, or that no training writes."""
    commit, found = repository.commit(), []
    if record.model != contract.model:
        found.append(
            f"record: the model is {one_line(record.model, 80)!r}, and mlops.yaml says {contract.model!r}"
        )
    if record.version or record.since or record.description:
        found.append("record: it has a version already")
    if record.code.commit != commit:
        found.append(f"it was made at {one_line(record.code.commit, 80)[:7]}")
    if record.code != draft.code(repository, lock, commit):
        found.append("record: the code is not the lock's")
    if {file.path: file.md5 for file in record.data} != draft.of_dvc(repository, lock, commit):
        found.append("record: the data is not the lock's")
    tables = draft.trained_on(repository, contract, lock, commit)
    if any(tables.get(one.path) != one.md5 for one in record.tables):
        found.append("record: the tables are not the lock's")
    if record.parameters != lock.params:
        found.append("record: the parameters are not the lock's")
    if record.environment.files != draft.environment_hashes(repository, contract):
        found.append("record: the environment is not the commit's")
    if record.identity != draft.identity(contract, lock, record.environment.files):
        found.append("record: the identity is not the lock's")
    if record.artifacts != draft.artifacts(contract, lock):
        found.append("record: the artifacts are not the lock's")
    if draft.wrong_digests(record.artifacts, record.digests):
        found.append("record: the digests are not the artifacts'")
    if record.gates != [result.model_dump() for result in verdict.results]:
        found.append("record: the gates are not the verdict's")
    if record.measured != verdict.measured:
        found.append("record: what was measured is not the verdict's")
    return found + _of_gates(contract, verdict) + _of_reported(record)


def _of_gates(contract: Contract, verdict: Verdict) -> list[str]:
    """Gates that were not judged exactly once, or that mlops.yaml does not name."""
    names = Counter(result.name for result in verdict.results)
    missing = contract.gates.keys() - names.keys()
    found = [f"gate {name}: no result" for name in sorted(missing)]
    for result in verdict.results:
        gate = contract.gates.get(result.name)
        if names[result.name] > 1 or result.kind != (gate.kind if gate else REMOVED):
            found.append(f"gate {one_line(result.name, 80)}: not that of mlops.yaml")
    if not VERSION.fullmatch(verdict.against):
        found.append(f"gates: {one_line(verdict.against, 80)!r} is not a version")
    return found


def _of_reported(record: Record) -> list[str]:
    """Reported fields that are too long, or impossible."""
    environment, trigger = record.environment, record.trigger
    lines = {
        "environment.python": environment.python or "",
        "environment.platform": environment.platform,
        "trigger.event": trigger.event,
        "trigger.actor": trigger.actor,
        "trigger.run": trigger.run,
        "trigger.url": trigger.url or "",
    }
    found = [f"record: {name} is not one short line" for name, text in lines.items() if not _is_line(text)]
    if not 0 < environment.threads <= MOST_THREADS:
        found.append("record: environment.threads is not a number of threads")
    if any(file.rows is not None and file.rows < 0 for file in record.data):
        found.append("record: data.rows is less than 0")
    if not _is_bounded([record.gates, record.measured]):
        found.append(f"record: gates or measured hold a text of more than {LONGEST_TEXT:,} characters")
    return found


def _is_line(text: str) -> bool:
    return len(text) <= LONGEST_LINE and text.isprintable()


def _is_bounded(value: Any) -> bool:
    """True if every text is short enough. The parser limits the depth."""
    if isinstance(value, dict):
        return all(_is_bounded(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return all(map(_is_bounded, value))
    return not isinstance(value, str) or len(value) <= LONGEST_TEXT


def completed(
    repository: Repository, contract: Contract, lock: Lock, record: Record, metrics: dict[str, Any], run: str
) -> Record:
    """The record as this job writes it: its own facts, and the reported ones of a record without `problems`."""
    commit = repository.commit()
    files = draft.environment_hashes(repository, contract)
    rows = {file.path: file.rows for file in record.data}
    environment = Environment(**(record.environment.model_dump() | {"files": files}))
    data = [
        File(path=path, md5=md5, bytes=lock.inputs[path].size, rows=rows[path])
        for path, md5 in draft.of_dvc(repository, lock, commit).items()
    ]
    known = {
        "model": contract.model,
        "created": timestamp(),
        "code": draft.code(repository, lock, commit),
        "data": data,
        "parameters": lock.params,
        "metrics": metrics,
        "environment": environment,
        "artifacts": draft.artifacts(contract, lock),
        "identity": draft.identity(contract, lock, files),
        "trigger": _trigger(repository, record.trigger, run),
        "reported": REPORTED,
    }
    return record.model_copy(update=known)


def _trigger(repository: Repository, handed: Trigger, run: str) -> Trigger:
    """Who started the run, and why: from the runner. Without a runner, as the training job reported it."""
    if runner.run_id():
        return draft.trigger(repository, run)
    url = handed.url if handed.url and handed.url.startswith("https://") else None
    return handed.model_copy(update={"run": run, "url": url})


def refuse(repository: Repository, found: list[str]) -> None:
    """Raise KitError with the first problems, if there are any."""
    if found:
        shown = [one_line(one, 300) for one in found[:10]] + ["..."] * (len(found) > 10)
        raise KitError(
            f"What was handed over does not fit commit {repository.commit()[:7]}: {'; '.join(shown)}.",
            "Nothing is registered. Run the training again; if it comes back, somebody altered the hand-over.",
        )
