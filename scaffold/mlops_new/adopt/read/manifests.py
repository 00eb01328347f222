"""Dependencies as Poetry and conda declare them, in the words of pip."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LOCK = "poetry.lock"
CONDA_FILES = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
# Where conda has a package under another name than PyPI.
ON_PYPI = {
    "pytorch": "torch", "pytorch-cpu": "torch", "pytorch-gpu": "torch", "py-xgboost": "xgboost", "tensorflow-gpu": "tensorflow",
    "opencv": "opencv-python-headless", "py-opencv": "opencv-python-headless", "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn", "dask-core": "dask", "pyarrow-core": "pyarrow", "msgpack-python": "msgpack", "pytables": "tables",
}  # fmt: skip
ONE = re.compile(r"(?:==|>=|<=|!=|~=|<|>)\s*[0-9][\w.!+]*(?:\.\*)?")


@dataclass(frozen=True)
class Declared:
    """What a file asks for; `left_out` says of each that was not taken why, or what of it was not."""

    requires: tuple[str, ...]
    python: str  # which versions, empty where it does not say
    left_out: tuple[str, ...]
    locked: tuple[str, ...] = ()  # NAME==VERSION of each package that the tool had chosen


def poetry(table: Mapping[str, Any], lock: str) -> Declared:
    """Of `[tool.poetry.dependencies]`, and of the text of poetry.lock."""
    requires, left_out, python = [], [], ""
    for name, wish in table.items():
        if name.lower() == "python":
            python = pip_specifier(wish) or "" if isinstance(wish, str) else ""
            continue
        line, why = _of_poetry(name, wish)
        requires += [line] if line else []
        left_out += [f"{name} ({why})"] if why else []
    try:
        chosen = tomllib.loads(lock).get("package", [])
    except tomllib.TOMLDecodeError:
        chosen = []
    locked = [f"{one['name']}=={one['version']}" for one in chosen if not one.get("source")]
    return Declared(tuple(requires), python, tuple(left_out), tuple(locked))


def _of_poetry(name: str, wish: Any) -> tuple[str, str]:
    """A line for pip, empty for none; and what was not taken."""
    if isinstance(wish, str):
        wish = {"version": wish}
    if not isinstance(wish, dict):
        return name, "its version depends on the system, and is left to the resolver"
    if wish.get("optional"):
        return "", "optional"
    if "path" in wish or "file" in wish:
        return "", f"the path {wish.get('path') or wish.get('file')}, which only this machine has"
    extras = f"[{','.join(wish['extras'])}]" if wish.get("extras") else ""
    marker = f"; {wish['markers']}" if wish.get("markers") else ""
    if "git" in wish:
        at = wish.get("rev") or wish.get("tag") or wish.get("branch")
        return f"{name}{extras} @ git+{wish['git']}{f'@{at}' if at else ''}{marker}", ""
    if "url" in wish:
        return f"{name}{extras} @ {wish['url']}{marker}", ""
    version = str(wish.get("version", "*"))
    found = pip_specifier(version)
    why = f"its version {version!r}, which pip has no words for" if found is None else ""
    return f"{name}{extras}{found or ''}{marker}", why


def pip_specifier(poetrys: str) -> str | None:
    """`^1.2` as `>=1.2,<2`; None for what pip cannot say."""
    found = [_piece(piece.strip()) for piece in poetrys.split(",")]
    return None if None in found else ",".join(piece for piece in found if piece)


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
    """How many parts a caret keeps: up to the first that is not 0."""
    return next((at for at, number in enumerate(numbers, start=1) if number), len(numbers))


def conda(listed: list[Any], imported: list[str]) -> Declared:
    """Of `dependencies:`; what conda alone has is told from packages of Python by their being imported."""
    requires, left_out, python = [], [], ""
    for name, version in _of_conda(listed):
        found = ON_PYPI.get(name, name)
        specifier = _conda_specifier(version)
        if name == "python":
            python = specifier or ""
        elif found in imported:
            requires.append(f"{found}{specifier or ''}")
            if specifier is None:
                left_out.append(f"the version {version!r} of {name}, which pip has no words for")
        elif name not in ("pip", "setuptools", "wheel"):
            left_out.append(f"{name} (nothing imports it)")
    lines = [line for one in listed if isinstance(one, dict) for line in one.get("pip") or []]
    taken = [line for line in lines if not line.startswith(("-", "."))]
    left_out += [f"{line} (not a package)" for line in lines if line not in taken]
    named = {re.split(r"[\[<>=!~;@ ]", one)[0] for one in (*requires, *taken)}
    return Declared(
        (*requires, *taken, *(name for name in imported if name not in named)), python, tuple(left_out)
    )


def _of_conda(listed: list[Any]) -> Iterator[tuple[str, str]]:
    """Name, and version without the build: `conda-forge::numpy=1.26=py311_0` is numpy and `=1.26`."""
    for one in listed:
        if isinstance(one, str) and (match := re.match(r"(?:[\w./-]+::)?([\w.-]+)\s*(.*)", one.strip())):
            exact = re.fullmatch(r"=(\d[\w.]*)=[^=]+", match[2])
            yield match[1].lower(), f"=={exact[1]}" if exact else match[2]


def _conda_specifier(version: str) -> str | None:
    if match := re.fullmatch(r"=(\d[\w.]*?)(?:\.\*)?", version):
        return f"=={match[1]}.*"
    return pip_specifier(version)
