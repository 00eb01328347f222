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
    overview: dict[str, Any]  # task, target, time, key, features, left_out, split, sample, warnings


def repository_path(data: Path) -> str:
    """Path of the file in the repository, without spaces and letters that a shell or a file system could mistake."""
    stem = re.sub(r"[^a-z0-9_]+", "-", data.stem.lower()).strip("-") or "data"
    stem = "data" if stem == "sample" else stem  # data/sample.csv is the sample of it
    suffix = data.suffix.lower()
    return "data/" + stem + {".pq": ".parquet", ".txt": ".csv", ".tab": ".tsv"}.get(suffix, suffix)


def text_of_sample(sample: dict[str, Any]) -> str:
    """What of the data gets into Git. `sample`: its kind and its number of rows."""
    return {
        "rows": f"{sample['rows']} rows of your data get into Git, in data/sample.csv",
        "synthetic": f"no row of your data gets into Git; data/sample.csv has {sample['rows']} synthetic rows",
        "none": "no row of your data gets into Git, and there is no data/sample.csv",
    }[str(sample["kind"])]


def add(draft: Path, request: CreateRequest, progress: Progress) -> Inference:
    """Copy the file to data/ and write data/schema.yaml and data/sample.csv for it."""
    assert request.data
    copy = draft / repository_path(request.data)
    copy.parent.mkdir()
    shutil.copyfile(request.data, copy)
    progress("Installing the environment that reads your data")
    environment.install(draft)
    return _infer(draft, request, progress)


def preview(rendered: Path, request: CreateRequest, progress: Progress) -> Inference:
    """As `add`, in a folder that is thrown away: with an environment that can read data and nothing else."""
    assert request.data
    copy = rendered / repository_path(request.data)
    copy.parent.mkdir()
    try:
        copy.symlink_to(request.data.resolve())
    except OSError:  # Windows allows it to administrators only
        shutil.copyfile(request.data, copy)
    progress("Preparing a temporary environment that reads your data")
    environment.install_reader(rendered)
    return _infer(rendered, request, progress)


def _infer(folder: Path, request: CreateRequest, progress: Progress) -> Inference:
    assert request.data
    assert request.target
    progress(f"Reading {request.data.name}")
    options = {
        "target": request.target,
        "time": request.time,
        "slices": list(request.slices),
        "task": request.task,
        "sample": request.sample_kind,
    }
    try:
        answer = run(
            [environment.python(folder), "-P", INFERENCE, repository_path(request.data), json.dumps(options)],
            folder,
            PYTHONPATH=str(folder),
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUTF8="1",
        )
    except ProcessError as error:
        if error.code == 1:
            what, _, do = error.stderr.partition("\n")
            raise MlopsNewError(what, do) from error
        raise
    return Inference(**json.loads(answer))
