"""`dvc.lock` and `.dvc` files as typed values, and hashes as DVC computes them."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.errors import KitError

LOCK = "dvc.lock"


@dataclass(frozen=True)
class Entry:
    """A file or folder as a lock or a .dvc file names it. A folder's md5 ends in `.dir`."""

    path: str
    md5: str
    size: int | None = None
    files: int | None = None


@dataclass(frozen=True)
class PipelineStage:
    name: str
    cmd: str
    deps: dict[str, Entry]
    params: dict[str, dict[str, Any]]  # file -> key -> value
    outs: dict[str, Entry]


@dataclass(frozen=True)
class Lock:
    """What dvc.lock says: stages by name, in the order of the file."""

    stages: dict[str, PipelineStage]
    text: str = field(repr=False, default="")

    @property
    def outs(self) -> dict[str, Entry]:
        return {path: out for stage in self.stages.values() for path, out in stage.outs.items()}

    @property
    def inputs(self) -> dict[str, Entry]:
        """Dependencies that no stage makes: code, configuration and raw data."""
        deps = {path: dep for stage in self.stages.values() for path, dep in stage.deps.items()}
        outs = self.outs
        return {path: dep for path, dep in sorted(deps.items()) if not _within(path, outs)}

    @property
    def params(self) -> dict[str, Any]:
        """Parameters flattened: `train.seed`, with the file in front where it is not params.yaml."""
        flat: dict[str, Any] = {}
        for stage in self.stages.values():
            for file, values in stage.params.items():
                prefix = "" if file == "params.yaml" else f"{file}:"
                for key, value in values.items():
                    flat |= flatten(value, prefix + key)
        return dict(sorted(flat.items()))

    def out(self, path: str) -> Entry | None:
        """The output that is this path or the folder around it."""
        return next((out for name, out in self.outs.items() if _within(path, [name])), None)


def _within(path: str, folders: Mapping[str, Any] | list[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def flatten(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {at: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= flatten(inner, f"{at}.{key}")
    return flat


def parse_lock(text: str) -> Lock:
    """Raises KitError when this is not a lock of DVC's schema 2."""
    content = parse_yaml(text, LOCK)
    try:
        stages = {
            name: PipelineStage(
                _text(name),
                str(stage["cmd"]),
                {(dep := _entry(one)).path: dep for one in stage.get("deps", [])},
                {_text(file): _mapping(values) for file, values in _mapping(stage.get("params", {})).items()},
                {(out := _entry(one)).path: out for one in stage.get("outs", [])},
            )
            for name, stage in _mapping(content.get("stages", {})).items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise KitError(f"{LOCK} cannot be understood: {error!r}.", "`git restore dvc.lock`?") from error
    return Lock(stages, text)


def _entry(content: Mapping[str, Any]) -> Entry:
    value = content.get("md5") or content.get("etag") or content.get("checksum") or ""
    return Entry(
        _text(content["path"]), _hash(value), _count(content.get("size")), _count(content.get("nfiles"))
    )


def _text(value: Any) -> str:
    """Raises TypeError for anything else; the functions below too."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text"[:100])
    return value


def _hash(value: Any) -> str:
    """Digits alone are a number in YAML."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError(f"{value!r} is not a mapping of names"[:100])
    return value


def _count(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise TypeError(f"{value!r} is not a number of bytes or files"[:100])
    return value


def parse_pointer(text: str, path: str) -> list[Entry]:
    """What a .dvc file names, with paths from the root of the repository. Raises KitError if it is not a .dvc file."""
    folder = Path(path).parent
    outs = parse_yaml(text, path).get("outs") or []
    try:
        return [_entry({**out, "path": (folder / _text(out["path"])).as_posix()}) for out in outs]
    except (KeyError, TypeError, AttributeError) as error:
        raise KitError(f"{path} cannot be understood: {error!r}.", f"`git restore {path}`?") from error


def object_path(folder: Path, md5: str) -> Path:
    """Where DVC 3 keeps an object, in a cache or a remote that is a folder."""
    return folder / "files/md5" / md5[:2] / md5[2:]


def file_md5(path: Path, left_out: Collection[Path] = ()) -> str:
    """As DVC 3 has it: of a file its bytes', of a folder that of its list, with `.dir`."""
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and file not in left_out]
        return folder_md5({file.relative_to(path).as_posix(): file_md5(file) for file in files})
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def folder_md5(md5s: Mapping[str, str]) -> str:
    """The md5 of a folder as DVC 3 has it: that of the list of its files, given by relative path, with `.dir`."""
    listed = json.dumps([{"md5": md5, "relpath": path} for path, md5 in sorted(md5s.items())], sort_keys=True)
    return hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest() + ".dir"


def file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
