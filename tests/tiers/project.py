"""A trained repository with a tier, its environment, and an origin whose colleagues push to it."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.act.api import WRITE_TOKEN, Api
from tests.act.payloads import REPOSITORY
from tests.conftest import must, python_of, run, without_latency
from tests.template.rendered import copier_copy

DVC = ["uv", "run", "--frozen", "dvc"]
STAGES = {  # of a run that registers a version
    **dict.fromkeys(["watch-data", "validate", "train"], "end"),
    "gate": "open",
    "register": "registered",
}


@dataclass(frozen=True)
class Project:
    root: Path
    tool: str
    layer: str = "orchestration"

    @property
    def tier(self) -> Path:
        return self.root / self.layer / self.tool

    @property
    def origin(self) -> Path:
        return self.root.parent / "origin.git"

    def tool_named(self, name: str) -> Path:
        return python_of(self.tier).with_name(name)

    def environment(self, api: Api) -> dict[str, str]:
        """With the kit on the PATH, as a person installs it, and a GitHub for its alarms."""
        folder = self.root.parent / "bin"
        folder.mkdir(exist_ok=True)
        if not (command := folder / "mlops-kit").exists():
            command.symlink_to(Path(sys.executable).with_name("mlops-kit"))
        path = f"{folder}:/usr/local/bin:/usr/bin:/bin:{Path(shutil.which('uv') or '').parent}"
        hub = {"GITHUB_API_URL": api.url, "GITHUB_TOKEN": WRITE_TOKEN, "GITHUB_REPOSITORY": REPOSITORY}
        return {"PATH": path, "DO_NOT_TRACK": "1", "SCARF_ANALYTICS": "false", **hub}

    def publish(self) -> None:
        """With an origin, a DVC remote, and something to train that takes little."""
        must(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.origin], self.root)
        storage = self.root.parent / "storage"
        must([*DVC, "remote", "add", "--quiet", "--default", "storage", storage], self.root)
        self.change("params.yaml", "max_iter: 100", "max_iter: 30")
        means = self.root / "mlops.yaml"
        means.write_text(without_latency(means.read_text("utf-8")), "utf-8")
        must(["git", "add", "--all"], self.root)
        must(["git", "commit", "--quiet", "--message=Publish"], self.root)
        must([*DVC, "push", "--quiet"], self.root)
        must(["git", "remote", "add", "origin", self.origin], self.root)
        must(["git", "push", "--quiet", "--set-upstream", "origin", "main"], self.root)

    def change(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
        file.write_text(text.replace(old, new), "utf-8")

    def colleague(self, name: str) -> "Project":
        """A fresh clone of the origin."""
        to = self.root.parent / name
        must(["git", "clone", "--quiet", self.origin, to], self.root)
        return Project(to, self.tool, self.layer)

    def push(self, message: str) -> None:
        must(["git", "commit", "--quiet", "--all", f"--message={message}"], self.root)
        must(["git", "push", "--quiet"], self.root)

    def run_of(self, start: str) -> dict[str, Any]:
        """What `mlops-kit runs` of a fresh clone says of the run whose id starts so."""
        clone = self.colleague(f"asks-of-{start}")
        kit = Path(sys.executable).with_name("mlops-kit")
        listed: list[dict[str, Any]] = json.loads(must([kit, "runs", "--json"], clone.root))
        (found,) = [one for one in listed if one["run"].startswith(start)]
        stages = {name: how for name, how in found["stages"].items() if ":" not in name}
        return {**found, "stages": stages}


def make(into: Path, layer: str, tool: str, trained: Path, mlops_new: Path) -> None:
    """`into/flights`, committed, with both environments; the base's is the trained one's."""
    root = into / "flights"
    shutil.copytree(trained, root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (root / ".venv").symlink_to(trained / ".venv")
    copier_copy(mlops_new, into / "rendered", project_name="flights", **{layer: tool})
    base = shutil.ignore_patterns("data")  # DVC's; the tier has none
    shutil.copytree(into / "rendered", root, dirs_exist_ok=True, ignore=base)
    for command in commands(root / layer / tool / "README.md")[:2]:
        must(command.split(), root)
    must(["git", "add", "--all"], root)
    must(["git", "commit", "--quiet", f"--message=Add {tool}"], root)


def reject(project: Project, run: str) -> None:
    """A model like v0.1.0 that a gate closed on, as `register` keeps it."""
    record = json.loads(must(["git", "show", "flights@v0.1.0:record.json"], project.root))
    (gate,) = [one for one in record["gates"] if one["name"] == "better-than-baseline"]
    gate["status"] = "fail"
    folder = project.root / ".mlops/rejected"
    folder.mkdir(exist_ok=True)
    (folder / f"{run}.json").write_text(json.dumps({**record, "version": None}), "utf-8")


def commands(page: Path) -> list[str]:
    """The indented lines of a page, without their comments."""
    lines = page.read_text("utf-8").splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.startswith("    ")]


def copied(made: Path, layer: str, tool: str, to: Path) -> Project:
    """A copy that shares the environments."""
    project = Project(to / "flights", tool, layer)
    shutil.copytree(made, project.root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (project.root / ".venv").symlink_to((made / ".venv").resolve())
    (project.tier / ".venv").symlink_to(made / layer / tool / ".venv")
    return project


def check(project: Project) -> None:
    """The hooks of the repository, and the tier's types and tests in its environment."""
    hooks = ["uv", "run", "--frozen", "pre-commit", "run", "--all-files"]
    must(hooks, project.root, UV_FROZEN="1", UV_NO_SYNC="1")
    assert must(["git", "status", "--porcelain"], project.root) == ""
    must([project.tool_named("mypy")], project.tier)
    done = run([project.tool_named("pytest"), "-q", "-p", "no:cacheprovider"], project.tier)
    assert done.code == 0, done.said
