"""Is the model what dvc.lock says, and are its libraries those of uv.lock? What is not is not loaded."""

import hashlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

LIBRARIES = (
    "scikit-learn",
    "numpy",
    "scipy",
    "joblib",
    "polars",
    "pyarrow",
    "lightgbm",
    "xgboost",
    "catboost",
)
# as uv writes it: a parser of TOML takes a fifth of a second, a tenth of the start
PACKAGE = re.compile(r'^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"', re.MULTILINE)


class Refusal(Exception):
    """Why this model is not served, and what to do."""


def check_artifacts(root: Path) -> dict[str, str]:
    """Hashes of the artifacts that mlops.yaml names, by their paths. Raises Refusal unless they are those of dvc.lock."""
    contract = _yaml(root / "mlops.yaml")
    named, dvc = contract.get("artifacts") or [], (contract.get("commands") or {}).get("dvc", "dvc")
    locked = _locked(root / "dvc.lock")
    if not named:
        raise Refusal("mlops.yaml names no `artifacts`, so nothing says which files are the model.")
    for name in named:
        if not locked.get(name):
            raise Refusal(
                f"dvc.lock does not say what {name} is. `{dvc} repro` trains it and writes dvc.lock."
            )
        if (found := _md5(root / name)) != locked[name]:
            raise Refusal(
                f"{name} is not what dvc.lock says: its md5 is {found}, not {locked[name]}. "
                f"`{dvc} checkout --force {name}` puts the one of dvc.lock back."
            )
    return {name: locked[name] for name in named}


def _locked(path: Path) -> dict[str, str]:
    """Hashes of the outputs by their paths. Raises Refusal for a lock that is not one of DVC's."""
    try:
        stages = (_yaml(path).get("stages") or {}).values()
        outs = [
            (one["path"], one.get("md5")) for stage in stages for one in stage.get("outs") or []
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise Refusal(f"{path} is not a lock that DVC wrote: {type(error).__name__}.") from error
    locked = dict(outs)
    if len(locked) < len(outs):
        raise Refusal(f"{path} has two stages with the same output.")
    return locked


def check_libraries(root: Path) -> None:
    """Raises Refusal where a library of the model is another version than the one of uv.lock."""
    lock = root / "uv.lock"
    if not lock.is_file():
        return
    locked: dict[str, set[str]] = {}
    for name, number in PACKAGE.findall(lock.read_text(encoding="utf-8")):
        locked.setdefault(name, set()).add(number)
    if not locked:
        raise Refusal(f"{lock} names no package. `git restore uv.lock` or `uv lock` mends it.")
    for name in LIBRARIES:
        here = _installed(name)
        if here and name in locked and here not in locked[name]:
            raise Refusal(
                f"{name} is {here} here, and the model was trained with {' or '.join(sorted(locked[name]))} (uv.lock). "
                "`mlops-kit serve` makes an environment with the version of the lock."
            )


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise Refusal(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise Refusal(f"{path} holds no keys.")
    return content


def _md5(path: Path) -> str:
    """As DVC hashes a file, or a folder by the list of its files."""
    if path.is_file():
        return _md5_of(path)
    if not path.is_dir():
        return "missing"
    if links := [one for one in path.rglob("*") if one.is_symlink() and one.is_dir()]:
        raise Refusal(f"{links[0]} is a link to a folder, whose files no hash covers.")
    entries = [
        {"md5": _md5_of(file), "relpath": relative} for relative, file in sorted(_files(path))
    ]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    return (
        (file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file()
    )


def _md5_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
