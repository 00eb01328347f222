"""A repository of a few files that the kit can judge in a second: its `dvc` is a script that asks Git."""

import csv
import json
import random
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version

from tests.conftest import must
from tests.kit.builders import a_record

ROWS = 400  # of the test set
DVC = """import pathlib, subprocess, sys
words = sys.argv[1:]
if words[0] == "get":
    _, _, path, _, revision, _, out, *_ = words
    done = subprocess.run(["git", "show", f"{revision}:{path}"], capture_output=True)
    sys.stderr.buffer.write(done.stderr)
    if done.returncode == 0:
        pathlib.Path(out).write_bytes(done.stdout)
    sys.exit(done.returncode)
"""
# Predicts by the column that model.txt names.
PREDICT = """import csv, pathlib, sys
column = pathlib.Path("model.txt").read_text().strip()
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
with open(sys.argv[3], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["key", "prediction", "probability"])
    out.writerows([row["id"], float(row[column]) > 0.5, row[column]] for row in rows)
"""

Table = list[dict[str, Any]]


def table(first: int, count: int) -> Table:
    """Rows whose column `good` says much of `late`, and `poor` little."""
    found = []
    for number in range(first, first + count):
        draw = random.Random(number)
        late = draw.random() < 0.4
        good, poor = ((draw.gauss(0.45 + effect * late, 0.15)) for effect in (0.25, 0.03))
        shares = {"good": min(max(good, 0.01), 0.99), "poor": min(max(poor, 0.01), 0.99)}
        found.append({"id": f"{number:04d}", **shares, "late": late})
    return found


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    rows = list(rows)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)


class Scripted:
    """At first without a version; `good` is the model's column."""

    def __init__(self, root: Path) -> None:
        self.root, self.repository = root, Repository(root)
        must(["git", "init", "--quiet", "--initial-branch=main"], root)
        (root / ".gitignore").write_text("/.mlops/\n")
        (root / "dvc.py").write_text(DVC)
        (root / "predict.py").write_text(PREDICT)
        write(root / "train.csv", table(0, 100))
        write(root / "test.csv", table(1000, ROWS))
        self.model("good")
        self.gates()
        self.commit()

    def contract(self, **more: Any) -> None:
        """mlops.yaml with some keys set, or removed by None."""
        path = self.root / "mlops.yaml"
        content = yaml.safe_load(path.read_text()) if path.exists() else self.first()
        kept = {key: value for key, value in (content | more).items() if value is not None}
        path.write_text(yaml.safe_dump(kept, sort_keys=False))

    def first(self) -> dict[str, Any]:
        return {
            "model": "small",
            "commands": {"dvc": f"{sys.executable} dvc.py", "predict": f"{sys.executable} predict.py"},
            "artifacts": ["model.txt"],
            "metrics": "metrics.json",
            "predictions": {"file": "predictions.csv", "task": "binary", "positive": True},
            "rows": {"test": "test.csv", "train": "train.csv", "key": "id"},
        }

    def gates(self, **gates: Mapping[str, Any]) -> None:
        self.contract(gates=dict(gates))

    def metrics(self, content: Mapping[str, Any]) -> None:
        (self.root / "metrics.json").write_text(json.dumps(content))

    def model(self, column: str) -> None:
        """Trains it: model, predictions of the test rows, metrics."""
        (self.root / "model.txt").write_text(column)
        with (self.root / "test.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        guessed = [
            {
                "key": row["id"],
                "actual": row["late"],
                "prediction": float(row[column]) > 0.5,
                "probability": row[column],
            }
            for row in rows
        ]
        write(self.root / "predictions.csv", guessed)
        right = sum(str(row["prediction"]) == row["actual"] for row in guessed) / len(guessed)
        self.metrics(
            {"n": len(rows), "accuracy": {"value": right, "low": right - 0.03, "high": right + 0.03}}
        )

    def commit(self) -> None:
        must(["git", "add", "--all"], self.root)
        must(["git", "commit", "--quiet", "--allow-empty", "--message=x"], self.root)


def register(repository: Repository, name: str, **files: bytes) -> version.Version:
    """An annotated tag on a child of HEAD that is on no branch; `files` are added to it."""
    model, _, number = name.partition("@")
    record = a_record(repository.commit(), number, model=model).text().encode()
    held = {"record.json": record, "dvc.lock": b"schema: '2.0'\nstages: {}\n"}
    held |= {path.replace("__", "."): content for path, content in files.items()}
    made = commits.commit(repository, "HEAD", held, name)
    repository.git("tag", "--annotate", "--message", name, name, made)
    return version.find(repository, model, number)
