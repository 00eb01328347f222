"""Add the owner's data file to a new repository, and describe it in data/schema.yaml.

The generator has no data library. The program `inference/` reads the file in the new repository's environment, with
the reader and the checks of that repository.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run
from mlops_new.base.progress import Progress
from mlops_new.create import environment
from mlops_new.create.request import CreateRequest

INFERENCE = Path(__file__).parent / "inference"


@dataclass(frozen=True)
class Inference:
    """What was inferred from the data file."""

    answers: dict[str, Any]  # for the template
    notes: list[str]  # for the person, a sentence each


def repository_path(data: Path) -> str:
    """Path of the file in the repository, without spaces and letters that a shell or a file system could mistake."""
    stem = re.sub(r"[^a-z0-9_]+", "-", data.stem.lower()).strip("-") or "data"
    stem = "data" if stem == "sample" else stem  # data/sample.csv is the sample of it
    suffix = data.suffix.lower()
    return "data/" + stem + {".pq": ".parquet", ".txt": ".csv", ".tab": ".tsv"}.get(suffix, suffix)


def add(draft: Path, request: CreateRequest, progress: Progress) -> Inference:
    """Copy the file to data/ and write data/schema.yaml and data/sample.csv for it."""
    assert request.data
    assert request.target
    copy = draft / repository_path(request.data)
    copy.parent.mkdir()
    shutil.copyfile(request.data, copy)
    progress("Installing the environment that reads your data")
    environment.install(draft)
    progress(f"Reading {request.data.name}")
    options = {
        "target": request.target,
        "time": request.time,
        "slices": list(request.slices),
        "task": request.task,
    }
    python = environment.python(draft)
    try:
        answer = run(
            [python, "-P", INFERENCE, copy.relative_to(draft), json.dumps(options)],
            draft,
            PYTHONPATH=str(draft),
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUTF8="1",
        )
    except ProcessError as error:
        if error.code == 1:
            what, _, do = error.stderr.partition("\n")
            raise MlopsNewError(what, do) from error
        raise
    inferred = json.loads(answer)
    return Inference(inferred["answers"], inferred["notes"])
