"""Every combination of tiers is exactly the base plus its tiers, in whatever order they came."""

import hashlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from mlops_new.template import render, tiers

from tests.conftest import must
from tests.growth.projects import commit, files_of, update
from tests.growth.stand_ins import CHOICES, PLAN

ALL = [
    dict(zip(PLAN, tools, strict=True)) for tools in product(*(("none", *tools) for tools in PLAN.values()))
]
ANSWERS = ".copier-answers.yml"
SHARES = 4  # of all combinations, so that the workers can divide them


def contents(at: Path) -> dict[str, str]:
    """Hash by name of all files but the answers."""
    return {
        path.relative_to(at).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in at.rglob("*")
        if path.is_file() and path.name != ANSWERS and ".git" not in path.parts and ".dvc" not in path.parts
    }


def rendered(tree: Path, at: Path, answers: dict[str, str]) -> dict[str, str]:
    render.render_tree(tree / "source", at, {"project_name": "flights"} | answers)
    return contents(at)


def test_there_are_243() -> None:
    assert len(ALL) == 243


@dataclass(frozen=True)
class Parts:
    """The files of the base and, by layer and tool, those that each tool adds to it."""

    base: dict[str, str]
    alone: dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def parts(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    at = tmp_path_factory.mktemp("parts")
    base, alone = rendered(tree, at / "base", {}), {}
    for layer, tool in CHOICES:
        with_it = rendered(tree, at / tool, {layer: tool})
        assert {name: with_it[name] for name in base} == base
        alone[layer, tool] = {name: text for name, text in with_it.items() if name not in base}
    return Parts(base, alone)


def test_a_tool_is_the_files_that_it_says(parts: Parts, made: Path) -> None:
    for (layer, tool), files in parts.alone.items():
        assert set(files) == files_of(made, {layer: tool})


@pytest.mark.parametrize("share", range(SHARES))
def test_base_plus_tiers(share: int, tree: Path, parts: Parts, tmp_path: Path) -> None:
    for number, answers in enumerate(ALL[share::SHARES]):
        chosen = [parts.alone[choice] for choice in answers.items() if choice[1] != tiers.NONE]
        names = [name for part in chosen for name in part]
        assert len(names) == len(set(names)), "two tiers write the same file"
        expected = parts.base | {name: text for part in chosen for name, text in part.items()}
        assert rendered(tree, tmp_path / f"{number}", answers) == expected, answers


def test_order_does_not_matter_and_removing_leaves_no_difference(made: Path) -> None:
    """Five added one by one, five at once in the other order, and all taken away again."""
    start = contents(made), (made / ANSWERS).read_bytes()
    one_by_one = [(layer, tools[0]) for layer, tools in PLAN.items()]
    for choice in one_by_one:
        update(made, dict([choice]))
        commit(made, "add")
    grown = contents(made), (made / ANSWERS).read_bytes()
    must(["git", "reset", "--quiet", "--hard", "HEAD~5"], made)
    update(made, dict(reversed(one_by_one)))
    assert (contents(made), (made / ANSWERS).read_bytes()) == grown
    commit(made, "add all")
    was, switched = (
        {"orchestration": "prefect", "serving": "seldon"},
        {"orchestration": "airflow", "serving": "tf-serving"},
    )
    update(made, switched)
    commit(made, "switch")
    stay = files_of(made, switched)  # the tools of a layer may share a file
    assert stay <= set(contents(made))
    assert not (files_of(made, was) - stay) & set(contents(made))
    update(made, dict.fromkeys(PLAN, "none"))
    assert (contents(made), (made / ANSWERS).read_bytes()) == start
