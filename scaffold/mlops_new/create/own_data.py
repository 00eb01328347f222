"""A person's own file: brought into the repository and described by data/schema.yaml.

The generator has no data library. The file is read in the new repository's own environment, by
`inference/`, which uses the repository's own reader and checks.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_new.base.errors import Misused, MlopsNewError
from mlops_new.base.processes import ProcessError, run
from mlops_new.create import environment

if TYPE_CHECKING:
    from mlops_new.create.create import Say, Wishes

INFERENCE = Path(__file__).parent / "inference"
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz")
KNOWN = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".pq")


@dataclass(frozen=True)
class Inferred:
    answers: dict[str, Any]  # for the template
    notes: list[str]  # for the person, a sentence each


def check(data: Path, target: str | None) -> None:
    if not data.is_file():
        what = "is a folder" if data.is_dir() else "does not exist"
        raise MlopsNewError(f"The data file {data} {what}.", "Give --data a CSV or Parquet file.")
    if data.suffix.lower() in PACKED:
        raise MlopsNewError(
            f"{data.name} is packed ({data.suffix}).", "Unpack it, and give --data what was inside."
        )
    if data.suffix.lower() not in KNOWN:
        raise MlopsNewError(
            f"{data.name} is neither CSV nor Parquet by its ending {data.suffix!r}.",
            f"Convert it, or rename it to one of {', '.join(KNOWN)}.",
        )
    if data.stat().st_size == 0:
        raise MlopsNewError(f"{data} is empty.", "Give --data a file with a header and rows.")
    if not target:
        raise Misused("--data needs --target: the column to predict.")


def path_for(data: Path) -> str:
    """Where the file goes in the repository: no spaces, no letters that a shell or a file system minds."""
    stem = re.sub(r"[^a-z0-9_]+", "-", data.stem.lower()).strip("-") or "data"
    stem = "data" if stem == "sample" else stem  # data/sample.csv is the sample of it
    suffix = data.suffix.lower()
    return "data/" + stem + {".pq": ".parquet", ".txt": ".csv", ".tab": ".tsv"}.get(suffix, suffix)


def bring_in(stage: Path, wishes: "Wishes", say: "Say") -> Inferred:
    """Copies the file to data/ and writes data/schema.yaml and data/sample.csv for it."""
    assert wishes.data
    assert wishes.target
    copy = stage / path_for(wishes.data)
    copy.parent.mkdir()
    shutil.copyfile(wishes.data, copy)
    say("Installing the environment that reads your data")
    environment.install(stage)
    say(f"Reading {wishes.data.name}")
    asked = {"target": wishes.target, "time": wishes.time, "slices": list(wishes.slices), "task": wishes.task}
    python = environment.python(stage)
    try:
        answer = run(
            [python, "-P", INFERENCE, copy.relative_to(stage), json.dumps(asked)],
            stage,
            PYTHONPATH=str(stage),
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUTF8="1",
        )
    except ProcessError as error:
        if error.code == 1:
            what, _, do = error.stderr.partition("\n")
            raise MlopsNewError(what, do) from error
        raise
    found = json.loads(answer)
    return Inferred(found["answers"], found["notes"])
