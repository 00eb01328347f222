"""A tool of every layer in one repository: it passes its own checks, and the kit reads what all of them bring."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlops_kit.project import contract

from tests.conftest import ROOT, must, run


def layers() -> dict[str, list[str]]:
    """The tools of each, by the template itself, so that one that is new is lived in from its first day."""
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    return {
        name: [tool for tool in asked["choices"].values() if tool != "none"]
        for name, asked in questions.items()
        if not name.startswith("_") and asked.get("default") == "none"
    }


def full_set(number: int) -> list[str]:
    """The first tool of every layer, or the last."""
    return [f"{layer}={tools[number]}" for layer, tools in layers().items()]


def holds(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], inner) for name, inner in part.items())
    return bool(whole == part)


@pytest.mark.parametrize("chosen", [full_set(0), full_set(-1)], ids="+".join)
def test_a_full_set_passes_its_own_checks(chosen: list[str], flights: Path, mlops_new: Path) -> None:
    must([mlops_new, "add", *chosen], flights)
    must(["git", "add", "--all"], flights)
    must(["git", "commit", "--quiet", "--no-verify", "--message=Add a full set"], flights)

    hooks = ["uv", "run", "--frozen", "pre-commit", "run", "--all-files"]
    must(hooks, flights, UV_FROZEN="1", UV_NO_SYNC="1")
    done = run(["uv", "run", "--frozen", "pytest", "-q", "-p", "no:cacheprovider"], flights)
    assert done.code == 0, done.said
    said = must([Path(sys.executable).with_name("mlops-kit"), "validate"], flights)
    assert said.endswith("as data/schema.yaml says\n")
    assert must(["git", "status", "--porcelain"], flights) == ""

    loaded = contract.load(flights).model_dump()
    fragments = sorted((flights / "mlops.d").iterdir())
    assert fragments
    for fragment in fragments:
        assert holds(loaded, yaml.safe_load(fragment.read_text("utf-8"))), fragment.name
