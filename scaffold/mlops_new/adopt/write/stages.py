"""The stage of DVC that a training becomes: command, inputs, outputs and metrics."""

import hashlib
import posixpath
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlops_new.adopt.read.entry_point import EntryPoint
from mlops_new.adopt.read.file_uses import FileUse
from mlops_new.adopt.read.metrics import metrics_files
from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.run.observation import LOGS, Observation
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
    """`command` runs at the root. Paths are relative to it. `in_git`: outputs that Git tracks, so that DVC must not."""

    command: str
    deps: list[str]
    outs: list[str]
    metrics: str
    in_git: frozenset[str] = frozenset()
    logs: list[str] = field(default_factory=list)  # what tools write for themselves

    @property
    def outputs(self) -> list[str]:
        return [*self.outs, self.metrics]

    @property
    def models(self) -> list[str]:
        hashes = [path for path in self.outs if PurePosixPath(path).suffix in MODELS]
        return hashes or [path for path in self.outs if "model" in PurePosixPath(path).name.lower()]


def command(entry: EntryPoint, metrics: str) -> list[str]:
    """The command of the training; wrapped by `mlops_run.py` if its output must be read for metrics."""
    if entry.kind == "notebook":
        name, outputs = (PurePosixPath(path).name for path in (entry.path, executed(entry)))
        parameters = [word for argument in entry.arguments for word in ("-p", *argument.split("=", 1))]
        # the language's own kernel: the one that the notebook names is another machine's
        words = [
            "papermill",
            "--log-output",
            "--no-progress-bar",
            "-k",
            "python3",
            *parameters,
            name,
            outputs,
        ]
    elif entry.kind == "module":
        words = ["python", "-m", entry.module, *entry.arguments]
    else:
        words = ["python", posixpath.relpath(entry.path, entry.inside or "."), *entry.arguments]
    options = ["--metrics", metrics] if metrics else []
    options += ["--executed", executed(entry)] if entry.kind == "notebook" else []
    options += ["--in", entry.inside] if entry.inside else []
    return ["python", RUN, *options, "--", *words] if options else words


def executed(entry: EntryPoint) -> str:
    return PurePosixPath(entry.path).with_suffix(".executed.ipynb").as_posix()


def from_run(repo: Repository, entry: EntryPoint, observation: Observation, copy: Path) -> Stage:
    """The stage from an observed run."""
    logs = sorted(
        {path.split("/")[0] for path in observation.writes if path.split("/")[0] in LOGS and "/" in path}
    )
    writes = {path for path in observation.writes if not path.startswith(tuple(f"{log}/" for log in logs))}
    writes -= {path for path in writes if path.endswith(".pyc")} | observation.both
    return _stage(repo, entry, observation.reads | observation.both, writes, logs, copy)


def from_code(repo: Repository, entry: EntryPoint, uses: list[FileUse], code: list[str]) -> Stage:
    """The stage from the code alone, if it must not run."""

    def paths(how: str) -> set[str]:
        hashes = (
            _relative_path(repo, entry, use.path) for use in uses if use.how == how and not use.is_address
        )
        return {path for path in hashes if path}

    reads = {path for path in paths("read") if repo.has(path)} | set(code)
    writes = paths("write")
    writes |= {executed(entry)} if entry.kind == "notebook" else set()
    return _stage(repo, entry, reads - writes, writes, [], repo.root)


def _relative_path(repo: Repository, entry: EntryPoint, path: str) -> str:
    """The path from the root; empty if it is outside."""
    absolute = posixpath.normpath(posixpath.join(repo.root.as_posix(), entry.inside, path))
    inside = PurePosixPath(absolute).is_relative_to(repo.root.as_posix())
    return PurePosixPath(absolute).relative_to(repo.root.as_posix()).as_posix() if inside else ""


def _stage(
    repo: Repository, entry: EntryPoint, reads: set[str], writes: set[str], logs: list[str], root: Path
) -> Stage:
    reads = {path for path in reads if not is_of_tools(path)} - {RUN}
    metrics = next(iter(metrics_files(root, writes)), "")
    wrapper = "" if metrics else _free(repo, "metrics.json")
    words = command(entry, wrapper)
    deps = {entry.path} | reads - {wrapper}
    deps |= {RUN} if RUN in words else set()
    outputs = _folded(writes - {metrics, wrapper, entry.path}, repo.tracked)
    return Stage(
        shlex.join(words),
        sorted(_folded(deps, frozenset(path for path in deps if path.endswith(CODE)))),
        sorted(outputs),
        metrics or wrapper,
        frozenset(path for path in {*outputs, metrics or wrapper} if path in repo.tracked),
        logs,
    )


def is_of_tools(path: str) -> bool:
    name = PurePosixPath(path).name
    return (
        name in OF_TOOLS or name.startswith("requirements") or path.startswith((".git/", ".dvc/", ".github/"))
    )


def _free(repo: Repository, name: str) -> str:
    return f"training-{name}" if repo.has(name) else name


def _folded(paths: Iterable[str], apart: frozenset[str]) -> set[str]:
    """Replace many paths in one folder by the folder, unless a path in it must stay apart."""
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
    """A hash of each existing output, to see whether a second run makes the same."""
    hashes = {}
    for path in stage.outputs:
        files = [root / path] if (root / path).is_file() else sorted((root / path).rglob("*"))
        if not (root / path).exists():
            continue
        digest = hashlib.sha256()
        for file in (file for file in files if file.is_file()):
            digest.update(file.read_bytes())
        hashes[path] = digest.hexdigest()
    return hashes
