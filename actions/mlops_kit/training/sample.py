"""The workspace in a copy whose data parameter is the sample: a training there changes no file of a person."""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run_within, words
from mlops_kit.project import undo
from mlops_kit.project.dvc_config import share_cache
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Sample
from mlops_kit.project.transfer import STALL

PARAMS = "params.yaml"
COPY = Path(
    ".mlops/sample/tree"
)  # on the workspace's file system, so that data is linked and results are moved
OURS = (".git", ".mlops", ".dvc")


@contextmanager
def copy_of(repository: Repository, sample: Sample, outs: Collection[str]) -> Iterator[Repository]:
    """A worktree with the uncommitted changes, data and environment of the workspace, and the sample as its data.

    `outs`: paths that the pipeline makes. The copy is in `.mlops/sample`; what a killed training left there is removed first.
    """
    text = (repository.root / PARAMS).read_text(encoding="utf-8")
    parameters = _with(text, sample.parameter, sample.file)
    path = repository.root / COPY
    undo.remove(path.parent)
    path.parent.mkdir(parents=True)
    try:
        with repository.worktree_at(path, "HEAD") as copy:
            _bring_changes(repository, copy)
            _bring_ignored(repository, copy, outs)
            share_cache(repository, copy)
            (copy.root / PARAMS).write_text(parameters, encoding="utf-8")
            yield copy
    finally:
        undo.remove(path.parent)


def environment(repository: Repository, dvc: str) -> dict[str, str]:
    """Variables for commands in the copy: uv takes the environment of the workspace as it is.

    It is synchronized here first, because in the copy uv would install the project from there.
    """
    command = words(dvc)
    if command[:2] != ["uv", "run"] or not (repository.root / ".venv").is_dir():
        return {}
    with suppress(KitError):
        run_within([*command[:-1], "python", "-c", ""], repository.root, stall=STALL)
    return {"UV_NO_SYNC": "1"}


def take_over(copy: Repository, repository: Repository, outs: Iterable[str]) -> None:
    """Move the results into the workspace, in the place of those that are there."""
    for path in outs:
        made, to = copy.root / path, repository.root / path
        if os.path.lexists(made):
            undo.remove(to)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, to)


def _bring_changes(repository: Repository, copy: Repository) -> None:
    """What is changed, untracked or deleted in the workspace is so in the copy."""
    for path in repository.dirty():
        here, there = repository.root / path, copy.root / path
        undo.remove(there)
        if os.path.lexists(here):
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here, there, follow_symlinks=False) if not here.is_dir() else None


def _bring_ignored(repository: Repository, copy: Repository, outs: Collection[str]) -> None:
    """Files that Git ignores: data is linked, the rest (environments, settings) is reached by symbolic links.

    Outputs of the pipeline stay behind: DVC makes them in the copy.
    """
    data = set(repository.pointers())

    def bring(path: str) -> None:
        here, there = repository.root / path, copy.root / path
        if path.split("/")[0] in OURS or here.name == "__pycache__" or path in outs:
            return
        if any(inner.startswith(f"{path}/") for inner in (*outs, *data)):
            for inside in here.iterdir():
                bring(f"{path}/{inside.name}")
        elif not os.path.lexists(there):
            there.parent.mkdir(parents=True, exist_ok=True)
            if path in data or not _symbolic_link(here, there):
                undo.link(here, there)

    for path in _ignored(repository):
        bring(path)


def _ignored(repository: Repository) -> list[str]:
    """Files that Git ignores; a folder in which everything is ignored is one entry."""
    words = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return [path.rstrip("/") for path in repository.git(*words).split("\0") if path]


def _symbolic_link(source: Path, target: Path) -> bool:
    """False where a person is not allowed to make one, as on Windows."""
    with suppress(OSError):
        target.symlink_to(source, target_is_directory=source.is_dir())
        return True
    return False


def _with(text: str, parameter: str, value: str) -> str:
    """params.yaml with one value changed, and everything else as it stands."""
    from ruamel.yaml import YAML

    yaml = YAML()
    known, content = parse_yaml(text, PARAMS), yaml.load(text)
    *above, last = parameter.split(".")
    around = content
    for key in above:
        around = around.get(key) if isinstance(around, dict) else None
    if not isinstance(around, dict) or last not in around:
        raise KitError(
            f"{PARAMS} has no {parameter!r}, which mlops.yaml names as sample.parameter.",
            f"Name the key that says which file is the data; there are: {', '.join(map(str, known)) or 'none'}.",
        )
    around[last] = value
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()
