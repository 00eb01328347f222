"""Each action's page lists every input and output of its action.yml, as it is written there."""

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT, must

PAGES = sorted((ROOT / "actions").glob("*/README.md"))
ODD = """\
name: Odd
description: Has what YAML 1.1 does not read as text.

inputs:
  on:
    description: a | b
    default: false
  off:
    description: "true: all of it"
    default: ''
  yes:
    description: Version
    default: 1.0
  null:
    description: Day
    default: 2026-01-31
  1.10:
    description: Nothing
    default: null
  010:
    description: Number
    default: 1_000
  y:
    description: Time
    default: 12:30
  no:
    description: Must be there
    required: true
  n:
    description: Need not be there
    required: false

outputs:
  on:
    description: It's text
    value: ${{ steps.kit.outputs.on }}
  2026-01-31:
    description: A day
    value: "1"

runs:
  using: composite
  steps: []
"""


@dataclass
class Interface:
    """What a caller has to know: of each input its default and description, of each output its description."""

    inputs: dict[str, tuple[str, str]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


def declared(text: str) -> Interface:
    """Read line by line, so that no reader of YAML, and no mistake of the generator's, is between."""
    found = Interface()
    for section, content in re.findall(r"^(inputs|outputs):\n((?:(?: .*)?\n)+)", text, re.MULTILINE):
        for block in re.split(r"^  (?=\S)", content, flags=re.MULTILINE)[1:]:
            name, *lines = block.rstrip().splitlines()
            keys = dict(_key(line) for line in lines)
            assert keys.keys() <= {"description", "default", "required", "value"}, f"{name} {keys}"
            if section == "outputs":
                found.outputs[name.removesuffix(":")] = keys["description"]
            else:
                found.inputs[name.removesuffix(":")] = (_default(keys), keys["description"])
    return found


def _key(line: str) -> tuple[str, str]:
    """A line such as `    default: "."`; what goes over several lines is refused here."""
    match = re.fullmatch(r"""    (\w+): (?:"([^"\\]*)"|'([^']*)'|([^\s"'>|&*!].*))""", line)
    assert match, f"one line, please: {line!r}"
    return match[1], next(value for value in match.groups()[1:] if value is not None)


def _default(keys: dict[str, str]) -> str:
    if keys.get("required") == "true":
        return "required"
    return f"`{keys['default']}`".replace("``", '`""`') if "default" in keys else ""


def shown(page: str) -> Interface:
    """The two tables of a page."""
    inputs, outputs = (
        [_cells(row) for row in rows.splitlines()]
        for rows in re.findall(r"^\| --- .*\n((?:\| .* \|\n)*)", page, re.MULTILINE)
    )
    return Interface(
        {_name(name): (default, text) for name, default, text in inputs},
        {_name(name): text for name, text in outputs},
    )


def _cells(row: str) -> list[str]:
    return [cell.replace("\\|", "|") for cell in row.removeprefix("| ").removesuffix(" |").split(" | ")]


def _name(cell: str) -> str:
    match = re.fullmatch(r"`([^`]+)`", cell)
    assert match, cell
    return match[1]


@pytest.mark.parametrize("page", PAGES, ids=[path.parent.name for path in PAGES])
def test_a_page_has_the_inputs_and_outputs_of_its_action(page: Path) -> None:
    interface = declared(page.with_name("action.yml").read_text("utf-8"))
    assert len(interface.inputs) + len(interface.outputs) > 1
    assert shown(page.read_text("utf-8")) == interface


def test_every_action_has_a_page() -> None:
    assert [path.parent for path in PAGES] == [
        path.parent for path in sorted((ROOT / "actions").glob("*/action.yml"))
    ]


def test_what_looks_like_a_boolean_a_number_or_a_date_stays_text(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/generate.py", tmp_path / "docs")
    for name in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "actions/odd").mkdir(parents=True)
    (tmp_path / "actions/odd/action.yml").write_text(ODD, encoding="utf-8")
    must([sys.executable, "docs/generate.py"], tmp_path)

    interface = declared(ODD)
    assert shown((tmp_path / "actions/odd/README.md").read_text("utf-8")) == interface
    assert list(interface.outputs) == ["on", "2026-01-31"]
    assert {name: default for name, (default, _) in interface.inputs.items()} == {
        "on": "`false`",
        "off": '`""`',
        "yes": "`1.0`",
        "null": "`2026-01-31`",
        "1.10": "`null`",
        "010": "`1_000`",
        "y": "`12:30`",
        "no": "required",
        "n": "",
    }
