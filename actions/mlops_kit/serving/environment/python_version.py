"""Which Python an environment gets: one that the project and the engine both accept."""

import re
import tomllib
from pathlib import Path

from mlops_kit.base.errors import KitError

Number = tuple[int, ...]


def request(project: Path, trained_with: str, engine: str, engine_file: str) -> str:
    """What to ask uv for: the Python of the training, for which the lock may have other libraries than for the next.

    If it is unknown, or the engine does not accept it: .python-version, or the range that both accept. Raises KitError
    if there is none.
    """
    if trained_with and accepts(engine, trained_with):
        return ".".join(trained_with.split(".")[:2])
    chosen = _text(project / ".python-version")
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", chosen):
        if not accepts(engine, chosen):
            raise KitError(
                f"The project runs on Python {chosen} (.python-version), and the engine on {engine} ({engine_file}).",
                "Choose a Python that both accept in .python-version, and train again with it.",
            )
        return chosen
    asked = [one for one in (_required(project), engine) if one]
    if len(asked) == 2 and not any(
        accepts(asked[0], minor) and accepts(engine, minor) for minor in _minors()
    ):
        raise KitError(
            f"The project runs on Python {asked[0]} (pyproject.toml), and the engine on {engine} ({engine_file}).",
            "Widen requires-python of the project if it allows, lock and train again.",
        )
    return ",".join(asked) or ">=3.11"


def _text(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").split() if path.is_file() else []
    return lines[0] if lines else ""


def _required(project: Path) -> str:
    path = project / "pyproject.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return str(content.get("project", {}).get("requires-python", ""))


def _minors() -> list[str]:
    return [f"3.{minor}" for minor in range(8, 40)]


def accepts(specifiers: str, version: str) -> bool:
    """True if a version such as 3.12 or 3.12.4 fits; without its last part, any such release may fit."""
    return all(_fits(one.strip(), _number(version)) for one in specifiers.split(",") if one.strip())


def _fits(specifier: str, version: Number) -> bool:
    match = re.fullmatch(r"(>=|<=|==|!=|~=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?", specifier)
    if match is None:  # a form that only uv understands
        return True
    bound = _number(match[2])
    same = version[: len(bound)] == bound[: len(version)]
    exact = same and len(version) >= len(bound)
    return {
        ">=": version >= bound or same,
        "<=": version <= bound or same,
        ">": version > bound or same,
        "<": version < bound and not exact,
        "==": same,
        "!=": not exact,
        "~=": (version >= bound or same) and version[: len(bound) - 1] == bound[:-1],
    }[match[1]]


def _number(text: str) -> Number:
    return tuple(int(part) for part in text.split("."))
