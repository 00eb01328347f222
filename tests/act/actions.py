"""Every `uses:` has a folder on this machine, or the run is refused: nothing is fetched."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_new.template.releases import SOURCE, publisher

from tests.act import workflows

OURS = publisher((SOURCE / "copier.yml").read_text())
STUBS = {
    name: Path(__file__).parent / "stubs" / folder
    for name, folder in {
        "actions/download-artifact": "download-artifact",
        "actions/upload-artifact": "upload-artifact",
        "astral-sh/setup-uv": "setup-uv",
        "aws-actions/configure-aws-credentials": "configure-aws-credentials",
        "google-github-actions/auth": "google-auth",
    }.items()
}


class NoSuchAction(AssertionError):
    """A workflow uses what this machine does not have."""


def local_repositories(clone: Path, files: Iterable[Path], export: Path) -> dict[str, Path]:
    """OWNER/REPO@REF -> folder, for all that the workflows and the composite actions they reach use."""
    found: dict[str, Path] = {}
    for file in (*files, *sorted((clone / ".github").rglob("action.yml"))):
        for step in _used(file):
            if not _here(file, step, clone, export):
                found |= _folder(file, step, export)
    for file in sorted(export.glob("actions/*/action.yml")):
        for step in _used(file):
            if step["uses"].startswith("./"):
                raise NoSuchAction(
                    f"{file.parent.name} uses {step['uses']}: that is a folder of the caller's"
                )
            found |= _folder(file, step, export)
    return found


def _used(file: Path) -> list[dict[str, Any]]:
    content = workflows.read(file)
    for job in content.get("jobs", {}).values():
        if not (called := str(job.get("uses", "./"))).startswith("./"):
            raise NoSuchAction(f"{file.name} calls {called}: workflows of other repositories are not here")
    return [step for step in workflows.steps(content) if "uses" in step]


def _here(file: Path, step: dict[str, Any], clone: Path, export: Path) -> bool:
    """An action of the repository itself needs no folder."""
    if not step["uses"].startswith("./"):
        return False
    if not (clone / step["uses"] / "action.yml").is_file():
        raise NoSuchAction(f"{file.name} uses {step['uses']}: there is no such folder with an action.yml")
    _check_inputs(file, step, set(_action(step, clone, export).get("inputs") or {}))
    return True


def _folder(file: Path, step: dict[str, Any], export: Path) -> dict[str, Path]:
    used, _, ref = str(step["uses"]).partition("@")
    name, path = "/".join(used.split("/")[:2]), "/".join(used.split("/")[2:])
    if name == "actions/checkout":
        _check_inputs(file, step, {"fetch-depth", "fetch-tags", "path", "persist-credentials", "token"})
        return {}
    if name == OURS and not (export / path / "action.yml").is_file():
        raise NoSuchAction(f"{file.name} uses {used}: there is no {path}/action.yml in this project")
    if name != OURS and used not in STUBS:
        raise NoSuchAction(f"{file.name} uses {used}: it has no stub in {Path(__file__).parent / 'stubs'}")
    _check_inputs(file, step, set(_action(step, Path(), export).get("inputs") or {}))
    return {f"{name}@{ref}": export if name == OURS else STUBS[used]}


def declared_outputs(clone: Path, files: Iterable[Path], export: Path) -> dict[tuple[str, str], set[str]]:
    """(job, step's id or index) -> the outputs of the action that the step uses.

    act adds to them what the action's last step has, so that an output which is not declared is there.
    """
    return {
        (name, str(step.get("id", index))): set(_action(step, clone, export).get("outputs") or {})
        for file in files
        for name, job in workflows.read(file)["jobs"].items()
        for index, step in enumerate(job.get("steps", []))
        if "uses" in step and not step["uses"].startswith("actions/checkout@")
    }


def _action(step: dict[str, Any], clone: Path, export: Path) -> dict[str, Any]:
    used = str(step["uses"]).partition("@")[0]
    if used.startswith("./"):
        return workflows.read(clone / used / "action.yml")
    own = export / used.removeprefix(f"{OURS}/")
    return workflows.read(STUBS.get(used, own) / "action.yml")


def _check_inputs(file: Path, step: dict[str, Any], known: set[str]) -> None:
    """act's own checkout is a copy of the clone: it has no other ref or repository to give."""
    if unknown := set(step.get("with", {})) - known:
        raise NoSuchAction(f"{file.name}: {step['uses']} does not know {sorted(unknown)} here")


def refuse_undeclared_outputs(files: Iterable[Path], declared: Mapping[tuple[str, str], set[str]]) -> None:
    for file in files:
        for name, job in workflows.read(file)["jobs"].items():
            for id_, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", json.dumps(job)):
                if output not in declared.get((name, id_), {output}):
                    raise NoSuchAction(f"{file.name}, job {name}: step {id_} has no output {output!r}")
