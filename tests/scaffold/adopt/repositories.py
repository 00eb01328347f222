"""Repositories as people have them, before they know of us: a script, a notebook, a package with DVC."""

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.conftest import must

# What the three need; installed once with the network, and from uv's cache after that.
PACKAGES = ("dvc>=3.67", "ipykernel>=6.29", "joblib", "matplotlib", "pandas", "papermill>=2.6", "polars", "pyarrow",
            "scikit-learn")  # fmt: skip

SCRIPT = {
    "README.md": "# Churn\n\nRun train.py.\n",
    "requirements.txt": "pandas\nscikit-learn\njoblib\nmatplotlib\n",
    ".gitignore": "__pycache__/\n.venv/\ndata/\n*.png",  # without a line end, as some editors leave it
    "src/explore_churn.py": "import pandas as pd\n\nprint(pd.read_csv('data/churn.csv').describe())\n",
    "src/settings.py": "# -*- coding: latin-1 -*-\nCOLUMNS = ['months', 'calls']  # \u00fcber den Kunden\n",
    "src/train.py": """\
import argparse
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import pandas as pd
from settings import COLUMNS
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"

parser = argparse.ArgumentParser()
parser.add_argument("--strength", type=float, default=1.0)
strength = parser.parse_args().strength

frame = pd.read_csv(DATA / "churn.csv")
train, test = train_test_split(frame, test_size=0.25, random_state=1)
model = LogisticRegression(C=strength).fit(train[COLUMNS], train["churned"])
predicted = model.predict(test[COLUMNS])
print(f"Test accuracy: {accuracy_score(test['churned'], predicted):.3f}")
joblib.dump(model, ROOT / "churn model.pkl")
plt.scatter(test["months"], predicted)
plt.savefig(ROOT / "churn.png", metadata={"Software": None})
""",
}

PACKAGE = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "fraud"
version = "0.3.0"
requires-python = ">=3.10"
dependencies = ["dvc>=3.67", "polars", "pyarrow", "scikit-learn"]
""",
    "dvc.yaml": """\
stages:
  features:
    cmd: python -m fraud.features
    deps:
    - data/raw.csv
    - src/fraud/features.py
    outs:
    - data/features.parquet

  train:  # the model
    cmd: python -m fraud.train
    deps: [data/features.parquet, src/fraud/train.py]
    params:
    - train
    outs:
    - model.joblib
""",
    "params.yaml": "train:\n  depth: 3\n",
    ".gitignore": "/model.joblib\n/metrics.json\n/data/features.parquet\n__pycache__/\n",
    ".dvc/config": "[core]\n    analytics = false\n",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    "src/fraud/__init__.py": "",
    "src/fraud/columns.py": 'TARGET = "fraud"\n',
    "src/fraud/features.py": """\
import polars as pl

if __name__ == "__main__":
    rows = pl.read_csv("data/raw.csv").with_columns(large=pl.col("amount") > 50)
    rows.write_parquet("data/features.parquet")
""",
    "src/fraud/train.py": """\
import json

import joblib
import polars as pl
import yaml
from sklearn.tree import DecisionTreeClassifier

from fraud.columns import TARGET


def main() -> None:
    with open("params.yaml") as stream:
        depth = yaml.safe_load(stream)["train"]["depth"]
    frame = pl.read_parquet("data/features.parquet")
    x, y = frame.drop(TARGET).to_numpy(), frame[TARGET].to_numpy()
    model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(x, y)
    joblib.dump(model, "model.joblib")
    with open("metrics.json", "w") as stream:
        json.dump({"train": {"accuracy": model.score(x, y)}}, stream)


if __name__ == "__main__":
    main()
""",
}

CELLS = (
    "import pandas as pd\nfrom sklearn.ensemble import RandomForestRegressor\nfrom sklearn.metrics import r2_score",
    "%matplotlib inline\nhouses = pd.read_csv('../data/houses.csv')\nhouses.head()",
    "train, test = houses[:200], houses[200:]",
    "forest = RandomForestRegressor(n_estimators=10, random_state=0)\nforest.fit(train[['rooms', 'area']], train['price'])",
    "r2_score(test['price'], forest.predict(test[['rooms', 'area']]))",
    "import pickle\nwith open('forest.pkl', 'wb') as f:\n    pickle.dump(forest, f)",
)


def script(root: Path) -> Path:
    """A script with a CSV that Git ignores, and requirements.txt."""
    rows = [(m, c, int(6 * c > m)) for m, c in _pairs(400, 60, 9)]
    untracked = {"data/churn.csv": _csv("months,calls,churned", rows)}
    return repository(root, SCRIPT, untracked, {"src/settings.py": "latin-1"})


def notebooks(root: Path) -> Path:
    """Notebooks and data, and nothing that says which packages; main is called master."""
    rows = [(r, 20 + a, 20 * r + 3 * a + a % 7) for r, a in _pairs(300, 7, 180)]
    files = {
        "notebooks/Untitled1.ipynb": notebook(
            ["import pandas as pd", "pd.read_csv('../data/houses.csv').plot()"]
        ),
        "notebooks/House prices.ipynb": notebook(CELLS, [1, 5, 3, 4, None, 6], kernel="my-env"),
    }
    return repository(root, files, {"data/houses.csv": _csv("rooms,area,price", rows)}, branch="master")


def package(root: Path, files: Mapping[str, str] | None = None) -> Path:
    """A package in src/ with its own dvc.yaml, which leaves out something that it reads and something it makes."""
    rows = [(a, g, int(a > 70 and g < 30)) for a, g in _pairs(300, 99, 80)]
    return repository(root, {**PACKAGE, "data/raw.csv": _csv("amount,age,fraud", rows), **(files or {})})


def small(root: Path, train: str = "", files: Mapping[str, str] | None = None) -> Path:
    """A training that needs no package at all."""
    code = train or (
        "import json\n\n\nclass Mean:\n    def fit(self, rows):\n        self.mean = sum(rows) / len(rows)\n        return self\n\n\n"
        "rows = [float(line) for line in open('rows.txt')]\nmodel = Mean().fit(rows)\n"
        "with open('model.json', 'w') as stream:\n    json.dump(vars(model), stream)\nprint('mae =', 0.25)\n"
    )
    return repository(root, {"train.py": code, "rows.txt": "1\n2\n3\n", **(files or {})})


def repository(
    root: Path,
    files: Mapping[str, str],
    untracked: Mapping[str, str] | None = None,
    encodings: Mapping[str, str] | None = None,
    branch: str = "main",
) -> Path:
    """In Git, with `untracked` beside it."""
    root.mkdir(parents=True)
    must(["git", "init", "--quiet", f"--initial-branch={branch}"], root)
    for path, text in files.items():
        _write(root / path, text, (encodings or {}).get(path, "utf-8"))
    must(["git", "add", "--all"], root)
    must(["git", "commit", "--quiet", "--message=As it was"], root)
    for path, text in (untracked or {}).items():
        _write(root / path, text)
    return root


def _write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def notebook(cells: Iterable[str], ran: list[int | None] | None = None, kernel: str = "python3") -> str:
    cells = list(cells)
    counts = ran or list(range(1, len(cells) + 1))
    content: dict[str, Any] = {
        "cells": [
            {"cell_type": "code", "execution_count": count, "metadata": {}, "outputs": [],
             "source": code.splitlines(keepends=True)}
            for code, count in zip(cells, counts, strict=True)
        ],
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }  # fmt: skip
    return json.dumps(content, indent=1)


def _pairs(n: int, first: int, second: int) -> list[tuple[int, int]]:
    draw = random.Random(0)
    return [(draw.randint(1, first), draw.randint(1, second)) for _ in range(n)]


def _csv(head: str, rows: Iterable[tuple[int, ...]]) -> str:
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


def hashes(root: Path) -> dict[str, str]:
    """Of every file but Git's own."""
    files = (
        path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts
    )
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
