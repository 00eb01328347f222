"""The dependencies that Poetry's and conda's files declare, as requirements of pip."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LOCK = "poetry.lock"
CONDA_FILES = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
# Packages that conda has under another name than PyPI.
ON_PYPI = {
    "pytorch": "torch", "pytorch-cpu": "torch", "pytorch-gpu": "torch", "py-xgboost": "xgboost", "tensorflow-gpu": "tensorflow",
    "opencv": "opencv-python-headless", "py-opencv": "opencv-python-headless", "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn", "dask-core": "dask", "pyarrow-core": "pyarrow", "msgpack-python": "msgpack", "pytables": "tables",
}  # fmt: skip
ONE = re.compile(r"(?:==|>=|<=|!=|~=|<|>)\s*[0-9][\w.!+]*(?:\.\*)?")


@dataclass(frozen=True)
class Manifest:
    """The dependencies of a file. `left_out`: those that were not taken, or not fully, with the reason."""

    requires: tuple[str, ...]
    python: str  # which versions, empty where it does not say
    left_out: tuple[str, ...]
    locked: tuple[str, ...] = ()  # NAME==VERSION of each package that the tool had chosen


def from_poetry(table: Mapping[str, Any], lock: str) -> Manifest:
    """Read `[tool.poetry.dependencies]`, and the versions in the text of poetry.lock."""
    requires, left_out, python = [], [], ""
    for name, requirement in table.items():
        if name.lower() == "python":
            python = pip_specifier(requirement) or "" if isinstance(requirement, str) else ""
            continue
        line, why = _poetry_line(name, requirement)
        requires += [line] if line else []
        left_out += [f"{name} ({why})"] if why else []
    try:
        chosen = tomllib.loads(lock).get("package", [])
    except tomllib.TOMLDecodeError:
        chosen = []
    locked = [f"{one['name']}=={one['version']}" for one in chosen if not one.get("source")]
    return Manifest(tuple(requires), python, tuple(left_out), tuple(locked))


def _poetry_line(name: str, requirement: Any) -> tuple[str, str]:
    """A requirement of pip, empty for none; and the reason for what was left out."""
    if isinstance(requirement, str):
        requirement = {"version": requirement}
    if not isinstance(requirement, dict):
        return name, "its version depends on the system, and is left to the resolver"
    if requirement.get("optional"):
        return "", "optional"
    if "path" in requirement or "file" in requirement:
        return (
            "",
            f"the path {requirement.get('path') or requirement.get('file')}, which only this machine has",
        )
    extras = f"[{','.join(requirement['extras'])}]" if requirement.get("extras") else ""
    marker = f"; {requirement['markers']}" if requirement.get("markers") else ""
    if "git" in requirement:
        at = requirement.get("rev") or requirement.get("tag") or requirement.get("branch")
        return f"{name}{extras} @ git+{requirement['git']}{f'@{at}' if at else ''}{marker}", ""
    if "url" in requirement:
        return f"{name}{extras} @ {requirement['url']}{marker}", ""
    version = str(requirement.get("version", "*"))
    specifier = pip_specifier(version)
    why = f"its version {version!r}, which pip has no words for" if specifier is None else ""
    return f"{name}{extras}{specifier or ''}{marker}", why


def pip_specifier(version: str) -> str | None:
    """`>=1.2,<2` for `^1.2`; None if pip cannot express it."""
    pieces = [_piece(piece.strip()) for piece in version.split(",")]
    return None if None in pieces else ",".join(piece for piece in pieces if piece)


def _piece(piece: str) -> str | None:
    if piece in ("", "*"):
        return ""
    if match := re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)[\w.+-]*", piece):
        numbers = [int(part) for part in match[2].split(".")]
        kept = _kept(numbers) if match[1] == "^" else min(2, len(numbers))
        upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
        return f">={piece[1:].strip()},<{'.'.join(map(str, upper))}"
    if re.fullmatch(r"\d[\w.!+]*(?:\.\*)?", piece):
        return f"=={piece}"
    return piece.replace(" ", "") if ONE.fullmatch(piece) else None


def _kept(numbers: list[int]) -> int:
    """The number of parts that a caret keeps: up to the first that is not 0."""
    return next((at for at, number in enumerate(numbers, start=1) if number), len(numbers))


def from_conda(listed: list[Any], imported: list[str]) -> Manifest:
    """Read `dependencies:`. A package counts as Python's if it is imported; the others only conda has."""
    requires, left_out, python = [], [], ""
    for name, version in _conda_entries(listed):
        on_pypi = ON_PYPI.get(name, name)
        specifier = _conda_specifier(version)
        if name == "python":
            python = specifier or ""
        elif on_pypi in imported:
            requires.append(f"{on_pypi}{specifier or ''}")
            if specifier is None:
                left_out.append(f"the version {version!r} of {name}, which pip has no words for")
        elif name not in ("pip", "setuptools", "wheel"):
            left_out.append(f"{name} (nothing imports it)")
    lines = [line for one in listed if isinstance(one, dict) for line in one.get("pip") or []]
    taken = [line for line in lines if not line.startswith(("-", "."))]
    left_out += [f"{line} (not a package)" for line in lines if line not in taken]
    named = {re.split(r"[\[<>=!~;@ ]", one)[0] for one in (*requires, *taken)}
    return Manifest(
        (*requires, *taken, *(name for name in imported if name not in named)), python, tuple(left_out)
    )


def _conda_entries(listed: list[Any]) -> Iterator[tuple[str, str]]:
    """Name and version without the build: numpy and `=1.26` for `conda-forge::numpy=1.26=py311_0`."""
    for one in listed:
        if isinstance(one, str) and (match := re.match(r"(?:[\w./-]+::)?([\w.-]+)\s*(.*)", one.strip())):
            exact = re.fullmatch(r"=(\d[\w.]*)=[^=]+", match[2])
            yield match[1].lower(), f"=={exact[1]}" if exact else match[2]


def _conda_specifier(version: str) -> str | None:
    if match := re.fullmatch(r"=(\d[\w.]*?)(?:\.\*)?", version):
        return f"=={match[1]}.*"
    return pip_specifier(version)
