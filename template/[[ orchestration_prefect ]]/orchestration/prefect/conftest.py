"""A kit that answers what a test says, in the place of the project's own."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from project import KIT

SCRIPT = """
import json, pathlib, sys
here = pathlib.Path(__file__).parent
codes = json.loads((here / "codes.json").read_text())
left = codes.get(sys.argv[1], [])
code = left.pop(0) if left else 0
(here / "codes.json").write_text(json.dumps(codes))
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
outcome = "registered" if code == 0 else "rejected"
print(json.dumps({"found": True, "outcome": outcome, "says": f"{sys.argv[1]}: {outcome}"}))
sys.exit(code)
"""


@dataclass(frozen=True)
class Scripted:
    root: Path

    def answers(self, **codes: list[int]) -> None:
        """The exit codes of a command's calls, in their order; all others are 0."""
        (self.root / "codes.json").write_text(json.dumps(codes))

    @property
    def calls(self) -> list[list[Any]]:
        return [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]

    @property
    def commands(self) -> list[str]:
        return [words[0] for words in self.calls]


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    command = tmp_path / KIT[-1]
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/kit.py" "$@"\n')
    command.chmod(0o755)
    (tmp_path / "kit.py").write_text(SCRIPT)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    made = Scripted(tmp_path)
    made.answers()
    return made
