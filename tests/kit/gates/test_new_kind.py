"""A gate kind is a section and a function: these two places, and the kit parses, judges, reports and flags it."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.gates import kinds
from mlops_kit.project.sections import Gate, Loosens

from tests.conftest import ROOT, run
from tests.kit.script_repository import Scripted, register

SECTION = '''class RowsGate(Gate):
    """Rows that were evaluated."""

    judged_by = ("metrics",)

    kind: Literal["rows"]
    at_least: Annotated[int, Loosens("down")]
    because: str = ""


'''
FUNCTION = """from mlops_kit.project import sections


@judges(sections.RowsGate)
def rows(name: str, gate: sections.RowsGate, bench: Bench) -> GateResult:
    n = bench.metrics["n"]
    status: Status = "pass" if n >= gate.at_least else "fail"
    return _result(name, gate, status, f"{n} rows, at least {gate.at_least}", n, gate.at_least)


"""


def inserted(file: Path, text: str, before: str) -> None:
    content = file.read_text()
    assert content.count(before) == 1
    file.write_text(content.replace(before, text + before))


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A copy of the kit with the kind `rows`."""
    folder = tmp_path / "kit"
    shutil.copytree(ROOT / "actions/mlops_kit", folder / "mlops_kit")
    inserted(folder / "mlops_kit/project/sections.py", SECTION, "# The union of all kinds above.")
    inserted(folder / "mlops_kit/gates/kinds.py", FUNCTION, "# ---- threshold ----")
    return folder


def gate(kit: Path, small: Scripted, *words: str) -> Any:
    done = run([sys.executable, "-m", "mlops_kit", "gate", *words], small.root, PYTHONPATH=str(kit))
    assert done.code in (0, 10), done.said
    return json.loads(done.stdout) if "--json" in words else done.stdout


def test_a_kind_is_a_section_and_a_function(kit: Path, small: Scripted) -> None:
    small.gates(enough={"kind": "rows", "at_least": 10, "because": "of this"})
    small.commit()
    register(small.repository, "small@v0.1.0")
    small.metrics({"n": 7})
    (result,) = gate(kit, small, "--json")["results"]
    assert (result["status"], result["value"], result["bound"]) == ("fail", 7, 10)
    assert (result["because"], result["loosened"]) == ("of this", "")
    small.gates(enough={"kind": "rows", "at_least": 5})
    table = gate(kit, small)
    assert "enough  pass    7      5      7 rows, at least 5" in table
    assert "loosened: enough: since v0.1.0: at_least 10 -> 5" in table


def test_an_unknown_kind_is_refused_with_the_known_ones(small: Scripted) -> None:
    small.gates(enough={"kind": "rows", "at_least": 10})
    done = run([sys.executable, "-m", "mlops_kit", "gate"], small.root, PYTHONPATH=str(ROOT / "actions"))
    assert done.code == 1
    assert "'threshold', 'slices', 'latency', 'size', 'champion'" in done.stderr


def test_every_kind_has_a_function_and_says_how_each_field_loosens() -> None:
    assert set(kinds.GATES) == set(Gate.__subclasses__())
    for section in Gate.__subclasses__():
        assert section.judged_by
        silent = {
            key
            for key, field in section.model_fields.items()
            if not any(isinstance(one, Loosens) for one in field.metadata)
        }
        assert silent == {"kind", "because"}
