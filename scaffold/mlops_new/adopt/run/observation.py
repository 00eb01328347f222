"""Runs a training in a copy of the repository, and sees which files it really reads and writes.

Python says what it opens (`observer/sitecustomize.py`). What libraries open without it - Parquet, by
Arrow or polars - shows in the time of last access, which is set back to zero before; what is written shows in
size and time of change.
"""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mlops_new.adopt.read import repository
from mlops_new.adopt.read.repository import Place
from mlops_new.base import temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import follow, run

Say = Callable[[str], None]
OBSERVER = Path(__file__).parent / "observer"
# Suffixes of files that libraries read without Python's `open`; other files other programs look at too.
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
# What tools write for themselves while a model trains; nothing that a version needs.
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
class Seen:
    """Paths are relative to the root; those of `elsewhere` are absolute."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    both: set[str] = field(default_factory=set)  # read first, and written then
    elsewhere: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    by_stage: dict[str, "Seen"] = field(default_factory=dict)  # of DVC's stages
    said: list[str] = field(default_factory=list)


@contextmanager
def copied(here: Place, say: Say, only: Collection[str] | None = None) -> Iterator[Path]:
    """The repository's files, or some of them, in a Git repository of their own beside it; gone afterwards."""
    beside = here.root.parent if os.access(here.root.parent, os.W_OK) else None
    with temporary.folder(f".{here.root.name}.", beside) as copy:  # so that `..` is the same folder
        run(["git", "clone", "--quiet", "--shared", "--no-checkout", here.root, copy], copy)
        run(["git", "reset", "--quiet"], copy)
        excluded = here.root / ".git/info/exclude"
        if excluded.is_file():
            (copy / ".git/info").mkdir(exist_ok=True)
            shutil.copy(excluded, copy / ".git/info/exclude")
        desk(copy).mkdir()
        _copy(here.root, copy, say, only)
        yield copy


def desk(copy: Path) -> Path:
    """Where files lie that are needed on the way, and that neither Git nor the training sees."""
    return copy / ".git/mlops-new"


def _copy(root: Path, copy: Path, say: Say, only: Collection[str] | None) -> None:
    entries = [
        entry
        for entry in repository.walk(root)
        if only is None or any(_within(Path(entry.path).relative_to(root).as_posix(), one) for one in only)
    ]
    mb = sum(entry.stat(follow_symlinks=False).st_size for entry in entries) // 1_000_000
    if mb > shutil.disk_usage(copy).free // 1_000_000:
        raise MlopsNewError(
            f"The training would run in a copy of {root}, and there is no room for its {mb:,} MB.",
            "Make room, or adopt without running: --no-run",
        )
    if mb > 500:
        say(f"Copying {mb:,} MB, to train where nothing can be broken")
    for entry in entries:
        if "/.dvc/cache/" in entry.path or "/.dvc/tmp/" in entry.path:
            continue
        to = copy / Path(entry.path).relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_symlink() or entry.is_file():
            with suppress(PermissionError):  # what we may not read, the training may not either
                shutil.copy2(entry.path, to, follow_symlinks=False)
    if (root / ".dvc/cache").is_dir():
        _share_cache(root, copy)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/")


def _share_cache(root: Path, copy: Path) -> None:
    """What DVC holds is taken from the original: it is named by its content, so nothing in it changes."""
    (copy / ".dvc/cache").symlink_to(root / ".dvc/cache")


# ---- run ----


def observe(copy: Path, command: Sequence[str]) -> Seen:
    """Runs the command at the root of the copy. Raises ProcessError when it fails."""
    with temporary.folder("mlops-new-") as notes:
        before = _state(copy)
        for path in before:
            with suppress(OSError):
                os.utime(copy / path, ns=(0, before[path][1]), follow_symlinks=False)
        said: list[str] = []
        follow(
            command,
            copy,
            said.append,
            own_session=True,
            PYTHONPATH=str(OBSERVER),
            MLOPS_NEW_OBSERVED=str(notes),
            PYTHONDONTWRITEBYTECODE="1",
            MPLBACKEND="Agg",
        )
        return _seen(copy, before, _state(copy), _noted(notes), said)


State = dict[str, tuple[int, int, int]]  # size, time of change, time of last access


def _state(root: Path) -> State:
    found: State = {}
    for entry in repository.walk(root):
        path = Path(entry.path).relative_to(root).as_posix()
        if not path.startswith((".dvc/cache", ".dvc/tmp")):
            stat = entry.stat(follow_symlinks=False)
            found[path] = (stat.st_size, stat.st_mtime_ns, stat.st_atime_ns)
    return found


Noted = list[tuple[str, str, str]]  # how, what, stage


def _noted(folder: Path) -> Noted:
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    return [(how, what, stage) for how, what, stage in map(json.loads, lines)]


def _seen(root: Path, before: State, after: State, noted: Noted, said: list[str]) -> Seen:
    changed = {path for path, now in after.items() if before.get(path, ())[:2] != now[:2]}
    by_libraries = {
        path
        for path, now in after.items()
        if path in before and now[2] > 0 and Path(path).suffix.lower() in BY_LIBRARIES
    }
    stages: dict[str, Noted] = defaultdict(list)
    for how, what, stage in noted:
        stages[stage].append((how, what, stage))
    whole = _one(root, before, changed, noted, said)
    whole.reads |= by_libraries - changed
    whole.writes |= changed
    whole.by_stage = {
        stage.rpartition(":")[2]: _one(root, before, changed, notes, [])
        for stage, notes in stages.items()
        if stage
    }
    return whole


def _one(root: Path, before: State, changed: set[str], noted: Noted, said: list[str]) -> Seen:
    """What one process, or all of them, did: the first that was done with a file decides."""
    seen, first, both = Seen(said=said), dict[str, str](), set[str]()
    written = {what for how, what, _ in noted if how == "write"}
    for how, what, _ in noted:
        if how == "connect":
            seen.hosts.add(what)
        elif Path(what).is_relative_to(root):
            path = Path(what).relative_to(root).as_posix()
            if how == "write" and first.get(path) == "read" and path in before:
                both.add(path)
            first.setdefault(path, how)
        elif what not in written and _is_data(what):
            seen.elsewhere.add(what)
    seen.reads = {path for path, how in first.items() if how == "read" and path in before}
    seen.writes = {path for path, how in first.items() if path in changed and how == "write"}
    seen.both = both & changed
    return seen


def _is_data(path: str) -> bool:
    """Of a file outside: data, and not a program's own settings, packages or caches."""
    parts = Path(path).parts
    return Path(path).suffix.lower() in BY_LIBRARIES and not any(
        part in OF_PROGRAMS or part.endswith((".egg-info", ".dist-info")) for part in parts
    )
