"""Workflows as files: what they use, where they run, and a copy that act accepts."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

FOLDER = Path(".github/workflows")
RUNNERS = ("ubuntu-24.04", "ubuntu-latest", "self-hosted", "gpu")
CALLED = "called"  # the ref under which act finds the copies of called workflows
# a variable with what holds when it is not set, the only expression that is read here
_VARIABLE = re.compile(r"\$\{\{ *vars\.(\w+)(?: *\|\| *'([^']*)')? *\}\}")


def read(file: Path) -> dict[str, Any]:
    """As GitHub reads it, by YAML 1.2: `on` and `yes` are text, and only `true` and `false` are booleans."""
    content: dict[str, Any] = YAML(typ="safe").load(file.read_text("utf-8"))
    return content


def steps(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The steps of a workflow's jobs, or of a composite action."""
    for of in (*content.get("jobs", {}).values(), content.get("runs", {})):
        yield from of.get("steps", [])


def called(file: Path) -> list[Path]:
    """This workflow and the ones of its repository that it calls, itself first."""
    found, open_ = [file], [file]
    while open_:
        for job in read(open_.pop())["jobs"].values():
            name = str(job.get("uses", ""))
            path = file.parent / Path(name).name
            if name.startswith(f"./{FOLDER.as_posix()}/") and path not in found:
                found.append(path)
                open_.append(path)
    return found


def copy_for_act(files: Iterable[Path], repository: str, into: Path) -> None:
    """Leaves out `concurrency.queue`, which act does not know.

    act reads a workflow called as ./ from the checkout, where that key still is; under a repository's name
    it reads the copy.
    """
    (into / FOLDER).mkdir(parents=True)
    for file in files:
        content = read(file)
        for part in (content, *content["jobs"].values()):
            if isinstance(part.get("concurrency"), dict):
                part["concurrency"].pop("queue", None)
            if str(part.get("uses", "")).startswith("./"):
                part["uses"] = f"{repository}/{part['uses'].removeprefix('./')}@{CALLED}"
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10_000)
        (into / FOLDER / file.name).write_text(text, "utf-8")


def refuse_unknown_trigger(file: Path, event: str, inputs: Mapping[str, object]) -> None:
    """GitHub does not start such a run; act says nothing, or starts it without the input."""
    triggers = read(file)["on"]
    assert event in triggers, f"{file.name} does not run on {event}: {triggers}"
    about = triggers[event] or {} if isinstance(triggers, dict) else {}
    known = about.get("inputs", {}) if event == "workflow_dispatch" else inputs
    assert set(inputs) <= set(known), f"{file.name} has no inputs {sorted(set(inputs) - set(known))}"


def refuse_unknown_runners(file: Path, variables: Mapping[str, str]) -> None:
    """act leaves out a job whose label it does not know and says nothing."""
    for name, job in read(file)["jobs"].items():
        labels = job.get("runs-on", [])
        for label in labels if isinstance(labels, list) else [labels]:
            found = _VARIABLE.sub(lambda m: variables.get(m[1], m[2] or ""), str(label))
            assert found in RUNNERS, f"{file.name}, job {name}: no runner {found!r}; there are {RUNNERS}"
