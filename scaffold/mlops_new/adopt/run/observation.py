"""Run a training in a copy of the repository, and observe which files it reads and writes.

Python reports the files that it opens (`observer/sitecustomize.py`). Files that libraries open without it (Parquet, by
Arrow or polars) show in the time of last access, which is set to zero before. Written files show in size and time of
change.
"""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mlops_new.adopt.read import repository
from mlops_new.base import temporary
from mlops_new.base.processes import follow

OBSERVER = Path(__file__).parent / "observer"
# Suffixes of files that libraries read without Python's `open`.
BY_LIBRARIES = [
    ".parquet",
    ".pq",
    ".feather",
    ".arrow",
    ".orc",
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".ndjson",
    ".npy",
    ".npz",
    ".h5",
    ".hdf5",
    ".xlsx",
    ".sqlite",
    ".db",
    ".png",
    ".jpg",
    ".jpeg",
    ".tif",
    ".tiff",
    ".wav",
    ".txt",
    ".gz",
    ".zst",
    ".avro",
]
# Folders of logs that tools write while a model trains; no version needs them.
LOGS = (
    "mlruns",
    "wandb",
    "lightning_logs",
    "catboost_info",
    "runs",
    "tb_logs",
    "outputs",
    ".neptune",
    "logs",
)

# Folders that tell a program's own files from data.
OF_PROGRAMS = frozenset(
    {
        "site-packages", "ipykernel", ".ipython", ".jupyter", "jupyter", "matplotlib", "fontconfig", ".cache",
        "etc", "usr", "lib", "python",
    }
)  # fmt: skip


@dataclass
class Observation:
    """What a training did. Paths are relative to the root, those of `elsewhere` absolute."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    both: set[str] = field(default_factory=set)  # read first, and written then
    elsewhere: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    by_stage: dict[str, "Observation"] = field(default_factory=dict)  # of DVC's stages
    output: list[str] = field(default_factory=list)


def observe(copy: Path, command: Sequence[str]) -> Observation:
    """Run the command at the root of the copy. Raises ProcessError if it fails."""
    with temporary.folder("mlops-new-") as folder:
        before = _read_state(copy)
        for path in before:
            with suppress(OSError):
                os.utime(copy / path, ns=(0, before[path][1]), follow_symlinks=False)
        output: list[str] = []
        follow(
            command,
            copy,
            output.append,
            own_session=True,
            online=True,
            PYTHONPATH=str(OBSERVER),
            MLOPS_NEW_OBSERVED=str(folder),
            PYTHONDONTWRITEBYTECODE="1",
            MPLBACKEND="Agg",
        )
        return _read_observation(copy, before, _read_state(copy), _read_notes(folder), output)


FileStates = dict[str, tuple[int, int, int]]  # size, time of change, time of last access


def _read_state(root: Path) -> FileStates:
    states: FileStates = {}
    for entry in repository.walk(root):
        path = Path(entry.path).relative_to(root).as_posix()
        if not path.startswith((".dvc/cache", ".dvc/tmp")):
            stat = entry.stat(follow_symlinks=False)
            states[path] = (stat.st_size, stat.st_mtime_ns, stat.st_atime_ns)
    return states


Notes = list[tuple[str, str, str]]  # how, what, stage


def _read_notes(folder: Path) -> Notes:
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    return [(how, what, stage) for how, what, stage in map(json.loads, lines)]


def _read_observation(
    root: Path, before: FileStates, after: FileStates, notes: Notes, output: list[str]
) -> Observation:
    changed = {path for path, now in after.items() if before.get(path, ())[:2] != now[:2]}
    read_by_libraries = {
        path
        for path, now in after.items()
        if path in before and now[2] > 0 and Path(path).suffix.lower() in BY_LIBRARIES
    }
    stages: dict[str, Notes] = defaultdict(list)
    for how, what, stage in notes:
        stages[stage].append((how, what, stage))
    whole = _of_process(root, before, changed, notes, output)
    whole.reads |= read_by_libraries - changed
    whole.writes |= changed
    whole.by_stage = {
        stage.rpartition(":")[2]: _of_process(root, before, changed, notes_of_stage, [])
        for stage, notes_of_stage in stages.items()
        if stage
    }
    return whole


def _of_process(
    root: Path, before: FileStates, changed: set[str], notes: Notes, output: list[str]
) -> Observation:
    """The observation of one process, or of all: the first access to a file says whether it was read or written."""
    observation, first, both = Observation(output=output), dict[str, str](), set[str]()
    written = {what for how, what, _ in notes if how == "write"}
    for how, what, _ in notes:
        if how == "connect":
            observation.hosts.add(what)
        elif Path(what).is_relative_to(root):
            path = Path(what).relative_to(root).as_posix()
            if how == "write" and first.get(path) == "read" and path in before:
                both.add(path)
            first.setdefault(path, how)
        elif what not in written and _is_data(what):
            observation.elsewhere.add(what)
    observation.reads = {path for path, how in first.items() if how == "read" and path in before}
    observation.writes = {path for path, how in first.items() if path in changed and how == "write"}
    observation.both = both & changed
    return observation


def _is_data(path: str) -> bool:
    """True if a file outside of the repository is data, not a program's settings, package or cache."""
    parts = Path(path).parts
    return Path(path).suffix.lower() in BY_LIBRARIES and not any(
        part in OF_PROGRAMS or part.endswith((".egg-info", ".dist-info")) for part in parts
    )
