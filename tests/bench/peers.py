"""The peers: installed from the package index, each into an environment of its own."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import Command, environment, output, spend

ROOT = Path(__file__).parents[2]
KEDRO = "https://github.com/kedro-org/kedro-starters.git"
CCDS = "https://github.com/drivendataorg/cookiecutter-data-science.git"
COPIER = "https://github.com/scientific-python/cookie.git"
# The questions of COPIER that have no default.
ANSWERS = {
    "project_name": "bench",
    "org": "bench",
    "full_name": "Bench",
    "email": "bench@localhost",
    "license": "BSD",
    "backend": "hatch",
    "docs": "sphinx",
    "vcs": "true",
}


@dataclass
class Peers:
    """Where they are, and why one is not: `absent` says it for whoever reads the table."""

    work: Path
    kedro_starter: Path | None = None
    ccds_template: Path | None = None
    copier_template: Path | None = None
    absent: dict[str, str] = field(default_factory=dict)

    def ours(self) -> Path:
        """The command, installed from the wheel of this tree."""
        return self.installed("mlops-new", f"mlops-new @ {self.wheel().as_uri()}")

    def kit(self) -> Path:
        """The kit's command, with its extra."""
        return self.installed("mlops-kit", f"mlops-new[kit] @ {self.wheel().as_uri()}")

    def wheel(self) -> Path:
        if not (self.work / "dist").is_dir():
            build: Command = ["uv", "build", "--quiet", "--wheel", "-o", self.work / "dist", ROOT]
            spend(build, self.work)
        return next((self.work / "dist").glob("*.whl"))

    def installed(self, command: str, *packages: str) -> Path:
        """The command's path in an environment that holds these packages."""
        place = self.work / "peers" / command
        if not place.is_dir():
            spend(["uv", "venv", "--quiet", place], self.work)
            spend(["uv", "pip", "install", "--quiet", "--python", place, *packages], self.work)
            names = [re.split(r" @ |[\[<>=!~]", package)[0] for package in packages]
            versions = f"from importlib.metadata import version; print(*map(version, {names}))"
            found = output([place / "bin" / "python", "-c", versions], self.work).split()
            for name, number in zip(names, found, strict=True):
                print(f"{name} {number}", file=sys.stderr)
        return place / "bin" / command

    def kedro_new(self) -> Command:
        """From the template in its wheel: the fastest of its forms, no clone."""
        plain = ["--name", "Bench", "--tools", "none", "--example", "n", "--telemetry", "no"]
        return [self.installed("kedro", "kedro"), "new", *plain]

    def ccds(self) -> Command | None:
        if (template := self._local("ccds", "--ccds-template", self.ccds_template, CCDS)) is None:
            return None
        command = self.installed("ccds", "cookiecutter-data-science")
        return [command, template, "--no-input", "project_name=bench"]

    def copier_copy(self) -> Command | None:
        given = self.copier_template
        if (template := self._local("copier", "--copier-template", given, COPIER)) is None:
            return None
        command = self.installed("copier", "copier", "copier-templates-extensions")
        answers = [word for name, value in ANSWERS.items() for word in ("-d", f"{name}={value}")]
        return [command, "copy", "--quiet", "--trust", "--defaults", *answers, template, "bench"]

    def kedro_trained(self) -> list[Command] | None:
        """Its documented way from nothing to a trained model, as commands in one folder."""
        given = self.kedro_starter
        if (starter := self._local("kedro", "--kedro-starter", given, KEDRO)) is None:
            return None
        if given is None:
            starter /= "spaceflights-pandas"
        kedro = self.installed("kedro", "kedro")
        install = ["uv", "pip", "install", "--quiet", "-r", "bench/requirements.txt", "--python"]
        return [
            [kedro, "new", "--starter", starter, "--name", "Bench", "--telemetry", "no"],
            ["uv", "venv", "--quiet", "bench/.venv"],
            [*install, "bench/.venv"],
            ["sh", "-c", "cd bench && .venv/bin/kedro run"],
        ]

    def _local(self, peer: str, flag: str, given: Path | None, address: str) -> Path | None:
        """The folder given, or a clone made once: the network is nobody's speed."""
        if given:
            return given.resolve()
        clone = self.work / "clones" / peer
        if clone.is_dir():
            return clone
        try:
            subprocess.run(
                ["git", "clone", "--quiet", "--depth", "1", address, str(clone)],
                env=environment(),
                capture_output=True,
                timeout=120,
                check=True,
            )
        except (subprocess.SubprocessError, OSError):
            shutil.rmtree(clone, ignore_errors=True)
            self.absent[peer] = f"{address} cannot be reached; give a local copy with {flag} DIR"
            return None
        return clone
