"""The stage that a training becomes: what it reads, what it makes, and how good that says it is."""

import hashlib
import posixpath
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlops_new.adopt.read.entry_point import Entry
from mlops_new.adopt.read.file_uses import Use
from mlops_new.adopt.read.metrics import metrics_files
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.run.observation import LOGS, Seen
from mlops_new.adopt.run.packages import PINS

RUN = "mlops_run.py"
CODE = (".py", ".ipynb", ".pyi")
SETTINGS = (".yaml", ".yml", ".toml", ".ini", ".cfg", ".json", ".env", ".md")
MODELS = [
    ".pkl",
    ".pickle",
    ".joblib",
    ".skops",
    ".pt",
    ".pth",
    ".ckpt",
    ".onnx",
    ".h5",
    ".keras",
    ".cbm",
    ".bin",
    ".ubj",
    ".safetensors",
    ".tflite",
    ".model",
    ".bst",
]
MANY = 10  # files of one folder, from which on the folder is named instead
OF_TOOLS = (PINS, "pyproject.toml", "uv.lock", "setup.cfg", ".gitignore", ".dvcignore", ".python-version")


@dataclass(frozen=True)
class Stage:
    """The command runs at the root, and paths are relative to it; `in_git` are outputs that Git tracks, which DVC must not."""

    command: str
    deps: list[str]
    outs: list[str]
    metrics: str
    in_git: frozenset[str] = frozenset()
    logs: list[str] = field(default_factory=list)  # what tools write for themselves

    @property
    def made(self) -> list[str]:
        return [*self.outs, self.metrics]

    @property
    def models(self) -> list[str]:
        found = [path for path in self.outs if PurePosixPath(path).suffix in MODELS]
        return found or [path for path in self.outs if "model" in PurePosixPath(path).name.lower()]


def command(entry: Entry, metrics: str) -> list[str]:
    """The training's own command, under `mlops_run.py` where something must look at what it says."""
    if entry.kind == "notebook":
        name, made = (PurePosixPath(path).name for path in (entry.path, executed(entry)))
        parameters = [word for argument in entry.arguments for word in ("-p", *argument.split("=", 1))]
        # the language's own kernel: the one that the notebook names is another machine's
        words = ["papermill", "--log-output", "--no-progress-bar", "-k", "python3", *parameters, name, made]
    elif entry.kind == "module":
        words = ["python", "-m", entry.module, *entry.arguments]
    else:
        words = ["python", posixpath.relpath(entry.path, entry.inside or "."), *entry.arguments]
    options = ["--metrics", metrics] if metrics else []
    options += ["--executed", executed(entry)] if entry.kind == "notebook" else []
    options += ["--in", entry.inside] if entry.inside else []
    return ["python", RUN, *options, "--", *words] if options else words


def executed(entry: Entry) -> str:
    return PurePosixPath(entry.path).with_suffix(".executed.ipynb").as_posix()


def of_seen(here: Place, entry: Entry, seen: Seen, copy: Path) -> Stage:
    """From a run of the training."""
    logs = sorted({path.split("/")[0] for path in seen.writes if path.split("/")[0] in LOGS and "/" in path})
    writes = {path for path in seen.writes if not path.startswith(tuple(f"{log}/" for log in logs))}
    writes -= {path for path in writes if path.endswith(".pyc")} | seen.both
    return _stage(here, entry, seen.reads | seen.both, writes, logs, copy)


def of_code(here: Place, entry: Entry, uses: list[Use], code: list[str]) -> Stage:
    """From the code alone, where it may not be run."""

    def placed(how: str) -> set[str]:
        found = (_placed(here, entry, use.path) for use in uses if use.how == how and not use.is_address)
        return {path for path in found if path}

    reads = {path for path in placed("read") if here.has(path)} | set(code)
    writes = placed("write")
    writes |= {executed(entry)} if entry.kind == "notebook" else set()
    return _stage(here, entry, reads - writes, writes, [], here.root)


def _placed(here: Place, entry: Entry, path: str) -> str:
    """From the root; empty for what is outside."""
    absolute = posixpath.normpath(posixpath.join(here.root.as_posix(), entry.inside, path))
    inside = PurePosixPath(absolute).is_relative_to(here.root.as_posix())
    return PurePosixPath(absolute).relative_to(here.root.as_posix()).as_posix() if inside else ""


def _stage(
    here: Place, entry: Entry, reads: set[str], writes: set[str], logs: list[str], root: Path
) -> Stage:
    reads = {path for path in reads if not of_tools(path)} - {RUN}
    metrics = next(iter(metrics_files(root, writes)), "")
    wrapper = "" if metrics else _free(here, "metrics.json")
    words = command(entry, wrapper)
    deps = {entry.path} | reads - {wrapper}
    deps |= {RUN} if RUN in words else set()
    made = _folded(writes - {metrics, wrapper, entry.path}, here.tracked)
    return Stage(
        shlex.join(words),
        sorted(_folded(deps, frozenset(path for path in deps if path.endswith(CODE)))),
        sorted(made),
        metrics or wrapper,
        frozenset(path for path in {*made, metrics or wrapper} if path in here.tracked),
        logs,
    )


def of_tools(path: str) -> bool:
    name = PurePosixPath(path).name
    return (
        name in OF_TOOLS or name.startswith("requirements") or path.startswith((".git/", ".dvc/", ".github/"))
    )


def _free(here: Place, name: str) -> str:
    return f"training-{name}" if here.has(name) else name


def _folded(paths: Iterable[str], apart: frozenset[str]) -> set[str]:
    """Where one folder holds many, the folder, unless it holds something that must stay apart."""
    paths = set(paths)
    parents = Counter(PurePosixPath(path).parent.as_posix() for path in paths)
    folders = {
        folder
        for folder, count in parents.items()
        if count > MANY and folder != "." and not any(path.startswith(f"{folder}/") for path in apart)
    }
    folders = {one for one in folders if not any(one.startswith(f"{other}/") for other in folders)}
    return {path for path in paths if not path.startswith(tuple(f"{one}/" for one in folders))} | folders


def fingerprint(root: Path, stage: Stage) -> dict[str, str]:
    """A hash of each output that is there, to see whether a second run makes the same."""
    found = {}
    for path in stage.made:
        files = [root / path] if (root / path).is_file() else sorted((root / path).rglob("*"))
        if not (root / path).exists():
            continue
        digest = hashlib.sha256()
        for file in (file for file in files if file.is_file()):
            digest.update(file.read_bytes())
        found[path] = digest.hexdigest()
    return found
