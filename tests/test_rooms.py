"""Imports go down: the contracts of import-linter in pyproject.toml, kept and seen to break."""

import ast
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Done, run

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINTER = SETTINGS["tool"]["importlinter"]
SOURCES = {"mlops_new": ROOT / "scaffold/mlops_new", "mlops_kit": ROOT / "actions/mlops_kit"}
# The floors of each package, the highest first: the contract whose container is the whole package.
FLOORS: dict[str, list[str]] = {
    contract["containers"][0]: contract["layers"]
    for contract in LINTER["contracts"]
    if contract["type"] == "layers" and contract["containers"][0] in SOURCES
}


def rooms(floor: str) -> list[str]:
    return re.findall(r"\w+", floor)


def lint_imports(folder: Path) -> Done:
    """Check all contracts on the packages in this folder, or on those that are installed."""
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--config",
        ROOT / "pyproject.toml",
    ]
    return run(command, folder, PYTHONPATH=str(folder))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_import_goes_down() -> None:
    done = lint_imports(ROOT)
    assert done.code == 0, done.stdout
    assert ", 0 broken." in done.stdout


@pytest.mark.parametrize("package", FLOORS)
def test_an_import_that_goes_up_is_found(package: str, copied: Path) -> None:
    highest, lowest = (rooms(FLOORS[package][number])[0] for number in (0, -1))
    (copied / package / lowest / "__init__.py").write_text(f"import {package}.{highest}\n")
    done = lint_imports(copied)
    assert done.code == 1, done.said
    assert f"{package}.{lowest} is not allowed to import {package}.{highest}" in done.stdout


@pytest.mark.parametrize("package", FLOORS)
def test_a_room_without_a_floor_is_found(package: str, copied: Path) -> None:
    (copied / package / "attic").mkdir()
    (copied / package / "attic/__init__.py").touch()
    done = lint_imports(copied)
    assert done.code == 1, done.said
    assert "attic" in done.stdout


@pytest.mark.parametrize("package", FLOORS)
def test_a_room_is_entered_without_importing_anything(package: str) -> None:
    """An `__init__.py` holds a docstring at most: the job that registers has no NumPy."""
    for file in sorted(SOURCES[package].glob("*/**/__init__.py")):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        assert [node for node in body if not isinstance(node, ast.Expr)] == [], file


def test_contributing_names_files_that_are_there() -> None:
    """But those that a recipe makes, whose names are in capitals."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:actions|docs|scaffold|template|tests)/[^` ]*)`", page)
    paths = [path for path in named if not re.search(r"[A-Z]{4}", path)]
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_a_folder_has_twenty_modules_at_most() -> None:
    """More are split by subject, so that a reader finds a module in a list that fits the eye."""
    folders = {module.parent for module in (ROOT / "actions/mlops_kit").rglob("*.py")}
    modules = {folder: len([*folder.glob("*.py")]) - 1 for folder in folders}  # without __init__.py
    assert {str(folder.relative_to(ROOT)): n for folder, n in modules.items() if n > 20} == {}
