"""Records and repositories as tests need them, made in milliseconds."""

from pathlib import Path
from typing import Any

from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.versions import record
from mlops_kit.versions.record import Code, Environment, File, Identity, Record, Trigger

from tests.conftest import must

CONTRACT = """\
model: flights
commands: {dvc: git}
metrics: metrics.json
artifacts: [model]
predictions: {file: predictions.csv, task: binary, positive: "yes"}
"""
LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - {path: data.csv, hash: md5, md5: DATA, size: 24}
    - {path: train.py, hash: md5, md5: 1111, size: 10}
    params:
      params.yaml: {rate: RATE}
    outs:
    - {path: metrics.json, hash: md5, md5: 2222, size: 10}
    - {path: predictions.csv, hash: md5, md5: 3333, size: 10}
    - {path: model, hash: md5, md5: 4444.dir, size: 10}
"""


def figure(value: float, half: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def metrics(auc: float, **slices: Any) -> dict[str, Any]:
    return {
        "model": {"n": 500, "roc_auc": figure(auc)},
        **({"slices": {"carrier": slices}} if slices else {}),
    }


def a_record(commit: str, version: str | None = None, **changed: Any) -> Record:
    facts: dict[str, Any] = {
        "model": "flights",
        "version": version,
        "created": "2026-01-02T03:04:05.000Z",
        "code": Code(commit=commit, files=[File(path="train.py", md5="1111")]),
        "data": [File(path="data.csv", md5="a" * 32, bytes=24_000, rows=1000)],
        "parameters": {"rate": 0.1},
        "metrics": metrics(0.7),
        "environment": Environment(files={}, python="3.11.7", platform="Linux x86_64", threads=2),
        "artifacts": [File(path="model", md5="4444.dir", bytes=10)],
        "trigger": Trigger(event="push", actor="ada", run="1"),
        "gates": [],
        "measured": {},
        "identity": Identity(inputs="i", predictions="p"),
        "description": "",
        "since": None,
    }
    return Record(**(facts | changed))


def a_repository(folder: Path) -> Repository:
    """One commit: a contract, a lock and what a training made."""
    folder.mkdir(exist_ok=True)
    must(["git", "init", "--quiet", "-b", "main"], folder)
    (folder / ".gitignore").write_text("/.mlops/\n/metrics.json\n/predictions.csv\n/data.csv\n")
    (folder / "mlops.yaml").write_text(CONTRACT)
    (folder / "params.yaml").write_text("rate: 0.1\n")
    (folder / "train.py").write_text("print(1)\n")
    (folder / "dvc.lock").write_text(LOCK.replace("DATA", "a" * 32).replace("RATE", "0.1"))
    (folder / "data.csv").write_text("key,x\n1,2\n")
    (folder / "predictions.csv").write_text(
        "key,actual,prediction,probability\n"
        + "".join(f"{i},{'yes' if i % 3 else 'no'},yes,{(i * 7 % 10) / 10}\n" for i in range(60))
    )
    write_metrics(folder, metrics(0.72))
    return commit(Repository(folder), "Start")


def commit(repository: Repository, subject: str, **files: str) -> Repository:
    for name, text in files.items():
        (repository.root / name.replace("__", ".")).write_text(text)
    must(["git", "add", "--all"], repository.root)
    must(["git", "commit", "--quiet", "--allow-empty", "--message", subject], repository.root)
    return repository


def write_metrics(folder: Path, content: dict[str, Any]) -> None:
    import json

    (folder / "metrics.json").write_text(json.dumps(content))


def tag(repository: Repository, one: Record) -> str:
    """A version as `register` leaves it."""
    files = {record.FILE: one.text().encode(), "dvc.lock": (repository.root / "dvc.lock").read_bytes()}
    made = commits.commit(repository, one.code.commit, files, f"{one.model} {one.version}")
    repository.git("tag", "--annotate", f"{one.model}@{one.version}", "--message", "x", made)
    return made
