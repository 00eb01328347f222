"""Runs the scripts of an action as a step does, with files for what a runner reads afterwards."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, Done, run


@dataclass(frozen=True)
class Runner:
    """A folder of programs that come first on the PATH, and the files that steps write to."""

    folder: Path

    def program(self, name: str, script: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def step(self, script: str, **environment: str) -> Done:
        """`script` is a file of an action, for instance `login/roles`; it runs in the folder `work`."""
        return self.run(["sh", ROOT / "actions" / script], **environment)

    def run(self, command: list[object], **environment: str) -> Done:
        (self.folder / "work").mkdir(exist_ok=True)
        (self.folder / "temp").mkdir(exist_ok=True)
        variables = {
            "PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]]),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_OUTPUT": str(self.folder / "outputs"),
            "GITHUB_ENV": str(self.folder / "environment"),
        }
        return run(command, self.folder / "work", **{**variables, **environment})

    def outputs(self) -> dict[str, str]:
        return self._read("outputs")

    def environment(self) -> dict[str, str]:
        return self._read("environment")

    def calls(self, name: str) -> list[str]:
        path = self.folder / f"{name}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def _read(self, name: str) -> dict[str, str]:
        path = self.folder / name
        lines = path.read_text().splitlines() if path.exists() else []
        return dict(line.split("=", 1) for line in lines)
