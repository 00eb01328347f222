"""What a person can cause is told in two parts: what happened, and what to do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.kit.script_repository import Scripted
from tests.kit.small_repository import small as small_repository
from tests.kit.tips import kit

KIT = ROOT / "actions/mlops_kit"
# Reasons, which stand in a table: of gates, and of what `doctor` cannot know.
REASONS = {
    *(f"gates/{name}.py" for name in ("champion", "kinds", "measure")),
    *(f"doctor/{name}.py" for name in ("clone", "data", "diagnosis", "github_settings")),
}


@pytest.mark.parametrize(
    ("file", "text", "told", "do"),
    [
        ("mlops.yaml", "model: a\n- x\n", "mlops.yaml is not YAML: line 2, column 1: ", "Mend it there"),
        ("mlops.yaml", "- model\n", "mlops.yaml holds a list, not a mapping of keys.", "`key: value`"),
        ("mlops.yaml", "model: small\nmetrics: \0\n", "mlops.yaml is not YAML: ", "Mend it there"),
        ("metrics.json", '{"n": 400', "metrics.json cannot be read: Expecting", "run again what writes it"),
        ("metrics.json", "[1]", "metrics.json holds a list, not a mapping of metrics.", '{"accuracy": 0.81'),
    ],
)
def test_a_broken_file(file: str, text: str, told: str, do: str, small: Scripted) -> None:
    (small.root / file).write_text(text)
    done = kit(small.repository, "gate")
    assert done.code == 1, done.said
    *_, what, mend = done.stderr.splitlines()
    assert told in what
    assert do in mend


@pytest.mark.parametrize("text", ["data: [", "", "seed: 1\n"])
def test_broken_parameters(text: str, tmp_path: Path) -> None:
    flights = small_repository(tmp_path / "flights")
    flights.edit("mlops.yaml", "metrics:", "sample: {file: s.csv, parameter: data}\nmetrics:")
    flights.write("params.yaml", text)
    done = flights.kit("train", "--sample")
    assert done.code == 1, done.said
    assert "params.yaml" in done.stderr.splitlines()[-2]


def test_every_error_says_what_to_do() -> None:
    assert list(_without_a_tip()) == []


def _without_a_tip() -> Iterator[str]:
    for file in sorted(KIT.rglob("*.py")):
        name = file.relative_to(KIT).as_posix()
        if name not in REASONS:
            yield from (f"{name}:{line}" for line in _raised(file))


def _raised(file: Path) -> list[int]:
    nodes = ast.walk(ast.parse(file.read_text("utf-8")))
    calls = (node.exc for node in nodes if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call))
    return [call.lineno for call in calls if ast.unparse(call.func) == "KitError" and len(call.args) < 2]
